"""A first visit to the full demo: the way round, the words that are explained, a link that is sent on. Part of `make soak`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.ui.terms import TERMS
from app.ui.tour import STEPS
from tests.browser.chrome import PATIENCE, browser, resize, settle
from tests.cases import SOAK

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(not SOAK, reason="needs the full demo: make soak"),
]  # fmt: skip
TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"
TIP = """
const e = document.activeElement, s = getComputedStyle(e, '::after'), box = e.getBoundingClientRect();
const fixed = s.position === 'fixed', left = fixed ? parseFloat(s.left) : box.left + parseFloat(s.left);
return {said: s.content, left: left, right: left + parseFloat(s.width), wide: document.documentElement.clientWidth};
"""

TEXTS = (
    "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)"  # at once: nothing goes stale
)
RING = """
const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.boxShadow + s.backgroundColor + s.borderColor;
"""


@pytest.fixture(scope="module")
def driver() -> Iterator:
    with browser(1400, "light") as driver:
        yield driver


def until(driver, css: str, *, words: str = "", gone: bool = False) -> None:
    """Wait for an element, or for its end."""
    end = time.monotonic() + PATIENCE
    while True:
        found = [said for said in driver.execute_script(TEXTS, css) if words in said]
        if bool(found) != gone:
            break
        assert time.monotonic() < end, f"{css} {'stays' if gone else 'does not come'}"
        time.sleep(0.1)
    settle(driver)


def pressed(driver, css: str) -> None:
    """By keyboard alone: focus, Enter."""
    button = driver.find_element("css selector", css)
    driver.execute_script("arguments[0].focus()", button)
    button.send_keys(ENTER)


@pytest.mark.parametrize("width", [1400, 390])
def test_the_way_round_is_walked_by_keyboard_and_is_not_offered_again(driver, full_demo, width):
    resize(driver, width, 900)
    driver.get(full_demo)
    until(driver, ".st-key-first-visit", words="New here")
    pressed(driver, "[class*=st-key-tour-start] button")
    for at, (title, _) in enumerate(STEPS):
        until(driver, "[data-testid=stDialog] .tl-lead", words=title)
        box = driver.find_element(
            "css selector", "[data-testid=stDialog] [role=dialog], [data-testid=stDialog]"
        )
        assert box.size["width"] <= width
        pressed(driver, f"[class*=st-key-tour-{'next' if at + 1 < len(STEPS) else 'end'}] button")
    until(driver, "[data-testid=stDialog]", gone=True)
    assert driver.find_elements("css selector", ".st-key-first-visit") == []
    driver.execute_script("document.querySelector('[class*=st-key-to-chain] button').click()")
    until(driver, "h1", words="Where value is lost")
    resize(driver, 1400, 900)


@pytest.mark.parametrize("width", [1400, 390])
def test_a_word_of_the_trade_explains_itself_to_the_keyboard_inside_the_window(driver, full_demo, width):
    resize(driver, width, 900)
    driver.get(f"{full_demo}/?tour=seen")
    settle(driver)
    found = driver.find_elements("css selector", ".tl-term")
    assert len(found) >= 3
    for term in found:
        driver.execute_script("arguments[0].focus()", term)
        tip = driver.execute_script(TIP)
        assert tip["said"].strip('"') in TERMS.values()
        assert 0 <= tip["left"] < tip["right"] <= tip["wide"], (term.text, tip)
    resize(driver, 1400, 900)


def test_a_shared_link_shows_another_reader_the_same_view(driver, full_demo):
    driver.get(f"{full_demo}/models?model=churn_v3&period=4+weeks&tour=seen")
    settle(driver)
    said = driver.find_element("css selector", ".tl-path").text
    driver.find_element("css selector", ".st-key-share button").click()
    until(driver, "[data-testid=stPopoverBody] code")
    links = [e.text for e in driver.find_elements("css selector", "[data-testid=stPopoverBody] code")]
    assert len(links) == 2
    assert "as_of=" in links[1]
    assert all("model=churn_v3" in link and "period=4+weeks" in link for link in links)
    with browser(390, "dark") as other:
        other.get(links[0])
        settle(other)
        assert other.find_element("css selector", "h1").text == "Models"
        assert other.find_element("css selector", ".tl-path").text == said
        other.get(links[1])
        settle(other)
        assert other.find_element("css selector", ".tl-path").text.startswith("churn_v3")
        assert "could not be drawn" not in other.page_source
    driver.switch_to.active_element.send_keys(ESCAPE)


def test_the_first_tabs_of_a_page_are_its_navigation_its_link_and_its_choices(driver, full_demo):
    driver.get(f"{full_demo}/?tour=seen")
    settle(driver)
    driver.execute_script("document.activeElement.blur()")
    seen = []
    for _ in range(10):
        driver.switch_to.active_element.send_keys(TAB)
        one = driver.switch_to.active_element
        seen.append(one.get_attribute("aria-label") or one.text)
        ring = driver.execute_script(RING)
        assert ring != "nonenonergba(0, 0, 0, 0)rgba(0, 0, 0, 0)"
    told = " | ".join(seen)
    for words in ("Measure", "Govern", "About", "Share and views", "Initiative", "Model"):
        assert words in told, told
