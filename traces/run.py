"""An adapter's session behind a time limit: every call in one thread, every failure a value."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, TypeVar

from ..language.labels import Label
from .adapter import (
    Adapter,
    Begins,
    JudgesProperty,
    Named,
    NondeterministicStep,
    ReportsEffects,
    Session,
    StepRefused,
)
from .show import step_text
from .trace import Outcome, Setting

T = TypeVar("T")


class Stopped(Exception):
    """The replay ends here, with this outcome."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


class Run:
    """One session of an adapter. Every method raises Stopped where the replay ends."""

    def __init__(self, adapter: Adapter, time_limit: float) -> None:
        self._adapter = adapter
        self._limit = time_limit
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]
        self._calls = queue.SimpleQueue()
        self._session: Session | None = None
        self._stuck = False
        # A daemon: an adapter that never returns must not keep the process from ending.
        threading.Thread(target=_serve, args=(self._calls,), daemon=True).start()

    def start(self, parameters: Mapping[str, Setting], flaws: tuple[str, ...]) -> None:
        """Make the session."""
        self._session = self._call("start", lambda: self._adapter.start(dict(parameters), flaws))

    def begin(self, initial: Named) -> None:
        """Tell the initial state, to a session that asks for it."""
        session = self._session
        if isinstance(session, Begins):
            self._call("begin", lambda: session.begin(initial))

    def apply(self, label: Label, before: Named, after: Named) -> None:
        """Take a step."""
        session = self._given()
        self._call(f"apply {step_text(label)}", lambda: session.apply(label, before, after))

    def project(self, variables: tuple[str, ...]) -> Named:
        """The implementation's state."""
        shown = self._call("project", self._given().project)
        if not isinstance(shown, Mapping):
            raise Stopped(Outcome.ADAPTER_ERROR, f"project returned {shown!r}, not a mapping")
        if unknown := sorted(str(name) for name in shown if name not in variables):
            raise Stopped(
                Outcome.ADAPTER_ERROR,
                f"project gives {', '.join(unknown)}; the spec's variables are "
                + ", ".join(variables),
            )
        return shown

    def effects(self) -> tuple[str, ...]:
        """Effects of the last step beyond the spec's, of a session that reports them."""
        session = self._session
        if not isinstance(session, ReportsEffects):
            return ()
        return tuple(self._call("effects", lambda: [str(one) for one in session.effects()]))

    def violates(self, name: str) -> bool | None:
        """Whether the implementation violates a property, None where the session cannot tell."""
        session = self._session
        if not isinstance(session, JudgesProperty):
            return None
        return self._call("violates", lambda: session.violates(name))

    def close(self) -> str:
        """End the session and its thread; what went wrong while closing, else empty."""
        problem = ""
        if self._stuck:
            problem = "the session did not answer and was left behind, not closed"
        elif self._session is not None:
            try:
                self._call("close", self._session.close)
            except Stopped as stopped:
                problem = f"closing the session: {stopped.reason}"
        self._session = None
        self._calls.put(None)
        return problem

    def _given(self) -> Session:
        assert self._session is not None, "start comes first"
        return self._session

    def _call(self, what: str, function: Callable[[], T]) -> T:
        future: Future[T] = Future()
        self._calls.put((function, future))
        self._stuck = True
        if not wait([future], self._limit).done:
            reason = f"{what} did not return within {self._limit:g} seconds"
            raise Stopped(Outcome.INCONCLUSIVE, reason)
        self._stuck = False
        match future.exception():
            case None:
                return future.result()
            case StepRefused() as refused:
                raise Stopped(Outcome.STEP_REFUSED, str(refused) or "no reason given")
            case NondeterministicStep() as step:
                reason = f"not under the adapter's control: {step}"
                raise Stopped(Outcome.INCONCLUSIVE, reason)
            case error:
                # Whatever else an adapter raises is its own fault: one line, no traceback.
                raise Stopped(Outcome.ADAPTER_ERROR, f"{what}: {_told(error)}")


def _serve(calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]) -> None:
    while (call := calls.get()) is not None:
        function, future = call
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - handed to who waits for the result
            future.set_exception(error)


def _told(error: BaseException) -> str:
    """Type, message and place of an exception."""
    message = " ".join(str(error).split())
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename != __file__]
    if frames:
        last = frames[-1]
        text += f" ({Path(last.filename).name}:{last.lineno}, in {last.name})"
    return text
