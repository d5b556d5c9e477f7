"""The process in which answers are read: `python -m ingest.parser_child <channel> <lifeline> <bytes>`; see ingest.parsing.

It takes one call after the other from its channel, runs the function under its limits and sends back what came of it. It knows
no settings and no database, and ends with its parent. It imports little: what a function needs is imported with the function.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import traceback
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Any

from catalog.errors import ParseError

CALL = struct.Struct("!QQQ?")  # bytes of the call, bytes of the body, CPU seconds; True: the body is the file that comes along
REPLY = struct.Struct("!BQ?")  # kind, bytes of the payload; True: use another process for the next call
RESULT_LIMIT = 256 * 1024 * 1024  # bytes
TIRED = 192 * 1024 * 1024  # bytes resident after a call from which on a fresh process is the way to give memory back


class Reply(IntEnum):
    """What a payload is."""

    RESULT = 0  # pickled
    REFUSED = 1  # reason and text of a ParseError
    CRASHED = 2  # name, text and traceback of any other exception


def main() -> None:
    """Serve until the parent hangs up."""
    channel, lifeline, memory = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # Ctrl-C and a service manager's stop reach the whole group: the parent decides
        signal.signal(number, signal.SIG_IGN)
    _end_with_parent(lifeline)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, memory)
    gc.disable()  # a parse makes a hundred thousand objects that all live: collecting meanwhile costs up to two thirds more
    with channel:
        while _serve(channel):
            gc.collect()
            gc.freeze()  # what was imported for the call


def _serve(channel: socket.socket) -> bool:
    """Answer one call; False when the parent has hung up."""
    head, files, _, _ = socket.recv_fds(channel, CALL.size, 1)
    if len(head) < CALL.size:
        return False
    call_size, body_size, seconds, spooled = CALL.unpack(head)
    call = _receive(channel, call_size)
    body = _contents(files[0], body_size) if spooled else _receive(channel, body_size)
    kind, payload, tired = _answer(call, body, seconds)
    channel.sendall(REPLY.pack(kind, len(payload), tired or _resident() > TIRED))
    channel.sendall(payload)
    return True


def _answer(call: bytes, body: bytes, seconds: int) -> tuple[Reply, bytes, bool]:
    """What came of a call, as its payload; True when memory ran out on the way."""
    try:
        function, args, kwargs = pickle.loads(call)  # noqa: S301 - from the parent; imports are outside of the limit
        _limit(resource.RLIMIT_CPU, _cpu_seconds() + seconds + 1)
        payload = pickle.dumps(function(body, *args, **kwargs), 5)
    except ParseError as error:
        return _refused(error.reason, str(error))
    except MemoryError:
        return *_refused("parser-memory", "reading the answer takes too much memory")[:2], True
    except RecursionError:
        return _refused("too-deep", "the answer is nested too deeply")
    except Exception as error:  # noqa: BLE001 - the parent shows it as the bug that it is
        said = (type(error).__name__, str(error)[:1000], traceback.format_exc()[-20_000:])
        return Reply.CRASHED, pickle.dumps(said), False
    finally:
        _limit(resource.RLIMIT_CPU, resource.RLIM_INFINITY)
    if len(payload) > RESULT_LIMIT:
        return *_refused("parser-memory", f"what the answer holds is larger than {RESULT_LIMIT >> 20} MiB")[:2], True
    return Reply.RESULT, payload, False


def _refused(reason: str, text: str) -> tuple[Reply, bytes, bool]:
    return Reply.REFUSED, pickle.dumps((reason, text)), False


def _receive(channel: socket.socket, size: int) -> bytes:
    out = bytearray(size)
    view, got = memoryview(out), 0
    while got < size:
        n = channel.recv_into(view[got:])
        if not n:
            raise SystemExit  # the parent is gone
        got += n
    return bytes(out)


def _contents(fd: int, size: int) -> bytes:
    with open(fd, "rb", buffering=0) as file:
        return os.pread(file.fileno(), size, 0)


def _end_with_parent(lifeline: int) -> None:
    """Have the kernel end this process when the parent's end of the pipe closes, also in the middle of a parse.

    PR_SET_PDEATHSIG would do so when the thread ends that started us. Where SIGIO is ignored by default (macOS), the closed
    channel and the limit on CPU time end it instead.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _limit(what: int, value: int) -> None:
    """Set the soft limit, within the hard one; a platform without it goes without (macOS: RLIMIT_AS)."""
    hard = resource.getrlimit(what)[1]
    if hard != resource.RLIM_INFINITY and (value == resource.RLIM_INFINITY or value > hard):
        value = hard
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (value, hard))


def _cpu_seconds() -> int:
    used: Any = resource.getrusage(resource.RUSAGE_SELF)
    return int(used.ru_utime + used.ru_stime)


def _resident() -> int:
    """Bytes resident now; 0 where the kernel does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


if __name__ == "__main__":
    main()
