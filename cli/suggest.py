"""Messages about names that are not known: what was given, and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ..language.failures import UsageError

_NAMED = 4  # of many who have it, those that come first


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


def has_it(owners: Sequence[str]) -> str:
    """A hint at who else has what was asked for; none where nobody has."""
    if not owners:
        return ""
    named, more = list(owners[:_NAMED]), len(owners) - _NAMED
    if more > 0:
        named.append(f"{more} other{'s' if more > 1 else ''}")
    told = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return f"{told} {'has' if len(owners) == 1 else 'have'} it"
