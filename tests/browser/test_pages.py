"""Every page in a real browser: for everybody, on every screen, with nothing from elsewhere."""

from __future__ import annotations

import pytest

PAGES = {"/": 200, "/login": 200, "/nothing": 404}  # and the status of each
NAMES = ("Tuesday, the third lesson of the course on waves", "Averylongnamewithoutasinglespaceinit" * 3, "7b")


@pytest.fixture
def kept(served, lesson):
    """The server's store with a few lessons."""
    return [served.studio.store.add(lesson(name=name, duration=2700.0)) for name in NAMES]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("path", PAGES)
def test_a_page_shuts_nobody_out(visitor, axe, path):
    axe(visitor.open(path, status=PAGES[path]))


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_letters_of_twice_the_size_hide_nothing(visitor, path, width):
    page = visitor.open(path, status=PAGES[path], width=width)
    page.add_style_tag(content="html { font-size: 200% !important }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_first_page_of_an_empty_store_shuts_nobody_out(visitor, axe):
    page = visitor.open("/")
    axe(page)
    assert page.get_by_text("There is no lesson yet").is_visible()


def test_the_page_for_programs_works_without_the_world(visitor):
    page = visitor.open("/api/docs")
    assert page.locator(".swagger-ui .info .title").inner_text().startswith("roomread")


def test_with_the_token_a_browser_comes_in_and_stays_in(serve, browser, visitor):
    visitor.address = serve(token="secret").address
    page = visitor.open("/login")
    visitor.expected.append("Failed to load resource: the server responded with a status of 401")
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    page.get_by_label("Token").fill("secret")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="How engaged is the room?").wait_for()
    page.reload()
    assert page.url == f"{visitor.address}/"
    assert page.evaluate("document.cookie") == ""
