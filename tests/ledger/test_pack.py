"""The board pack: opened again by other programs and compared with its Readings, the same from its snapshot, inert."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from pathlib import Path

import openpyxl
import pptx
import pypdf
import pytest
from click.testing import CliRunner

from app.__main__ import cli
from app.govern import anchors
from app.govern.model import Actor
from app.govern.pack import snapshot as snapshots
from app.govern.pack.make import make, printed
from app.govern.pack.snapshot import PackError, freeze, keep, load, thaw
from app.runtime import open_runtime, utc_now
from app.settings import Settings
from data import disk
from tests.ledger import homes, packs
from tests.ledger.homes import user

HOSTILE = (
    '=HYPERLINK("http://x","y")', "+1+1", "@SUM(A1)", "\t=1+1", '#panic("x") *b* $a$ #sys.inputs', '"}],"x":["',
    "<script>&amp;</script>", "C:\\new \\u{41} //c", "a" * 120 + "Őß",
)  # fmt: skip
# Letters that our fonts do not have, and signs that no file format takes.
FOREIGN = "\u4e2d\u6587 \U0001f642 \x07\ufffe bell"


@pytest.fixture
def desk(template: Path, tmp_path: Path) -> homes.Desk:
    made = homes.copy_of(template, tmp_path / "ledger.sqlite")
    made.initiative()
    made.add("targets", metric="ownership.orphans", comparator="at most", threshold=0.0, min_n=0, owner=user("omar"),
             valid_from=homes.NOW.date())  # fmt: skip
    made.add(
        "appetites", "carl", category="model performance", appetite=4, tolerance=5, statement="s", next_review=homes.NOW.date()
    )  # fmt: skip
    made.add("risks", **homes.RISK)
    return made


def settings(desk: homes.Desk) -> Settings:
    return Settings(home=Path(desk.ledger.store.url.database or "").parent)


def pages(content: bytes) -> list[str]:
    found = [p.extract_text() for p in pypdf.PdfReader(io.BytesIO(content)).pages]
    return [" ".join(t.replace("\u00a0", " ").replace("\u200b", "").split()) for t in found]


def plain(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def slides_text(content: bytes) -> str:
    found = []
    for slide in pptx.Presentation(io.BytesIO(content)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                found.append(shape.text_frame.text)
            if shape.has_table:
                found += [c.text for row in shape.table.rows for c in row.cells]
    return "\n".join(found)


def cells(content: bytes):
    for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets:
        yield from (cell for row in sheet.iter_rows() for cell in row if cell.value is not None)


def test_every_figure_stands_in_the_pdf_with_interval_n_and_snapshot_on_every_page():
    made = freeze(packs.pack())
    text = pages(printed(made, "pdf").content)
    whole = " ".join(text)
    for figure in made.pack.figures:
        for part in (figure.value, figure.interval, figure.n, figure.aim):
            assert plain(part) in whole
    assert len(text) == printed(made, "pdf").pages
    assert all(made.id in page for page in text)


def test_the_pdf_is_tagged_in_a_language_with_a_title_and_bookmarks():
    reader = pypdf.PdfReader(io.BytesIO(printed(freeze(packs.pack()), "pdf").content))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en-GB"
    assert reader.outline
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert "board pack" in (reader.metadata.title or "")


def test_the_pdf_is_the_same_bytes_from_the_same_snapshot_and_others_from_another(tmp_path):
    kept = keep(Settings(home=tmp_path), packs.pack())
    first = printed(kept, "pdf").content
    assert printed(load(Settings(home=tmp_path), kept.id), "pdf").content == first
    assert printed(freeze(packs.pack(figures=5)), "pdf").content != first


def test_charts_of_the_slides_are_native_and_hold_the_trend():
    made = freeze(packs.pack(2, ("Churn",)))
    found = {}
    for slide in pptx.Presentation(io.BytesIO(printed(made, "pptx").content)).slides:
        for shape in slide.shapes:
            if shape.has_chart:
                label = shape._element._nvXxPr.cNvPr.get("descr").split(",")[0]
                found[label] = {s.name: list(s.values) for s in shape.chart.plots[0].series}
                assert shape.chart.part.chart_workbook.xlsx_part is not None
    for figure in made.pack.figures:
        for name, want in (("Value", "value"), ("Low", "low"), ("High", "high")):
            values = [getattr(p, want) for p in figure.trend]
            assert found[figure.label][name] == [
                None if v is None else pytest.approx(100 * v) for v in values
            ]
        assert set(found[figure.label]["Target"]) == {30.0}


def test_numbers_of_the_workbook_are_the_readings():
    made = freeze(packs.pack())
    book = openpyxl.load_workbook(io.BytesIO(printed(made, "xlsx").content))
    header, *rows = book["Scorecard"].iter_rows(values_only=True)
    for figure, row in zip(made.pack.figures, rows, strict=True):
        held = dict(zip(header, row, strict=True))
        r = figure.reading
        assert (held["Value"], held["Low"], held["High"], held["n"]) == (r.value, r.low, r.high, r.n)
        assert (held["Verdict"], held["Threshold"], held["Snapshot"]) == (figure.state, 0.3, made.short)
    assert {made.id} <= {c.value for c in book["Proof"]["B"]}
    assert len(book.sheetnames) == printed(made, "xlsx").pages


def test_what_people_write_is_text_in_all_three_forms():
    made = freeze(packs.pack(1, HOSTILE))
    squeezed = "".join(pages(printed(made, "pdf").content)).replace(" ", "")
    shown = plain(slides_text(printed(made, "pptx").content))
    found = list(cells(printed(made, "xlsx").content))
    assert [c.coordinate for c in found if c.data_type == "f"] == []
    for said in HOSTILE:
        assert "".join(said.split()) in squeezed
        assert plain(said) in shown
        held = [c for c in found if c.value == said]
        assert held
        assert all(c.quotePrefix for c in held) is (said[0] in "=+-@\t")


def test_letters_that_no_font_has_and_signs_that_no_file_takes_stop_nothing():
    made = freeze(packs.pack(1, (FOREIGN,)))
    assert "bell" in " ".join(pages(printed(made, "pdf").content))
    assert printed(made, "pdf").content == printed(made, "pdf").content
    assert "\u4e2d\u6587 \U0001f642 \ufffd\ufffd bell" in slides_text(printed(made, "pptx").content)
    assert any(
        c.value == "\u4e2d\u6587 \U0001f642 \ufffd\ufffd bell" for c in cells(printed(made, "xlsx").content)
    )


def test_a_pack_without_anything_in_it_says_so():
    bare = replace(packs.pack(0, ()), targets=(0, 0, 0, 0), missing=(("Process", "Nothing yet."),))
    text = " ".join(pages(printed(freeze(bare), "pdf").content))
    assert "The council has decided nothing yet." in text
    assert "Nothing yet." in text
    assert printed(freeze(bare), "pptx").pages
    assert printed(freeze(bare), "xlsx").pages


def test_an_undefined_number_is_a_dash_with_its_reason():
    figure = packs.figure(
        0, value="\u2013", interval="", reading=packs.reading(0, None), state="no data", trend=()
    )
    made = freeze(replace(packs.pack(0, ()), figures=(figure,)))
    for form, read in (("pdf", lambda b: " ".join(pages(b))), ("pptx", slides_text)):
        assert "nothing is loaded" in read(printed(made, form).content)
    row = next(c for c in cells(printed(made, "xlsx").content) if c.value == "nothing is loaded").row
    assert row == 2


def test_twenty_pages_are_printed_in_time():
    for form, budget, lines in (("pdf", 2.0, 24), ("pptx", 3.0, 12)):
        made = freeze(packs.pack(16, ("Churn retention of small firms",) * lines))
        printed(freeze(packs.pack(1, ("x",))), form)  # what is loaded once
        began = time.process_time()
        file = printed(made, form)
        assert time.process_time() - began < budget
        assert file.pages >= 20


def test_a_pack_of_the_ledger_holds_its_readings_and_an_anchor_that_verifies(desk):
    runtime = open_runtime(settings(desk))
    made = make(runtime, Actor("demo", "carl"), utc_now())
    figure = next(f for f in made.pack.figures if f.reading.key == "ownership.orphans")
    assert (figure.reading.value, figure.state, figure.owner) == (1.0, "not met", "Omar")
    assert [i.title for i in made.pack.initiatives] == ["Churn retention"]
    assert [r.record_id for r in made.pack.risks] == ["RISK-0001"]
    anchor = anchors.parse(made.pack.chain.anchor)
    assert (anchor.count, anchor.head) == (made.pack.chain.entries, made.pack.chain.head)
    assert anchors.newest(runtime.settings) == anchor
    assert " ".join(pages(printed(made, "pdf").content)).count(anchor.head[:40])


def test_the_same_pack_is_printed_from_its_id_after_the_data_moved(desk, tmp_path):
    runtime = open_runtime(settings(desk))
    before = make(runtime, Actor("demo", "carl"), utc_now())
    first = printed(before, "pdf").content
    desk.add("initiatives", record_id="second", **homes.INITIATIVE)
    after = make(runtime, Actor("demo", "carl"), utc_now())
    assert after.id != before.id
    values = [f.reading.value for f in after.pack.figures if f.reading.key == "ownership.orphans"]
    assert values == [2.0]
    out = tmp_path / "again.pdf"
    done = CliRunner().invoke(
        cli, ["--home", str(tmp_path), "pack", "--from", before.short, "--out", str(out), "--json"], standalone_mode=False
    )  # fmt: skip
    assert done.exception is None
    assert json.loads(done.stdout)["snapshot"] == before.id
    assert out.read_bytes() == first


def test_an_altered_snapshot_is_refused_and_an_unknown_one_is_named(tmp_path):
    home = Settings(home=tmp_path)
    kept = keep(home, packs.pack())
    path = snapshots.path_of(home, kept.id)
    path.write_text(path.read_text().replace("not met", "met"))
    with pytest.raises(PackError, match="was altered"):
        load(home, kept.id)
    with pytest.raises(PackError, match="no snapshot"):
        load(home, "0" * 12)
    for bad in ("../../etc", "", "abc", "*" * 12):
        with pytest.raises(PackError, match="is no snapshot id"):
            load(home, bad)
    other = b'{"format":"x"}'
    with pytest.raises(PackError, match="has the form x"):
        thaw(other, snapshots.sha256(other.decode()))


def test_a_disk_that_fails_leaves_no_half_snapshot(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        keep(Settings(home=tmp_path), packs.pack())
    assert list((tmp_path / "packs").iterdir()) == []


def test_who_has_no_role_takes_nothing_away(desk):
    with pytest.raises(PackError, match="no role"):
        make(open_runtime(settings(desk)), Actor("demo", "stranger"), utc_now())


@pytest.mark.parametrize(("args", "said"), [(["--out", "x.doc"], ".pdf"), (["--out", "x.pdf"], "no ledger")])
def test_bad_use_is_told(args, said, tmp_path):
    args = [str(tmp_path / a) if a.startswith("x.") else a for a in args]
    done = CliRunner().invoke(cli, ["--home", str(tmp_path), "pack", *args], standalone_mode=False)
    assert said in str(done.exception)
