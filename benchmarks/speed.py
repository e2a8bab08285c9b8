"""How quick roomread starts and reads, and how much memory it takes.

    python benchmarks/speed.py [--video FILE] [--runs 5] [--json]

Start times are medians of whole processes, beside a bare `python -c pass` that takes turns with them. Frames a second
and peak memory are of `roomread analyze --fps native` as a whole process, on a 1080p room with 30 faces that is built
here (8 and 32 seconds), or on another video.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHORT, LONG = 8.0, 32.0  # seconds; memory must not grow from one to the other


def whole_process(command: list[str]) -> tuple[float, float]:
    """Run a command; return wall seconds and peak memory in MB."""
    before = time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}")
    return time.perf_counter() - before, usage.ru_maxrss / 1024


def starts(picture: Path, folder: Path, runs: int) -> dict[str, float]:
    """Return median seconds of each way to start, all taking turns."""
    python = sys.executable
    commands = {
        "bare_python_s": [python, "-c", "pass"],
        "import_s": [python, "-c", "import roomread"],
        "help_s": [python, "-m", "roomread", "--help"],
        "one_picture_s": [python, "-m", "roomread", "analyze", str(picture), *options(folder)],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(whole_process(command)[0])
    figures = {name: statistics.median(seconds) for name, seconds in taken.items()}
    figures["import_s"] -= figures["bare_python_s"]
    return figures


def options(folder: Path) -> list[str]:
    """Return what every analysis is called with."""
    return ["--purpose", "research", "--db", str(folder / "speed.sqlite")]


def reading(video: Path, folder: Path, runs: int) -> dict[str, float]:
    """Return frames a second (start of the process left out) and peak memory of analysing every frame."""
    import av

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        frames = stream.frames or sum(1 for _ in container.decode(stream))
    command = [sys.executable, "-m", "roomread", "analyze", str(video), "--fps", "native", *options(folder)]
    start = statistics.median(whole_process([*command, "--end", "0.01"])[0] for _ in range(runs))
    taken = [whole_process(command) for _ in range(runs)]
    seconds, memory = (statistics.median(values) for values in zip(*taken, strict=True))
    return {"frames": frames, "frames_per_s": frames / (seconds - start), "peak_memory_mb": memory}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="read this instead of the rooms that are built")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        apart = multiprocessing.get_context("spawn").Pool(1)  # a process starts with its parent's peak memory
        with apart:
            picture = apart.apply(_picture, (folder,))
            videos = {"video": chosen.video}
            if chosen.video is None:
                videos = {
                    f"room_1080p_30_faces_{seconds:.0f}_s": apart.apply(_room, (seconds, folder))
                    for seconds in (SHORT, LONG)
                }
        figures: dict[str, object] = {"cpus": os.cpu_count(), "start": starts(picture, folder, chosen.runs)}
        figures |= {name: reading(video, folder, max(1, chosen.runs // 2)) for name, video in videos.items() if video}
    if chosen.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for what, number in rows:
            print(f"{name:32}{what:18}{number:10.3f}" if isinstance(number, float) else f"{name:50}{number:10}")


def _room(seconds: float, folder: Path) -> Path:
    from roomread.demo import RoomSettings, build_room

    settings = RoomSettings(width=1920, height=1080, seats=30, fps=15, seconds=seconds)
    return build_room(settings, folder / f"{seconds:.0f}").video


def _picture(folder: Path) -> Path:
    from PIL import Image
    from skimage.data import astronaut

    path = folder / "picture.png"
    Image.fromarray(astronaut()).save(path)
    return path


if __name__ == "__main__":
    main()
