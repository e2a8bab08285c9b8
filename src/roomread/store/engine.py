"""Where a store lies, and all in which SQLite and PostgreSQL differ."""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from platformdirs import user_data_path
from sqlalchemy.dialects import postgresql

from roomread.errors import MissingExtraError, StoreError
from roomread.store.schema import store_table
from roomread.types import Array

VARIABLE = (
    "ROOMREAD_DB"  # of the environment: the store where no --db is given, so that no password stands in a command
)
DRIVER = "postgresql+psycopg"
WAIT = 30.0  # seconds to wait for other writers of a SQLite file
SERVER = {  # of each connection to a PostgreSQL server, unless its address says otherwise
    "connect_timeout": 10,  # seconds
    "tcp_user_timeout": 15_000,  # milliseconds until a line counts as broken; else a quarter of an hour
    "keepalives_idle": 10,  # seconds of silence until the other end is asked whether it is there; else two hours
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "roomread",
}
LOCKED = 10  # seconds that a writer waits for a row of PostgreSQL, as that of a connection that broke just before
STEP = 40  # seconds in which PostgreSQL does one step of a writer; a part of its rows is a step
PART = 20_000  # rows, some 2 MB: even a slow line takes them in that time
# What may pass by itself, or once somebody has made room; a code's further bits say where it happened.
PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
STEPS_LOCK = 0x726F6F6D  # "room": who holds this advisory lock of a PostgreSQL database works alone
SHOWN = ("host", "port", "service", "options")  # of an address's settings; a password may hide among the others

Where = Path | sa.URL


def default_store() -> Path:
    """Return where lessons are kept when nothing else is said: the platform's folder for a user's data."""
    return user_data_path("roomread", appauthor=False) / "lessons.sqlite"


def find_store(named: str | Path | None) -> Where:
    """Return where a store lies: in a file, or at the address of a PostgreSQL database.

    Args:
        named: its file or address; None takes what the environment names, or else the default file.

    Raises:
        StoreError: it is an address that cannot be read, or of another kind of database.
    """
    text = str(named if named is not None else os.environ.get(VARIABLE) or default_store())
    if isinstance(named, Path) or "://" not in text:
        return Path(text)
    kind = text.partition("://")[0]
    if kind not in ("postgresql", "postgres", DRIVER):
        raise StoreError(
            f"A store of the kind {kind} is not known. Expected: a file, or postgresql://user@host/database."
        )
    try:
        url = sa.make_url(text).set(drivername=DRIVER)
    except (sa.exc.ArgumentError, ValueError):
        url = None
    if url is None or "@" in f"{url.host}{url.database}":  # which would show a part of the password
        raise StoreError(  # not even the cause is told: it may hold the password
            "The address of the store cannot be read. Expected: postgresql://user:password@host:port/database, in the "
            "password %40 for @, %2F for /, %3A for : and %25 for %."
        ) from None
    return url


def shown(where: Where) -> str:
    """Return where a store lies as it may be printed: without a password."""
    if isinstance(where, Path):
        return str(where)
    plain = where.set(
        drivername="postgresql", query={name: value for name, value in where.query.items() if name in SHOWN}
    )
    return sa.URL.create(
        "postgresql", plain.username, None, plain.host, plain.port, plain.database, plain.query
    ).render_as_string()


def open_engine(where: Where) -> sa.Engine:
    """Return the way to a store; a file's folder is made when it is missing.

    Raises:
        MissingExtraError: the driver for PostgreSQL is not installed.
        StoreError: the folder cannot be made, or the file is a folder.
    """
    if isinstance(where, Path):
        return _open_file(where)
    about = {name: value for name, value in SERVER.items() if name not in where.query}
    try:
        return sa.create_engine(
            where, pool_size=5, max_overflow=20, pool_pre_ping=True, connect_args=about, hide_parameters=True
        )
    except ImportError as error:
        raise MissingExtraError(
            "A store on PostgreSQL needs the package psycopg, which is not installed. "
            'Expected: pip install "roomread[scale]".'
        ) from error


def _open_file(path: Path) -> sa.Engine:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {path.parent} cannot be made: {error.strerror}. Use --db FILE.") from error
    if path.is_dir():
        raise StoreError(f"The store {path} is a folder. Expected: a file. Use --db FILE.")
    if path.exists() and not path.is_file():
        raise StoreError(f"The store {path} is a device, a pipe or a socket. Expected: a file. Use --db FILE.")
    if not path.exists():
        with suppress(OSError):  # which SQLite tells of
            path.touch(0o600)  # single seats lie in it: other accounts of this machine have no business there
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=sa.pool.NullPool,
        connect_args={"timeout": WAIT},
        hide_parameters=True,
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: Any) -> None:
    """Set up one SQLite connection: deletion overwrites, references hold, a reader does not wait for a writer."""
    connection.isolation_level = None  # Python's own way leaves reading and changes of tables outside transactions
    cursor = connection.cursor()
    for pragma in ("foreign_keys=ON", "secure_delete=ON", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    tables = [name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if not tables or store_table.name in tables:  # another program's file is refused, and left as it is
        cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    alone = connection.get_execution_options().get("alone", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if alone else "BEGIN")


def settle(connection: sa.Connection) -> None:
    """Begin a transaction of PostgreSQL as it was asked for; one of SQLite is so from its first word.

    alone: nobody else is in such a transaction meanwhile. still: all is read as it stands at one moment.
    """
    options = connection.get_execution_options()
    if connection.dialect.name == "postgresql":
        if options.get("still", False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if options.get("alone", False):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(STEPS_LOCK)))


def wait_for_locks(connection: sa.Connection, seconds: float) -> None:
    """Say how long this transaction waits for what another program holds; PostgreSQL locks no more than rows.

    There it also ends by itself where the server cannot go on with it, or hears no more of us: its rows would be locked
    until the server finds out that the line is broken, which takes hours.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(1000 * seconds)}")
        return
    limits = {"lock_timeout": LOCKED, "statement_timeout": STEP, "idle_in_transaction_session_timeout": STEP}
    connection.execute(sa.select(*(sa.func.set_config(name, f"{most}s", True) for name, most in limits.items())))


def reserve_number(connection: sa.Connection, column: sa.Column[int]) -> int | None:
    """Return a number that no other row will be given; None in a file, which always says whether it took a row."""
    if connection.dialect.name == "sqlite":
        return None
    place = sa.func.pg_get_serial_sequence(column.table.name, column.name)
    return connection.scalar(sa.select(sa.func.nextval(place)))


def insert_unless_there(table: sa.Table, values: dict[str, Any]) -> sa.Insert:
    """Return the step that adds a row unless its number is there; it waits for whoever is just writing that one."""
    return postgresql.insert(table).values(values).on_conflict_do_nothing()


def may_pass(error: Exception, engine: sa.Engine) -> bool:
    """Tell whether what went wrong may pass: a lock, a full disk, a server that is away, all connections in use."""
    if isinstance(error, sa.exc.TimeoutError):
        return True
    cause = getattr(error, "orig", error)
    if engine.dialect.name == "sqlite":
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in PASSING
    return isinstance(cause, engine.dialect.loaded_dbapi.OperationalError)


def sweep(engine: sa.Engine, tables: Sequence[sa.Table]) -> None:
    """See that what was deleted from tables does not lie about any longer, as far as that is in our power.

    PostgreSQL frees the place of what was deleted for new rows, where the role owns the tables; until then, and in its
    own log, backups and copies, the bytes stay.
    """
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as held:  # outside a transaction, in which the log cannot be emptied
            held.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM (SKIP_LOCKED) {', '.join(table.name for table in tables)}")


def write_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write many rows at once: a value for each column in its order, None where there is none."""
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        for begin in range(0, len(rows), PART):
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN (FORMAT binary)") as copy:
                copy.set_types([_pg_type(column) for column in table.columns])
                for row in rows[begin : begin + PART]:
                    copy.write_row(row)


def read_array(connection: sa.Connection, query: sa.Select[Any], kind: type[np.floating[Any]] = np.float64) -> Array:
    """Return rows of numbers as an array (n, columns), NULL as NaN."""
    width = len(query.selected_columns)
    if connection.dialect.name == "sqlite":
        cursor: Any = connection.execute(query).cursor
        parts = [np.empty((0, width), kind)]
        while rows := cursor.fetchmany(5_000):  # in parts, so that Python holds few at a time
            parts.append(np.array(rows, kind))
        return np.concatenate(parts)
    return _copied(connection, query, kind)


def _copied(connection: sa.Connection, query: sa.Select[Any], kind: type[np.floating[Any]]) -> Array:
    """Return rows as PostgreSQL gives them in one stream of bytes, all of one length as nothing is missing in it."""
    size = np.dtype(kind).itemsize
    number = "float8" if size == 8 else "float4"
    told = [
        sa.func.coalesce(sa.cast(column, sa.Double if size == 8 else sa.REAL), sa.literal_column(f"'NaN'::{number}"))
        for column in query.selected_columns
    ]
    text = query.with_only_columns(*told, maintain_column_froms=True).compile(
        connection, compile_kwargs={"literal_binds": True}
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY ({text}) TO STDOUT (FORMAT binary)") as copy:
        held = b"".join(copy)
    row = np.dtype([("n", ">i2"), ("cells", [("size", ">i4"), ("value", f">f{size}")], (len(told),))])
    begin = 19 + struct.unpack_from(">i", held, 15)[0]  # a signature of 11 bytes, flags, and the length of more
    count = (len(held) - begin) // row.itemsize  # the end is told by two further bytes
    rows = np.frombuffer(held, row, count, begin)
    values: Array = rows["cells"]["value"].astype(kind)
    return values


def _pg_type(column: sa.Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, sa.Integer):
        return "int4"
    return "float4" if isinstance(kind, sa.REAL) else "float8"
