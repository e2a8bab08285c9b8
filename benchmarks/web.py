"""How soon the pages come, how much memory a live lesson takes, and how soon a frame becomes a number on the page.

    python benchmarks/web.py [--only start|pages|live ...] [--turns 5] [--lessons 1000] [--minutes 2] [--json]

start: seconds from the command `roomread serve` to the first page, each time a new process and a new store.
pages: milliseconds of every page and answer that can be reached from the first page and from the list of the API, with
    so many lessons of an hour and 30 seats in the store: their summaries are kept of all, their rows of five, one frame
    a second. `first` is the first time it was asked for, median and worst are of --turns later times, and `shown` is
    the median until Chromium has it on the screen. One of each kind is timed, of the lessons the newest.
live: memory in MB while the page's own camera sees ten people for so many minutes, and milliseconds from a picture of
    that camera to its number on the page. The first half minute is left out. Of the server it is all that is resident;
    of the page what its process alone holds, without what it shares: Chromium's own code, and the camera's pictures;
    and of that the objects of its scripts. `per hour` is the slope of a line through all samples; of a few minutes it
    says little.

pages and live need Chromium: the program that ROOMREAD_CHROMIUM names, or one on the path.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

import numpy as np
from made_up import lesson_of_hour, made_up
from playwright.sync_api import Browser, Page, sync_playwright

from roomread.app.panel import mapping_of
from roomread.review.overview import overview, overview_key
from roomread.store.lessons import LessonStore
from roomread.store.privacy import open_gate
from roomread.store.summaries import Kept, write_summary
from roomread.types import Lesson

PATIENCE = 60.0  # seconds that a server may take to begin
HOUR, WITH_ROWS = 3600, 5
MOST_PAGES = 200
WARM = 30.0  # seconds of a live lesson until its memory is looked at: networks are loaded, caches filled
SAMPLES = 60  # of a live lesson, at most; not more than one in two seconds
FACES = 10
MB = 1024 * 1024


# --- the server


@contextmanager
def serving(store: Path) -> Iterator[tuple[str, int, float]]:
    """Start the server as a user does; yield its address, its process and the seconds until its first page."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "roomread", "serve", "--no-browser", "--port", str(port), "--db", str(store)]
    before = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not _answers(address):
                if process.poll() is not None or time.perf_counter() - before > PATIENCE:
                    raise SystemExit(f"{' '.join(command)} did not begin")
                time.sleep(0.005)
            yield address, process.pid, time.perf_counter() - before
        finally:
            process.send_signal(signal.SIGINT)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address + "/", timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def starts(turns: int) -> dict[str, float]:
    """Return seconds from the command to the first page: median and worst."""
    taken = []
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "lessons.sqlite") as (_, _, seconds):
            taken.append(seconds)
    return {"median_s": statistics.median(taken), "worst_s": max(taken)}


# --- a store with many lessons


def fill_store(path: Path, n: int) -> None:
    """Write a store with so many lessons of an hour; the newest WITH_ROWS have their rows."""
    store, seen = LessonStore(path), made_up(HOUR)
    lessons = [store.add(lesson_of_hour(number, n, HOUR)) for number in range(n)]
    for lesson in lessons[-WITH_ROWS:]:
        for start in range(0, len(seen), 300):
            store.append(lesson, seen[start : start + 300])
    keep_summaries(store, lessons)


def keep_summaries(store: LessonStore, lessons: Sequence[Lesson]) -> None:
    """Keep the overview of every lesson: made of the last one's rows, and kept for each under its own key."""
    mapping = mapping_of(lessons[-1])
    stored = overview(open_gate(store, lessons[-1]), mapping).as_stored()
    for lesson in lessons:
        write_summary(store, lesson, mapping.name, Kept(overview_key(lesson, mapping), *stored))


# --- every page


class Links(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a link leads."""
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def pages(n: int, turns: int) -> dict[str, dict[str, float]]:
    """Return the milliseconds of every kind of page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lessons.sqlite"
        fill_store(path, n)
        with serving(path) as (address, _, _), chromium() as browser:
            found, screen = every_page(address, n), browser.new_page()
            return {kind: timed(address, path, first, screen, turns) for kind, (path, first) in found.items()}


def every_page(address: str, newest: int) -> dict[str, tuple[str, float]]:
    """Follow every link and every answer of the API; return one (path, milliseconds of the first time) of each kind."""
    compared = f"/lessons/compare?a={newest}&b={newest - 1}"  # a form leads there, no link
    waiting = ["/", compared, *_answers_of_api(address, newest)]
    found: dict[str, tuple[str, float]] = {}
    asked: set[str] = set()
    while waiting and len(asked) < MOST_PAGES:
        path = waiting.pop(0)
        kind = kind_of(path)
        if kind in asked or path.startswith("/static/"):
            continue
        asked.add(kind)
        try:
            taken, text = ask(address + path)
        except urllib.error.HTTPError as error:  # it is not there, or needs more than an address
            print(f"left out, as it answers {error.code}: {path}", file=sys.stderr)
            continue
        found[kind] = (path, taken)
        links = Links()
        links.feed(text)
        absolute = [urldefrag(urljoin(address + path, link)).url for link in links.found]
        waiting += [link.removeprefix(address) for link in absolute if link.startswith(address + "/")]
    return found


def kind_of(path: str) -> str:
    """Return a path in which every number is an N, without the values of its query."""
    parts = urlsplit(path)
    names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return re.sub(r"\d+", "N", parts.path) + ("?" + "&".join(names) if names else "")


def _answers_of_api(address: str, newest: int) -> list[str]:
    """Return the paths that the API says it answers; what a path asks for is the newest lesson."""
    plan = json.loads(ask(f"{address}/api/openapi.json")[1])
    return [re.sub(r"\{\w+\}", str(newest), path) for path, ways in plan["paths"].items() if "get" in ways]


def ask(address: str) -> tuple[float, str]:
    """Ask once; return milliseconds until all is there, and the page if it is one, else what came as text."""
    before = time.perf_counter()
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        body = answer.read()
        taken = 1000 * (time.perf_counter() - before)
        readable = answer.headers.get_content_type() in ("text/html", "application/json")
        return taken, body.decode() if readable else ""


def timed(address: str, path: str, first: float, screen: Page, turns: int) -> dict[str, float]:
    """Return the milliseconds of one page; `shown` is NaN for what is no page."""
    taken = [ask(address + path)[0] for _ in range(turns)]
    figures = {"first_ms": first, "median_ms": statistics.median(taken), "worst_ms": max(taken), "shown_ms": np.nan}
    with urllib.request.urlopen(address + path, timeout=PATIENCE) as answer:
        kept = answer.headers.get_content_disposition() == "attachment"
        shown = not kept and answer.headers.get_content_type() == "text/html"
    if shown:
        figures["shown_ms"] = statistics.median(_shown(screen, address + path) for _ in range(turns))
    return figures


def _shown(screen: Page, address: str) -> float:
    screen.goto(address)
    return float(screen.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))


# --- a live lesson


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Start Chromium without a window."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = [path for name in (os.environ.get("ROOMREAD_CHROMIUM") or "", *names) if (path := shutil.which(name))]
    if not found:
        raise SystemExit(
            "Chromium is missing: apt install chromium, or set ROOMREAD_CHROMIUM to the file that starts it"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=["--no-sandbox", *arguments])
        yield browser
        browser.close()


def live(minutes: float) -> dict[str, dict[str, float]]:
    """Return the memory and the delay of a lesson of so many minutes that a page with a camera gives."""
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "room.mjpeg")
        camera = (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        )
        with serving(Path(folder) / "lessons.sqlite") as (address, server, _), chromium(*camera) as browser:
            page = browser.new_page()
            begin(page, address)
            page.wait_for_timeout(1000 * WARM)
            take_delays(page)
            return watch(browser, page, server, 60 * minutes)


def begin(page: Page, address: str) -> None:
    """Begin a lesson with the page's own camera, and wait for the first number or reason."""
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{address}/live")
    page.check("input[name=source][value=browser]")
    page.select_option("#purpose", "self-study")
    page.fill("#name", "Benchmark")
    page.check("#notice")
    page.click("#begin")
    page.wait_for_function("() => /\\d/.test(document.querySelector('#now').textContent)")


def watch(browser: Browser, page: Page, server: int, seconds: float) -> dict[str, dict[str, float]]:
    """Return memory and delays of a lesson that runs, over so many seconds."""
    step = max(2.0, seconds / SAMPLES)
    times: list[float] = []
    delays: list[float] = []
    memory: dict[str, list[float]] = {"server_mb": [], "page_private_mb": [], "page_heap_mb": []}
    start = time.monotonic()
    while not times or times[-1] < seconds:
        page.wait_for_timeout(1000 * step)
        times.append(time.monotonic() - start)
        for name, value in zip(memory, (resident(server), *page_memory(browser, page)), strict=True):
            memory[name].append(value)
        delays += take_delays(page)
    figures = {name: course(times, values) for name, values in memory.items()}
    if not delays:
        raise SystemExit("The page told no delay (window.roomreadDelay).")
    middle, slow = np.percentile(delays, (50, 95))
    figures["delay_ms"] = {"median": float(middle), "p95": float(slow), "worst": max(delays), "n": float(len(delays))}
    return figures


def course(times: Sequence[float], values: Sequence[float]) -> dict[str, float]:
    """Return how a size began, ended, was at most, and grew by the hour; `times` in seconds."""
    slope = float(np.polyfit(times, values, 1)[0]) if len(times) > 1 else np.nan
    return {"first": values[0], "last": values[-1], "most": max(values), "per hour": 3600 * slope}


def take_delays(page: Page) -> list[float]:
    """Return the milliseconds from frames to their numbers since the last time: the page keeps them."""
    taken: list[float] = page.evaluate("window.roomreadDelay.splice(0)")
    return taken


def page_memory(browser: Browser, page: Page) -> tuple[float, float]:
    """Return what the page's process alone holds, then what its scripts' objects take after cleaning up, in MB.

    Chromium may keep a spare process that holds no page; it is by far the smaller one.
    """
    whole, inside = browser.new_browser_cdp_session(), page.context.new_cdp_session(page)
    processes = whole.send("SystemInfo.getProcessInfo")["processInfo"]
    alone = max(private(each["id"]) for each in processes if each["type"] == "renderer")
    inside.send("HeapProfiler.collectGarbage")
    inside.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in inside.send("Performance.getMetrics")["metrics"]}
    inside.detach()
    whole.detach()
    return alone, metrics["JSHeapUsedSize"] / MB


def resident(process: int) -> float:
    """Return the memory that a process holds, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def private(process: int) -> float:
    """Return the memory that a process shares with no other one, in MB."""
    told = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(told.split(f"{name}:")[1].split()[0]) for name in ("Private_Clean", "Private_Dirty")) / 1024


def write_film(path: Path) -> Path:
    """Write six seconds of a synthetic class of FACES as the motion JPEG that Chromium takes for a camera."""
    import av

    from roomread.demo.film import paint_frames
    from roomread.demo.script import RoomSettings
    from roomread.demo.truth import plan_room

    room = RoomSettings(width=1280, height=720, seats=FACES, seconds=6.0, fps=30, walker=False)
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=room.fps)
        stream.width, stream.height, stream.pix_fmt = room.width, room.height, "yuvj420p"
        stream.bit_rate = 40_000_000
        for image in paint_frames(plan_room(room)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


# --- the result


def show(figures: dict[str, Any], as_json: bool) -> None:
    """Print for a person, or as JSON; what is not known is null."""
    if as_json:
        print(json.dumps(_known(figures), indent=2))
        return
    for part, rows in figures.items():
        if not isinstance(rows, dict):
            print(f"{part:50}{rows:>12}")
            continue
        table = rows if isinstance(next(iter(rows.values()), None), dict) else {"": rows}
        heads: list[str] = []
        for name, values in table.items():
            if list(values) != heads:
                heads = list(values)
                print(f"\n{part:44}" + "".join(f"{head:>12}" for head in heads))
            print(f"{name:44}" + "".join(f"{number:12.2f}".replace("nan", "  –") for number in values.values()))


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _known(each) for name, each in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=("start", "pages", "live"), default=("start", "pages", "live"))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--lessons", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=2.0, help="of the live lesson")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {"cpus": os.cpu_count()}
    if "start" in chosen.only:
        figures["start"] = starts(chosen.turns)
    if "pages" in chosen.only:
        figures["pages"] = pages(chosen.lessons, chosen.turns)
    if "live" in chosen.only:
        figures["live"] = live(chosen.minutes)
    show(figures, chosen.json)


if __name__ == "__main__":
    main()
