"""Under which terms an installation stands: its packages as they themselves say, its networks as their cards say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from roomread.modelcard import WEIGHTS
from roomread.watch.frames import ffmpeg

UNKNOWN = "unknown"
STRONG = ("libx264", "libx265", "libxvid", "libvidstab", "librubberband")  # GPL parts that FFmpeg may be built with


@dataclass(frozen=True, slots=True)
class Terms:
    """What stands under which terms.

    name: of the package or file. version: empty of a file. licence: as it says itself, or UNKNOWN. needed_by: base, an
    extra's name, or weights.
    """

    name: str
    version: str
    licence: str
    needed_by: str


def licences() -> list[Terms]:
    """Return the terms of every installed package that roomread needs, directly or not, and of each of its networks.

    An extra counts as installed when every package that it names is.
    """
    return [*_packages(), _ffmpeg(), *_weights()]


def needed(package: str, extra: str = "") -> list[Requirement]:
    """Return what an installed package needs on this system, or what one of its extras adds."""
    named = [Requirement(text) for text in metadata.requires(package) or ()]
    plain = [each for each in named if each.marker is None or each.marker.evaluate({"extra": ""})]
    if not extra:
        return plain
    return [each for each in named if each not in plain and each.marker and each.marker.evaluate({"extra": extra})]


def version(package: str) -> str | None:
    """Return the version of an installed package, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def licence_of(about: metadata.PackageMetadata) -> str:
    """Return what a package says of its licence, or UNKNOWN."""
    said = (about.get_all("License-Expression") or about.get_all("License") or [""])[0].strip()
    if said and "\n" not in said:  # some hold the whole text
        return str(said)
    classes = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if line.startswith("License")]
    return ", ".join(classes) or UNKNOWN


def _packages() -> list[Terms]:
    found: dict[str, Terms] = {}
    extras = metadata.metadata("roomread").get_all("Provides-Extra") or ()
    for extra in ("", *sorted(extras, key=lambda name: len(needed("roomread", name)))):  # what names others comes last
        todo = [each for each in needed("roomread", extra) if each.name != "roomread"]
        if any(version(each.name) is None for each in todo):
            continue
        met = set()
        while todo:
            asked = todo.pop()
            name = canonicalize_name(asked.name)
            if (asked.name, *asked.extras) in met or version(asked.name) is None:
                continue
            met.add((asked.name, *asked.extras))
            about = metadata.metadata(asked.name)
            found.setdefault(name, Terms(name, about["Version"], licence_of(about), extra or "base"))
            todo += [each for part in ("", *asked.extras) for each in needed(asked.name, part)]
    return sorted(found.values(), key=lambda terms: terms.name)


def _ffmpeg() -> Terms:
    """Return the terms of the FFmpeg inside PyAV's wheel, which PyAV's own licence does not tell."""
    number, licence, built = ffmpeg()
    strong = [name for name in STRONG if re.search(rf"--enable-{name}\b", built)]
    also = f", with {' and '.join(strong)} (GPL-2.0-or-later)" if strong else ""
    return Terms("FFmpeg inside av", number, licence + also, "base")


def _weights() -> list[Terms]:
    made = []
    for path in sorted(WEIGHTS.rglob("*.json")):
        card, model = json.loads(path.read_text(encoding="utf-8")), path.with_suffix(".onnx")
        name = (model if model.exists() else path).relative_to(WEIGHTS).as_posix()
        made.append(Terms(name, "", str(card.get("licence") or card.get("terms") or UNKNOWN), "weights"))
    return made
