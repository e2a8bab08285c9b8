from __future__ import annotations

import itertools
import math
from datetime import datetime

import numpy as np
import pytest

from roomread import style
from roomread.types import EMOTIONS, NO_FACE, NOT_ANALYSED, NOT_ENOUGH, TOO_FEW, UNREADABLE

NAN = math.nan
THEMES = pytest.mark.parametrize("colours", [style.LIGHT, style.DARK], ids=["light", "dark"])

# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as seen without one kind of cone.
SIGHTS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(colour: str, sight: str) -> np.ndarray:
    """Return the colour in CIELAB, D65, as one kind of sight has it."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SIGHTS[sight]) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(np.maximum(xyz / (0.9505, 1.0, 1.089), 1e-6))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@THEMES
def test_text_reaches_a_contrast_of_four_and_a_half_on_every_ground(colours):
    for ground in (colours.page, colours.notice, *colours.gaps.values()):
        for text in (colours.text, colours.muted, colours.accent):
            assert style.contrast(text, ground) >= 4.5, (text, ground)


@THEMES
def test_every_emotion_and_every_kind_of_gap_has_its_own_colour(colours):
    assert set(colours.emotions) == set(EMOTIONS) == set(style.STACK)
    assert len(set(colours.emotions.values())) == len(EMOTIONS)
    missing = {TOO_FEW, NO_FACE, UNREADABLE, NOT_ANALYSED, NOT_ENOUGH}
    assert set(colours.gaps) == set(colours.hatches) == set(style.MISSING) == missing
    assert len(set(colours.gaps.values())) == len(set(colours.hatches.values())) == 5


@THEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_emotions_are_told_apart_whatever_the_kind_of_sight(colours, sight):
    for one, other in itertools.combinations(EMOTIONS, 2):
        apart = np.linalg.norm(lab(colours.emotions[one], sight) - lab(colours.emotions[other], sight))
        assert apart >= 20, (one, other)


@THEMES
def test_layers_that_touch_differ_in_luminance(colours):
    for below, above in itertools.pairwise(style.STACK):
        assert style.contrast(colours.emotions[below], colours.emotions[above]) >= 1.6, (below, above)
    assert style.contrast(colours.readable, colours.unreadable) >= 1.3


def test_contrast_is_that_of_wcag():
    assert style.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert style.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_scale_grows_darker_with_engagement_and_its_numbers_stay_readable():
    colours = [style.engagement_colour(value) or "none" for value in np.linspace(0, 1, 101)]
    assert colours[0] == style.SCALE[0]
    assert colours[-1] == style.SCALE[-1]
    luminances = [style.luminance(colour) for colour in colours]
    assert all(above > below for above, below in itertools.pairwise(luminances))
    assert min(style.contrast(style.ink(colour), colour) for colour in colours) >= 4.5


def test_unknown_engagement_has_no_colour():
    assert style.engagement_colour(NAN) is None


@pytest.mark.parametrize(
    ("write", "value", "words"),
    [
        (style.score, 0.5, "0.50"),
        (style.score, 0.0, "0.00"),
        (style.percent, 0.456, "46%"),
        (style.percent, 0.0, "0%"),
        (style.percent, 0.001, "<1%"),
        (style.percent, 0.999, ">99%"),
        (style.percent, 1.0, "100%"),
        (style.count, 8.0, "8"),
        (style.count, 7.64, "7.6"),
        (style.duration, 0.5, "0.5 s"),
        (style.duration, 20.0, "20 s"),
        (style.duration, 59.97, "1 min"),
        (style.duration, 125.0, "2 min 5 s"),
        (style.duration, 5400.0, "1 h 30 min"),
        (style.clock, 0.0, "0:00"),
        (style.clock, 75.4, "1:15"),
        (style.clock, 3725.0, "1:02:05"),
        (style.hours_minutes, 3599.0, "1:00"),
        (style.hours_minutes, 5400.0, "1:30"),
    ],
)
def test_numbers_are_written_as_people_read_them(write, value, words):
    assert write(value) == words


@pytest.mark.parametrize(
    "write", [style.score, style.percent, style.count, style.duration, style.clock, style.hours_minutes]
)
def test_an_unknown_number_is_a_dash_and_never_zero(write):
    assert write(NAN) == "\N{EN DASH}"


def test_dates_and_times_of_day_keep_the_zone_of_the_lesson():
    began = datetime.fromisoformat("2026-03-12T09:15:20+01:00")
    assert style.date(began) == "12 Mar 2026, 09:15 (UTC+01:00)"
    assert style.time_of_day(began, 50) == "09:16:10"
    assert style.time_of_day(began, 50, with_seconds=False) == "09:16"


def test_css_variables_name_every_colour_once():
    css = style.css_variables(style.LIGHT)
    assert "--emotion-happy: #edc12f;" in css
    assert "--gap-too-few:" in css
    assert "--text:" in css
    names = [part.split(":")[0].strip() for part in css.split(";") if part.strip()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ((0.614, 0.4, 0.8), "0.61 (0.40 to 0.80)"),
        ((-0.001, math.nan, math.nan), "0.00"),
        ((math.nan, math.nan, math.nan), "–"),
    ],
)
def test_a_figure_stands_with_its_interval(figure, text):
    assert style.with_interval(*figure) == text
