"""A PostgreSQL server for the tests alone: started from Debian's package or any other, gone with the session."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

ROLE = "postgres"  # of the server, and the user as whom it runs where we are root, which it refuses
PATIENCE = 60.0  # seconds


class Postgres:
    """A server that listens on a socket in a folder."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.folder, self.made, self._command = folder, 0, command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self.folder / "log"
        with log.open("ab") as file:
            self._process = process = subprocess.Popen(self._command, cwd=self.folder, stderr=file)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask("SELECT 1")
            except sa.exc.OperationalError:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL did not begin: {log.read_text()}") from None
                time.sleep(0.05)

    def stop(self, how: signal.Signals) -> None:
        """End it: SIGINT closes the files properly, SIGQUIT breaks off at once."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)

    def address(self, role: str = ROLE) -> str:
        """Return what --db takes."""
        return f"postgresql://{role}@/postgres?host={self.folder}"

    def ask(self, text: str) -> None:
        """Do one thing outside a transaction."""
        url = self.address().replace("postgresql", "postgresql+psycopg", 1)
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(text)

    def new_store(self) -> str:
        """Return the address of an empty schema, in which a store may be made; a database for each takes long."""
        self.made += 1
        self.ask(f"CREATE SCHEMA test{self.made}")
        return f"{self.address()}&options=-csearch_path%3Dtest{self.made}"


def find_postgres() -> Path:
    """Return the folder of the server's programs; where there are none, the test is skipped."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    programs = next((folder for folder in folders if (folder / "postgres").exists()), None)
    if programs is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL is missing, so nothing is tested on it: apt install postgresql, pip install psycopg")
    return programs


@contextmanager
def running_postgres(programs: Path) -> Iterator[Postgres]:
    """Start a server that forgets everything, and end it."""
    root = os.name == "posix" and os.geteuid() == 0
    other = ["setpriv", f"--reuid={ROLE}", f"--regid={ROLE}", "--clear-groups"] if root else []
    folder = Path(tempfile.mkdtemp(prefix="roomread-pg-"))
    try:
        if root:
            shutil.chown(folder, ROLE, ROLE)
        data = folder / "data"
        make = [*other, str(programs / "initdb"), "-D", str(data), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*make, "--locale=C"], check=True, capture_output=True, cwd=folder)
        settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off", "jit": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [*other, str(programs / "postgres"), "-D", str(data), *options]
        server = Postgres(folder, command)
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGQUIT)  # nothing of it is needed any more
    finally:
        shutil.rmtree(folder, ignore_errors=True)
