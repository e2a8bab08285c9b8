"""What of an installation works: each part tried as it would be used, and what to do where it does not."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

import roomread
from roomread.app.licences import needed, version
from roomread.errors import ModelError, RoomreadError
from roomread.faces.onnx import multiplies_bytes, open_network, providers
from roomread.modelcard import WEIGHTS
from roomread.store.engine import Where, find_store
from roomread.store.lessons import LessonStore
from roomread.watch.cameras import list_cameras
from roomread.watch.frames import decodes

State = Literal["ok", "note", "bad"]

DECODERS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg")  # of what cameras, phones and recorders write
ROOM = 2 * 1000**3  # bytes free below which a day of lessons and an upload may not fit
EXTRAS = {"learn": "training and evaluation", "scale": "many recordings at once, and PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One part that was looked at.

    part: its name. state: ok; note: works, or is not needed, but worth knowing; bad: does not work. what: was found.
    remedy: what to do; empty where nothing is to be done.
    """

    part: str
    state: State
    what: str
    remedy: str = ""


def examine(db: str | Path | None = None) -> Iterator[Finding]:
    """Yield what was found, part by part; nothing is changed, no camera is opened, nothing is sent.

    Args:
        db: the store's file or address; None takes the usual one.
    """
    looks: tuple[Callable[[], Finding], ...] = (_python, _packages, _weights, _runtime, _video, _cameras)
    yield from (look() for look in looks)
    yield from (_extra(name, use) for name, use in EXTRAS.items())
    where = find_store(db)
    yield _store(db, where)
    yield from _disks(where)


def _python() -> Finding:
    return Finding(
        "roomread", "ok", f"{roomread.__version__}, Python {platform.python_version()}, {platform.platform()}"
    )


def _packages() -> Finding:
    """Look for every package that the base installation needs."""
    found = {each.name: version(each.name) for each in needed("roomread")}
    missing = [name for name, number in found.items() if number is None]
    if missing:
        return Finding("packages", "bad", f"missing: {', '.join(missing)}", "Install again: pip install roomread")
    return Finding("packages", "ok", ", ".join(f"{name} {number}" for name, number in found.items()))


def _extra(name: str, use: str) -> Finding:
    missing = [each.name for each in needed("roomread", name) if version(each.name) is None]
    if missing:
        remedy = f'Only for {use}: pip install "roomread[{name}]"'
        return Finding(f"extra {name}", "note", f"not installed: {', '.join(missing)}", remedy)
    return Finding(f"extra {name}", "ok", f"installed: {use}")


def _weights() -> Finding:
    """Open every network that comes with the package, which compares its hash with its card's, and run it once."""
    done = []
    for path in sorted(WEIGHTS.glob("*.onnx")):
        try:
            network = open_network(path, json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["task"])
            shape = network.session.get_inputs()[0].shape
            network(np.zeros([1 if i == 0 else _side(size) for i, size in enumerate(shape)], np.float32))
        except (OSError, ValueError, KeyError, ModelError) as error:
            return Finding("weights", "bad", f"{path.name}: {error}", "Install roomread again")
        done.append(path.name)
    if not done:
        return Finding("weights", "bad", f"none in {WEIGHTS}", "Install roomread again")
    return Finding("weights", "ok", f"{', '.join(done)}: hashes fit, each ran")


def _side(size: object) -> int:
    """Return a length that a network takes where it leaves it open."""
    return size if isinstance(size, int) else 64


def _runtime() -> Finding:
    bits = "eight bits are" if multiplies_bytes() else "eight bits are not known to be"
    return Finding("runtime", "ok", f"ONNX Runtime on {', '.join(providers())}; {bits} quicker here")


def _video() -> Finding:
    missing = [name for name in DECODERS if not decodes(name)]
    if missing:
        remedy = "Install PyAV from its wheel: pip install --force-reinstall --only-binary :all: av"
        return Finding("video", "bad", f"cannot decode: {', '.join(missing)}", remedy)
    return Finding("video", "ok", f"decodes {', '.join(DECODERS)}")


def _cameras() -> Finding:
    names = [f"{camera.word} ({camera.name})" for camera in list_cameras()]
    if not names:
        remedy = "Plug one in, or let the system show it; the browser's own camera and files work without"
        return Finding("cameras", "note", "none attached that this user may see", remedy)
    return Finding("cameras", "ok", ", ".join(names))


def _store(db: str | Path | None, where: Where) -> Finding:
    """Open the store if there is one; looking makes none."""
    if isinstance(where, Path) and not where.exists():
        return Finding("store", "ok", f"{where}: none yet; the first lesson makes it")
    try:
        store = LessonStore(db)
        return Finding("store", "ok", f"{store.name}: {len(store.lessons())} lessons")
    except RoomreadError as error:
        remedy = "If it is damaged: roomread store restore BACKUP --replace brings a backup back"
        return Finding("store", "bad", str(error), remedy)


def _disks(where: Where) -> Iterator[Finding]:
    """Look at the room where lessons are kept, if that is here, and where uploads and reports come into being."""
    folders = {"disk for what is in hand": Path(tempfile.gettempdir())}
    if isinstance(where, Path):
        folders = {"disk of the store": where.absolute().parent, **folders}
    for name, folder in folders.items():
        while not folder.exists():
            folder = folder.parent
        free = shutil.disk_usage(folder).free
        what = f"{free / 1000**3:.0f} GB free at {folder}"
        if free < ROOM:
            remedy = "Make room: an hour of a class takes about 0.1 GB, an upload as much as the file"
            yield Finding(name, "bad", what, remedy)
        else:
            yield Finding(name, "ok", what)
