"""An observer with nothing but a keyboard: begins, codes, skips, takes back, and sees how far all agree."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from roomread.store.codes import codes_of
from roomread.types import EMOTIONS

N_SEATS, SECONDS = 6, 120  # so that each seat gets one glance of 20 seconds


@pytest.fixture
def kept(served, lesson, observation):
    """A function that stores a lesson of six, the happier the higher the number of the seat."""

    def keep(**about):
        faces = [
            (seat, [{"happy": share, "neutral": 1 - share}.get(name, 0.0) for name in EMOTIONS])
            for seat in range(1, N_SEATS + 1)
            for share in [seat / N_SEATS]
        ]
        seen = [observation(time, float(time), faces) for time in range(0, SECONDS, 2)]
        return served.studio.store.add(lesson(**{"reference": "EC 12/26", "duration": float(SECONDS), **about}), seen)

    return keep


def begin(page):
    """Begin as Anna, with the keyboard alone."""
    reach(page, "observer")
    page.keyboard.type("Anna")
    page.keyboard.press("Enter")
    expect(page.locator("#stage")).to_be_visible()


def reach(page, what):
    """Press Tab until what has that id, or leads to that address, has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("[document.activeElement.id, document.activeElement.getAttribute('href')]").count(what):
            return
    pytest.fail(f"Tab does not reach {what}")


def press(page, key, counted):
    """Press a key and wait until the page has counted so."""
    page.keyboard.press(key)
    expect(page.locator("#count")).to_have_text(counted)


def test_an_observer_needs_no_mouse(visitor, served, kept):
    lesson = kept()
    page = visitor.open(f"/observe/{lesson.number}")
    begin(page)
    expect(page.locator("#what")).to_have_text("Look at seat 1")
    press(page, "1", "1 coded, 0 skipped, 5 left")
    press(page, "s", "1 coded, 1 skipped, 4 left")
    expect(page.locator("#last")).to_have_text(re.compile("seat 2: skipped$"))
    press(page, "Backspace", "1 coded, 0 skipped, 5 left")
    expect(page.locator("#what")).to_have_text("Look at seat 2")
    press(page, "2", "2 coded, 0 skipped, 4 left")
    press(page, "p", "2 coded, 0 skipped, 4 left")
    expect(page.locator("#what")).to_have_text("Paused")
    page.keyboard.press("3")  # nothing is coded while it pauses
    press(page, "p", "2 coded, 0 skipped, 4 left")
    for key, n in (("1", 3), ("3", 4), ("2", 5), ("3", 6)):
        press(page, key, f"{n} coded, 0 skipped, {6 - n} left")
    expect(page.locator("#what")).to_have_text("Every glance is coded")
    expect(page.locator("#answers button").first).to_be_disabled()

    codes = [(code.seat, code.level, code.observer) for code in codes_of(served.studio.store, lesson, False)]
    assert codes == [(seat, level, "Anna") for seat, level in enumerate([0, 1, 0, 2, 1, 2], 1)]
    reach(page, f"/observe/{lesson.number}/agreement")
    page.keyboard.press("Enter")
    page.wait_for_url("**/agreement")
    expect(page.locator("#content")).to_contain_text("Glances with a level: 6, at 6 seats.")
    expect(page.locator(".wide-table").last.locator("tbody tr")).not_to_have_count(0)


def test_who_comes_back_goes_on_where_they_stopped(visitor, kept):
    path = f"/observe/{kept().number}"
    page = visitor.open(path)
    begin(page)
    press(page, "3", "1 coded, 0 skipped, 5 left")
    page.reload()
    begin(page)
    expect(page.locator("#what")).to_have_text("Look at seat 2")
    expect(page.locator("#count")).to_have_text("1 coded, 0 skipped, 5 left")


def test_the_pages_of_observers_shut_nobody_out(visitor, kept, axe):
    page = visitor.open(f"/observe/{kept().number}")
    axe(page)
    begin(page)
    axe(page)
    press(page, "1", "1 coded, 0 skipped, 5 left")
    press(page, "3", "2 coded, 0 skipped, 4 left")
    axe(page)
    page.get_by_role("link", name="How far do we agree?").click()
    page.wait_for_url("**/agreement")
    axe(page)


def test_without_single_seats_only_the_class_is_coded(visitor, served, kept):
    lesson = kept(reference=None)
    page = visitor.open(f"/observe/{lesson.number}")
    assert page.get_by_role("radio").count() == 1
    expect(page.get_by_role("radio")).to_be_checked()
    expect(page.locator("fieldset")).to_contain_text("only as a whole")
    begin(page)
    expect(page.locator("#what")).to_have_text("Look at the class")
    expect(page.locator("#map")).to_be_hidden()
    press(page, "2", "1 coded, 0 skipped, 5 left")
    expect(page.locator("#last")).to_have_text(re.compile("class: Level 2$"))
    assert [code.level for code in codes_of(served.studio.store, lesson, True)] == [1]
    assert codes_of(served.studio.store, lesson, False) == []
