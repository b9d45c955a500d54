"""A meeting in two real browsers: a vote cast in one stands on the projector within two seconds, once, or is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from app.govern.gates import meeting
from app.govern.gates.look import look
from app.govern.model import Change, Ledger
from app.govern.verify import verify
from app.runtime import utc_now
from data import ledger_store
from data.ledger import TABLES
from tests.browser.chrome import browser, serving, settle
from tests.browser.test_saves import press, until
from tests.cases import SOAK, turns
from tests.ledger import homes
from tests.ledger.councils import Chamber, chamber
from tests.ledger.homes import ROOT, Ticking, user, who

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not SOAK, reason="two browsers and a demo: make soak"),
]
VOTES = TABLES["gate_votes"]
BODY = "return document.body.innerText"
SOON = 2.0  # seconds within which a vote stands on the projector


@dataclass(frozen=True)
class Sitting:
    """A home with an open review, a meeting about it, and everything to look into its ledger."""

    home: Path
    room: Chamber
    review: str

    def votes(self, name: str) -> int:
        return self.room.desk.count(VOTES, VOTES.c.review == self.review, VOTES.c.by_subject == name)


@pytest.fixture(scope="module")
def sitting(tmp_path_factory: pytest.TempPathFactory) -> Sitting:
    home = tmp_path_factory.mktemp("sitting")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_store, "PRAGMAS", tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS))
        desk = homes.fresh(home / "ledger.sqlite")
        desk.ledger = Ledger(desk.ledger.store, Ticking(utc_now().replace(hour=0, minute=0)))
        room = chamber(desk.people())
        review = room.open().record_id
        desk.add("meetings", "carl", title="November", agenda=(f"review {review}",))
        held = look(desk.ledger)
        on = meeting.on_now(held)
        assert on is not None
        entering = meeting.entering(held, on, who("carl"))
        assert entering is not None
        desk.do(entering, "carl")
    return Sitting(home, room, review)


@pytest.fixture(scope="module")
def site(sitting: Sitting, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(sitting.home, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


@pytest.fixture(scope="module")
def projector(site: str) -> Iterator[WebDriver]:
    with browser(1400, "light") as driver:
        driver.get(acting(site, "meeting", "Carl"))
        settle(driver)
        yield driver


@pytest.fixture(scope="module")
def member(site: str) -> Iterator[WebDriver]:
    with browser(1000, "light") as driver:
        yield driver


def acting(site: str, page: str, name: str) -> str:
    """The address of a page on which the reader acts as a member of the council."""
    return f"{site}/{page}?persona={quote(f'{name}, council')}"


def seen_after(driver: WebDriver, text: str, began: float) -> float:
    """Seconds from `began` until the text stands on the page."""
    while text not in driver.execute_script(BODY):
        assert time.monotonic() - began < 20, driver.execute_script(BODY)[:1500]
        time.sleep(0.02)
    return time.monotonic() - began


def choose(driver: WebDriver, vote: str, statement: str = "") -> None:
    press(driver, f"//*[@data-testid='stRadio']//label[normalize-space()='{vote}']")
    if statement:
        press(
            driver, "//*[@data-testid='stTextArea'][.//label[contains(., 'Statement')]]//textarea"
        ).send_keys(statement)


def cast(driver: WebDriver, *, clicks: int = 1) -> float:
    """Press the button, once or twice at once; when that was."""
    button = until(driver, "//button[normalize-space()='Vote']")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    began = time.monotonic()
    hands = ActionChains(driver)
    (hands.double_click(button) if clicks == 2 else hands.click(button)).perform()
    return began


def test_a_double_click_votes_once_and_stands_on_the_projector_within_two_seconds(
    sitting: Sitting, site: str, projector: WebDriver, member: WebDriver
):
    draft = press(projector, "//*[@data-testid='stTextArea'][.//label[contains(., 'Statement')]]//textarea")
    draft.send_keys("I would rather wait")
    names = ("cleo", "cyrus")
    for at in turns(len(names)):
        member.get(acting(site, "meeting", names[at].title()))
        settle(member)
        choose(member, "Approve")
        began = cast(member, clicks=2)
        took = seen_after(projector, f"{at + 1} of 3 votes for the quorum", began)
        print(f"a vote stood on the projector after {took:.2f} s")
        assert took < SOON
        settle(member)
        assert sitting.votes(names[at]) == 1
    assert draft.get_attribute("value") == "I would rather wait"  # what is half written stays
    assert "Carl" in projector.execute_script(BODY)


def test_a_role_revoked_in_mid_meeting_is_refused_and_the_projector_says_so(
    sitting: Sitting, site: str, projector: WebDriver, member: WebDriver
):
    member.get(acting(site, "council", "Cora"))
    settle(member)
    press(
        member, "//*[@data-testid='stSelectbox'][.//label[contains(., 'Look at a review')]]//input"
    ).send_keys(sitting.review, Keys.ENTER)
    settle(member)
    choose(member, "Reject", "Too early")
    cora = sitting.room.row("users", user("cora"))
    sitting.room.desk.do(Change("users", cora.record_id, cora.version, (("roles", ("viewer",)),)), ROOT)
    began = time.monotonic()
    assert seen_after(projector, "no member any more", began) < SOON
    cast(member)
    seen_after(member, "Refused, and the attempt is in the audit trail", time.monotonic())
    assert sitting.votes("cora") == 0
    audit = homes.AUDIT
    assert sitting.room.desk.count(audit, audit.c.outcome == "denied", audit.c.subject == "cora") == 1
    proof = verify(sitting.room.desk.ledger.store, deep=True)
    assert proof.state == "intact", proof.findings
