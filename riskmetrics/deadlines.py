"""One limit for the time that a call takes as a whole, whatever it waits for: names, handshakes, headers or bytes."""

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
        """Return the moment some seconds from now."""
        return cls(monotonic() + seconds)

    @property
    def seconds_left(self) -> float:
        """Seconds until then; negative once it has passed."""
        return self.expires_at - monotonic()


def run_with_timeout(seconds: float, call: Callable[[], T]) -> T:
    """Return what ``call`` returns, or raise what it raises; TimeoutError if it takes longer.

    A call that is late goes on in a thread of its own that keeps no process alive. Timeouts of
    sockets do not do: they start again with each byte.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001  # it is raised in the thread that waits
            result.set_exception(error)
        else:
            result.set_result(value)

    Thread(target=run, daemon=True).start()
    return result.result(max(seconds, 0))
