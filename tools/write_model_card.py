"""Write docs/model-card.md from the card that travels with the shipped expression model.

python tools/write_model_card.py
"""

from pathlib import Path
from typing import Any

from roomread.modelcard import PUBLISHED, PUBLISHED_INT8, read_card

PAGE = Path(__file__).parents[1] / "docs" / "model-card.md"


def figures_table(figures: tuple[dict[str, Any], ...]) -> str:
    """Return the figures, one row per split."""
    names = ("split", "n", "accuracy", "95% interval", "balanced", "macro F1", "calibration error")
    return f"| {' | '.join(names)} |\n{'|---' * len(names)}|\n" + "\n".join(
        f"| {f['split']} | {f['n']:,} | {f['accuracy']:.4f} | {f['accuracy_low']:.4f} to {f['accuracy_high']:.4f} | "
        f"{f['balanced_accuracy']:.4f} | {f['macro_f1']:.4f} | {f['calibration_error']:.4f} |"
        for f in figures
    )


def recall_table(figures: tuple[dict[str, Any], ...]) -> str:
    """Return recall per class, one column per split."""
    splits = [figure["split"] for figure in figures]
    rows = [f"| class | {' | '.join(splits)} |", "|---" * (len(splits) + 1) + "|"]
    for name in figures[0]["recall"]:
        rows.append(f"| {name} | " + " | ".join(f"{figure['recall'][name]:.3f}" for figure in figures) + " |")
    return "\n".join(rows)


def parts_table(figures: tuple[dict[str, Any], ...]) -> str:
    """Return the accuracy of the same faces in other ways, a row for each way, one column per split."""
    rows = [f"| faces | {' | '.join(f['split'] for f in figures)} |", "|---" * (len(figures) + 1) + "|"]
    parts = [[part for kind in figure["parts"].values() for part in kind] for figure in figures]
    for told in dict.fromkeys(part["faces"].split(" (")[0] for part in parts[0]):
        cells = [next(each for each in split if each["faces"].startswith(told)) for split in parts]
        words = [
            f"{c['accuracy']:.4f} ({c['accuracy_low']:.4f} to {c['accuracy_high']:.4f}; n = {c['n']:,})" for c in cells
        ]
        rows.append(f"| {told} | {' | '.join(words)} |")
    return "\n".join(rows)


def model_card() -> str:
    """Return the page."""
    card, rounded = read_card(PUBLISHED, "expression"), read_card(PUBLISHED_INT8, "expression")
    recipe = "\n".join(f"| `{key}` | {value} |" for key, value in card.recipe.items() if not isinstance(value, dict))
    teachers = ", ".join(card.recipe.get("teachers", {})) or "none"
    augment = ", ".join(f"{key} {value}" for key, value in card.recipe["augment"].items())
    return f"""# Model card: the shipped expression model

Written by `python tools/write_model_card.py` from the card beside the file.

**{card.name}** · licence {card.licence} · SHA-256 `{card.sha256}`

- **Input**: {card.input}.
- **Output**: {card.output}: {", ".join(card.classes)}.
- **Origin**: {card.origin}.
- **Data**: {card.data}
- **Not for**: {card.not_for}

## How good it is

{figures_table(card.figures)}

`validation` watched the run and was never fitted on but for one number, the temperature. PublicTest is read only for a
model that is frozen, and has hardly had a part in choosing ([log](../benchmarks/results/publictest-log.md)). One FER+
tagger agrees with the plurality of nine others on about 70% of such pictures, and people reach 65 ± 5% on these labels:
a few points more or less say little.

The same network in eight bits (`expression-int8.onnx`), which lessons are read with where the processor is known to be
quicker so:

{figures_table(rounded.figures)}

The same faces with other labels, without the pictures that Training holds too ("rows to drop"), and made small (then
enlarged again) or blurred (standard deviation, in pixels of 48), before rounding:

{parts_table(card.figures)}

Recall per class:

{recall_table(card.figures)}

Errors by age, sex and skin colour: not measured, as the data has no such labels.

## Recipe

| setting | value |
|---|---|
{recipe}

Teachers: {teachers}.

Augmentation: {augment}.
"""


if __name__ == "__main__":
    PAGE.write_text(model_card(), encoding="utf-8")
