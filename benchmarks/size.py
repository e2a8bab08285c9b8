"""How large the base install is on disk.

    python benchmarks/size.py [--json]

Installs the project without extras into an empty environment of its own, as `pip install` does, and counts every file
that this adds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT, AIM = 600, 400  # MB


def megabytes(folder: Path) -> float:
    """Return the size of all files below a folder, 1 MB = 10^6 bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6


def main() -> None:
    """Install, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        packages = next(Path(place).glob("lib*/**/site-packages"))
        empty = megabytes(packages)
        python = next(
            path for path in (Path(place) / "bin/python", Path(place) / "Scripts/python.exe") if path.exists()
        )
        command = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--constraint",
            str(ROOT / "constraints.txt"),
            str(ROOT),
        ]
        subprocess.run(command, check=True)
        whole = megabytes(packages) - empty
        parts = {entry.name: megabytes(entry) for entry in packages.iterdir() if entry.is_dir()}
    largest = dict(sorted(parts.items(), key=lambda part: -part[1])[:10])
    if options.json:
        print(json.dumps({"base_mb": round(whole, 1), "limit_mb": LIMIT, "largest_mb": largest}, indent=2))
    else:
        for name, size in largest.items():
            print(f"{name:30}{size:8.1f} MB")
        print(f"{'base install':30}{whole:8.1f} MB (limit {LIMIT}, aim {AIM})")
    sys.exit(whole > LIMIT)


if __name__ == "__main__":
    main()
