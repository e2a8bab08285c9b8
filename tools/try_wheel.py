"""Build the wheel, look into it, install it where nothing of this checkout is, and use it; exit 1 at the first fault.

python tools/try_wheel.py

Needs the package `build` and a place that pip installs from. The wheel is left in dist/.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import roomread

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "roomread"
MOST_BYTES = 20_000_000  # of the wheel; the networks are 14 of them
PATIENCE = 60.0  # seconds for the first page; a small machine needs three
STRONG = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public")  # terms that no package of the base install may have


def build() -> Path:
    """Build the source archive and from it the wheel, and return the wheel."""
    for old in (ROOT / "dist").glob("roomread-*"):
        old.unlink()
    subprocess.run([sys.executable, "-m", "build", "--outdir", "dist", "."], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (ROOT / "dist").glob("*.whl")
    return wheel


def look_into(wheel: Path) -> None:
    """Compare what the wheel holds with the package's folder: all of it, and nothing else.

    Raises:
        SystemExit: something is missing, too much, or too large.
    """
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/")}
    own = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    wanted = {path.relative_to(PACKAGE.parent).as_posix() for path in own}
    about = f"roomread-{roomread.__version__}.dist-info/"
    wanted |= {about + name for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    texts = [*PACKAGE.glob("weights/LICENSE-*"), PACKAGE / "weights/research/README.md"]
    wanted |= {about + "licenses/" + path.relative_to(ROOT).as_posix() for path in texts}
    if held != wanted:
        raise SystemExit(f"wheel: missing {sorted(wanted - held)}, too much {sorted(held - wanted)}")
    size = wheel.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"wheel: {size:,} bytes, at most {MOST_BYTES:,}")
    print(f"{wheel.name}: {len(held)} files, {size / 1e6:.1f} MB, licences of {len(texts)} weights, no tests")


class Installed:
    """An environment of its own with the wheel in it, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "env", with_pip=True)
        self.bin = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        own = {"XDG_DATA_HOME": str(folder / "data"), "ROOMREAD_DB": str(folder / "lessons.sqlite")}
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
        }
        self.environment = inherited | own

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of the environment and return what it prints.

        Raises:
            SystemExit: it ends with another code than 0.
        """
        command = [str(self.bin / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(
                f"{program} {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def install(self, what: str) -> None:
        """Install from the wheel, at the versions that are tested."""
        told = ("--quiet", "--disable-pip-version-check", "--constraint", str(ROOT / "constraints.txt"))
        self.run("python", "-m", "pip", "install", *told, what)

    def first_page(self) -> float:
        """Open the pages and return after how many seconds the first one came.

        Raises:
            SystemExit: none comes in time.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [str(self.bin / "roomread"), "serve", "--no-browser", "--port", str(port)]
        begun = time.monotonic()
        server = subprocess.Popen(command, cwd=self.folder, env=self.environment)
        try:
            while server.poll() is None and time.monotonic() - begun < PATIENCE:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
                        if "</html>" in page.read().decode("utf-8"):
                            return time.monotonic() - begun
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.1)
            raise SystemExit(f"roomread serve: no page after {PATIENCE:.0f} s")
        finally:
            server.terminate()
            server.wait(timeout=30)


def use(wheel: Path, folder: Path) -> None:
    """Install the wheel and do with it what its first user does.

    Raises:
        SystemExit: something does not work, or stands under terms that it must not.
    """
    place = Installed(folder)
    place.install(str(wheel))
    said, where = (
        place.run("roomread", "--version"),
        place.run("python", "-c", "import roomread; print(roomread.__file__)"),
    )
    if said.split() != ["roomread", roomread.__version__] or not Path(where.strip()).is_relative_to(folder):
        raise SystemExit(f"another roomread answers: {said.strip()} at {where.strip()}")
    print(said.strip())
    place.run("roomread", "doctor")
    found = [each for each in json.loads(place.run("roomread", "licences", "--json")) if each["version"]]
    packages = [each for each in found if each["name"] != "FFmpeg inside av"]
    for each in packages:
        if each["licence"] == "unknown" or (STRONG.search(each["licence"]) and " OR " not in each["licence"]):
            raise SystemExit(f"{each['name']} stands under: {each['licence']}")
    print(f"doctor finds nothing bad; {len(packages)} packages, none under GPL or AGPL alone, none unknown")
    place.install(f"roomread[demo] @ {wheel.as_uri()}")
    report = Path(place.run("roomread", "demo", "--seconds", "10", "--out", "demo").splitlines()[-1])
    (video,) = (folder / "demo").glob("*.mp4")
    told = json.loads(place.run("roomread", "analyze", str(video), "--purpose", "self-study", "--fps", "1", "--json"))
    if not report.is_file() or told["lessons"][0]["frames"] != 10:
        raise SystemExit(f"the demo's report or its analysis is not as it should be: {report}, {told}")
    print(f"demo: a report of {report.stat().st_size / 1e3:.0f} kB; analyze: {told['lessons'][0]['frames']} frames")
    print(f"serve: the first page after {place.first_page():.1f} s")


if __name__ == "__main__":
    made = build()
    look_into(made)
    with tempfile.TemporaryDirectory(prefix="roomread-wheel-") as name:
        use(made, Path(name).resolve())
