"""Text of users is text: markup and scripts in every text field of every register do nothing in a real Chromium.

Part of `make soak`: three demos are written, each with four other strings in each text field and in each reason, and every
page is opened on each of them with all that unfolds; after three rounds each field has held each of twelve strings on every
page that shows it. tests/app/test_register_pages.py looks each time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.govern import commands, demo, views_contracts, views_initiatives, views_ownership, views_risks
from app.govern.model import Actor, Add, Change, Command
from app.runtime import Runtime
from app.settings import Settings
from data.demo import demo_targets
from data.fields import Kind
from data.registers import REGISTERS
from tests.browser.chrome import asked, browser, serving, settle
from tests.browser.test_browser import PAGES
from tests.browser.test_saves import press
from tests.cases import SOAK
from tests.conftest import NOW

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not SOAK, reason="demos of their own: make soak"),
]
EVIL = (
    "<script>window.hurt=1</script>", "<img src=x onerror=window.hurt=1>", "<svg/onload=window.hurt=1>",
    "![beacon](https://evil.test/a.png)", "[link](javascript:window.hurt=1)", "<iframe src=https://evil.test></iframe>",
    "\"><input autofocus onfocus=window.hurt=1>", "<style>@import 'https://evil.test/a.css'</style>",
    "$\\href{javascript:window.hurt=1}{x}$", ":red[x] :material/home: <b>x</b>", "=HYPERLINK(\"https://evil.test\")",
    "</textarea><body onload=window.hurt=1>",
)  # fmt: skip
# Text that the app itself writes and reads again: names, versions, documents.
OWN = frozenset({
    "issuer", "subject", "contract_version", "table_name", "document", "template", "tier", "criteria", "snapshot",
    "criterion", "basis", "condition", "delimiter", "zone", "design", "plan", "data_hash", "diagnostics", "experiment",
    "event", "about_register", "about_record", "recipient", "sha256", "record", "tally",
})  # fmt: skip
FIELDS = tuple(
    (register.name, field.name)
    for register in REGISTERS.values()
    for field in register.fields
    if field.kind in (Kind.TEXT, Kind.LONG) and field.name not in OWN
)  # fmt: skip
REGISTER_PAGES = {
    "initiatives": views_initiatives.REGISTERS,
    "ownership": views_ownership.REGISTERS,
    "risks": views_risks.REGISTERS,
    "contracts": views_contracts.REGISTERS,
}
BAD = "[href^='javascript:'], [src*='evil.test'], [href*='evil.test'], [onerror], [onload], [onfocus]"
UNFOLD = "document.querySelectorAll('[data-testid=stExpander] details:not([open]) summary').forEach(s => s.click())"
AT_ONCE = 4  # strings in a field: a short text has room for so many
TURNS = range(len(EVIL) // AT_ONCE)


def marked(at: int, turn: int) -> str:
    """The strings of a field in a round, after a mark that is looked for on the pages."""
    own = (EVIL[(at + AT_ONCE * turn + n) % len(EVIL)] for n in range(AT_ONCE))
    return f"F{at:03d} {' '.join(own)}"


def spoilt(command: Command, turn: int) -> Command:
    """The same command with a string of the round in each of its texts and in its reason."""
    if not isinstance(command, (Add, Change)):
        return command
    values = tuple(
        (name, f"{value} {marked(FIELDS.index((command.register, name)), turn)}")
        if isinstance(value, str) and (command.register, name) in FIELDS
        else (name, value)
        for name, value in command.values
    )
    reason = f"{command.reason} {marked(0, turn)}".strip()
    if isinstance(command, Add):
        return Add(command.register, values, command.record_id, reason)
    return Change(command.register, command.record_id, command.seen, values, reason)


def filled(runtime: Runtime, home: Path, turn: int) -> Path:
    """The demo on a copy of a small enterprise, its texts spoilt on their way through the one write path."""
    shutil.copytree(runtime.settings.home, home)
    (home / "targets.toml").write_text(demo_targets())
    write = commands._carry_out

    def carry_out(db: sa.Connection, command: Command, actor: Actor, key: str, now: str) -> None:
        write(db, spoilt(command, turn), actor, key, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "_carry_out", carry_out)
        demo.fill(Settings(home=home), NOW)
    return home


@pytest.fixture(scope="module")
def driver() -> Iterator:
    with browser(1400, "light") as driver:
        yield driver


def looked_at(driver, where: str) -> str:
    """Everything on the page that unfolds is unfolded; nothing of it acts. Its text."""
    settle(driver)
    if where != "definitions":  # some two hundred metrics, none of them a user's text
        driver.execute_script(UNFOLD)
    settle(driver)
    assert driver.execute_script("return window.hurt") is None, where
    assert [e.get_attribute("outerHTML") for e in driver.find_elements("css selector", BAD)] == [], where
    return driver.find_element("tag name", "body").text


def opened(driver, label: str, word: str) -> None:
    """Take what a select box offers for a word."""
    box = press(driver, f"//*[@data-testid='stSelectbox'][.//label[contains(., '{label}')]]//input")
    box.send_keys(word, "\ue007")


def walked(driver, site: str) -> Iterator[str]:
    """The text of every page, of a record of every register, and of every item that a council has had."""
    for page in (*PAGES, "meeting", "generated"):
        driver.get(f"{site}/{page}")
        yield looked_at(driver, page)
    for page, registers in REGISTER_PAGES.items():
        driver.get(f"{site}/{page}")
        settle(driver)
        for name in registers:
            if len(registers) > 1:
                press(driver, f"//button[normalize-space(.)='{REGISTERS[name].title}']")
                settle(driver)
            opened(driver, "Open a", "a")
            yield looked_at(driver, name)
    driver.get(f"{site}/council")
    settle(driver)
    for number in range(1, 9):
        opened(driver, "Look at a review", f"GATE-{number:04d}")
        yield looked_at(driver, f"review {number}")


@pytest.mark.parametrize("turn", TURNS)
def test_no_text_of_a_user_is_more_than_text(turn: int, driver, enterprise: Runtime, tmp_path: Path):
    home = filled(enterprise, tmp_path / "home", turn)
    asked(driver)
    with serving(home, tmp_path) as site:
        seen = "\n".join(walked(driver, site))
        foreign = {u for u in asked(driver) if not u.startswith((site, site.replace("http", "ws")))}
        driver.get("about:blank")
    assert foreign == set()
    held = [at for at in range(len(FIELDS)) if f"F{at:03d} " in seen]
    assert len(held) > len(FIELDS) / 2, [FIELDS[at] for at in range(len(FIELDS)) if at not in held]
    # A string that is shown is shown as it was written, up to where a long text is cut short.
    changed = [FIELDS[at] for at in held if marked(at, turn)[:8] not in seen]
    assert changed == []
