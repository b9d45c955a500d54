"""The real thing in a real Chromium: every page, both themes, desk and phone; no fault, no foreign host."""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.runtime import Runtime
from tests.browser.chrome import FAULTS, PATIENCE, asked, browser, picture, resize, serving, settle, wear
from tests.cases import SOAK

pytestmark = pytest.mark.browser
PAGES = (
    "scorecard", "chain", "early", "strategy", "publications", "models", "fairness", "activation", "suppression",
    "identity", "value", "baselines", "portfolio", "initiatives", "ownership", "risks", "contracts", "council", "audit",
    "definitions", "health",
)  # fmt: skip
SIZES = {"desk": 1400, "phone": 390}
THEMES = ("light", "dark")
SCHEME = "return getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme"


@pytest.fixture(scope="module")
def site(enterprise: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(enterprise.settings.home, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: THROUGHLINE_PICTURES, else a folder of this run."""
    folder = Path(os.environ.get("THROUGHLINE_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


EVERY_LOOK = (("desk", "light"), ("desk", "dark"), ("phone", "dark"), ("phone", "light"))
EVERYTHING = SOAK or "THROUGHLINE_PICTURES" in os.environ


def looks_of(page: str) -> tuple[tuple[str, str], ...]:
    """All four looks of a page; on CI one, light on a desk and dark on a phone taking turns from page to page."""
    return EVERY_LOOK if EVERYTHING else (EVERY_LOOK[::2][PAGES.index(page) % 2],)


def test_every_page_draws_without_a_fault_a_foreign_host_or_a_sideways_scroll(site, album):
    """Each page is opened once, then changes its clothes and its size, as a reader's may."""
    with browser(SIZES["desk"], THEMES[0]) as driver:
        for page in PAGES:
            driver.get(f"{site}/{'' if page == 'scorecard' else page}")
            for size, theme in looks_of(page):
                width = SIZES[size]
                wear(driver, theme)
                resize(driver, width, 900)
                settle(driver)
                assert driver.execute_script(SCHEME) == theme
                assert driver.execute_script(FAULTS) == []
                assert "could not be drawn" not in driver.page_source
                assert driver.execute_script("return document.documentElement.scrollWidth") <= width
                if EVERYTHING:
                    picture(driver, width, album / f"{page}-{width}-{theme}.png")
            wear(driver, THEMES[0])
            resize(driver, SIZES["desk"], 900)
        assert {
            u
            for u in asked(driver)
            if not u.startswith(site.replace("http", "ws")) and not u.startswith(site)
        } == set()
        refused = [
            e["message"] for e in driver.get_log("browser") if "Content Security Policy" in e["message"]
        ]
        assert refused == []


def test_the_font_is_ours_and_figures_are_tabular(site):
    with browser(1400, "light") as driver:
        driver.get(site)
        settle(driver)
        style = "const s = getComputedStyle(document.querySelector('.tl-value')); return "
        assert "Inter" in driver.execute_script(style + "s.fontFamily")
        assert "tabular-nums" in driver.execute_script(style + "s.fontVariantNumeric")
        assert driver.execute_script("return document.fonts.check('16px Inter')")
        assert any(u.endswith("inter-latin.woff2") for u in asked(driver))


def test_a_tile_opens_its_drawer_by_keyboard_and_follows_the_dark_theme(site, album):
    with browser(1400, "dark") as driver:
        driver.get(site)
        settle(driver)
        opener = driver.find_element("css selector", "[class*=st-key-open-model-label-coverage] button")
        driver.execute_script("arguments[0].focus()", opener)
        opener.send_keys("\ue007")
        end = time.monotonic() + PATIENCE
        while not driver.find_elements("css selector", "[data-testid=stDialog] .js-plotly-plot"):
            assert time.monotonic() < end, "no drawer"
            time.sleep(0.2)
        settle(driver)
        assert (
            driver.execute_script(
                "return getComputedStyle(document.querySelector('[data-testid=stDialog]')).colorScheme"
            )
            == "dark"
        )
        assert "Why it matters" in driver.find_element("css selector", "[data-testid=stDialog]").text
        assert driver.find_elements("css selector", "[data-testid=stDialog] [role=figure][aria-label]")
        driver.save_screenshot(str(album / "drawer-1400-dark.png"))


def test_the_view_is_in_the_link(site):
    with browser(1400, "light") as driver:
        driver.get(f"{site}/models?model=offer_v5&period=4+weeks")
        settle(driver)
        assert driver.find_element("css selector", "h1").text == "Models"
        assert driver.find_element("css selector", ".tl-path").text.startswith("offer_v5")
        driver.find_element("css selector", "[data-testid=stTopNavSection]").click()
        time.sleep(0.5)
        driver.find_element("partial link text", "Scorecard").click()
        settle(driver)
        assert "model=offer_v5" in driver.current_url
        assert "offer_v5" in driver.find_element("css selector", ".tl-path").text


def heading(driver) -> str:
    """The page's own heading, read in one go: an element found first may be gone when it is read."""
    return str(driver.execute_script("return (document.querySelector('h1') || {}).innerText || ''"))


def test_a_phones_list_of_pages_is_walked_by_keyboard_and_folds_on_arrival(site):
    with browser(SIZES["phone"], "light") as driver:
        driver.get(f"{site}/models?model=offer_v5")
        settle(driver)
        assert not driver.find_element("css selector", "[data-testid=stExpandSidebarButton]").is_displayed()
        driver.execute_script("document.querySelector('.st-key-pages summary').focus()")
        driver.switch_to.active_element.send_keys("\ue007")
        end = time.monotonic() + PATIENCE
        while len(driver.find_elements("css selector", ".st-key-pages-list a")) < len(PAGES):
            assert time.monotonic() < end, "no list of pages"
            time.sleep(0.1)
        settle(driver)
        shown = driver.find_element("css selector", ".st-key-pages-list")
        assert [e.text for e in shown.find_elements("css selector", "h2")] == ["Measure", "Govern", "About"]
        assert shown.find_element("css selector", "[aria-current=page]").text == "Models"
        for page in ("Scorecard", "Where value is lost", "Early warning"):
            driver.switch_to.active_element.send_keys("\ue004")
            assert driver.switch_to.active_element.text == page
        driver.switch_to.active_element.send_keys("\ue007")
        while heading(driver) != "Early warning":
            assert time.monotonic() < end, "the page did not change"
            time.sleep(0.1)
        settle(driver)
        assert "model=offer_v5" in driver.current_url
        assert driver.find_elements("css selector", ".st-key-pages-list a") == []


# Text of a phone's window that ends outside it and cannot be scrolled to.
OUTSIDE = """
const wide = document.documentElement.clientWidth;
return [...document.querySelectorAll('[data-testid=stMain] .stHtml *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3
  && n.textContent.trim()) && !e.closest('.tl-scroll') && e.getBoundingClientRect().right > wide + 1).map(e => e.className);
"""
LENGTHEN = """
document.querySelectorAll('.stHtml b, .stHtml p, .stHtml span, .tl-name, .stHtml dt, .stHtml dd').forEach(e => {
  if (!e.children.length && !e.closest('.tl-top, .tl-foot, .tl-by, .tl-num, .tl-legend')) e.textContent = 'x'.repeat(200); });
"""


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="a browser of its own; every page is tried with such names in make soak")
def test_a_word_of_two_hundred_letters_breaks_its_line_on_a_phone(site):
    with browser(SIZES["phone"], "light") as driver:
        for page in ("", "models"):
            driver.get(f"{site}/{page}")
            settle(driver)
            driver.execute_script(LENGTHEN)
            assert driver.execute_script(OUTSIDE) == []
            assert driver.execute_script(
                "const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth <= m.clientWidth"
            )


def test_every_answer_carries_the_security_headers(site):
    for path in ("/", "/_stcore/health", "/app/static/inter-latin.woff2", "/static/nothing"):
        try:
            answer = urllib.request.urlopen(f"{site}{path}", timeout=10)
        except urllib.error.HTTPError as refused:
            answer = refused
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_foreign_host_name_is_refused(site):
    request = urllib.request.Request(site, headers={"Host": "rebind.example"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request, timeout=10)
