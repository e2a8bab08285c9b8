"""The tables of the lesson store. No picture, no face and no likeness ever goes into one."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
)

from roomread.types import EMOTIONS, SIGNALS

VERSION = 5  # of the tables; a store of a later version is refused, never changed

metadata = MetaData()

store_table = Table("store", metadata, Column("version", Integer, nullable=False))

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
    Column("left", Float, nullable=False),  # pixels
    Column("top", Float, nullable=False),
    Column("right", Float, nullable=False),
    Column("bottom", Float, nullable=False),
    Column("score", Float, nullable=False),  # 0 to 1
    Column("sharpness", Float, nullable=False),
    *(Column(emotion, Float) for emotion in EMOTIONS),  # 0 to 1; NULL where it could not be read
    *(Column(signal, Float) for signal in SIGNALS),  # NULL where it was not read; since versions 2 and 3
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

STEPS = {  # from each version to the next
    **{
        number: tuple(f"ALTER TABLE faces ADD COLUMN {signal} FLOAT" for signal in signals)
        for number, signals in ((1, SIGNALS[:7]), (2, SIGNALS[7:]))
    },
    3: ("ALTER TABLE lessons ADD COLUMN remarks VARCHAR NOT NULL DEFAULT ''",),
    4: (),
}


def step_up(connection: Connection, version: int) -> None:
    """Bring the tables of an earlier version to this one; what is in them stays."""
    for number in range(version, VERSION):
        for step in STEPS[number]:
            connection.exec_driver_sql(step)
    metadata.create_all(connection)  # whole tables that are new
    connection.execute(store_table.update().values(version=VERSION))
