"""The pages of lessons in a real browser, with lessons in the store as they are after a term."""

from __future__ import annotations

import numpy as np
import pytest

from roomread.types import EMOTIONS, MARKER, Observation, Part, Tracks

LENGTH = 600  # seconds of each lesson, a frame a second
PAGES = ("/lessons", "/lessons/2", "/lessons/3", "/lessons/compare?a=1&b=2")


def seen(seats):
    """Return what was seen of so many seats, whose smiles go up and down; heads were read every second time."""
    noise = np.random.default_rng(seats)
    boxes = np.array([[120 * n + 10, 100, 120 * n + 80, 190] for n in range(seats)], np.float32).reshape(seats, 4)
    usual = np.array([0.99, 0, 0, 0, 0.3, 0, 0.02, 0.2, 0.1, 0.05, 0.15], np.float32)
    for second in range(LENGTH):
        emotions = np.full((seats, len(EMOTIONS)), 0.02, np.float32)
        emotions[:, 3] = 0.4 + 0.35 * np.sin(second / 60) + noise.uniform(-0.05, 0.05, seats)
        emotions[:, 6] = 1 - emotions[:, :6].sum(axis=1)
        tracks = Tracks(np.arange(1, seats + 1), boxes, np.full(seats, 0.9, np.float32))
        signals = np.full((seats, len(usual)), np.nan, np.float32)
        if second % 2:
            signals[:] = usual
        yield Observation(float(second), second, tracks, emotions, np.full(seats, 300, np.float32), signals)


@pytest.fixture(autouse=True)
def kept(served, lesson):
    """Three lessons: two of a class, of which one shows single seats, and one of too few people to show anything."""
    store = served.studio.store
    about = {
        "duration": float(LENGTH),
        "made_with": {"roomread": "0.1.0", "mesh": {"name": "mesh", "sha256": "0" * 64}},
    }
    for name, reference, seats in (("Monday", None, 8), ("Tuesday", "IRB 7", 8), ("Alone together", None, 3)):
        made = store.add(lesson(name=name, reference=reference, **about), list(seen(seats)))
        store.add_parts(made, [Part("Group work", 100.0, 300.0, "activity"), Part("Question", 400.0, 400.0, MARKER)])


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_lessons_shuts_nobody_out(visitor, axe, path):
    axe(visitor.open(path))


@pytest.mark.parametrize("path", PAGES)
def test_letters_of_twice_the_size_fit_on_a_small_phone(visitor, path):
    page = visitor.open(path, width=360)
    page.add_style_tag(content="html { font-size: 200% !important }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
