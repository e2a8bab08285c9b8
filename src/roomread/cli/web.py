"""The commands that open the pages."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from roomread.cli.terminal import add_command, add_store, say
from roomread.errors import SettingsError


def add_commands(commands: Any) -> None:
    """Add every command of this module."""
    live = add_command(
        commands,
        "live",
        _live,
        "begin a lesson in the browser: watch a camera while teaching, mark moments, keep what was measured",
        "roomread live camera",
    )
    live.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="offered on the page: camera, camera:1, an rtsp:// or http:// address, or a video file as if live",
    )
    serve = add_command(
        commands,
        "serve",
        _serve,
        "open the pages: lessons, recordings, and the lesson that runs",
        "roomread serve --db lessons.sqlite",
    )
    for command in (live, serve):
        add_store(command)
        command.add_argument(
            "--host", default="127.0.0.1", metavar="NAME", help="to listen on; default: this machine only"
        )
        command.add_argument("--port", type=int, metavar="N", help="default: 8642, or the next that is free")
        command.add_argument("--cert", type=Path, metavar="FILE", help="certificate (PEM), needed beyond this machine")
        command.add_argument("--key", type=Path, metavar="FILE", help="its key (PEM)")
        command.add_argument(
            "--token", metavar="TEXT", help="what others must know: 12 letters or more; default: a new one each time"
        )
        command.add_argument("--no-browser", action="store_true", help="open no browser")


def _live(options: argparse.Namespace) -> int:
    return _open(options, "/live", options.source)


def _serve(options: argparse.Namespace) -> int:
    return _open(options, "/", None)


def _open(options: argparse.Namespace, page: str, source: str | None) -> int:
    from roomread.app.studio import Studio
    from roomread.app.web.server import PORT, WebSettings, serve
    from roomread.store.lessons import LessonStore

    try:
        settings = WebSettings(
            host=options.host,
            port=PORT if options.port is None else options.port,
            certificate=options.cert,
            key=options.key,
            token=options.token,
        )
    except ValueError as error:
        raise SettingsError(str(error)) from error
    serve(Studio(LessonStore(options.db), source), settings, say, page, show=not options.no_browser)
    return 0
