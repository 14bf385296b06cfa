"""The front end: a spec class to typed IR, with diagnostics.

Start reading at `build.py`. Stages: `source` finds the syntax of a function, `context` holds what
is known of the spec, `expressions`, `calls`, `statements` and `matching` translate a body.
"""
