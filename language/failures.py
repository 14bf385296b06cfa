"""What the language raises while a spec runs, and the errors of its users.

Three families: misuse by the caller (`UsageError`), a bad spec (`SpecErrors` in `diagnostics`, and
`Trapped` for what only shows in a state), our own bug (anything else).
"""

from __future__ import annotations


class UsageError(ValueError):
    """The caller gave something that is not allowed; the message names it and what is allowed."""


class Disabled(Exception):
    """A `require` was False: the action is not enabled. Never leaves the interpreter."""
