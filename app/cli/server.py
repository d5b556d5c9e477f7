"""`skillfeed serve` and `skillfeed worker`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from app import worker as workers
from app.cli import common
from catalog.errors import SkillfeedError
from catalog.settings import environment_name


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("serve")(serve)
    cli.command("worker")(worker)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
) -> None:
    """API and pages and, unless SCHEDULER=off, one worker as a child process."""
    # uvicorn raises the signal that stopped it once more when it is done; by default that would end this process at once.
    signal.signal(signal.SIGTERM, _end)
    settings = common.read()
    if "base_url" not in settings.model_fields_set:  # links then lead to where it is served; worker and server inherit it
        os.environ[environment_name("base_url")] = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104
        settings = common.read()
    common.upgrade(settings)
    settings.kept_secret("secret_key")
    settings.kept_secret("admin_token")
    _try(host, port)
    common.err.print(f"Skillfeed serves on http://{host}:{port} (stop with Ctrl-C)")
    child = _Child() if settings.scheduler == "on" else None
    try:
        uvicorn.run(
            "app.main:from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,  # seconds; with the worker's it stays under the ten that a container is given
        )
    finally:
        if child:
            child.stop()


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due, then end.")] = False,
    parent: Annotated[int, typer.Option(hidden=True, help="End with this process.")] = 0,
    json: common.Json = False,
) -> None:
    """Scheduled visits to the sources: asks the database every few seconds what is due. --json tells the visits of --once."""
    with common.opened() as context:
        if not once:
            workers.run(context, parent)
            return
        runs = workers.run_once(context)
    if json:
        common.emit({"runs": [r.as_dict() for r in runs]})
    if any(r.outcome and not r.outcome.good for r in runs):
        raise typer.Exit(1)


def _try(host: str, port: int) -> None:
    """Raise SkillfeedError where nobody can listen; uvicorn says so after the worker has begun, and ends with 3."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
        raise SkillfeedError(f"cannot listen on {host}:{port}: {reason}") from error


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


class _Child:
    """The worker process beside the server; started again when it dies, with a growing pause."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, name="worker watch", daemon=True).start()

    def _watch(self) -> None:
        pause = 1.0
        while not self._ended.is_set():
            with self._lock:
                if self._ended.is_set():
                    return
                # A session of its own, so that Ctrl-C reaches it through `stop` alone, once.
                command = [sys.executable, "-m", "app.cli", "worker", "--parent", str(os.getpid())]
                self._process = subprocess.Popen(command, start_new_session=True)
            code = self._process.wait()
            if self._ended.is_set():
                return
            common.err.print(f"the worker ended with exit code {code}; started again in {pause:.0f} s")
            self._ended.wait(pause)
            pause = min(60.0, pause * 2)

    def stop(self) -> None:
        """End the worker: SIGTERM, and SIGKILL after seven seconds."""
        self._ended.set()
        with self._lock:
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(7)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
