"""Signing in against a real OpenID Connect server on loopback, in a real Chromium."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.govern.commands import execute
from app.govern.model import OPERATOR, Actor, Step
from app.govern.open import open_ledger
from app.runtime import utc_now
from app.settings import Settings
from tests.browser.chrome import CHROMIUM, DRIVER, browser, free_port, serving
from tests.cases import ROOT, lane

pytestmark = pytest.mark.browser
BODY = "return document.body.innerText"
PATIENCE = 40.0


@contextmanager
def provider() -> Iterator[str]:
    """A sign-in service; yields its issuer."""
    from oidc_provider_mock import run_server_in_thread

    with run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@contextmanager
def served(home: Path, issuer: str, port: int) -> Iterator[None]:
    """The app in production mode, by its own command."""
    file = home / "secrets.toml"
    file.write_text(
        f'[throughline]\nmode = "production"\n[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\n'
        f'cookie_secret = "{secrets.token_urlsafe(48)}"\nclient_id = "throughline"\nclient_secret = "{secrets.token_hex(8)}"\n'
        f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n'
    )
    with serving(home, home, port, {"THROUGHLINE_SECRETS": str(file)}):
        yield


def until(driver, holds: Callable[[str], bool]) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        text = driver.execute_script(BODY)
        if holds(text):
            return text
        time.sleep(0.2)
    return pytest.fail(f"not seen in {PATIENCE} s: {driver.current_url} {driver.execute_script(BODY)[:600]}")


def sign_in(driver, subject: str) -> None:
    """From the app's button through the service's form and back."""
    from selenium.webdriver.common.by import By

    until(driver, lambda t: "Nobody is signed in" in t)
    driver.find_element(By.CSS_SELECTOR, ".st-key-sign-in-go button").click()
    until(driver, lambda t: "Authorize Client" in t)
    driver.find_element(By.NAME, "sub").send_keys(subject)
    driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()


def test_a_person_signs_in_with_the_service_and_the_ledger_says_what_they_may(tmp_path: Path):
    lane("Chromium and its driver (apt-get install chromium chromium-driver)", CHROMIUM.exists() and DRIVER.exists())  # fmt: skip
    lane(
        "oidc-provider-mock (pip install -r requirements-dev.txt)",
        find_spec("oidc_provider_mock") is not None,
    )
    from selenium.webdriver.common.by import By

    port = free_port()
    site = f"http://localhost:{port}"
    with provider() as issuer, served(tmp_path, issuer, port), browser(1400, "light") as driver:
        driver.get(f"{site}/risks")
        sign_in(driver, "alice")
        refused = until(driver, lambda t: "You have no role here" in t)
        assert f"{issuer}|alice" in refused
        grant = [sys.executable, "-m", "app", "--home", str(tmp_path), "admin", "grant", issuer, "alice"]
        subprocess.run(
            [*grant, "--role", "council", "--name", "Alice Archer"], check=True, cwd=ROOT, capture_output=True
        )
        driver.get(f"{site}/risks")
        text = until(driver, lambda t: "Signed in as Alice Archer" in t and "Add a new risk" in t)
        assert "Acting as" not in text
        ledger = open_ledger(Settings(home=tmp_path), utc_now)
        execute(ledger, Step("retire", "users", f"{issuer}|alice", 1), Actor(OPERATOR, "root"), "gone")
        driver.get(f"{site}/risks")
        until(driver, lambda t: "You have no role here" in t)
        driver.find_element(By.CSS_SELECTOR, ".st-key-sign-out button").click()
        until(driver, lambda t: "End session" in t)
        driver.get(f"{site}/risks")
        until(driver, lambda t: "Nobody is signed in" in t)
