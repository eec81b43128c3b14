"""Functions called as another account in a child process; imported modules stay imported."""

import os
import pwd
import traceback
from collections.abc import Callable

import pytest

ORDINARY, ANOTHER = "daemon", "games"
"""Accounts that every Linux has and that are neither root nor nobody."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another account")


def call_as(account: str, function: Callable[[], object]) -> str:
    """Return as text what a function returns to another account, or the error that it raises."""
    entry = pwd.getpwnam(account)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        try:
            answer = str(function())
        except Exception as error:  # noqa: BLE001
            answer = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        os.write(writer, answer.encode(errors="backslashreplace"))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer
