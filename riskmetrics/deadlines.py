"""Time limits of whole calls, including name resolution, handshakes, headers and body."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from time import monotonic
from typing import NamedTuple, Self, TypeVar

T = TypeVar("T")


class Deadline(NamedTuple):
    """A moment on the monotonic clock, in seconds."""

    expires_at: float

    @classmethod
    def from_now(cls, seconds: float) -> Self:
        """Return the deadline that expires after some seconds."""
        return cls(monotonic() + seconds)

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.expires_at - monotonic()


def run_with_timeout(seconds: float, call: Callable[[], T]) -> T:
    """Return the result of ``call``, or raise TimeoutError if it takes longer than ``seconds``.

    Errors of ``call`` are raised unchanged. A late call continues in a daemon thread, which does
    not keep the process alive. Socket timeouts are not sufficient: they restart with each byte.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001  # raised in the waiting thread
            result.set_exception(error)
        else:
            result.set_result(value)

    Thread(target=run, daemon=True).start()
    return result.result(max(seconds, 0))
