"""The pages without a mouse."""

from __future__ import annotations

import pytest

REACHABLE = "a[href], button, input, select, textarea, summary, [tabindex='0']"
SEEN = """
element => {
  const look = getComputedStyle(element), box = element.getBoundingClientRect();
  const drawn = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0;
  const inside = box.width > 0 && box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
  return drawn && inside;
}
"""


def focused(page):
    """Return what has the focus, as an element that can be compared."""
    return page.evaluate_handle("document.activeElement").as_element()


def number_all(page):
    """Give everything that a user can reach a number, and return how many there are."""
    return page.evaluate(
        """what => {
          const all = [...document.querySelectorAll(what)].filter(each => each.checkVisibility() && !each.disabled);
          all.forEach((each, number) => { each.dataset.number = number; });
          return all.length;
        }""",
        REACHABLE,
    )


@pytest.mark.parametrize("path", ["/", "/login"])
def test_the_skip_link_leads_past_the_menu(visitor, path):
    page = visitor.open(path)
    page.evaluate("document.activeElement.blur()")
    page.locator("body").press("Tab") if path == "/" else page.locator(".skip").focus()
    skip = focused(page)
    assert skip.inner_text() == "Skip to the content"
    assert skip.evaluate(SEEN)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/"])
def test_tab_reaches_everything_in_order_and_shows_where_it_is(visitor, served, lesson, path, scheme):
    served.studio.store.add(lesson())
    page = visitor.open(path, scheme=scheme)
    n = number_all(page)
    assert n > 5
    order = []
    for _ in range(n):
        page.keyboard.press("Tab")
        here = focused(page)
        order.append(int(here.get_attribute("data-number")))
        assert here.evaluate(SEEN), f"the focus cannot be seen on {here.evaluate('each => each.outerHTML')}"
    assert order == list(range(n))
