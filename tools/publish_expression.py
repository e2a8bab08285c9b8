"""Make a trained model the one that ships: copy it, judge it on every split that may be read, write cards and log.

python tools/publish_expression.py TRAINED --data fer2013.parquet --origin "... November 2026, two CPU cores"

TRAINED is the folder of `roomread train`. The cards get the figures of `validation` and PublicTest, for small and
blurred faces too; the reading of PublicTest is appended to benchmarks/results/publictest-log.md, the model card's page
is written anew. Only for a model that is frozen: nothing may be chosen by what PublicTest says.
"""

import argparse
import dataclasses
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from roomread.faces.expression import ExpressionModel
from roomread.learn.audit import also_in_training
from roomread.learn.datasets import LabelledFaces
from roomread.learn.evaluation import BLURS, SIZES, Evaluation, evaluate
from roomread.learn.readers import read_faces
from roomread.modelcard import PUBLISHED, PUBLISHED_INT8, read_card, write_card

ROOT = Path(__file__).parents[1]
LOG = ROOT / "benchmarks" / "results" / "publictest-log.md"


def main() -> None:
    """Copy, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="FER-2013 with PublicTest")
    parser.add_argument("--origin", required=True, help="command, date and machine, for the card")
    options = parser.parse_args()
    faces = read_faces(options.data)
    model = next(path for path in options.trained.glob("*.onnx") if not path.stem.endswith("-int8"))
    for source, shipped in ((model, PUBLISHED), (model.with_name(f"{model.stem}-int8.onnx"), PUBLISHED_INT8)):
        card = read_card(source, "expression")
        shutil.copyfile(source, shipped)
        network = ExpressionModel(path=source)
        figures = [judge(network, faces, split) for split in ("validation", "PublicTest")]
        origin = options.origin if shipped == PUBLISHED else card.origin.replace(source.name, shipped.name)
        write_card(dataclasses.replace(card, origin=origin, figures=tuple(each.as_dict() for each in figures)), shipped)
        log(shipped.name, card.sha256, figures[-1])
    subprocess.run([sys.executable, ROOT / "tools" / "write_model_card.py"], check=True)


def judge(network: ExpressionModel, faces: LabelledFaces, split: str) -> Evaluation:
    """Return a split's figures, also without its pictures that stand in Training, and of worse pictures."""
    return evaluate(network, faces, split, also_in_training(faces, split), SIZES, BLURS)


def log(name: str, sha256: str, figures: Evaluation) -> None:
    """Append a reading of PublicTest."""
    low, high = figures.accuracy_interval
    line = (
        f"| {datetime.now(tz=UTC):%Y-%m-%d} | `{name}` ({sha256[:12]}…) | ships, frozen | "
        f"{figures.accuracy:.4f} ({low:.4f} to {high:.4f}) | {figures.n} | `python tools/publish_expression.py` |"
    )
    LOG.write_text(LOG.read_text(encoding="utf-8").rstrip("\n") + f"\n{line}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
