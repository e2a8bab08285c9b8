"""A PostgreSQL server for the tests alone: started from Debian's package or any other, gone with the session."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

ROLE = "postgres"  # of the server, and the user as whom it runs where we are root, which it refuses
PATIENCE = 60.0  # seconds


class Postgres:
    """A server that listens on a socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, 0

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


def find_postgres() -> Path | None:
    """Return the folder of the server's programs; None where there are none."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


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
        with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stderr=log) as process:
            server = Postgres(folder)
            try:
                _wait(server, process, folder / "log")
                yield server
            finally:
                process.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed any more
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return server.ask("SELECT 1")
        except sa.exc.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not begin: {log.read_text()}") from None
            time.sleep(0.05)
