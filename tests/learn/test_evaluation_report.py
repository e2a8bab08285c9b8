"""The report of an evaluation: what its page and its numbers hold, and that it needs nothing from outside."""

from __future__ import annotations

import dataclasses
import json
import re
import xml.etree.ElementTree as Trees
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from roomread.errors import OutputError
from roomread.learn import evaluation_figures as figures
from roomread.learn.evaluation import BLUR, FERPLUS, SIZE, WITHOUT, Evaluation, judge
from roomread.learn.evaluation_report import SPLITS, evaluation_html, numbers_of, shade, thousands, write_evaluation
from roomread.types import EMOTIONS, N_EMOTIONS

VOID = {"meta", "link", "br", "img", "input", "hr"}


def made_up(name: str = "ours", split: str = "validation", seed: int = 0, n: int = 60) -> Evaluation:
    """Return figures of a model that is right now and then, in all its parts."""
    labels = np.arange(n) % N_EMOTIONS
    noise = np.random.default_rng(seed)
    probabilities = noise.dirichlet(np.ones(N_EMOTIONS), n) + 0.5 * np.eye(N_EMOTIONS)[labels] * noise.random((n, 1))
    probabilities /= probabilities.sum(axis=1, keepdims=True)

    def part(faces: str, amount: float = float("nan"), m: int = n) -> Evaluation:
        return dataclasses.replace(judge(name, split, probabilities[:m], labels[:m], faces), amount=amount)

    parts = {
        WITHOUT: (part("without the rows to drop (5)", m=n - 5),),
        FERPLUS: (part("labels by FER+'s majority", m=n // 2),),
        SIZE: (part("shrunk to 16 px", 16), part("shrunk to 24 px", 24)),
        BLUR: (part("blurred by 1 px", 1),),
    }
    return dataclasses.replace(judge(name, split, probabilities, labels), parts=parts)


class Reader(HTMLParser):
    """What a page holds: its tags, ids and words, and that every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def text_of(page: str) -> str:
    return " ".join(" ".join(Reader(page).words).split())


@pytest.fixture(params=[1, 3], ids=["one model", "three models"])
def judged(request: pytest.FixtureRequest) -> list[Evaluation]:
    return [made_up(f"model {number}", seed=number) for number in range(request.param)]


def test_the_page_is_whole_and_loads_nothing_from_outside(judged: list[Evaluation]) -> None:
    page = evaluation_html(judged)
    read = Reader(page)
    assert not read.open
    assert not {"script", "img", "link", "iframe", "image"} & {tag for tag, _ in read.tags}
    assert not [name for _, attrs in read.tags for name in attrs if name in ("src", "srcset") or name.startswith("on")]
    assert all((attrs["href"] or "").startswith("#") for _, attrs in read.tags if "href" in attrs)
    assert not re.search(r"url\(|@import|https?://", page)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page


def test_ids_are_unique_and_every_reference_leads_to_one(judged: list[Evaluation]) -> None:
    tags = Reader(evaluation_html(judged)).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = [word for _, attrs in tags for word in (attrs.get("aria-labelledby") or "").split()]
    wanted += [(attrs["href"] or "")[1:] for _, attrs in tags if "href" in attrs]
    assert set(wanted) <= set(ids)


@pytest.mark.parametrize("split", [*SPLITS, "somebody's"])
def test_the_page_opens_with_what_the_split_is_and_whether_it_was_used_for_choosing(split: str) -> None:
    text = text_of(evaluation_html([made_up(split=split)]))
    opening = text[: text.index("At a glance")]
    assert f"ours on {split}, n = 60" in opening
    assert re.search(r"Used for|Not used|not known", opening)


def test_every_section_names_the_split() -> None:
    page = evaluation_html([made_up()])
    heads = re.findall(r"<h2.*?</h2>", page)
    assert len(heads) == 9
    assert all('<span class="where">validation' in head for head in heads)


def test_the_page_holds_the_figures_of_every_model_and_part(judged: list[Evaluation]) -> None:
    text = text_of(evaluation_html(judged))
    for each in judged:
        assert each.model in text
        for row in (each, *(part for parts in each.parts.values() for part in parts)):
            low, high = row.accuracy_interval
            assert f"{row.accuracy:.3f}" in text and f"{low:.3f} to {high:.3f}" in text
            assert row.faces in text
    constant = "One-versus-rest accuracy asks seven times"
    assert constant in text


def test_parts_that_nobody_asked_for_have_no_section() -> None:
    text = text_of(evaluation_html([dataclasses.replace(made_up(), parts={})]))
    assert not re.search(r"With and without|FER\+|Smaller and blurred", text)


def test_a_models_name_cannot_break_the_page() -> None:
    page = evaluation_html([made_up("<script>x</script>")])
    assert "<script>" not in page and "&lt;script&gt;x" in page


@pytest.mark.parametrize("labels", [[3], [3, 3], [0, 3]], ids=["one face", "one class", "two classes"])
def test_classes_without_faces_have_dashes_and_empty_curves(labels: list[int]) -> None:
    judged = judge("ours", "validation", np.full((len(labels), N_EMOTIONS), 1 / N_EMOTIONS), np.array(labels))
    page = evaluation_html([judged])
    assert "disgust, AUC –" in page
    assert "nan" not in text_of(page).lower().replace("nan-", "")
    assert numbers_of([judged])["models"][0]["roc"]["disgust"] == {"false_positive_rate": [], "true_positive_rate": []}


def test_the_numbers_lie_beside_the_page(judged: list[Evaluation], tmp_path: Path) -> None:
    out = write_evaluation(judged, tmp_path / "judged" / "evaluation.html")
    assert out.read_text(encoding="utf-8") == evaluation_html(judged)
    told = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert (told["split"]["name"], told["split"]["n"]) == ("validation", 60)
    assert [model["model"] for model in told["models"]] == [each.model for each in judged]
    for model, each in zip(told["models"], judged, strict=True):
        assert model["accuracy"] == round(each.accuracy, 5)
        curve = model["roc"]["happy"]
        area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
        assert_allclose(area, model["auc"]["happy"], atol=1e-4)
        assert sum(row["n"] for row in model["calibration"]) == 60
        assert [part["n"] for part in model["parts"][SIZE]] == [60, 60]


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").mkdir()
    with pytest.raises(OutputError):
        write_evaluation([made_up()], tmp_path / "evaluation.html")
    assert not (tmp_path / "evaluation.html").exists()


@pytest.mark.parametrize(
    ("judged", "message"),
    [
        ([], "at least one evaluation"),
        ([made_up(), made_up(split="PublicTest")], "the same faces only"),
        ([made_up(), made_up(n=61)], "the same faces only"),
    ],
    ids=["none", "two splits", "other faces"],
)
def test_what_cannot_be_compared_is_refused(judged: list[Evaluation], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluation_html(judged)


def test_every_chart_is_well_formed_and_inside_its_frame(judged: list[Evaluation]) -> None:
    page = evaluation_html(judged)
    charts = re.findall(r'<svg class="chart".*?</svg>', page, re.DOTALL)
    assert len(charts) == N_EMOTIONS + len(judged) + 2
    for chart in charts:
        tree = Trees.fromstring(chart)
        width, height = map(float, tree.attrib["viewBox"].split()[2:])
        for path in tree.iter("path"):
            for x, y in re.findall(r"[ML ](-?[\d.]+),(-?[\d.]+)", path.attrib["d"]):
                assert 0 <= float(x) <= width and 0 <= float(y) <= height
        assert tree.find("title") is not None and tree.find("desc") is not None


def test_the_roc_panel_goes_from_corner_to_corner() -> None:
    panel = figures.roc_panel([made_up()], EMOTIONS.index("happy"))
    kinds = dict(panel.lines)
    (left, _), (right, _) = panel.x_ticks[0], panel.x_ticks[-1]
    (bottom, _), (top, _) = panel.y_ticks[0], panel.y_ticks[-1]
    assert kinds["chance"] == f"M{left},{bottom} L{right},{top}"
    assert kinds["m0"].startswith(f"M{left},{bottom} L") and kinds["m0"].endswith(f"{right},{top}")


def test_the_panel_of_sizes_ends_with_the_face_as_it_is() -> None:
    evaluation = made_up()
    panel = figures.worse_panel([evaluation], SIZE)
    assert panel is not None
    assert [words for _, words in panel.x_ticks] == ["16", "24", "48"]
    assert panel.dots[-1].words == f"ours, all faces: {evaluation.accuracy:.3f} (n = 60)"
    assert figures.worse_panel([dataclasses.replace(evaluation, parts={})], SIZE) is None


def test_strips_hold_their_intervals() -> None:
    judged = [made_up(seed=seed) for seed in range(4)]
    ends = figures.interval_range(judged)
    for each in judged:
        low, middle, high = figures.interval_strip(each, ends)
        assert 0 <= low < middle < high <= figures.INTERVAL_WIDTH


def test_numbers_are_written_as_people_read_them() -> None:
    assert (thousands(3589), shade(0.0), shade(1.0), shade(float("nan"))) == ("3,589", 0, 10, 0)
