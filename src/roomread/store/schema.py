"""The tables of the lesson store. No picture, no face and no likeness ever goes into one."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    REAL,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    inspect,
    select,
)
from sqlalchemy.schema import CreateColumn

from roomread.types import EMOTIONS, SIGNALS

VERSION = 5  # of the tables; a store of a later version is refused, never changed

metadata = MetaData()

store_table = Table(
    "store",
    metadata,
    Column("version", Integer, nullable=False),
    Column("keep_days", Integer),  # for which lessons are kept; NULL: until somebody deletes them; since version 5
)

lessons_table = Table(
    "lessons",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("name", String, nullable=False),
    Column("source", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("reference", String),
    Column("sample", Boolean, nullable=False),
    Column("began", String),  # ISO 8601 with a time zone
    Column("created", String, nullable=False),  # ISO 8601 with a time zone
    Column("duration", Float, nullable=False),  # seconds
    Column("width", Integer, nullable=False),  # pixels
    Column("height", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("made_with", JSON, nullable=False),
    Column("remarks", String, nullable=False, server_default=""),  # since version 4
    Column("keep_until", String),  # the last day, ISO 8601; NULL: as the store says; since version 5
    Column("written", String),  # when its rows were last written, ISO 8601 in UTC; NULL: long ago; since version 5
    Column("folded", String, nullable=False, server_default=""),  # see `folded`; since version 5
    sqlite_autoincrement=True,  # a deleted lesson's number is not given again
)

frames_table = Table(
    "frames",
    metadata,
    Column("lesson", ForeignKey("lessons.number", ondelete="CASCADE"), primary_key=True),
    Column("frame", Integer, primary_key=True),  # its number within the source
    Column("time", Float, nullable=False),  # seconds from the start of the source
    sqlite_with_rowid=False,
)

faces_table = Table(
    "faces",
    metadata,
    Column("lesson", ForeignKey("lessons.number", ondelete="CASCADE"), primary_key=True),
    Column("frame", Integer, primary_key=True),
    Column("face", Integer, primary_key=True),  # its number within the frame, from 0
    Column("seat", Integer, nullable=False),  # 0: has not stayed at a place
    Column("left", REAL, nullable=False),  # pixels
    Column("top", REAL, nullable=False),
    Column("right", REAL, nullable=False),
    Column("bottom", REAL, nullable=False),
    Column("score", REAL, nullable=False),  # 0 to 1
    Column("sharpness", REAL, nullable=False),
    *(Column(emotion, REAL) for emotion in EMOTIONS),  # 0 to 1; NULL where it could not be read
    *(Column(signal, REAL) for signal in SIGNALS),  # NULL where it was not read; since versions 2 and 3
    sqlite_with_rowid=False,
)

parts_table = Table(  # since version 4
    "parts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("lesson", ForeignKey("lessons.number", ondelete="CASCADE"), nullable=False, index=True),
    Column("start", Float, nullable=False),  # seconds from the start of the source
    Column("end", Float),  # seconds; NULL: to the end of the lesson
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    sqlite_autoincrement=True,
)

summaries_table = Table(  # since version 4; a cache: every row can be made again
    "summaries",
    metadata,
    Column("lesson", ForeignKey("lessons.number", ondelete="CASCADE"), primary_key=True),
    Column("mapping", String, primary_key=True),
    Column("key", String, nullable=False),  # of what made it; a row with another one is out of date
    Column("figures", JSON, nullable=False),  # of the whole lesson
    Column("series", JSON, nullable=False),  # over time
    # With row numbers: without them SQLite reads whole rows, series and all, to find one by its key.
)

recordings_table = Table(  # since version 4; what waits to be analysed
    "recordings",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("name", String, nullable=False),  # of the file as its owner calls it
    Column("purpose", String, nullable=False),
    Column("reference", String),
    Column("settings", JSON, nullable=False),
    Column("created", String, nullable=False),  # ISO 8601 with a time zone
    Column("state", String, nullable=False),
    Column("done", Float, nullable=False),  # seconds of the source
    Column("length", Float),  # seconds; NULL: not known
    Column("message", String, nullable=False),
    Column("lesson", Integer),  # its number, once there is one
    Column("spool", String, nullable=False, server_default=""),  # whose copy it is, see `app.spool`; since version 5
    sqlite_autoincrement=True,
)

codes_table = Table(  # since version 5; what observers coded at the pages
    "codes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("lesson", ForeignKey("lessons.number", ondelete="CASCADE"), nullable=False),
    Column("observer", String, nullable=False),
    Column("seat", Integer, nullable=False),  # -1: the class as a whole
    Column("start", Float, nullable=False),  # seconds from the start of the source
    Column("end", Float, nullable=False),
    Column("where", String, nullable=False),  # the seat is in the picture, in words
    Column("level", Integer),  # from 0; NULL: skipped
    UniqueConstraint("lesson", "observer", "seat", "start", "end"),
    sqlite_autoincrement=True,
)

batches_table = Table(  # since version 5; which recording became which lesson, so that none becomes two
    "batches",
    metadata,
    Column("key", String, primary_key=True),  # of the recording's content and of what is measured in it
    Column("lesson", ForeignKey("lessons.number", ondelete="CASCADE")),  # once something was seen
    Column("state", String, nullable=False),
    Column("owner", String, nullable=False),  # the run that is at work on it, or was last
    Column("beat", Float, nullable=False),  # seconds since 1970, when that run last said that it lives
    Column("seconds", Float, nullable=False),  # that a piece is meant to be long
    Column("joined", Integer, nullable=False),  # pieces that are in the lesson, or lost for good
    Column("lost", JSON, nullable=False),  # what could not be analysed so far
    Column("reason", String, nullable=False),  # why it failed; else empty
)


def folded(name: str, source: str) -> str:
    """Return what a search of lessons looks through, in one case: databases fold letters each in its own way."""
    return f"{name}\n{source}".casefold()


def step_up(connection: Connection) -> None:
    """Bring the tables of an earlier version to this one: so far each version only added tables and columns."""
    there = inspect(connection)
    names = there.get_table_names()
    for table in metadata.sorted_tables:
        known = {column["name"] for column in there.get_columns(table.name)} if table.name in names else table.columns
        for column in table.columns:
            if column.name not in known:
                made = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {made}")
    metadata.create_all(connection)  # whole tables that are new
    columns = lessons_table.c
    old = connection.execute(select(columns.number, columns.name, columns.source).where(columns.folded == "")).all()
    for number, name, source in old:
        connection.execute(lessons_table.update().where(columns.number == number).values(folded=folded(name, source)))
    connection.execute(store_table.update().values(version=VERSION))
