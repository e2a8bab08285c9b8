"""The tables of the lesson store."""

from __future__ import annotations

import sqlalchemy as sa

from roomread.store.lessons import LessonStore
from roomread.store.schema import metadata
from roomread.types import EMOTIONS, SIGNALS

ALLOWED_TYPES = (sa.Boolean, sa.Float, sa.Integer, sa.JSON, sa.String)
KEPT = {
    "store": ["version", "keep_days"],
    "lessons": [
        "number", "name", "source", "purpose", "reference", "sample", "began", "created", "duration", "width", "height",
        "state", "notes", "made_with", "remarks", "keep_until", "written", "folded",
    ],
    "frames": ["lesson", "frame", "time"],
    "faces": [
        "lesson", "frame", "face", "seat", "left", "top", "right", "bottom", "score", "sharpness", *EMOTIONS, *SIGNALS,
    ],
    "parts": ["number", "lesson", "start", "end", "name", "kind"],
    "summaries": ["lesson", "mapping", "key", "figures", "series"],
    "recordings": [
        "number", "name", "purpose", "reference", "settings", "created", "state", "done", "length", "message", "lesson",
        "spool",
    ],
    "codes": ["number", "lesson", "observer", "seat", "start", "end", "where", "level"],
    "batches": ["key", "lesson", "state", "owner", "beat", "seconds", "joined", "lost", "reason"],
}  # fmt: skip


def test_no_column_can_hold_a_picture() -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            kind = column.type
            assert isinstance(kind, ALLOWED_TYPES), f"{table.name}.{column.name} is {kind!r}"
            assert not isinstance(kind, (sa.LargeBinary, sa.PickleType)), f"{table.name}.{column.name} is binary"


def test_nothing_of_a_face_is_kept_but_numbers() -> None:
    for name in ("frames", "faces"):
        assert {type(column.type) for column in metadata.tables[name].columns} <= {sa.Integer, sa.Float, sa.REAL}


def test_what_is_kept_is_this_and_nothing_else() -> None:
    assert {table.name: table.columns.keys() for table in metadata.sorted_tables} == KEPT


def test_the_database_holds_these_tables_without_a_binary_column(store: LessonStore) -> None:
    with store.transaction() as connection:
        inspector = sa.inspect(connection)
        made = {name: inspector.get_columns(name) for name in inspector.get_table_names() if "sqlite" not in name}
    assert {name: [column["name"] for column in columns] for name, columns in made.items()} == KEPT
    for name, columns in made.items():
        for column in columns:
            assert isinstance(column["type"], ALLOWED_TYPES), f"{name}.{column['name']} is {column['type']!r}"
