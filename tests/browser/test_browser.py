"""The real thing in a real Chromium: every page, both themes, desk and phone; no fault, no foreign host."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.runtime import Runtime
from tests.cases import ROOT, lane

pytestmark = pytest.mark.browser
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
PAGES = (
    "scorecard", "models", "fairness", "activation", "suppression", "identity", "value", "initiatives", "ownership",
    "risks", "contracts", "audit", "definitions", "health",
)  # fmt: skip
SIZES = {"desk": 1400, "phone": 390}
THEMES = ("light", "dark")
PATIENCE = 60.0
SCHEME = "return getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme"
QUIET = "return document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') ?? ''"
WAITING = "return document.querySelectorAll('[data-testid=stSkeleton], [data-testid=stApp] [data-stale=true]').length"
FAULTS = "return [...document.querySelectorAll('[data-testid=stException], [data-testid=stAlert]')].map(e => e.innerText)"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(enterprise: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, served by its own command from a foreign working folder."""
    lane(
        "Chromium and its driver (apt-get install chromium chromium-driver)",
        CHROMIUM.exists() and DRIVER.exists(),
    )
    port = free_port()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    command = [
        sys.executable,
        "-m",
        "app",
        "--home",
        str(enterprise.settings.home),
        "serve",
        "--port",
        str(port),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    log = (elsewhere / "server.log").open("w+")
    server = subprocess.Popen(command, cwd=elsewhere, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)
    log.seek(0)
    assert "Traceback" not in log.read()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended at once"
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2)
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the server did not answer")


@contextmanager
def browser(width: int, theme: str) -> Iterator:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        wear(driver, theme)
        resize(driver, width, 900)
        yield driver
    finally:
        driver.quit()


def wear(driver, theme: str) -> None:
    """What the reader's system prefers, now; an open page follows."""
    feature = {"name": "prefers-color-scheme", "value": theme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def resize(driver, width: int, height: int) -> None:
    shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)


def settle(driver) -> None:
    """Wait until the script has run and nothing is a placeholder any more."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if driver.execute_script(QUIET) == "notRunning" and not driver.execute_script(WAITING):
            time.sleep(0.4)
            return
        time.sleep(0.1)
    pytest.fail("the page did not come to rest")


def picture(driver, width: int, path: Path) -> None:
    """The whole page as a PNG file."""
    height = driver.execute_script("return document.querySelector('[data-testid=stMain]').scrollHeight")
    resize(driver, width, max(900, min(height, 8000)))
    time.sleep(0.8)
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    path.write_bytes(b64decode(shot["data"]))
    resize(driver, width, 900)


def asked(driver) -> set[str]:
    """Addresses requested since the last look, inline data aside."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}
    return {u for u in urls if not u.startswith(("data:", "blob:", "chrome:", "about:"))}


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: THROUGHLINE_PICTURES, else a folder of this run."""
    folder = Path(os.environ.get("THROUGHLINE_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("size", list(SIZES))
def test_every_page_draws_without_a_fault_a_foreign_host_or_a_sideways_scroll(site, album, size):
    width = SIZES[size]
    with browser(width, THEMES[0]) as driver:
        for page in PAGES:
            wear(driver, THEMES[0])
            driver.get(f"{site}/{'' if page == 'scorecard' else page}")
            for theme in THEMES:
                wear(driver, theme)
                settle(driver)
                assert driver.execute_script(SCHEME) == theme
                assert driver.execute_script(FAULTS) == []
                assert "could not be drawn" not in driver.page_source
                assert driver.execute_script("return document.documentElement.scrollWidth") <= width
                picture(driver, width, album / f"{page}-{width}-{theme}.png")
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
        opener = driver.find_element("css selector", "[class*=st-key-open-model] button")
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
