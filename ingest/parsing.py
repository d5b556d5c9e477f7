"""Reading what strangers sent in a process of its own, which may be killed: a poisoned answer costs its own call, nothing else.

A process is started at the first call and kept. It may take 512 MiB of memory and, per call, some seconds of CPU and wall time;
one that breaks a limit is replaced. What comes back is data and nothing else: see `Results`.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar, cast

from catalog.errors import ParseError
from ingest.fetch import Spool
from ingest.parser_child import CALL, REPLY, RESULT_LIMIT, Reply

P = ParamSpec("P")
T = TypeVar("T")

MEMORY = 512 * 1024 * 1024  # bytes of address space, so of resident memory as well
CPU_SECONDS = 10  # per call; a body of more MiB than that has a second for each of them
CHILDREN = 2  # the second one is started when the first is busy: a slow answer then keeps no other source waiting
START_SECONDS = 20.0  # wall time beside twice the CPU time: starting, importing, waiting for a core

_ROOT = str(Path(__file__).resolve().parents[1])
#: What a process needs of the environment; secrets are no part of it.
_ENVIRONMENT = ("PATH", "PYTHONHOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")


class ParserBug(Exception):
    """The function raised what is no ParseError, or gave what cannot be handed over; its traceback is a note."""


class Results(pickle.Unpickler):
    """Reads results of a process that has read hostile bytes.

    Admits plain data and the values of our own packages: dataclasses, enumerations, named tuples. Raises UnpicklingError for
    anything else, functions above all (docs.python.org/3/library/pickle.html#restricting-globals).
    """

    _plain = frozenset(
        [("builtins", n) for n in ("bytearray", "complex", "frozenset", "range", "set", "slice")]
        + [("datetime", n) for n in ("date", "datetime", "time", "timedelta", "timezone")]
        + [("collections", n) for n in ("Counter", "OrderedDict")]
    )

    def find_class(self, module: str, name: str) -> Any:
        """The class of this name, when it is admitted."""
        if (module, name) in self._plain:
            return super().find_class(module, name)
        if module.split(".", maxsplit=1)[0] in ("catalog", "ingest") and "." not in name:
            found = super().find_class(module, name)
            own = isinstance(found, type) and found.__module__ == module
            if own and (is_dataclass(found) or issubclass(found, (Enum, tuple))):
                return found
        raise pickle.UnpicklingError(f"{module[:60]}.{name[:60]} is not admitted")


class Parser:
    """Calls functions on bytes in processes of their own; for all threads of this process."""

    def __init__(self, *, memory: int = MEMORY, children: int = CHILDREN, seconds: int = CPU_SECONDS) -> None:
        self._memory, self._seconds = memory, seconds
        self._slots = threading.BoundedSemaphore(children)
        self._free: list[_Child] = []  # append and pop are atomic
        self.close = weakref.finalize(self, _end_all, self._free)

    def parse(
        self, read: Callable[Concatenate[bytes, P], T], content: bytes | Spool, /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What the function makes of the bytes; function, arguments and result are such that they can be pickled.

        Raises ParseError as the function does, and with the reasons `parser-timeout` (10 s of CPU, or one for each MiB),
        `parser-memory` and `parser-killed`; ParserBug for any other exception of the function.
        """
        call = pickle.dumps((read, args, kwargs), 5)
        with self._slots:
            child = self._take()
            try:
                kind, payload, tired = child.ask(call, content, self._seconds)
                answer = Results(io.BytesIO(payload)).load()
            except pickle.UnpicklingError as error:
                child.end()
                raise ParserBug(f"a result was refused: {error}") from error
            except BaseException:  # Ctrl-C too: what the process is at now is of no use any more
                child.end()
                raise
            if tired:
                child.end()
            else:
                self._free.append(child)
        if kind is not Reply.RESULT:
            _raise(kind, answer)
        return cast("T", answer)

    @property
    def idle(self) -> tuple[int, ...]:
        """Ids of the processes that wait for a call."""
        return tuple(child.process.pid for child in self._free)

    def _take(self) -> _Child:
        while True:
            try:
                child = self._free.pop()
            except IndexError:
                return _Child(self._memory)
            if child.process.poll() is None:
                return child
            child.end()  # it died while it waited: no fault of this call


class _Child:
    """One process and the way to it."""

    def __init__(self, memory: int) -> None:
        self._channel, theirs = socket.socketpair()
        held, self._lifeline = os.pipe()
        environment = {k: v for k, v in os.environ.items() if k in _ENVIRONMENT or k.startswith("COVERAGE_")}
        try:
            # -P: the working folder is not searched for modules.
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ingest.parser_child", str(theirs.fileno()), str(held), str(memory)],
                pass_fds=(theirs.fileno(), held),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment | {"PYTHONPATH": os.pathsep.join([_ROOT, *(p for p in sys.path if p)])},
                start_new_session=True,  # Ctrl-C does not reach it while it starts
            )
        except BaseException:
            self._channel.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(held)

    def ask(self, call: bytes, content: bytes | Spool, seconds: int) -> tuple[Reply, bytearray, bool]:
        """Kind and payload of the reply, and whether the process should be let go; raises ParseError."""
        spooled = isinstance(content, Spool)
        size = content.size if isinstance(content, Spool) else len(content)
        seconds = max(seconds, size >> 20)
        patience = 2 * seconds + START_SECONDS
        end = time.monotonic() + patience
        try:
            self._wait_until(end)
            head = CALL.pack(len(call), size, seconds, spooled)
            socket.send_fds(self._channel, [head], [content.fd] if isinstance(content, Spool) else [])
            self._channel.sendall(call)
            if isinstance(content, bytes):
                self._wait_until(end)
                self._channel.sendall(content)
            kind, length, tired = REPLY.unpack(self._receive(REPLY.size, end))
            if length > RESULT_LIMIT:
                raise ParseError("parser-memory", "what the answer holds is too large")
            return Reply(kind), self._receive(length, end), tired
        except TimeoutError:
            raise ParseError(
                "parser-timeout", f"reading the answer took more than {2 * seconds + START_SECONDS:.0f} s"
            ) from None
        except (OSError, EOFError):
            raise self._death(seconds) from None

    def _wait_until(self, end: float) -> None:
        self._channel.settimeout(max(0.001, end - time.monotonic()))

    def _receive(self, size: int, end: float) -> bytearray:
        out = bytearray(size)
        view, got = memoryview(out), 0
        while got < size:
            self._wait_until(end)
            n = self._channel.recv_into(view[got:])
            if not n:
                raise EOFError
            got += n
        return out

    def _death(self, seconds: int) -> ParseError:
        """Why the process hung up."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        code = self.process.returncode
        if code == -signal.SIGXCPU:
            return ParseError("parser-timeout", f"reading the answer took more than {seconds} s of CPU time")
        how = f"by signal {-code}" if code and code < 0 else f"with status {code}"
        return ParseError("parser-killed", f"the process that read the answer ended {how}")

    def end(self, patience: float = 0.0) -> None:
        """End it, by force after `patience` seconds; it is gone then."""
        self._channel.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._lifeline)


def _end_all(children: list[_Child]) -> None:
    while children:
        children.pop().end(2.0)


def _raise(kind: Reply, said: Any) -> NoReturn:
    if kind is Reply.REFUSED:
        reason, text = said
        raise ParseError(str(reason), str(text))
    name, text, trace = said
    error = ParserBug(f"{name}: {text}")
    error.add_note(f"In the process that read the answer:\n{trace}")
    raise error


#: The parser of this process; nothing is started before the first call.
SHARED = Parser()
