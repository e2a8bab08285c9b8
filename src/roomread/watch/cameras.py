"""The cameras of this machine: which there are, without opening one, and how FFmpeg calls them."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import av

from roomread.errors import SourceError

SYSTEM = Path("/sys/class/video4linux")  # where Linux lists them
DEVICES = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}  # FFmpeg's names for each system's way
WORD = re.compile(r"camera(?::(\d{1,4}))?")
SCREENS = "Capture screen"  # avfoundation lists the screens among the cameras; nobody asked to be recorded there


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of this machine.

    name: as the system calls it. address: as FFmpeg does. place: where it is plugged in, if the system says so; a
    camera of the same name at another place is another one. word: as the user calls it, if it is in the list.
    """

    name: str
    address: str
    place: str = ""
    word: str = ""


def device() -> str:
    """Return FFmpeg's name for this system's way to reach cameras.

    Raises:
        SourceError: there is none for this system.
    """
    if sys.platform not in DEVICES:
        raise SourceError(
            f"Cameras cannot be watched here. Expected: Linux, macOS or Windows. Received: {sys.platform}. "
            "Name an rtsp:// or http:// address instead."
        )
    return DEVICES[sys.platform]


def list_cameras() -> list[Camera]:
    """Return the cameras of this machine, in the order in which `camera:0`, `camera:1` ... count them."""
    kind = DEVICES.get(sys.platform)
    found = [] if kind is None else _linux() if kind == "v4l2" else _enumerated(kind)
    return [replace(camera, word=f"camera:{number}") for number, camera in enumerate(found)]


def find_camera(source: str) -> Camera | None:
    """Return the camera that `camera`, `camera:1` or `/dev/video0` names, or None where a source names no camera.

    Raises:
        SourceError: there is none of that name or number, or none can be watched on this system.
    """
    number = WORD.fullmatch(source)
    if number is None and not source.startswith("/dev/"):
        return None
    device()  # refuses a system whose cameras nobody reaches
    cameras = list_cameras()
    if number is None:
        address = str(Path(source).resolve())
        found = [camera for camera in cameras if camera.address == address]
        if not found and not Path(source).exists():
            raise SourceError(f"There is no camera at {source}. {_offer(cameras)}")
        return found[0] if found else Camera(source, source)
    index = int(number[1] or 0)
    if index >= len(cameras):
        raise SourceError(f"There is no camera {index}. {_offer(cameras)}")
    return cameras[index]


def find_again(camera: Camera) -> Camera | None:
    """Return the same camera as it is called now, or None while it is not there.

    One that was pulled out may come back under another address. Never is it another camera: that one may show what
    nobody agreed to.
    """
    if camera.address == camera.name:  # was never in the list, so its address is all that is known of it
        return camera if Path(camera.address).exists() else None
    same = [other for other in list_cameras() if (other.name, other.place) == (camera.name, camera.place)]
    return next((other for other in same if other.address == camera.address), same[0] if len(same) == 1 else None)


def _offer(cameras: list[Camera]) -> str:
    if not cameras:
        return "Expected: a camera. Received: none is connected, or the system lets nobody see it. Plug one in."
    return f"These are there: {', '.join(f'{camera.word} ({camera.name})' for camera in cameras)}."


def _linux() -> list[Camera]:
    """Return what the kernel lists; a camera's further entries, for its settings, do not count."""
    cameras = []
    for entry in sorted(SYSTEM.glob("video*"), key=lambda entry: int(re.sub(r"\D", "", entry.name) or 0)):
        if _read(entry / "index") in ("", "0"):
            place = entry / "device"
            cameras.append(
                Camera(
                    name=_read(entry / "name") or entry.name,
                    address=f"/dev/{entry.name}",
                    place=str(place.resolve()) if place.exists() else "",
                )
            )
    return cameras


def _read(path: Path) -> str:
    """Return the file's text in one line, or none where it cannot be read."""
    try:
        return " ".join(path.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return ""


def _enumerated(kind: str) -> list[Camera]:
    """Return what FFmpeg lists on macOS and Windows; none where PyAV is too old to ask it."""
    enumerate_devices = getattr(av, "enumerate_input_devices", None)
    if enumerate_devices is None:
        return []
    try:
        found = enumerate_devices(kind)
    except (av.FFmpegError, OSError):  # Windows: an error where there is none
        return []
    return [
        Camera(one.description or one.name, f"video={one.name}" if kind == "dshow" else one.name)
        for one in found
        if "video" in one.media_types and not one.description.startswith(SCREENS)
    ]
