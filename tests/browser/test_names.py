"""Names as people have them: from right to left, very long with and without spaces, and two hundred initiatives.

Every page is opened on a desk and on a phone: nothing scrolls sideways but what is meant to, nothing is cut without a sign,
and a name from right to left does not turn round the numbers beside it. Part of
`make soak`; tests/browser/test_browser.py puts a long word on one page each time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.govern import commands, demo
from app.govern.commands import execute_all, values_of
from app.govern.model import Actor, Add, Change, Command
from app.govern.open import open_ledger
from app.runtime import Runtime, utc_now
from app.settings import Settings
from data import ledger_store
from data.demo import demo_targets
from data.fields import Kind
from data.registers import REGISTERS
from tests.browser.chrome import FAULTS, browser, resize, serving, settle
from tests.browser.test_browser import PAGES
from tests.browser.test_text import OWN
from tests.cases import SOAK
from tests.conftest import NOW
from tests.ledger.homes import INITIATIVE

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(not SOAK, reason="a demo of its own: make soak"),
]  # fmt: skip
HANNA = Actor("demo", "hanna")
LOOKED_AT = (*PAGES, "generated", "meeting")
NAMES = (
    "توقع الطلب 2 في المتاجر (v3)", "תחזית ביקוש, שנה 2", "Renewals" + "x" * 192,
    " ".join(["Keeping customers whose contract ends within the next quarter"] * 3), "توقع" + "ط" * 190,
)  # fmt: skip
SPOILT = tuple(
    (register.name, field.name)
    for register in REGISTERS.values()
    for field in register.fields
    if field.kind in (Kind.TEXT, Kind.LONG) and field.name not in OWN | {"subject", "role"} and not field.unique
)  # fmt: skip
# Text that ends outside the window, or is cut by its own box, without a scroll bar, an ellipsis or a line break.
CUT = """
const wide = document.documentElement.clientWidth, found = [];
const rolls = e => { for (let p = e; p && p !== document.body; p = p.parentElement) {
  const s = getComputedStyle(p);
  if (/(auto|scroll)/.test(s.overflowX) && !p.matches('[data-testid=stMain]')) return true; } return false; };
for (const e of document.querySelectorAll('[data-testid=stMain] *')) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || !e.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
  const box = e.getBoundingClientRect();
  if (box.width < 2 || box.height < 2 || getComputedStyle(e).clip !== 'auto') continue;
  if (box.right > wide + 1 && !rolls(e)) found.push('outside: ' + e.className + ' ' + e.textContent.slice(0, 80));
  for (let p = e; p && !p.matches('[data-testid=stMain]'); p = p.parentElement) {
    const s = getComputedStyle(p), hides = /(hidden|clip)/.test(s.overflowX);
    if (/(auto|scroll)/.test(s.overflowX)) break;
    if (hides && s.textOverflow !== 'ellipsis' && box.right > p.getBoundingClientRect().right + 1)
      { found.push('cut: ' + p.className + ' | ' + e.textContent.slice(0, 80)); break; }
  }
}
for (const plot of document.querySelectorAll('.js-plotly-plot')) {
  const frame = plot.getBoundingClientRect();
  for (const t of plot.querySelectorAll('svg text')) { const b = t.getBoundingClientRect();
    if (b.width && (b.left < frame.left - 2 || b.right > frame.right + 2))
      found.push('cut in a chart: ' + t.textContent.slice(0, 80)); }
}
return [...new Set(found)].slice(0, 12);
"""
# Text of ours that mixes a name from right to left with anything else and does not keep it apart.
TURNED = """
const found = [], rtl = /[\\u0590-\\u08ff]/, walk = document.createTreeWalker(document.querySelector('[data-testid=stMain]'), 4);
while (walk.nextNode()) { const n = walk.currentNode, e = n.parentElement;
  if (!e.closest('.stHtml') || !rtl.test(n.textContent)) continue;
  if (rtl.test(n.textContent.replace(/\\u2068[^\\u2069]*\\u2069/g, ''))) found.push(n.textContent.slice(0, 80)); }
return found.slice(0, 12);
"""


def renamed(command: Command) -> Command:
    """The same command with names in its texts."""
    if not isinstance(command, (Add, Change)):
        return command
    turn = iter(range(len(command.record_id or "") + len(command.values), 10_000))
    values = tuple(
        (name, _named(command.register, name, value, next(turn))) for name, value in command.values
    )
    if isinstance(command, Add):
        return Add(command.register, values, command.record_id, command.reason)
    return Change(command.register, command.record_id, command.seen, values, command.reason)


def _named(register: str, field: str, value: object, turn: int) -> object:
    if not isinstance(value, str) or (register, field) not in SPOILT:
        return value
    name = NAMES[(turn + SPOILT.index((register, field))) % len(NAMES)]
    return name if REGISTERS[register].field(field).kind is Kind.TEXT else f"{value} {name}"


@pytest.fixture(scope="module")
def site(enterprise: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo on a copy of a small enterprise, its texts names, and two hundred more initiatives."""
    home = tmp_path_factory.mktemp("names") / "home"
    shutil.copytree(enterprise.settings.home, home)
    (home / "targets.toml").write_text(demo_targets())
    write = commands._carry_out

    def carry_out(db: sa.Connection, command: Command, actor: Actor, key: str, now: str) -> None:
        write(db, renamed(command), actor, key, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_store, "PRAGMAS", tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS))
        patch.setattr(commands, "_carry_out", carry_out)
        demo.fill(Settings(home=home), NOW)
    ledger = open_ledger(Settings(home=home), utc_now)
    made = (
        INITIATIVE | {"title": NAMES[n % len(NAMES)][:190] + f" {n}", "sponsor": HANNA.identity}
        for n in range(200)
    )
    batch = tuple(Add("initiatives", values_of(**one), f"more{n:03d}") for n, one in enumerate(made))
    execute_all(ledger, batch, HANNA, "many")
    with serving(home, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


def test_no_name_is_cut_turned_round_or_pushes_the_page_sideways(site):
    found: dict[str, object] = {}
    with browser(1400, "light") as driver:
        for page in LOOKED_AT:
            driver.get(f"{site}/{'' if page == 'scorecard' else page}")
            for width in (1400, 390):
                resize(driver, width, 900)
                settle(driver)
                assert driver.execute_script(FAULTS) == []
                assert "could not be drawn" not in driver.page_source
                over = driver.execute_script(
                    "const m = document.querySelector('[data-testid=stMain]');"
                    " return Math.max(document.documentElement.scrollWidth - innerWidth, m.scrollWidth - m.clientWidth)"
                )
                found[f"{page}, {width}, sideways"] = max(over, 0)
                found[f"{page}, {width}, cut"] = driver.execute_script(CUT)
                found[f"{page}, {width}, turned"] = driver.execute_script(TURNED)
            resize(driver, 1400, 900)
    assert {k: v for k, v in found.items() if v} == {}
