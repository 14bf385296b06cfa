"""Who expands what: a level, put in order and divided among the workers.

States found one after the other have successors in common, and what one worker finds twice its
filter stops, before anything is sent or looked up. So a level is expanded in the order in which it
would lie in one arena: what the first worker found, round after round, then what the second did,
and so on. Each worker takes an equal part of that, whoever owns the states.
"""

from __future__ import annotations

from collections.abc import Sequence

Row = tuple[tuple[int, int], ...]
"""States found together: of each arena the positions from the first number up to the second."""


def in_order(level: Sequence[tuple[int, int]], runs: Sequence[Sequence[int]]) -> list[Row]:
    """The rows of a level in the order of finding, senders one after the other.

    `level` says of each arena where the level begins and ends; `runs` how far each arena was filled
    when it had taken in what a sender found in a round: round after round, in each the senders in
    their order. Where nothing is known of that, the level is one row.
    """
    senders = len(level)
    if senders == 1 or not runs[0]:
        return [tuple(level)]
    starts = [[first, *ends] for (first, _), ends in zip(level, runs, strict=True)]
    rows = []
    for sender in range(senders):
        for at in range(sender, len(runs[0]), senders):
            row = tuple((start[at], ends[at]) for start, ends in zip(starts, runs, strict=True))
            if size(row):
                rows.append(row)
    return rows


def divide(rows: Sequence[Row], workers: int) -> list[list[Row]]:
    """Parts of about equal size, in order; together they are the rows."""
    total = sum(map(size, rows))
    shares = []
    for worker in range(workers):
        first, end = total * worker // workers, total * (worker + 1) // workers
        share, seen = [], 0
        for row in rows:
            part = _cut(row, first - seen, end - seen)
            seen += size(row)
            if size(part):
                share.append(part)
        shares.append(share)
    return shares


def size(row: Row) -> int:
    """How many states a row has."""
    return sum(end - first for first, end in row)


def _cut(row: Row, first: int, end: int) -> Row:
    """About the states from `first` to `end` of a row, side by side in all arenas.

    A part that ends at a number and one that begins with it always meet.
    """
    states = max(size(row), 1)
    low, high = max(0, min(first, states)), max(0, min(end, states))
    return tuple(
        (start + (stop - start) * low // states, start + (stop - start) * high // states)
        for start, stop in row
    )
