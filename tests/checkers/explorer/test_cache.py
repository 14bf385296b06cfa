"""The folder of compiled code stays within its bound, whoever else uses it."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quorate.checkers.explorer import cache

SIZE = 1000


def name(number: int) -> str:
    return f"{number:040x}.obj"


def put(folder: Path, number: int, *, age: float = 0.0) -> Path:
    path = folder / name(number)
    cache.write(path, bytes(SIZE))
    if age:
        os.utime(path, (time.time() - age,) * 2)
    return path


@pytest.fixture(autouse=True)
def room_for_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 3 * SIZE)


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    old = [put(tmp_path, number, age=100 - number) for number in range(3)]
    assert cache.read(old[0]) == bytes(SIZE), "which is a use"
    assert all(path.exists() for path in old)
    new = put(tmp_path, 3)
    assert set(tmp_path.iterdir()) == {old[0], old[2], new}


def test_kernels_are_entries_too(tmp_path: Path) -> None:
    kernels = tmp_path / f"kernels-wide-{'a' * 24}.o"
    cache.write(kernels, bytes(SIZE))
    os.utime(kernels, (0, 0))
    for number in range(3):
        put(tmp_path, number)
    assert not kernels.exists()


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    others = [tmp_path / "thesis.obj", tmp_path / "kernels-of-truth.o", tmp_path / "notes"]
    for path in others:
        path.write_bytes(bytes(10 * SIZE))
        os.utime(path, (0, 0))
    (tmp_path / name(77)).mkdir()
    mine = [put(tmp_path, number) for number in range(3)]
    assert all(path.exists() for path in (*others, *mine))


def test_what_was_left_unfinished_goes_after_a_while(tmp_path: Path) -> None:
    young, old = tmp_path / ".new-a", tmp_path / ".new-b"
    young.write_text("")
    old.write_text("")
    os.utime(old, (time.time() - 2 * 3600,) * 2)
    entry = put(tmp_path, 1)
    assert set(tmp_path.iterdir()) == {young, entry}


def test_an_interrupt_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path, 1)
    assert list(tmp_path.iterdir()) == []


def test_many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda number: put(tmp_path, number % 20), range(400)):
            pass
        for content in pool.map(lambda number: cache.read(tmp_path / name(number)), range(20)):
            assert content in (None, bytes(SIZE))
    put(tmp_path, 1)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * SIZE


def test_no_folder_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache.write(tmp_path / "file" / name(1), b"")
    assert cache.read(tmp_path / "file" / name(1)) is None
