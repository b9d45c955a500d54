"""Behind nginx, below a path prefix, with its websockets: the configuration of the handbook, in a real Chromium."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.measure import demo
from app.runtime import open_runtime
from app.settings import Settings
from tests.browser import proxy
from tests.browser.chrome import FAULTS, browser
from tests.cases import SOAK, lane
from tests.conftest import NOW, refreshed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not SOAK, reason="nginx before the app: THROUGHLINE_SOAK=1"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address as people behind nginx see it."""
    lane("nginx (apt-get install nginx)", proxy.NGINX is not None)
    home: Path = tmp_path_factory.mktemp("proxied")
    runtime = open_runtime(Settings(home=home))
    demo.write(runtime, NOW, days=14, persons=200, seed=3)
    refreshed(runtime)
    with (
        proxy.app_alone(home, tmp_path_factory.mktemp("elsewhere")) as port,
        proxy.before(port, tmp_path_factory.mktemp("nginx")) as url,
    ):
        yield url


def test_a_page_is_drawn_over_the_websocket_through_the_proxy(site):
    with browser(1280, "light") as driver:
        driver.get(f"{site}/")
        _seen(driver, "Scorecard")
        assert driver.execute_script(FAULTS) == []
        assert proxy.PREFIX in driver.current_url


def test_health_passes_and_metrics_do_not(site):
    assert urllib.request.urlopen(f"{site}/healthz", timeout=5).status == 200
    assert urllib.request.urlopen(f"{site}/readyz", timeout=5).status == 200
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{site}/metrics", timeout=5)


def test_the_policy_of_the_app_passes_the_proxy_unchanged(site):
    answer = urllib.request.urlopen(f"{site}/", timeout=5)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def _seen(driver, word: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if word in driver.execute_script("return document.body.innerText"):
            return
        time.sleep(0.3)
    pytest.fail(f"{word} not seen: {driver.execute_script('return document.body.innerText')[:400]}")
