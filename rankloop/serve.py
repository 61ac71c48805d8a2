"""``rankloop serve``: the web server, the trainer beside it, and the first look round for a new person."""

from __future__ import annotations

import ipaddress
import signal
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn
from rich.console import Console

from rankloop.follow import follow_job
from rankloop.indexing import checked_folder
from rankloop.locks import ProcessLock, server_lock, trainer_lock
from rankloop.supervise import TrainerSupervisor
from server import indexing_jobs
from server.app import create_app, end_streams
from store import sessions
from store.database import Database, migrate
from store.errors import Conflict, InvalidInput, RankloopError
from store.private import make_private
from store.settings import Settings, is_loopback
from store.types import JobState

LINK_LIFE = timedelta(minutes=30)
GRACE_S = 5
"""For open connections; the trainer's grace runs beside it, and both are to be over within ten seconds."""


LEAST_TOKEN = 16
"""Characters of an admin token where other machines may try theirs."""


def check_address(settings: Settings) -> None:
    """Refuse to listen beyond this machine without an explicit admin token. Raises InvalidInput."""
    try:
        loopback = settings.host == "localhost" or ipaddress.ip_address(settings.host).is_loopback
    except ValueError as error:
        raise InvalidInput(f"RANKLOOP_HOST must be an IP address or localhost, not {settings.host!r}") from error
    if not loopback and settings.admin_token is None:
        raise InvalidInput(
            f"listening on {settings.host} lets other machines in: set RANKLOOP_ADMIN_TOKEN to a long secret first"
        )
    if not loopback and settings.admin_token and len(settings.admin_token.get_secret_value().strip()) < LEAST_TOKEN:
        raise InvalidInput(
            f"RANKLOOP_ADMIN_TOKEN is shorter than {LEAST_TOKEN} characters, and other machines could guess it: "
            "make one with python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    if not loopback and settings.oidc_url and not settings.public_url:  # --host comes after the settings' own check
        raise InvalidInput("RANKLOOP_OIDC_URL needs RANKLOOP_PUBLIC_URL, where the provider sends people back to")


def bind(settings: Settings) -> socket.socket:
    """A listening socket, taken before anything slow starts. Raises Conflict when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        message = f"port {settings.port} on {settings.host} can't be used ({error.strerror}); try another: PORT=8010"
        raise Conflict(message) from error
    return sock


def address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


class Greeter(threading.Thread):
    """Waits for the server, prints where it is, and indexes the folder that was asked for."""

    def __init__(self, server: uvicorn.Server, settings: Settings, index: Path | None, name: str | None) -> None:
        super().__init__(name="greeter", daemon=True)
        self._server, self._settings, self._index, self._name = server, settings, index, name
        self._console = Console(stderr=False, highlight=False)
        self.ended = threading.Event()

    def run(self) -> None:
        while not self._server.started:
            if self.ended.wait(0.05):
                return
        db = Database.open(self._settings.database)
        try:
            self._greet(db)
            if self._index is not None:
                self._index_folder(db, self._index)
        finally:
            db.dispose()

    def _greet(self, db: Database) -> None:
        url = self._settings.public_url or address(self._settings)
        self._console.print(f"\n  Rankloop runs at [bold]{url}/[/bold]", soft_wrap=True)
        self._console.print(f"  Admin page       {url}/admin", soft_wrap=True)
        self._console.print(f"  Sign in {self._way_in(db, url)}", soft_wrap=True)
        if not self._settings.sign_in and not is_loopback(self._settings.host):
            note = "Nobody can ask or rate yet: set up sign-in for people, see docs/deploy.md"
            self._console.print(f"  [yellow]{note}[/yellow]", soft_wrap=True)
        self._console.print("  Stop with Ctrl-C. Everything is kept in " + str(self._settings.data.resolve()) + "\n")

    def _way_in(self, db: Database, url: str) -> str:
        """A link for whoever sits before this terminal; what a process manager collects is read by others, later."""
        if not self._console.file.isatty():
            kept = "of RANKLOOP_ADMIN_TOKEN" if self._settings.admin_token else f"in {self._settings.data}/admin-token"
            return f"with     the token {kept}"
        with db.write() as tx:
            link = sessions.create(tx, "link", sessions.OPERATOR, "admin", LINK_LIFE, datetime.now(UTC))
        return f"once     {url}/admin#link={link}  (valid for 30 minutes)"

    def _index_folder(self, db: Database, folder: Path) -> None:
        name = self._name or indexing_jobs.free_name(db, folder)
        try:
            job = indexing_jobs.start(db, name, str(folder), "rankloop serve", datetime.now(UTC))
        except RankloopError as error:
            self._console.print(f"[red]{folder} is not indexed[/red]: {error.message}", soft_wrap=True)
            return
        ended = follow_job(db, job.id, self._console)
        if ended.state is not JobState.SUCCEEDED:
            self._console.print(f"[red]Indexing {folder} ended as {ended.state}[/red]: {ended.error}")
            return
        result = ended.result or {}
        counts = f"{result.get('files', 0):,} files, {result.get('chunks', 0):,} chunks."
        self._console.print(f"Indexed [bold]{name}[/bold]: {counts}{'' if 'warning' in result else ' Ask away.'}")
        if "warning" in result:
            self._console.print(f"Warning: {result['warning']}", style="yellow", markup=False, soft_wrap=True)


class _Server(uvicorn.Server):
    """Tells the trainer and the open event streams to end as soon as it is told itself."""

    def __init__(
        self, config: uvicorn.Config, trainer: TrainerSupervisor | None, end_streams: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._trainer, self._end_streams = trainer, end_streams
        self.asked = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._trainer is not None:
            self._trainer.ask()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)

    def take_signals(self) -> None:
        """At its end uvicorn raises the signal again for the handler that was there before: by default that kills the
        process before anything is cleaned up, so let it be this one."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)


def serve(settings: Settings, index: Path | None, name: str | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises Conflict when the port or the data directory is taken."""
    check_address(settings)
    folder = None if index is None else checked_folder(index)
    make_private(settings.data)
    with ProcessLock(server_lock(settings.data), url=address(settings)), bind(settings) as sock:
        migrate(settings.database)  # a database that can't be used is told in one line, before anything else starts
        app = create_app(settings)
        config = uvicorn.Config(
            app,
            log_level=settings.log_level if settings.log_level != "info" else "warning",
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
            proxy_headers=False,  # server.proxies reads them, and needs the connection's own address for that
            access_log=settings.log_texts,  # an address may hold what somebody searched for
        )
        trainer = TrainerSupervisor(trainer_lock(settings.data)) if settings.trainer else None
        server = _Server(config, trainer, partial(end_streams, app))
        server.take_signals()
        greeter = Greeter(server, settings, folder, name)
        greeter.start()
        if trainer is not None:
            trainer.start()
        try:
            server.run(sockets=[sock])
        finally:
            greeter.ended.set()
            if trainer is not None:
                trainer.stop()
    if not server.started and not server.asked:
        raise Conflict("the server could not start; the lines above say why")
