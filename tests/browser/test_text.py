"""Text of users is text: markup and scripts in every text field of every register do nothing in a real Chromium.

Part of `make soak`: it opens every register's records one by one. tests/app/test_register_pages.py looks each time.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.govern import commands, demo
from app.govern.commands import execute, values_of
from app.govern.model import Change, Ledger
from app.govern.open import open_ledger
from app.runtime import utc_now
from app.settings import Settings
from data.demo import demo_targets
from data.fields import Kind, Register
from data.ledger import TABLES, latest
from data.registers import REGISTERS
from tests.browser.chrome import asked, browser, serving, settle
from tests.browser.test_saves import press
from tests.cases import SOAK
from tests.ledger.homes import who

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EVIL = (
    "<script>window.hurt=1</script>", "<img src=x onerror=window.hurt=1>", "<svg/onload=window.hurt=1>",
    "![beacon](https://evil.test/a.png)", "[link](javascript:window.hurt=1)", "<iframe src=https://evil.test></iframe>",
    "\"><input autofocus onfocus=window.hurt=1>", "<style>@import 'https://evil.test/a.css'</style>",
    "$\\href{javascript:window.hurt=1}{x}$", ":red[x] :material/home: <b>x</b>", "=HYPERLINK(\"https://evil.test\")",
    "</textarea><body onload=window.hurt=1>",
)  # fmt: skip
PAGES = {
    "initiatives": ("initiatives", "decisions", "operability", "targets", "check_ins"),
    "ownership": ("ownership", "decision_rights"),
    "risks": ("risks", "controls", "acceptances", "exceptions", "appetites", "postures"),
    "contracts": ("contracts", "evidence"),
}
A_REGISTER = 3  # records that are changed and opened


def texts(register: Register) -> list[str]:
    return [f.name for f in register.fields if f.kind in (Kind.TEXT, Kind.LONG) and f.name != "document"]


def spoilt(ledger: Ledger, register: Register) -> list[str]:
    """Write each string into each text field of a few records, a version at a time; the records."""
    table = TABLES[register.name]
    with ledger.store.read() as db:
        live = table.c.state.in_(register.flow.editable)
        found = list(db.execute(sa.select(latest(table).where(live).subquery().c.record_id)).scalars())[
            :A_REGISTER
        ]
    for turn in range(len(EVIL) if found else 0):
        record = found[turn % len(found)]
        with ledger.store.read() as db:
            versions = sa.select(sa.func.max(table.c.version)).where(table.c.record_id == record)
            version = int(db.execute(versions).scalar_one())
        new = {name: EVIL[(turn + at) % len(EVIL)] for at, name in enumerate(texts(register))}
        change = Change(register.name, record, version, values_of(**new), reason=EVIL[turn])
        execute(ledger, change, who("hanna"), f"{register.name}-{turn}")
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    if not SOAK:
        pytest.skip("one of the long campaigns: make soak")
    home = tmp_path_factory.mktemp("texts") / "home"
    home.mkdir()
    (home / "targets.toml").write_text(demo_targets())
    demo.fill(Settings(home=home), utc_now())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "why_not", lambda *_: None)
        ledger = open_ledger(Settings(home=home), utc_now)
        return home, {n: spoilt(ledger, REGISTERS[n]) for own in PAGES.values() for n in own}


def test_no_text_of_a_user_is_more_than_text(home, tmp_path_factory: pytest.TempPathFactory):
    folder, records = home
    opened = 0
    with serving(folder, tmp_path_factory.mktemp("elsewhere")) as site, browser(1400, "light") as driver:
        for page, registers in PAGES.items():
            for name in registers:
                for record in records[name]:
                    driver.get(f"{site}/{page}")
                    settle(driver)
                    if len(registers) > 1:
                        press(driver, f"//button[normalize-space(.)='{REGISTERS[name].title}']")
                        settle(driver)
                    box = press(
                        driver, "//*[@data-testid='stSelectbox'][.//label[contains(., 'Open a')]]//input"
                    )
                    box.send_keys(f"({record})", "\ue007")
                    settle(driver)
                    press(driver, "//summary[contains(., 'History')]")
                    settle(driver)
                    assert record in driver.find_element("tag name", "body").text
                    assert driver.execute_script("return window.hurt") is None, (page, name, record)
                    assert (
                        driver.find_elements("css selector", "[href^=javascript], [src*='evil.test']") == []
                    )
                    opened += 1
        foreign = {u for u in asked(driver) if not u.startswith((site, site.replace("http", "ws")))}
    assert foreign == set()
    assert opened >= len(records)
