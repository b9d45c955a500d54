"""Impatient hands: whatever is done to a save, there is exactly one record, and the right receipt where one is seen."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from app.govern import demo
from app.govern.open import open_ledger
from app.govern.verify import verify
from app.runtime import utc_now
from app.settings import Settings
from data.demo import demo_targets
from data.ledger import TABLES
from tests.browser.chrome import PATIENCE, browser, serving, settle
from tests.cases import SOAK

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not SOAK, reason="a browser and a demo of its own: make soak"),
]
RUNS = 50 if SOAK else 1  # of each of the four kinds
CHECK_INS = TABLES["check_ins"]
BUTTON = "//button[contains(., 'Add the check-in')]"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("saves") / "home"
    home.mkdir()
    (home / "targets.toml").write_text(demo_targets())
    demo.fill(Settings(home=home), utc_now())
    return home


@pytest.fixture(scope="module")
def site(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(home, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


def until(driver: WebDriver, xpath: str):
    """What is there and can be seen."""
    wait = WebDriverWait(driver, PATIENCE, ignored_exceptions=(StaleElementReferenceException,))
    return wait.until(lambda d: next((e for e in d.find_elements("xpath", xpath) if e.is_displayed()), None))


def press(driver: WebDriver, xpath: str):
    """Click what is there; a page that is being drawn anew may take it away in between."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            found = until(driver, xpath)
            pressed(driver, found)
        except (StaleElementReferenceException, ElementNotInteractableException):
            assert time.monotonic() < end, xpath
        else:
            return found


def pressed(driver: WebDriver, element) -> None:
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    ActionChains(driver).move_to_element(element).click().perform()


def chosen(driver: WebDriver, label: str, word: str) -> None:
    """Type into a select box and take what it offers first; again where a busy machine had not opened its list yet."""
    select = f"//*[@data-testid='stSelectbox'][.//label[contains(., '{label}')]]"
    end = time.monotonic() + PATIENCE
    while "Not chosen" in held(driver, select):
        assert time.monotonic() < end, label
        with contextlib.suppress(StaleElementReferenceException, ElementNotInteractableException):
            press(driver, f"{select}//input").send_keys(word, Keys.ENTER)
            time.sleep(0.2)


def held(driver: WebDriver, select: str) -> str:
    """What a select box shows."""
    box = until(driver, select)
    shown = "return arguments[0].innerText + [...arguments[0].querySelectorAll('input')].map(i => i.value + i.placeholder)"
    return str(driver.execute_script(shown, box))


def filled(driver: WebDriver, site: str, comment: str) -> None:
    """Open a new check-in and write it, up to the last click."""
    driver.get(f"{site}/initiatives")
    settle(driver)
    press(driver, "//button[contains(., 'Check-ins')]")
    settle(driver)
    if not driver.find_elements("xpath", BUTTON) or not driver.find_element("xpath", BUTTON).is_displayed():
        press(driver, "//summary[contains(., 'Add a new check-in')]")
    chosen(driver, "Target", "a")
    chosen(driver, "Confidence", "on track")
    box = "//*[@data-testid='stTextArea'][.//label[contains(., 'Comment')]]//textarea"
    while until(driver, box).get_attribute("value") != comment:
        with contextlib.suppress(StaleElementReferenceException, ElementNotInteractableException):
            written = press(driver, box)
            written.send_keys(Keys.CONTROL, "a")
            written.send_keys(comment)


def double_click(driver: WebDriver, _: random.Random) -> None:
    button = until(driver, BUTTON)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    ActionChains(driver).double_click(button).perform()


def enter_enter_click(driver: WebDriver, _: random.Random) -> None:
    reason = until(
        driver,
        "//form//*[contains(@class,'stTextInput')]//input | //*[@data-testid='stForm']//*[@data-testid='stTextInput']//input",
    )
    reason.send_keys("because", Keys.ENTER, Keys.ENTER)
    with contextlib.suppress(
        StaleElementReferenceException, ElementNotInteractableException
    ):  # saved already, and the form drawn anew
        for button in driver.find_elements("xpath", BUTTON):
            button.click()


def reload(driver: WebDriver, dice: random.Random) -> None:
    press(driver, BUTTON)
    time.sleep(dice.uniform(0, 0.3))
    driver.refresh()
    settle(driver)


def close(driver: WebDriver, dice: random.Random) -> None:
    press(driver, BUTTON)
    time.sleep(dice.uniform(0, 0.3))
    old = driver.current_window_handle
    driver.switch_to.new_window("tab")
    new = driver.current_window_handle
    driver.switch_to.window(old)
    driver.close()
    driver.switch_to.window(new)


EVERY_HAND: tuple[Callable[[WebDriver, random.Random], None], ...] = (
    double_click,
    enter_enter_click,
    reload,
    close,
)
HANDS = EVERY_HAND if SOAK else (double_click,)


def records(home: Path, comment: str) -> list[str]:
    ledger = open_ledger(Settings(home=home), utc_now)
    with ledger.store.read() as db:
        return list(
            db.execute(sa.select(CHECK_INS.c.record_id).where(CHECK_INS.c.comment == comment)).scalars()
        )


def settled(home: Path, comment: str) -> list[str]:
    """The records of a comment, once the server has had time to write a second one."""
    end = time.monotonic() + 15
    while not records(home, comment) and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(0.5)
    return records(home, comment)


@pytest.fixture(scope="module")
def driver() -> Iterator[WebDriver]:
    with browser(1400, "light") as driver:
        yield driver


@pytest.mark.parametrize("hand", HANDS, ids=lambda h: h.__name__)
def test_impatient_hands_make_one_record(driver: WebDriver, site: str, home: Path, hand):
    dice = random.Random(7)
    for run in range(RUNS):
        comment = f"{hand.__name__} {run}"
        filled(driver, site, comment)
        hand(driver, dice)
        found = settled(home, comment)
        assert len(found) == 1, comment
        if hand in (double_click, enter_enter_click):
            settle(driver)
            receipt = until(driver, "//p[@class='tl-done']").text
            assert found[0] in receipt
    proof = verify(open_ledger(Settings(home=home), utc_now).store, deep=True)
    assert proof.state == "intact", proof.findings
