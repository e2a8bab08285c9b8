"""What is wrong with a data set, face by face, as a table that training and evaluation can leave rows out by."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomread.errors import DataError
from roomread.learn.datasets import OTHER_VOTES, VOTES, LabelledFaces
from roomread.output import write_whole
from roomread.outside import check_ordinary
from roomread.types import EMOTIONS, Array, check_shape

BLANK, DUPLICATE, NEAR_DUPLICATE = "blank", "duplicate", "near duplicate"
TWO_SPLITS, CONTRADICTION, NOT_A_FACE = "two splits", "contradiction", "not a face"
FINDINGS = {
    BLANK: "one gray, or nearly so",
    DUPLICATE: "the same pixels as an earlier row",
    NEAR_DUPLICATE: "a crop or copy of an earlier row, by perceptual hash",
    TWO_SPLITS: "the same pixels stand in another split too",
    CONTRADICTION: "the same pixels have another label too",
    NOT_A_FACE: "FER+: more votes for not-a-face than for anything else",
}

BLANK_LEVELS = (
    8  # gray levels from darkest to lightest; under it nothing can be seen. FER-2013: 13 have at most 3, then 48
)
NEAR = 6  # bits of 64; at 6 or fewer two FER-2013 pictures are nearly always two crops or copies of one photograph
COLUMNS = ("row", "usage", "label", "finding", "group")


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Findings, one row each, in the order of FINDINGS, then of rows; a face can have several.

    n: faces that were looked at.
    unknown: findings that could not be looked for.
    rows: int64 (k,), the face's row in the data set.
    usages: str (k,), its split.
    labels: int64 (k,), its label, index into EMOTIONS.
    findings: str (k,), one of FINDINGS.
    groups: int64 (k,), the lowest row of the faces that belong together; the row itself where it stands alone.
    """

    n: int
    unknown: tuple[str, ...]
    rows: Array
    usages: Array
    labels: Array
    findings: Array
    groups: Array

    def __post_init__(self) -> None:
        for name in ("usages", "labels", "findings", "groups"):
            check_shape(name, getattr(self, name), (len(self.rows),))

    def __len__(self) -> int:
        return len(self.rows)

    def counts(self) -> dict[str, dict[str, int] | None]:
        """Return for each finding how many faces of each split have it and in how many groups; None where unknown."""
        table: dict[str, dict[str, int] | None] = dict.fromkeys(self.unknown)
        for finding in [name for name in FINDINGS if name not in self.unknown]:
            mask = self.findings == finding
            usages = {str(name): int((self.usages[mask] == name).sum()) for name in np.unique(self.usages)}
            table[finding] = {"faces": int(mask.sum()), "groups": len(np.unique(self.groups[mask])), **usages}
        return table


def audit(faces: LabelledFaces) -> Audit:
    """Return everything that is wrong with a data set; 32,298 faces take about 11 seconds on a busy core.

    Blank faces count as blank alone. Of duplicates and near duplicates the lowest row is no finding, so what is left
    when all findings are left out holds one of each. Of faces in two splits or with two labels every one is a finding:
    nobody knows which is right. Without FER+'s votes it is unknown which are no faces.

    Args:
        faces: any data set, an empty one included.
    """
    if not len(faces):
        none = np.empty(0, np.int64)
        return Audit(0, (NOT_A_FACE,), none, none.astype(str), none, none.astype(str), none)
    pixels = faces.images.reshape(len(faces), -1)
    blank = np.ptp(pixels, axis=1) < BLANK_LEVELS
    same = _same_pixels(pixels)
    seen = np.flatnonzero(~blank)
    near = same.copy()
    if len(seen):
        near[seen] = seen[_first_of(near_groups(hashes(faces[seen])), faces.rows[seen])]
    lowest = _first_of(same, faces.rows)
    duplicate = ~blank & (lowest != np.arange(len(faces)))
    masks = {
        BLANK: (blank, np.arange(len(faces))),
        DUPLICATE: (duplicate, lowest),
        NEAR_DUPLICATE: (~blank & ~duplicate & (near != np.arange(len(faces))), near),
        TWO_SPLITS: (~blank & _differ(same, faces.usages), lowest),
        CONTRADICTION: (~blank & _differ(same, faces.labels), lowest),
        NOT_A_FACE: (_no_face(faces.votes), np.arange(len(faces))),
    }
    found = [(name, place, of[place]) for name, (mask, of) in masks.items() for place in np.flatnonzero(mask)]
    places = np.array([place for _, place, _ in found], np.int64)
    return Audit(
        n=len(faces),
        unknown=(NOT_A_FACE,) if np.isnan(faces.votes).all() else (),
        rows=faces.rows[places],
        usages=faces.usages[places],
        labels=faces.labels[places],
        findings=np.array([name for name, _, _ in found], str),
        groups=faces.rows[np.array([of for _, _, of in found], np.int64)],
    )


def hashes(faces: LabelledFaces) -> Array:
    """Return the perceptual hash (DCT) of each face: uint8 (n, 8), 64 bits packed."""
    import imagehash
    from PIL import Image as Pictures

    bits = [imagehash.phash(Pictures.fromarray(image[..., 0])).hash.reshape(-1) for image in faces.images]
    return np.packbits(np.array(bits, bool), axis=1)


def near_groups(codes: Array) -> Array:
    """Return for each hash the number of its group; two hashes within NEAR bits share one: int64 (n,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    words = codes.copy().view(np.uint64)[:, 0]
    left, right = [], []
    for start in range(0, len(words), 512):  # 512 rows against all: 28,709 fit into 120 MB
        distance = np.bitwise_count(words[start : start + 512, None] ^ words[None, :])
        a, b = np.nonzero(distance <= NEAR)
        left.append(a + start)
        right.append(b)
    pairs = (np.concatenate(left), np.concatenate(right))
    graph = coo_array((np.ones(len(pairs[0]), bool), pairs), shape=(len(words), len(words)))
    groups: Array = connected_components(graph, directed=False)[1]
    return groups.astype(np.int64)


def _same_pixels(pixels: Array) -> Array:
    """Return a number for each distinct picture: int64 (n,)."""
    whole = np.ascontiguousarray(pixels).view(f"V{pixels.shape[1]}")[:, 0]
    numbers: Array = np.unique(whole, return_inverse=True)[1]
    return numbers


def _first_of(groups: Array, rows: Array) -> Array:
    """Return for each face the place of the one with the lowest row in its group: int64 (n,)."""
    order = np.argsort(rows, kind="stable")
    _, first, inverse = np.unique(groups[order], return_index=True, return_inverse=True)
    lowest = np.empty(len(groups), np.int64)
    lowest[order] = order[first][inverse]
    return lowest


def _differ(groups: Array, values: Array) -> Array:
    """Return which faces share their group with one of another value: bool (n,)."""
    numbers = np.unique(values, return_inverse=True)[1]
    pairs = np.unique(np.stack([groups, numbers], axis=1), axis=0)
    several: Array = np.bincount(pairs[:, 0])[groups] > 1
    return several


def _no_face(votes: Array) -> Array:
    """Return which faces got more votes for not-a-face than for anything else: bool (n,)."""
    column = (VOTES + OTHER_VOTES).index("nf")
    known = np.nan_to_num(votes)
    most: Array = known[:, column] > np.delete(known, column, axis=1).max(axis=1)
    return most


def also_in_training(faces: LabelledFaces, split: str) -> Array:
    """Return the rows of a split whose very picture stands in Training: int64 (k,)."""
    chosen, training = faces.split(split), faces.split("Training")
    others = training.images[~np.isin(training.rows, chosen.rows)]  # `validation` is a part of Training
    seen = {image.tobytes() for image in others}
    return np.array(
        [int(row) for row, image in zip(chosen.rows, chosen.images, strict=True) if image.tobytes() in seen], np.int64
    )


def write_audit(found: Audit, path: Path) -> Path:
    """Write the findings as a CSV table and return its path; a line that is deleted keeps its face.

    Raises:
        OutputError: it cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row, usage, label, finding, group in zip(
        found.rows, found.usages, found.labels, found.findings, found.groups, strict=True
    ):
        table.writerow((row, usage, EMOTIONS[label], finding, group))
    write_whole({path: lambda new: new.write_text(text.getvalue(), encoding="utf-8")})
    return path


def rows_to_drop(faces: LabelledFaces, path: Path) -> Array:
    """Return the rows of a data set that a table of `write_audit` names: int64 (k,), ascending, each once.

    Args:
        faces: the data set; rows that it does not hold are passed over.
        path: the table; of its columns only row and finding are needed.

    Raises:
        DataError: the table is missing or damaged (the message names the line), or was made of other faces: a row
            stands in another split there or has another label.
    """
    place = {int(row): number for number, row in enumerate(faces.rows)}
    named = set()
    for row, usage, label in _read_table(path):
        number = place.get(row)
        if number is None:  # the table is of more splits than these faces
            continue
        have = (str(faces.usages[number]), EMOTIONS[faces.labels[number]])
        if (usage or have[0], label or have[1]) != have:
            raise DataError(
                f"{path} was made of other faces: row {row} is {usage}, {label} there and {', '.join(have)} here. "
                "Expected: a table that `roomread data` wrote of this data."
            )
        named.add(row)
    return np.array(sorted(named), np.int64)


def _read_table(path: Path) -> list[tuple[int, str, str]]:
    """Return (row, usage, label) of each line."""
    kept = []
    try:
        check_ordinary(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, restval="")
            for column in ("row", "finding"):
                if column not in (lines.fieldnames or ()):
                    raise DataError(f"{path} lacks the column {column!r}. Expected: {', '.join(COLUMNS)}.")
            for line in lines:
                where = f"{path}, line {lines.line_num}"
                if line["finding"] not in FINDINGS:
                    raise DataError(f"{where}: {line['finding']!r} is no finding. Expected: {', '.join(FINDINGS)}.")
                if not line["row"].isdecimal() or len(line["row"]) > 15:
                    raise DataError(f"{where}: {line['row']!r} is no row. Expected: a whole number.")
                kept.append((int(line["row"]), line.get("usage", ""), line.get("label", "")))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Expected: a table of `roomread data`.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no CSV file that can be read: {error}.") from error
    return kept
