"""Commands that look after the store."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from roomread.cli.terminal import add_command, add_store, say
from roomread.errors import SettingsError


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    command = add_command(
        commands,
        "store",
        _store,
        "check the store, back it up, or put a backup in its place",
        "roomread store backup lessons-2026-11-22.sqlite",
    )
    command.add_argument("what", choices=("check", "backup", "restore"))
    command.add_argument("file", nargs="?", type=Path, metavar="FILE", help="of the backup")
    command.add_argument(
        "--replace", action="store_true", help="of restore: a store that is there is kept under another name beside"
    )
    add_store(command)


def _store(options: argparse.Namespace) -> int:
    if (options.file is None) != (options.what == "check"):
        raise SettingsError("backup and restore need the backup's FILE, and check needs none.")
    if options.replace and options.what != "restore":
        raise SettingsError("--replace belongs to restore.")
    return {"check": _check, "backup": _backup, "restore": _restore}[options.what](options)


def _check_there(options: argparse.Namespace) -> None:
    """Refuse a store that nobody made yet: a copy of nothing would pass for a backup."""
    from roomread.store.engine import find_store

    where = find_store(options.db)
    if isinstance(where, Path) and not where.exists():
        raise SettingsError(f"There is no store {where}. Expected: the file of one. Check --db.")


def _check(options: argparse.Namespace) -> int:
    from roomread.store.lessons import LessonStore
    from roomread.store.upkeep import check_store

    _check_there(options)
    store = LessonStore(options.db)
    wrong = check_store(store)
    for line in wrong:
        say(f"roomread: {line}")
    print(f"{store.name}: {len(store.lessons())} lessons, {'damaged' if wrong else 'whole'}")
    if wrong:
        say("Restore a backup: roomread store restore FILE --replace.")
    return int(bool(wrong))


def _backup(options: argparse.Namespace) -> int:
    from roomread.store.lessons import LessonStore
    from roomread.store.upkeep import back_up

    _check_there(options)
    store = LessonStore(options.db)
    back_up(store, options.file)
    print(f"{options.file}: {len(store.lessons())} lessons. Deleting one in the store leaves it here.")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from roomread.store.engine import find_store
    from roomread.store.lessons import LessonStore
    from roomread.store.upkeep import restore

    where = find_store(options.db)
    if not isinstance(where, Path):
        raise SettingsError("A PostgreSQL database is restored by its own pg_restore. Expected: --db FILE.")
    moved = restore(options.file, where, options.replace)
    print(
        f"{where}: {len(LessonStore(where).lessons())} lessons. One that was deleted since the backup is there again."
    )
    if moved is not None:
        print(f"The store that was there: {moved}")
    return 0
