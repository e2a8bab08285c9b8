"""Print how many mutants of each module the tests let live, after `mutmut run`; exit 1 where too many do.

python tools/mutants.py
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict

MOST_ALIVE = 15  # percent, of all modules together
DEAD = {"killed", "timeout", "segfault", "caught by type check"}


def main() -> int:
    """Count, print and judge."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    for name, status in re.findall(r"^ +(\S+): (.+)$", told, re.MULTILINE):
        if status == "not checked":
            raise SystemExit("mutants: not all were tried. Expected: `mutmut run` to its end.")
        module = re.split(r"\.x", name)[0].removeprefix("roomread.")
        counts[module][status not in DEAD] += 1
        counts["all"][status not in DEAD] += 1
    if not counts:
        raise SystemExit("mutants: there are none. Expected: `mutmut run` before.")
    print(f"{'module':28}{'mutants':>8}{'killed':>8}{'alive':>8}{'alive %':>9}")
    for module in [*sorted(set(counts) - {"all"}), "all"]:
        alive, killed = counts[module][True], counts[module][False]
        print(f"{module:28}{alive + killed:8}{killed:8}{alive:8}{100 * alive / (alive + killed):9.1f}")
    share = 100 * counts["all"][True] / counts["all"].total()
    if share > MOST_ALIVE:
        print(f"mutants: {share:.1f} % are alive, at most {MOST_ALIVE} %", file=sys.stderr)
    return int(share > MOST_ALIVE)


if __name__ == "__main__":
    sys.exit(main())
