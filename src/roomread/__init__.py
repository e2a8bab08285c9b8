"""roomread: how engaged a room is, from faces, with the uncertainty that such a claim deserves.

import roomread

lesson = roomread.analyze("class.mp4", purpose="research", reference="IRB 2026-17")
lesson.to_pandas()
lesson.report("report.html")
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# ONNX Runtime, from 1.29 on, tells its maker of each use unless this is set before it is loaded. Nothing leaves here.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    from roomread.app.analyze import AnalyzeSettings, LessonHandle, analyze, open_lesson
    from roomread.app.batch import BatchSettings, batch
    from roomread.errors import RoomreadError
    from roomread.types import EMOTIONS

__version__ = "0.1.0"
__all__ = [
    "EMOTIONS",
    "AnalyzeSettings",
    "BatchSettings",
    "LessonHandle",
    "RoomreadError",
    "analyze",
    "batch",
    "open_lesson",
]

_HOMES = {  # the others live in app.analyze
    "EMOTIONS": "roomread.types",
    "RoomreadError": "roomread.errors",
    "batch": "roomread.app.batch",
    "BatchSettings": "roomread.app.batch",
}


def __getattr__(name: str) -> Any:
    """Return a public name, importing its module at its first use: `import roomread` alone stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'roomread' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "roomread.app.analyze")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
