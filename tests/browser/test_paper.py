"""What a reader takes away from the full demo: pages on paper, charts as pictures, tables as files. Part of `make soak`."""

from __future__ import annotations

import csv
import io
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from PIL import Image
from pypdf import PdfReader

from tests.browser.chrome import PATIENCE, browser, settle, wear
from tests.browser.test_browser import PAGES
from tests.cases import SOAK

pytestmark = [
    pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(not SOAK, reason="needs the full demo: make soak"),
]  # fmt: skip
PAPER = {"printBackground": True, "preferCSSPageSize": True}
A4 = (842, 595)  # points, on its side
CONTROLS = ("Share and views", "Whole portfolio", "Show me round", "Find initiatives", "XLSX", "CSV", "Pages")
# What a sheet must hold: the heading, and every sentence and number of the first depth as the screen shows it.
FIRST = ".tl-title, .tl-lead, .tl-value, .tl-name, .tl-h"
DRAWN = """
const page = document.querySelector('.stMainBlockContainer').getBoundingClientRect(), found = [];
for (const svg of document.querySelectorAll('.js-plotly-plot .main-svg')) {
  const box = svg.getBoundingClientRect();
  if (box.width && box.right > page.right + 1) found.push('wider than the sheet: ' + box.right + ' of ' + page.right); }
for (const e of document.querySelectorAll('.tl-lead, .tl-value, .tl-name, .js-plotly-plot .xtick text')) {
  const s = getComputedStyle(e), ink = e.ownerSVGElement ? s.fill : s.color;
  const light = ink.match(/\\d+/g).slice(0, 3).every(c => c > 130);
  if (light) found.push('light ink: ' + ink + ' ' + e.textContent.slice(0, 40)); }
return [...new Set(found)].slice(0, 8);
"""


@pytest.fixture(scope="module")
def driver() -> Iterator:
    with browser(1400, "dark") as driver:
        yield driver


def words(said: str) -> str:
    """Letters and figures alone: paper breaks lines and draws blanks of its own."""
    return "".join(c for c in said if c.isalnum())


def printed(driver) -> PdfReader:
    sheet = driver.execute_cdp_cmd("Page.printToPDF", PAPER)
    return PdfReader(io.BytesIO(b64decode(sheet["data"])))


@pytest.mark.parametrize("page", [*PAGES, "generated"])
def test_a_page_on_paper_holds_its_headings_and_numbers_and_no_control(page, driver, full_demo):
    """Printed from the dark theme, which is the harder: the ink must be dark all the same."""
    wear(driver, "dark")
    driver.get(f"{full_demo}/{'' if page == 'scorecard' else page}?tour=seen")
    settle(driver)
    seen = [
        e.text for e in driver.find_elements("css selector", FIRST) if e.is_displayed() and e.text.strip()
    ]
    media = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    assert driver.execute_script(DRAWN) == []
    hidden = driver.find_elements(
        "css selector", "button:not([class*=st-key-open-] *), header, input, .modebar-container"
    )
    assert [e.text for e in hidden if e.is_displayed()] == []
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    sheets = printed(driver)
    assert {(round(p.mediabox.width), round(p.mediabox.height)) for p in sheets.pages} == {A4}
    text = " ".join(p.extract_text() for p in sheets.pages)
    missing = [
        s
        for s in seen
        if not set(map(words, s.split())) <= set(map(words, text.split())) and words(s) not in words(text)
    ]
    assert missing == []
    assert [c for c in CONTROLS if c in text] == []


def taken(folder: Path, ending: str) -> Path:
    """The file that a click brought, once it is whole."""
    end = time.monotonic() + PATIENCE
    while not (found := sorted(folder.glob(f"*{ending}"))):
        assert time.monotonic() < end, f"no {ending} arrived"
        time.sleep(0.1)
    return found[0]


def into(driver, folder: Path) -> None:
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})


def test_a_chart_is_taken_away_as_a_picture_in_either_theme(driver, full_demo, tmp_path):
    for theme in ("light", "dark"):
        wear(driver, theme)
        driver.get(f"{full_demo}/chain?tour=seen")
        settle(driver)
        folder = tmp_path / theme
        folder.mkdir()
        into(driver, folder)
        plot = driver.find_element("css selector", ".js-plotly-plot")
        driver.execute_script("arguments[0].querySelector('.modebar-btn').click()", plot)
        with Image.open(taken(folder, ".png")) as picture:
            assert picture.format == "PNG"
            assert picture.width == pytest.approx(2 * plot.size["width"], abs=4)
            assert picture.height == pytest.approx(2 * plot.size["height"], abs=4)
            counts = picture.convert("RGB").getcolors(2**24) or []
        ground = max(counts)[1]
        assert (sum(ground) > 600) == (theme == "light")  # the reader's own ground, not a transparent one
        assert len(counts) > 50


def test_any_table_is_taken_away_whole_as_csv_and_as_xlsx(driver, full_demo, tmp_path):
    into(driver, tmp_path)
    driver.get(f"{full_demo}/portfolio?tour=seen")
    settle(driver)
    table = driver.find_element("css selector", ".tl-table")
    heads = [e.text for e in table.find_elements("css selector", "th")]
    rows = [e.text for e in table.find_elements("css selector", "tbody tr td:first-child b")]
    for ending in ("csv", "xlsx"):
        button = driver.find_element("css selector", f"[class*=st-key-table-{ending}-1] button")
        driver.execute_script("arguments[0].click()", button)
    lines = list(csv.reader(io.StringIO(taken(tmp_path, ".csv").read_text(encoding="utf-8-sig"))))
    sheet = load_workbook(taken(tmp_path, ".xlsx")).active
    assert sheet is not None
    assert lines[0] == heads == [c.value for c in sheet[1]]
    assert [line[0].split(";")[0] for line in lines[1:]] == rows
    assert [str(row[0].value).split(";")[0] for row in sheet.iter_rows(min_row=2)] == rows
