"""The demo's eight stories, told from the screen by somebody who has never seen it: every click is an executive's.

They need the full demo, so they are told in the soak (`make soak`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.browser.chrome import PATIENCE, browser, settle
from tests.cases import SOAK

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(not SOAK, reason="the stories need the full demo: make soak"),
]  # fmt: skip
MINUTE = 60.0


@pytest.fixture(scope="module")
def site(full_demo: str) -> str:
    return full_demo


@pytest.fixture(scope="module")
def desk() -> Iterator:
    with browser(1400, "light") as driver:
        yield driver


class Reader:
    """Somebody at the screen: opens the scorecard, chooses, clicks, reads. A story takes less than a minute."""

    def __init__(self, driver, site: str) -> None:
        self.driver = driver
        driver.get(site)
        settle(driver)
        self.started = time.monotonic()

    def choose(self, label: str, option: str) -> Reader:
        """Pick an option of a list by its words."""
        box = self.driver.find_element(
            "css selector", f"[data-testid=stSelectbox] input[aria-label*='{label}']"
        )
        box.click()
        box.send_keys(option)
        self._press(f"//*[@role='option'][contains(., '{option}')]")
        return self

    def press(self, words: str) -> Reader:
        """Click what carries these words."""
        xpath = f'//button[contains(normalize-space(.), "{words}")] | //a[contains(normalize-space(.), "{words}")]'
        self._press(xpath)
        return self

    def turn_to(self, section: str, page: str) -> Reader:
        """Open a page from the navigation."""
        self._press(f"//*[@data-testid='stTopNavSection'][contains(., '{section}')]", wait=False)
        time.sleep(0.4)
        self._press(f"//a[.//span[normalize-space(.)='{page}']]")
        return self

    def _press(self, xpath: str, *, wait: bool = True) -> None:
        end = time.monotonic() + PATIENCE
        while not (found := self.driver.find_elements("xpath", xpath)):
            assert time.monotonic() < end, f"nothing to click: {xpath}"
            time.sleep(0.1)
        self.driver.execute_script("arguments[0].click()", found[0])
        if wait:
            time.sleep(0.5)
            settle(self.driver)

    def reads(self, *sentences: str, within: str = "[data-testid=stApp]") -> Reader:
        """All of these stand on the screen, and not a minute has passed."""
        end = time.monotonic() + 15
        while True:
            shown = " ".join(e.text for e in self.driver.find_elements("css selector", within))
            text = " ".join(shown.replace("\u00a0", " ").split()).lower()
            missing = [s for s in sentences if s.lower() not in text]
            if not missing:
                break
            assert time.monotonic() < end, f"not on the screen: {missing}\n{text[:3000]}"
            time.sleep(0.3)
        assert time.monotonic() - self.started < MINUTE
        return self

    def opens(self, words: str) -> Reader:
        """Open the drawer of the tile of these words."""
        self._press(f"//button[contains(normalize-space(.), 'Open {words}')]")
        return self


def tile(name: str) -> str:
    return f"[class*='st-key-tile-{name}']"


def test_1_the_churn_models_page_says_where_the_value_dies(desk, site):
    """An excellent AUC and no effect: batches reach the customer after the window has closed."""
    reader = Reader(desk, site).choose("Initiative", "Churn retention")
    reader.reads("Ranking quality (AUC)", "met", within=tile("model-auc"))
    reader.reads("not met", within=tile("activation-in-window-share"))
    reader.press("The whole chain").reads("Where value is lost", within="h1").reads(
        "lost to latency", "churn_v3 \u00b7"
    )


def test_6_the_young_pilot_waits_without_an_owner(desk, site):
    """A young pilot, waiting at a gate without an owner: little data and no experiment yet."""
    reader = Reader(desk, site).choose("Initiative", "Pricing pilot")
    reader.reads("Needs a decision", "orphan", "Nobody is accountable for it")
    reader.reads("nothing is attributed")
    reader.press("Decide on Pricing pilot").reads("Ownership", within="h1")


def test_2_the_modest_lead_model_pays(desk, site):
    """A modest model that pays: called leads buy more than those held out."""
    reader = Reader(desk, site).choose("Initiative", "Lead scoring")
    reader.reads("Attributed value", "randomised", "costs", within="[class*=st-key-first-value]")
    reader.reads("Value caused per unit", "met", within=tile("value-mean-difference"))
    reader.press("Value by study").reads("Sales from called leads", "In the sum")


def test_3_offers_go_out_after_a_stop_and_reach_the_old_less(desk, site):
    """A nightly sync lets offers through after an opt-out; customers over 60 are offered less."""
    reader = Reader(desk, site).choose("Initiative", "Next best offer")
    reader.reads("Messages sent after a stop", "not met", within=tile("suppression-violations"))
    reader.reads("60+", "not met", within=tile("fairness-four-fifths"))
    reader.opens("Messages sent after a stop").reads("Why it matters", within="[data-testid=stDialog]")


def test_4_drafted_answers_invent_more_than_was_declared_acceptable(desk, site):
    """Drafted answers invent facts more often than the owner declared acceptable."""
    reader = Reader(desk, site).choose("Initiative", "Agent assist")
    reader.reads("not met", within=tile("generative-hallucination-rate"))
    reader.opens("Answers that invent facts").reads("Why it matters", within="[data-testid=stDialog]")


def test_5_the_developer_tools_contribution_is_negative(desk, site):
    """Developers feel faster; measured against a randomised comparison they finish less."""
    reader = Reader(desk, site).reads("Developer tool: value caused per unit is")
    reader.choose("Initiative", "Developer tool").reads(
        "value is destroyed", within="[class*=st-key-first-value]"
    )
    reader.press("Value by study").reads("the treatment made the outcome worse")


def test_7_the_fading_forecast_is_called_fading(desk, site):
    """Ordering by forecast raised the margin at first; the model drifts and the uplift fades."""
    reader = Reader(desk, site).choose("Initiative", "Demand forecast")
    reader.reads("fading", within=tile("value-mean-difference"))
    reader.reads("not met", within=tile("model-auc"))
    reader.press("Value by study").reads("Fading: from", "it halves in about")


def test_8_the_fraud_models_young_weeks_cannot_be_judged_yet(desk, site):
    """Rare positives and labels that arrive months late: young weeks cannot be judged yet."""
    reader = Reader(desk, site).choose("Initiative", "Fraud screening")
    reader.reads("Predictions whose outcome is known", "not met", within=tile("model-label-coverage"))
    reader.reads("too young to be judged", "no data", within=tile("model-recall"))
    reader.opens("Predictions whose outcome is known").reads(
        "Why it matters", within="[data-testid=stDialog]"
    )
