"""Messages about names that are not known: what was given, and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ..language.failures import UsageError


def brief(text: str) -> str:
    """A name as messages repeat it: one that is very long is cut."""
    return text if len(text) <= 100 else f"{text[:80]}...{text[-10:]}"


def unknown(what: str, given: str, allowed: Iterable[str], hint: str = "") -> UsageError:
    """An error that names what was given and what is allowed, close matches first."""
    names, given, what = list(allowed), brief(given), what.rstrip(":")
    close = difflib.get_close_matches(given, names, n=3, cutoff=0.6)
    ordered = close + [name for name in names if name not in close]
    lines = [f"unknown {what} {given!r}"]
    if close:
        lines.append(f"  did you mean {' or '.join(repr(name) for name in close)}?")
    lines.append(f"  allowed: {', '.join(ordered)}" if ordered else f"  there is no {what}")
    if hint:
        lines.append(f"  {hint}")
    return UsageError("\n".join(lines))
