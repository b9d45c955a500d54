"""A real Chromium on a real server: what the tests of the browser lane share."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.cases import ROOT, lane

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
PATIENCE = 60.0
NOTHING: Mapping[str, str] = MappingProxyType({})
QUIET = "return document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') ?? ''"
WAITING = "return document.querySelectorAll('[data-testid=stSkeleton], [data-testid=stApp] [data-stale=true]').length"
FAULTS = "return [...document.querySelectorAll('[data-testid=stException], [data-testid=stAlert]')].map(e => e.innerText)"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    home: Path, elsewhere: Path, port: int = 0, environment: Mapping[str, str] = NOTHING
) -> Iterator[str]:
    """The app on a home, served by its own command from a foreign working folder."""
    lane(
        "Chromium and its driver (apt-get install chromium chromium-driver)",
        CHROMIUM.exists() and DRIVER.exists(),
    )
    port = port or free_port()
    command = [sys.executable, "-m", "app", "--home", str(home), "serve", "--port", str(port)]
    log = (elsewhere / "server.log").open("w+")
    server = subprocess.Popen(
        command,
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(ROOT), "THROUGHLINE_READ_AHEAD": "no"} | environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
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
