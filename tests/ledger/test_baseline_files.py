"""Every odd file has its outcome, pinned; none of it is taken in silence, and none harms the process that asked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import random
import resource
from pathlib import Path

import pytest

from app.govern.baselines import examine
from app.govern.baselines.child import Job
from app.govern.baselines.dialect import Dialect, DialectError
from app.govern.baselines.examine import Difference
from app.govern.baselines.held import Held
from app.govern.baselines.layout import Layout, layout_of, template_csv, template_xlsx
from app.govern.baselines.reading import Refused, kind_of
from app.govern.baselines.repairs import CELLS, FILES
from app.govern.baselines.sandbox import MEMORY, SANDBOX, Sandbox, Seen
from app.govern.baselines.sums import difference, header, summed, told
from data.registers.baselines import DATE_ORDERS, DECIMALS, GRAINS
from tests.cases import SOAK
from tests.ledger import odd_books, odd_files
from tests.ledger.odd_files import SOUND, Odd, text

NOW = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
CORPUS = (
    *odd_files.PLAIN, *odd_files.WHOLE, *odd_files.NUMBERS, *odd_files.PERIODS, *odd_files.UNITS, *odd_files.ROWS,
    *odd_files.GZIP, *odd_files.PARQUET, *odd_books.BOOKS,
)  # fmt: skip
DECLARED = {"delimiter": ",", "decimal": "point", "date_order": "year-month-day", "zone": "UTC"}


def look(odd: Odd, folder: Path, sandbox: Sandbox = SANDBOX, before: str = "", **limits: int) -> Seen:
    path, out = folder / "file", folder / "out"
    path.write_bytes(odd.make())
    out.mkdir(exist_ok=True)
    told = dataclasses.astuple(Dialect.declared(**{**DECLARED, **odd.dialect}))
    bounds = {"unpacked": 100 << 20, "memory": MEMORY, "seconds": 30, **limits}
    return sandbox.look(
        Job(
            str(path), odd.kind, "x.y", odd.unit, odd.grain, told, NOW.isoformat(), str(out), before, **bounds
        )
    )


def test_the_corpus_is_large_and_every_file_in_it_has_a_name_of_its_own():
    assert len(CORPUS) >= 150
    assert len({o.name for o in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("odd", CORPUS, ids=lambda o: o.name)
def test_an_odd_file_has_its_outcome(odd: Odd, tmp_path: Path):
    found = look(odd, tmp_path).findings
    if isinstance(odd.want, str):
        assert (found.refused, found.detail) == (odd.want, found.detail)
        assert found.sums is None
        assert odd.want in FILES
    elif isinstance(odd.want, dict):
        assert not found.refused, found.detail
        assert {r.code: r.count for r in found.repairs} == {c: n for c, n in odd.want.items() if n}
        assert found.sums is None
        assert not (tmp_path / "out" / "rows.csv").exists()
        assert all(r.action == CELLS[r.code] and r.examples for r in found.repairs)
    else:
        assert (found.refused, found.repairs) == ("", ()), found
        assert found.sums is not None
        assert found.sums.rows == odd.want


def test_bombs_are_bounded_here_and_in_the_child(tmp_path: Path):
    SANDBOX.look  # noqa: B018 (started by whichever test came first)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in ("gzip: a bomb", "xlsx: a bomb", "xlsx: two hundred thousand shared strings"):
        seen = look(next(o for o in CORPUS if o.name == name), tmp_path)
        assert seen.peak < 600 << 20
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < 160 << 20  # the test itself makes the bombs; the child's limits are what is tested


def test_a_file_that_asks_for_too_much_memory_ends_its_own_process_only(tmp_path: Path):
    greedy = Odd("greedy", lambda: b"\xd0\xcf\x11\xe0" + bytes(64 << 20), 1, "xlsx")
    found = look(greedy, tmp_path, memory=8 << 20).findings
    assert (found.refused, found.detail) == ("too_costly", "memory")
    assert look(CORPUS[0], tmp_path).findings.sums is not None


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path):
    rows = "\n".join(f"{dt.date(1901, 1, 1) + dt.timedelta(days=i % 40_000)},1,1" for i in range(400_000))
    found = look(text("slow", f"period,value,n\n{rows}\n", 0, grain="day"), tmp_path, seconds=1).findings
    assert (found.refused, found.detail) == ("too_costly", "time")


def test_a_child_that_was_killed_is_started_again(tmp_path: Path):
    sandbox = Sandbox()
    try:
        assert look(CORPUS[0], tmp_path, sandbox).findings.sums is not None
        assert sandbox._process is not None
        sandbox._process.kill()
        sandbox._process.wait()
        assert look(CORPUS[0], tmp_path, sandbox).findings.sums is not None
    finally:
        sandbox.close()


def test_the_environment_of_the_child_holds_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THROUGHLINE_SECRET", "canary")
    sandbox = Sandbox()
    try:
        look(CORPUS[0], tmp_path, sandbox)
        assert sandbox._process is not None
        assert b"canary" not in Path(f"/proc/{sandbox._process.pid}/environ").read_bytes()
    finally:
        sandbox.close()


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("unit", ["share", "count", "seconds", "money"])
def test_every_template_is_sound_in_every_dialect(unit: str, grain: str, tmp_path: Path):
    layout = layout_of("x.y", unit, grain)
    hashes = set()
    for decimal in DECIMALS:
        for order in DATE_ORDERS:
            told = {"delimiter": ";", "decimal": decimal, "date_order": order}
            dialect = Dialect.declared(**{**DECLARED, **told})
            odd = text("t", template_csv(layout, dialect), 2, unit=unit, grain=grain, dialect=told)
            hashes.add(look(odd, tmp_path).findings.rows_sha256)
    odd = Odd("t", lambda: template_xlsx(layout, dialect), 2, "xlsx", unit, grain, told)
    hashes.add(look(odd, tmp_path).findings.rows_sha256)
    assert len(hashes) == 1  # one content, however it is written
    assert "" not in hashes


def test_the_order_of_rows_does_not_move_the_content(tmp_path: Path):
    lines = SOUND.splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])])
    one, other = (look(text("o", body, 2), tmp_path).findings for body in (SOUND, turned))
    assert one.rows_sha256 == other.rows_sha256
    assert one.sums == other.sums


def test_marked_up_rows_keep_their_cells_say_what_to_do_and_never_run(tmp_path: Path):
    look(text("m", 'period,value,n,note\n2026-01-01,x,1,"=cmd()"\n2026-02-01,1,1,fine\n', 0), tmp_path)
    marked = (tmp_path / "out" / "marked.csv").read_text("utf-8-sig").splitlines()
    assert marked[0] == "period,value,n,note,row,error"
    assert marked[1:] == ["2026-01-01,x,1,'=cmd(),2,value: Write a plain number."]


def test_against_the_baseline_in_force_it_is_told_what_changes(tmp_path: Path):
    look(text("b", SOUND, 2), tmp_path)
    before = tmp_path / "before.csv"
    (tmp_path / "out" / "rows.csv").rename(before)
    now = "period,value,n\n2026-01-01,12.5,10\n2026-02-01,99,10\n2026-03-01,1,1\n"
    found = look(text("n", now, 3), tmp_path, before=str(before)).findings.difference
    assert found is not None
    assert (found.new, found.changed, found.same, found.gone) == (1, 1, 1, 0)
    assert [(c.period, c.before, c.after) for c in found.examples] == [
        ("2026-02-01", "13.5 / 10", "99 / 10"), ("2026-03-01", "", "1 / 1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "layout", [layout_of("x.y", "seconds", "day-unit"), layout_of("x.y", "share", "month")]
)
def test_rows_held_in_a_file_come_to_the_same_as_rows_held_in_memory(layout: Layout, tmp_path: Path):
    rng = random.Random(5)
    days = [f"2025-01-{d:02d}" for d in range(1, 29)]
    rows = [
        ((rng.choice(days), rng.choice("äöüZ𝔷a") * layout.by_unit), (rng.random(), 1.0 + rng.randrange(9)))
        for _ in range(400)
    ]
    few, many = Held(tmp_path), Held(tmp_path, most=20)
    assert [few.add(*row) for row in rows] == [many.add(*row) for row in rows]
    assert (tmp_path / "held.sqlite").exists()
    assert list(few.in_order()) == list(many.in_order()) == sorted(few.in_order())
    assert (len(few), summed(few, layout)) == (len(many), summed(many, layout))
    (tmp_path / "before.csv").write_bytes(
        header(layout) + b"".join(told(k, f, layout) for k, f in few.in_order())
    )
    same = difference(many, layout, tmp_path / "before.csv")
    assert same == Difference(0, 0, len(few), 0, ())
    other = Held(tmp_path)
    for at, (key, figures) in enumerate(few.in_order()):
        if at % 3:
            other.add(key, (figures[0] + (at % 3 == 1), *figures[1:]))
    other.add(("2030-01-01", "new" * layout.by_unit), (0.0, 1.0))
    found = difference(other, layout, tmp_path / "before.csv")
    assert found is not None
    thirds = [sum(at % 3 == rest for at in range(len(few))) for rest in range(3)]
    assert (found.new, found.gone, found.changed, found.same) == (1, *thirds)


def test_rows_to_mend_beyond_what_is_handed_back_are_counted_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(examine, "MOST_MARKED", 400)
    rows = ((at, ["2026-01-01", "x", "1"]) for at in range(2, 102))
    head = iter([(1, ["period", "value", "n"])])
    layout = layout_of("x.y", "seconds", "month")
    found = examine.examine(itertools.chain(head, rows), layout, Dialect(), NOW, tmp_path, None, even=True)
    assert found.bad_rows == found.repairs[0].count == 100
    marked = (tmp_path / "marked.csv").read_text("utf-8-sig").splitlines()
    assert 5 < len(marked) < 20
    assert (
        marked[-1]
        == f",,,,{100 - (len(marked) - 2)} further rows to mend are not listed; mend these and check again"
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.xls", "old_excel"), ("a.xlsm", "macros"), ("a.ods", "unknown_kind"), ("a", "unknown_kind"),
        ("a.csv.zip", "unknown_kind"),
    ],
)  # fmt: skip
def test_other_kinds_are_refused_by_their_name(name: str, code: str):
    with pytest.raises(Refused) as refusal:
        kind_of(name)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "told",
    [
        {"decimal": "comma"}, {"delimiter": "x"}, {"zone": "Mars"}, {"date_order": "any"}, {"decimal": "auto"},
        {"encoding": "guess"},
    ],
)  # fmt: skip
def test_a_dialect_that_does_not_hold_together_is_refused(told: dict[str, str]):
    with pytest.raises(DialectError):
        Dialect.declared(**{**DECLARED, **told})


@pytest.mark.skipif(not SOAK, reason="a campaign of minutes; set THROUGHLINE_SOAK")
def test_no_changed_byte_of_a_workbook_is_taken_in_silence(tmp_path: Path):
    whole = odd_files.book()
    sound = look(Odd("w", lambda: whole, 1, "xlsx"), tmp_path).findings.rows_sha256
    for at in range(0, len(whole), 7):
        hurt = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        found = look(Odd("h", lambda hurt=hurt: hurt, 1, "xlsx"), tmp_path).findings
        assert found.refused or found.rows_sha256 == sound, (at, json.dumps(found.refused))
