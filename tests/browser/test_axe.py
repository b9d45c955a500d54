"""Every page in a real Chromium against axe-core, in both themes, with no rule switched off."""

from __future__ import annotations

import importlib.util
import itertools
import time
from pathlib import Path

import pytest

from tests.browser.chrome import browser, resize, settle, wear
from tests.browser.test_browser import PAGES as DRAWN
from tests.cases import SOAK, lane

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not SOAK, reason="needs axe-core: make soak"),
]
PAGES = (*DRAWN, "generated", "meeting")
THEMES = ("light", "dark")
RUN = """
const done = arguments[arguments.length - 1];
axe.run(arguments[0] || document, {resultTypes: ['violations']}).then(
  r => done(r.violations.map(v => v.id + ' (' + v.impact + '): ' + v.help + ' | '
    + v.nodes.slice(0, 4).map(n => n.target.join(' ') + ' ' + n.html.slice(0, 160)).join(' || '))),
  e => done(['axe failed: ' + e]));
"""


def script() -> str:
    """The axe-core that the package carries; the package itself is never imported."""
    found = importlib.util.find_spec("axe_playwright_python")
    lane("axe-core (pip install axe-playwright-python)", found is not None)
    folders = found.submodule_search_locations if found else None
    return (Path(next(iter(folders or ()))) / "axe.min.js").read_text(encoding="utf-8")


def faults(driver, within: str = "") -> list[str]:
    """What axe finds on the page as it stands, or in one part of it."""
    if not driver.execute_script("return Boolean(window.axe)"):
        driver.execute_cdp_cmd("Runtime.evaluate", {"expression": script()})
    driver.set_script_timeout(120)
    return driver.execute_async_script(RUN, within)


@pytest.fixture(scope="module")
def site(full_demo: str) -> str:
    return full_demo


def test_no_page_has_anything_that_axe_objects_to_in_either_theme_on_a_desk_or_a_phone(site):
    found: dict[str, list[str]] = {}
    with browser(1400, THEMES[0]) as driver:
        for page in PAGES:
            driver.get(f"{site}/{'' if page == 'scorecard' else page}")
            for width in (1400, 390):
                resize(driver, width, 900)
                for theme in THEMES:
                    wear(driver, theme)
                    settle(driver)
                    found[f"{page}, {width}, {theme}"] = faults(driver)
            resize(driver, 1400, 900)
            wear(driver, THEMES[0])
    assert {k: v for k, v in found.items() if v} == {}


def test_neither_the_list_of_pages_nor_what_unfolds_on_a_phone_has_anything_that_axe_objects_to(site):
    found: dict[str, list[str]] = {}
    with browser(390, THEMES[0]) as driver:
        for opener, theme in itertools.product((".st-key-pages summary", ".st-key-share button"), THEMES):
            wear(driver, theme)
            driver.get(site)
            settle(driver)
            driver.find_element("css selector", opener).click()
            time.sleep(0.5)
            settle(driver)
            found[f"{opener}, {theme}"] = faults(driver)
    assert {k: v for k, v in found.items() if v} == {}


def test_neither_the_drawer_nor_the_tour_has_anything_that_axe_objects_to(site):
    with browser(1400, THEMES[0]) as driver:
        for opener in ("[class*=st-key-open-model-auc] button", "[class*=st-key-tour-start] button"):
            driver.get(site)
            settle(driver)
            driver.execute_script("arguments[0].click()", driver.find_element("css selector", opener))
            for theme in THEMES:
                wear(driver, theme)
                settle(driver)
                driver.find_element("css selector", "[data-testid=stDialog]")
                assert faults(driver) == []
            wear(driver, THEMES[0])
