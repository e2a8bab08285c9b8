"""How quick roomread starts and reads, and how much memory it takes.

    python benchmarks/speed.py [--video FILE] [--runs 5] [--stages] [--hour] [--json]

Start times are medians of whole processes, beside a bare `python -c pass` that takes turns with them. Frames a second
and peak memory are of `roomread analyze --fps native --signals 0` as a whole process, less its start, on a 1080p room
with 30 faces that is built here (8 and 32 seconds), or on another video; then of five frames a second with two
readings of the attention signals per second and seat, as seconds of video per second; and how soon `roomread watch`
says something of that video, which comes to it as from a camera. --stages takes the time of each stage alone, in
milliseconds a frame on one thread, and of all stages together on two, for rooms of 1, 10, 30 and 60 faces at 720p,
1080p and 4K; the room of 60 is the room of 30 twice, at half its size. --hour takes the peak memory of an hour and of a
minute of the same room, again and again the same eight seconds, at one frame a second with signals.
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
from typing import Any

SHORT, LONG = 8.0, 32.0  # seconds; memory must not grow from one to the other
MOST_SEATS = 40  # that the demo room has places for
STAGED = 4.0  # seconds of each room whose stages are timed


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
        length = (container.duration or 0) / av.time_base
    command = [sys.executable, "-m", "roomread", "analyze", str(video), *options(folder)]
    ways = {"every_frame": ["--fps", "native", "--signals", "0"], "with_signals": ["--fps", "5", "--signals", "2"]}
    seconds, memory = {}, {}
    for name, way in ways.items():
        start = statistics.median(whole_process([*command, *way, "--end", "0.01"])[0] for _ in range(runs))
        taken = [whole_process([*command, *way]) for _ in range(runs)]
        whole, memory[name] = (statistics.median(values) for values in zip(*taken, strict=True))
        seconds[name] = whole - start
    return {
        "frames": frames,
        "live_first_result_s": statistics.median(first_result(video) for _ in range(runs)),
        "frames_per_s": frames / seconds["every_frame"],
        "video_seconds_per_s_with_signals": length / seconds["with_signals"],
        "peak_memory_mb": memory["every_frame"],
        "peak_memory_mb_with_signals": memory["with_signals"],
    }


def first_result(video: Path) -> float:
    """Return the seconds from the start of the process to the first line about a video that comes as from a camera."""
    command = [sys.executable, "-m", "roomread", "watch", str(video), "--purpose", "research", "--json"]
    before = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        taken = time.perf_counter() - before
        process.terminate()
    return taken


def stages(video: Path, runs: int) -> dict[str, float]:
    """Return milliseconds a frame of each stage on one thread, and frames a second of all of them on two."""
    from roomread.faces.detector import YuNet
    from roomread.faces.expression import ExpressionModel
    from roomread.faces.onnx import Runtime
    from roomread.preprocess import crop_faces
    from roomread.watch.frames import NATIVE, FrameSettings, open_source
    from roomread.watch.pipeline import observe
    from roomread.watch.track import SeatTracker

    def frames(threads: int) -> Any:
        return open_source(video, FrameSettings(fps=NATIVE, threads=threads)).frames()

    runtime = Runtime(threads=1)
    detector, tracker, reader = YuNet(runtime=runtime), SeatTracker(), ExpressionModel(runtime=runtime)
    taken: dict[str, list[float]] = {name: [] for name in ("decode", "detect", "crop", "express", "seat")}
    n_faces, running = [], frames(1)
    while True:
        marks = [time.perf_counter()]
        frame = next(running, None)
        if frame is None:
            break
        marks.append(time.perf_counter())
        found = detector.detect(frame.image)
        marks.append(time.perf_counter())
        crops = crop_faces(frame.image, found.boxes)
        marks.append(time.perf_counter())
        reader.predict_faces(crops)
        marks.append(time.perf_counter())
        tracker.update(found.boxes, frame.time)
        marks.append(time.perf_counter())
        n_faces.append(len(found))
        for name, start, end in zip(taken, marks, marks[1:], strict=False):
            taken[name].append(1000 * (end - start))
    whole = []
    for _ in range(runs):
        start = time.perf_counter()
        count = sum(1 for _ in observe(frames(2), detector, SeatTracker(), reader, workers=2))
        whole.append(count / (time.perf_counter() - start))
    figures = {f"{name}_ms": statistics.median(values) for name, values in taken.items()}
    return {**figures, "faces": statistics.mean(n_faces), "frames_per_s": statistics.median(whole)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="read this instead of the rooms that are built")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--stages", action="store_true", help="time each stage in rooms of several sizes instead")
    parser.add_argument("--hour", action="store_true", help="compare the memory of an hour and of a minute instead")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        apart = multiprocessing.get_context("spawn").Pool(1)  # a process starts with its parent's peak memory
        if chosen.stages:
            show(staged(folder, apart, chosen.runs), chosen.json)
            return
        if chosen.hour:
            show(hour(apart.apply(_room, (SHORT, folder)), folder), chosen.json)
            return
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
    show(figures, chosen.json)


def staged(folder: Path, apart: Any, runs: int) -> dict[str, object]:
    """Return the stages' figures for rooms of several sizes, each built first."""
    figures: dict[str, object] = {"cpus": os.cpu_count()}
    for name, (width, height) in {"720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}.items():
        for seats in (1, 10, 30, 60):
            video = apart.apply(_room, (STAGED, folder, width, height, seats))
            figures[f"{name}_{seats}_faces"] = stages(video, max(1, runs // 2))
    return figures


def hour(room: Path, folder: Path) -> dict[str, object]:
    """Return the peak memory, in MB, of analysing a minute and an hour, and what the hour takes on top."""
    command = [sys.executable, "-m", "roomread", "analyze", *options(folder), "--fps", "1"]
    memory = {
        name: whole_process([*command, str(repeated(room, SHORT, round(seconds / SHORT)))])[1]
        for name, seconds in (("minute_mb", 60), ("hour_mb", 3600))
    }
    return {**memory, "hour_over_minute_mb": memory["hour_mb"] - memory["minute_mb"]}


def repeated(video: Path, seconds: float, times: int) -> Path:
    """Write a video that shows another one, so many seconds long, so many times, its pictures as they are coded."""
    import av

    out = video.with_name(f"{times}-times-{video.name}")
    with av.open(str(out), "w") as target, av.open(str(video)) as source:
        given = source.streams.video[0]
        stream = target.add_stream_from_template(given)
        length = round(seconds / (given.time_base or 1))
        for turn in range(times):
            source.seek(0)
            for packet in source.demux(given):
                if packet.pts is None or packet.dts is None:
                    continue
                packet.pts, packet.dts = packet.pts + turn * length, packet.dts + turn * length
                packet.stream = stream
                target.mux(packet)
    return out


def show(figures: dict[str, object], as_json: bool) -> None:
    """Print for a person, or as JSON."""
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for what, number in rows:
            print(f"{name:32}{what:18}{number:10.3f}" if isinstance(number, float) else f"{name:50}{number:10}")


def _room(seconds: float, folder: Path, width: int = 1920, height: int = 1080, seats: int = 30) -> Path:
    from roomread.demo import RoomSettings, build_room

    if seats > MOST_SEATS:
        return _twice(_room(seconds, folder, width, height, seats // 2))
    settings = RoomSettings(width=width, height=height, seats=seats, fps=15, seconds=seconds)
    return build_room(settings, folder / f"{seconds:.0f}-{width}-{seats}").video


def _twice(video: Path) -> Path:
    """Write a video of the same size that shows another one twice, side by side, and gray above and below."""
    import av
    import numpy as np

    out = video.with_name(f"twice-{video.name}")
    with av.open(str(video)) as source, av.open(str(out), "w") as target:
        given = source.streams.video[0]
        width, height = given.width, given.height
        stream = target.add_stream("libx264", rate=given.average_rate, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in source.decode(given):
            half = frame.reformat(width // 2, height // 2, "rgb24").to_ndarray()
            picture = np.full((height, width, 3), 127, np.uint8)
            picture[height // 4 : height // 4 + height // 2] = np.concatenate([half, half], axis=1)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        target.mux(stream.encode(None))
    return out


def _picture(folder: Path) -> Path:
    from PIL import Image
    from skimage.data import astronaut

    path = folder / "picture.png"
    Image.fromarray(astronaut()).save(path)
    return path


if __name__ == "__main__":
    main()
