"""Dividing a level: every state goes to one worker, and the order is that of finding."""

from hypothesis import given
from hypothesis import strategies as st

from quorate.checkers.explorer.shares import Row, divide, in_order, size


@st.composite
def levels(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[list[int]]]:
    """Of 1 to 4 arenas where a level lies, and how far each sender of each round filled it."""
    workers = draw(st.integers(1, 4))
    rounds = draw(st.integers(0, 5))
    level, runs = [], []
    for _ in range(workers):
        first = draw(st.integers(0, 100))
        found = draw(
            st.lists(st.integers(0, 9), min_size=rounds * workers, max_size=rounds * workers)
        )
        ends = [first + sum(found[: k + 1]) for k in range(len(found))]
        level.append((first, ends[-1] if ends else first + draw(st.integers(0, 50))))
        runs.append(ends)
    return level, runs


def _states(rows: list[Row]) -> list[tuple[int, int]]:
    """Arena and position of every state, row by row."""
    return [
        (arena, position)
        for row in rows
        for arena, (first, end) in enumerate(row)
        for position in range(first, end)
    ]


@given(levels())
def test_every_state_is_expanded_once(
    given_: tuple[list[tuple[int, int]], list[list[int]]],
) -> None:
    level, runs = given_
    shares = divide(in_order(level, runs), len(level))
    assert len(shares) == len(level)
    divided = [state for share in shares for state in _states(share)]
    assert sorted(divided) == _states([tuple(level)])


@given(levels())
def test_shares_are_about_equal(given_: tuple[list[tuple[int, int]], list[list[int]]]) -> None:
    level, runs = given_
    shares = divide(in_order(level, runs), len(level))
    sizes = [sum(map(size, share)) for share in shares]
    # A cut falls between states of each arena: off by less than one of each, at both ends.
    assert max(sizes) - min(sizes) <= 2 * len(level)


def test_what_one_sender_found_stays_together() -> None:
    # Two rounds; in each the first sender found two states of each arena, the second one.
    level = [(10, 16), (20, 26)]
    runs = [[12, 13, 15, 16], [22, 23, 25, 26]]
    assert in_order(level, runs) == [
        ((10, 12), (20, 22)),
        ((13, 15), (23, 25)),
        ((12, 13), (22, 23)),
        ((15, 16), (25, 26)),
    ]
    first, second = divide(in_order(level, runs), 2)
    assert first == [((10, 12), (20, 22)), ((13, 14), (23, 24))]
    assert second == [((14, 15), (24, 25)), ((12, 13), (22, 23)), ((15, 16), (25, 26))]


def test_one_worker_expands_its_arena_as_it_is() -> None:
    assert in_order([(3, 9)], [[5, 9]]) == [((3, 9),)]
    assert divide([((3, 9),)], 1) == [[((3, 9),)]]
