"""The same video through roomread and through fer, taking turns, each as a whole process with two threads.

    python benchmarks/peers.py --video FILE --fer PYTHON [--runs 3] [--json]

PYTHON is an interpreter of an environment of its own, in which `pip install fer "setuptools<80"` was run (fer asks for
pkg_resources). Every frame is looked at by both, with the settings that each has by itself. Told are the medians of
frames a second (from the first frame to the last, the start left out), seconds from the start of the process to the
first frame's answer, peak memory, and faces found per frame.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from speed import whole_process

THREADS = 2

OURS = """
import json, sys, time
from pathlib import Path
from roomread.app.analyze import AnalyzeSettings
from roomread.app.observing import Observer
from roomread.watch.frames import NATIVE, open_source
from roomread.watch.signals import SignalSettings

settings = AnalyzeSettings(fps=NATIVE, threads=int(sys.argv[2]), signals=SignalSettings(rate=RATE))
source = open_source(Path(sys.argv[1]), settings.frames())
frames = faces = 0
first = None
for _, seen in Observer(settings, side_by_side=True).observe(source.frames()):
    first = time.time() if first is None else first
    frames, faces = frames + 1, faces + len(seen.tracks)
print(json.dumps({"first": first, "last": time.time(), "frames": frames, "faces": faces}))
"""

FER = """
import json, os, sys, time
os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["OMP_NUM_THREADS"] = sys.argv[2]
os.environ["TF_NUM_INTEROP_THREADS"] = "1"
import cv2
cv2.setNumThreads(int(sys.argv[2]))
try:
    from fer.fer import FER
except ImportError:
    from fer import FER

reader, video = FER(), cv2.VideoCapture(sys.argv[1])
frames = faces = 0
first = None
while True:
    read, image = video.read()
    if not read:
        break
    found = reader.detect_emotions(image)
    first = time.time() if first is None else first
    frames, faces = frames + 1, faces + len(found)
print(json.dumps({"first": first, "last": time.time(), "frames": frames, "faces": faces}))
"""


def figures_of(python: str, code: str, video: Path) -> dict[str, float]:
    """Run one side on a video; return its figures."""
    begin = time.time()
    process = subprocess.Popen(
        [python, "-c", code, str(video), str(THREADS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said, complaint = process.communicate()
    if process.returncode:
        raise SystemExit(f"{python} failed: {complaint.decode(errors='replace')[-2000:]}")
    told = json.loads(said.splitlines()[-1])
    return {
        "frames_per_s": (told["frames"] - 1) / (told["last"] - told["first"]),
        "first_result_s": told["first"] - begin,
        "faces_per_frame": told["faces"] / told["frames"],
        "frames": told["frames"],
    }


def compare(video: Path, fer: str, runs: int) -> dict[str, Any]:
    """Return the medians of both sides, and how many times as many frames a second ours reads."""
    sides = {
        "roomread": (sys.executable, OURS.replace("RATE", "2.0")),
        "roomread without signals": (sys.executable, OURS.replace("RATE", "0.0")),  # which fer does not read either
        "fer": (fer, FER),
    }
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, (python, code) in sides.items():
            taken[name].append(figures_of(python, code, video))
    figures: dict[str, Any] = {"video": video.name, "runs": runs, "threads": THREADS}
    for name, (python, code) in sides.items():
        figures[name] = {key: statistics.median(run[key] for run in taken[name]) for key in taken[name][0]}
        figures[name]["peak_memory_mb"] = whole_process([python, "-c", code, str(video), str(THREADS)])[1]
    for name in ("roomread", "roomread without signals"):
        ratios = [
            ours["frames_per_s"] / theirs["frames_per_s"]
            for ours, theirs in zip(taken[name], taken["fer"], strict=True)
        ]
        figures[name]["times_as_fast"] = statistics.median(ratios)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--fer", required=True, metavar="PYTHON", help="interpreter with fer")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures = compare(chosen.video, chosen.fer, chosen.runs)
    if chosen.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{figures['video']}, {THREADS} threads each, medians of {figures['runs']} runs taking turns")
    names = [name for name, told in figures.items() if isinstance(told, dict)]
    print(f"{'':18}" + "".join(f"{name:>28}" for name in names))
    for key in figures["roomread"]:
        print(f"{key:18}" + "".join(f"{figures[name].get(key, 1.0):28.2f}" for name in names))


if __name__ == "__main__":
    main()
