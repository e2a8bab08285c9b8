"""Where a store lies, and that its password is never told."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import Postgres

from roomread.app.overviews import overview_of
from roomread.app.panel import mapping_of
from roomread.errors import MissingExtraError, StoreError
from roomread.store.engine import VARIABLE, default_store, find_store, may_pass, shown
from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Observation

SECRET = "pa55%2Fword"


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("lessons.sqlite", "lessons.sqlite"),
        (Path("a//b"), "a/b"),
        (f"postgresql://anna:{SECRET}@db.example:5433/lessons", "postgresql://anna@db.example:5433/lessons"),
        (f"postgres://anna:{SECRET}@db.example/lessons", "postgresql://anna@db.example/lessons"),
        (f"postgresql:///lessons?password={SECRET}&host=/run&sslmode=require", "postgresql:///lessons?host=%2Frun"),
    ],
)
def test_a_store_is_named_without_its_password(named: str | Path, told: str) -> None:
    assert shown(find_store(named)) == told


@pytest.mark.parametrize(
    "named",
    ["postgresql://anna:pa55@word@host/db", "postgresql://anna:x@host:pa55/db", "postgresql://anna:1@h/pa55@db"],
)
def test_an_address_that_cannot_be_read_is_refused_without_telling_it(named: str) -> None:
    with pytest.raises(StoreError, match=r"cannot be read\. Expected: postgresql://user:password@") as refused:
        find_store(named)
    assert "pa55" not in str(refused.value) and refused.value.__suppress_context__


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(StoreError, match="kind mysql is not known"):
        find_store(f"mysql://anna:{SECRET}@host/db")


def test_the_environment_names_the_store_where_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "postgresql://anna@host/db")
    assert shown(find_store(None)) == "postgresql://anna@host/db"
    assert find_store("other.sqlite") == Path("other.sqlite")
    monkeypatch.setenv(VARIABLE, "")
    assert find_store(None) == default_store()


def test_a_missing_driver_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r'pip install "roomread\[scale\]"'):
        LessonStore("postgresql://anna@host/db")


def test_a_server_that_cannot_be_reached_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be used: .*Check server, network and role") as refused:
        LessonStore(f"postgresql://anna:{SECRET}@/db?host={tmp_path}")
    seen: BaseException | None = refused.value
    while seen is not None:
        assert "pa55" not in str(seen) and "pa55" not in repr(seen)
        seen = seen.__cause__ or seen.__context__


def test_the_file_of_another_program_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE places (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is no store of roomread"):
        LessonStore(path)
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_refused_and_not_changed(postgres: Postgres) -> None:
    named = postgres.new_store()
    postgres.ask(f"CREATE TABLE test{postgres.made}.places (url TEXT)")
    with pytest.raises(StoreError, match="is no store of roomread"):
        LessonStore(named)


def test_a_role_that_may_only_read_sees_lessons_and_cannot_write(
    postgres: Postgres, lesson: Callable[..., Lesson], observation: Callable[..., Observation]
) -> None:
    store = LessonStore(postgres.new_store())
    kept = store.add(lesson(), [observation(i, i / 5, [(seat, "happy") for seat in range(1, 7)]) for i in range(50)])
    schema = f"test{postgres.made}"
    postgres.ask(f"CREATE ROLE viewer{postgres.made} LOGIN")
    postgres.ask(f"GRANT USAGE ON SCHEMA {schema} TO viewer{postgres.made}")
    postgres.ask(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO viewer{postgres.made}")
    seen = LessonStore(store.name.replace("postgres@", f"viewer{postgres.made}@"))
    assert seen.lessons() == [kept]
    assert overview_of(seen, kept, mapping_of(kept)).figures["frames"] == 50
    with pytest.raises(StoreError, match="permission denied"):
        seen.delete(kept)
    assert store.lessons() == [kept]


def test_a_server_that_is_gone_without_a_word_is_noticed(postgres: Postgres, lesson: Callable[..., Lesson]) -> None:
    store, told = LessonStore(f"{postgres.new_store()}&keepalives_idle=7"), []

    def ask(connection: sa.Connection, _: int) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        told.append(driver.info.get_parameters())
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        told.append([connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names])

    store.add(lesson(), also=ask)
    line, limits = told
    assert (line["tcp_user_timeout"], line["keepalives_idle"]) == ("15000", "7")  # what the address says counts
    assert limits == ["40s", "10s", "40s"]


def test_connections_that_are_all_in_use_may_be_free_later(store: LessonStore) -> None:
    assert may_pass(sa.exc.TimeoutError("QueuePool limit reached"), store._engine)
