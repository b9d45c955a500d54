"""Odd files made on the spot, each with the outcome it must have: ok and its rows, a refusal's code, or repairs by code."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

HEAD = "period,value,n"
ROW, ROW2 = "2026-01-01,12.5,10", "2026-02-01,13.5,10"
SOUND = f"{HEAD}\n{ROW}\n{ROW2}\n"


@dataclass(frozen=True)
class Odd:
    """`want`: a number of good rows, a refusal's code, or {repair's code: count}."""

    name: str
    make: Callable[[], bytes]
    want: int | str | dict[str, int]
    kind: str = "csv"
    unit: str = "number"
    grain: str = "month"
    dialect: dict[str, str] = field(default_factory=dict)


def text(name: str, body: str, want, encoding: str = "utf-8", **more) -> Odd:
    return Odd(name, lambda: body.encode(encoding), want, **more)


def raw(name: str, body: bytes, want, **more) -> Odd:
    return Odd(name, lambda: body, want, **more)


def cell(name: str, value: str, want, **more) -> Odd:
    """One sound row and one whose value is odd."""
    return text(f"value {name}", f"{HEAD}\n{ROW}\n2026-02-01,{value},10\n", want, **more)


def period(name: str, value: str, want, **more) -> Odd:
    return text(f"period {name}", f"{HEAD}\n{value},12.5,10\n", want, **more)


def unit(name: str, value: str, want) -> Odd:
    return text(f"unit {name}", f"period,unit,value,n\n2026-01-01,{value},1,1\n", want, grain="month-unit")


DMY, MDY, COMMA = (
    {"date_order": "day-month-year"},
    {"date_order": "month-day-year"},
    {"delimiter": ";", "decimal": "comma"},
)
BERLIN = {"zone": "Europe/Berlin"}
PLAIN = (
    text("sound", SOUND, 2),
    text("byte order mark", SOUND, 2, "utf-8-sig"),
    text("carriage returns and line feeds", SOUND.replace("\n", "\r\n"), 2),
    text("lone carriage returns", SOUND.replace("\n", "\r"), 2),
    text("mixed line ends", f"{HEAD}\r\n{ROW}\n{ROW2}\r", 2),
    text("no last line end", SOUND.rstrip(), 2),
    text("blank lines", f"{HEAD}\n\n{ROW}\n\n\n{ROW2}\n\n", 2),
    text("quoted cells", 'period,value,n\n"2026-01-01","12.5","10"\n', 1),
    text("quoted line end in an ignored column", f'{HEAD},note\n{ROW},"two\nlines"\n', 1),
    text("columns in another order", "n,value,period\n10,12.5,2026-01-01\n", 1),
    text("upper-case header with blanks", " Period , VALUE ,N\n2026-01-01,12.5,10\n", 1),
    text("an extra column is ignored", f"{HEAD},note\n{ROW},fine\n", 1),
    text("one row", f"{HEAD}\n{ROW}\n", 1),
    text("semicolons and decimal commas, declared", "period;value;n\n2026-01-01;12,5;10\n", 1, dialect=COMMA),
    text("tabs, declared", SOUND.replace(",", "\t"), 2, dialect={"delimiter": "\t"}),
    text("bars, declared", SOUND.replace(",", "|"), 2, dialect={"delimiter": "|"}),
    text("cp1252, declared", f"{HEAD},note\n{ROW},Zürich\n", 1, "cp1252", dialect={"encoding": "cp1252"}),
    text("utf-16, declared", SOUND, 2, "utf-16", dialect={"encoding": "utf-16"}),
    text("blanks around numbers", f"{HEAD}\n2026-01-01, 12.5 , 10 \n", 1),
)
WHOLE = (
    raw("no byte", b"", "empty"),
    raw("only a byte order mark", b"\xef\xbb\xbf", "empty"),
    text("only line ends", "\n\n\n", "empty"),
    text("header only", HEAD + "\n", "no_rows"),
    text("latin-1 bytes", f"{HEAD},note\n{ROW},Zürich\n", "not_text", "latin-1"),
    raw(
        "mixed encodings", f"{HEAD},note\n{ROW},Zürich\n".encode() + b"2026-02-01,1,1,Z\xfcrich\n", "not_text"
    ),
    text("utf-16, not declared", SOUND, "not_text", "utf-16"),
    text("utf-16 without its mark, declared", SOUND, "not_text", "utf-16-le", dialect={"encoding": "utf-16"}),
    text("utf-16 without its mark, not declared", SOUND, "nul", "utf-16-le"),
    raw("a NUL", f"{HEAD}\n{ROW}\0\n".encode(), "nul"),
    raw("a NUL far below", (SOUND + "2026-03-01,1,1\n" * 400).encode() + b"2026-04-01,1\0,1\n", "nul"),
    text("semicolons, not declared", SOUND.replace(",", ";"), "delimiter"),
    text("commas where semicolons are declared", SOUND, "delimiter", dialect={"delimiter": ";"}),
    text("tabs, not declared", SOUND.replace(",", "\t"), "delimiter"),
    text("sep= at the top", f"sep=,\n{SOUND}", "separator_line"),
    text("a quote never closed", f'{HEAD}\n2026-01-01,"12.5,10\n{ROW2}\n', "quote"),
    text("text after a closed quote", f'{HEAD}\n"2026-01-01"x,12.5,10\n', "quote"),
    text("header twice", "period,value,value\n2026-01-01,1,1\n", "header_twice"),
    text("headers that differ in case", "period,value,n,Value\n2026-01-01,1,1,1\n", "header_twice"),
    text(
        "headers that differ in blanks",
        "period,value,n,my note,my_note\n2026-01-01,1,1,1,1\n",
        "header_twice",
    ),
    text(
        "headers that differ in their Unicode form",
        "period,value,n,né,ne\u0301\n2026-01-01,1,1,1,1\n",
        "header_twice",
    ),
    text("a column missing", "period,value\n2026-01-01,1\n", "column_missing"),
    text("a column renamed", "period,values,n\n2026-01-01,1,1\n", "column_missing"),
    text("no header at all", f"{ROW}\n{ROW2}\n", "column_missing"),
    text("another language", "Zeitraum,Wert,n\n2026-01-01,1,1\n", "column_missing"),
    text("ten thousand columns", ",".join(f"c{i}" for i in range(10_000)) + "\n", "too_many_columns"),
    text("a cell of a megabyte", f"{HEAD},note\n{ROW},{'x' * (1 << 20)}\n", "cell_too_long"),
    text("a long header", "x" * 20_000 + "\n1\n", "cell_too_long"),
    raw("a workbook called csv", b"PK\x03\x04" + b"0" * 100, "disguised"),
    raw("a PDF called csv", b"%PDF-1.7 something", "disguised"),
    raw("Parquet called csv", b"PAR1xxxxPAR1", "disguised"),
    raw("gzip called csv", gzip.compress(SOUND.encode()), "disguised"),
    raw("an old workbook called csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "disguised"),
    text("a web page called csv", "<!DOCTYPE html><table><tr><td>1</td></tr></table>", "disguised"),
    text("a table of markup called csv", "<table><tr><td>1</td></tr></table>", "disguised"),
    raw("random bytes", bytes((i * 197 + 31) % 256 for i in range(3_000)), "nul"),
    text("JSON called csv", '{"period": "2026-01-01", "value": 1, "n": 1}', "column_missing"),
)
NUMBERS = (
    cell("with an exponent", "1.5e1", 2),
    cell("without a leading zero", ".5", 2),
    cell("with a plus", "+3", 2),
    cell("negative", "-3", 2),
    cell("tiny", "1e-400", 2),
    cell("huge", "1e400", {"not_finite": 1}),
    cell("huge and negative", "-1e400", {"not_finite": 1}),
    cell("enormous", "1e300", {"out_of_range": 1}),
    cell("empty", "", {"missing": 1}),
    cell("NA", "NA", {"missing": 1}),
    cell("N/A", "N/A", {"missing": 1}),
    cell("null", "null", {"missing": 1}),
    cell("a dash", "-", {"missing": 1}),
    cell("NaN", "NaN", {"not_finite": 1}),
    cell("inf", "inf", {"not_finite": 1}),
    cell("minus infinity", "-Infinity", {"not_finite": 1}),
    cell("a word", "many", {"not_a_number": 1}),
    cell("a percentage", "12%", {"percent": 1}),
    cell("money", "€12", {"not_a_number": 1}),
    cell("thousands in quotes", '"1,234.5"', {"thousands": 1}),
    cell("thousands with blanks", "1 234", {"thousands": 1}),
    cell("thousands with an apostrophe", "1'234", {"thousands": 1}),
    cell("a decimal comma", '"12,5"', {"decimal_mark": 1}),
    cell("both marks the other way", '"1.234,5"', {"decimal_mark": 1}),
    text(
        "a decimal point where the comma is declared",
        "period;value;n\n2026-01-01;12.5;10\n",
        {"decimal_mark": 1},
        dialect=COMMA,
    ),
    text(
        "thousands where the comma is declared",
        "period;value;n\n2026-01-01;1.234,5;10\n",
        {"thousands": 1},
        dialect=COMMA,
    ),
    cell("a formula", "=1+1", {"formula": 1}),
    cell("a formula with at", "@SUM(A1)", {"formula": 1}),
    cell("a formula with plus", "+A1", {"formula": 1}),
    cell("a formula with minus", "-A1", {"formula": 1}),
    cell("a formula with a full-width sign", "＝1+1", {"formula": 1}),
    cell("digits of another script", "١٢", {"not_a_number": 1}),
    cell("underscores", "1_000", {"not_a_number": 1}),
    cell("hexadecimal", "0x10", {"not_a_number": 1}),
    cell("an error of a spreadsheet", "#DIV/0!", {"error_cell": 1}),
    cell("a reference error", "#REF!", {"error_cell": 1}),
    cell("yes", "true", {"not_a_number": 1}),
    text("n with a fraction", f"{HEAD}\n2026-01-01,1,1.5\n", {"not_whole": 1}),
    text("n of zero", f"{HEAD}\n2026-01-01,1,0\n", {"out_of_range": 1}),
    text("n negative", f"{HEAD}\n2026-01-01,1,-1\n", {"out_of_range": 1}),
    text("n of twenty digits", f"{HEAD}\n2026-01-01,1,12345678901234567890\n", {"out_of_range": 1}),
    text("n with a zero decimal", f"{HEAD}\n2026-01-01,1,10.0\n", 1),
    text("n with leading zeros", f"{HEAD}\n2026-01-01,1,007\n", 1),
    text("a count", "period,value\n2026-01-01,12\n", 1, unit="count"),
    text("a count with a fraction", "period,value\n2026-01-01,12.5\n", {"not_whole": 1}, unit="count"),
    text("a count below zero", "period,value\n2026-01-01,-1\n", {"out_of_range": 1}, unit="count"),
    text("seconds below zero", f"{HEAD}\n2026-01-01,-1,1\n", {"out_of_range": 1}, unit="seconds"),
    text("a p value above one", f"{HEAD}\n2026-01-01,1.01,1\n", {"out_of_range": 1}, unit="p value"),
    text("a share", "period,numerator,denominator\n2026-01-01,1,4\n", 1, unit="share"),
    text("a share of all", "period,numerator,denominator\n2026-01-01,4,4\n", 1, unit="share"),
    text(
        "a share above one",
        "period,numerator,denominator\n2026-01-01,5,4\n",
        {"above_denominator": 1},
        unit="share",
    ),
    text(
        "a share of nothing",
        "period,numerator,denominator\n2026-01-01,0,0\n",
        {"zero_denominator": 1},
        unit="share",
    ),
    text("a share as a value", SOUND, "column_missing", unit="share"),
    text("a constant column", f"{HEAD}\n" + "".join(f"2026-{m:02d}-01,5,1\n" for m in range(1, 10)), 9),
)
PERIODS = (
    period("as month", "2026-01", 1),
    period("without leading zeros", "2026-1-1", 1),
    period("not the first of a month", "2026-01-15", {"off_grid": 1}),
    period("in the future", "2027-01-01", {"future": 1}),
    period("not yet over", "2026-11-01", {"future": 1}),
    period("just over", "2026-10-01", 1),
    period("empty", "", {"missing": 1}),
    period("a word", "January", {"not_a_date": 1}),
    period("a thirteenth month", "2026-13-01", {"no_such_date": 1}),
    period("a thirteenth month as month", "2026-13", {"no_such_date": 1}),
    period("29 February of a common year", "2026-02-29", {"no_such_date": 1}, grain="day"),
    period("29 February of a leap year", "2024-02-29", 1, grain="day"),
    period("before 1900", "1899-01-01", {"no_such_date": 1}),
    period("day first, not declared", "01/02/2026", {"date_order": 1}),
    period("day first, declared", "01/02/2026", 1, dialect=DMY),
    period("day first with dots", "01.02.2026", 1, dialect=DMY),
    period("month first, declared", "02/01/2026", 1, dialect=MDY),
    period("ISO where day first is declared", "2026-02-01", {"date_order": 1}, dialect=DMY),
    period(
        "a month above twelve where month first is declared", "25/06/2026", {"no_such_date": 1}, dialect=MDY
    ),
    period("two digits of year", "01/02/26", {"short_year": 1}, dialect=DMY),
    period("two digits of year in any order", "01/02/26", {"short_year": 1}),
    period("a spreadsheet's number", "45355", {"excel_serial": 1}),
    period("a time", "2026-01-01 00:00", {"not_a_date": 1}),
    period("a formula", "=TODAY()", {"formula": 1}),
    period("a Monday", "2026-01-05", 1, grain="week"),
    period("a Tuesday", "2026-01-06", {"off_grid": 1}, grain="week"),
    period("an ISO week", "2026-W02", 1, grain="week"),
    period("a fifty-third week of a long year", "2020-W53", 1, grain="week"),
    period("a fifty-fourth week", "2026-W54", {"no_such_date": 1}, grain="week"),
    period("a quarter", "2026-Q1", 1, grain="quarter"),
    period("a quarter's first day", "2026-04-01", 1, grain="quarter"),
    period("a month inside a quarter", "2026-02-01", {"off_grid": 1}, grain="quarter"),
    period("a fifth quarter", "2026-Q5", {"not_a_date": 1}, grain="quarter"),
    period("an hour", "2026-01-05 09:00", 1, grain="hour"),
    period("an hour with T and Z", "2026-01-05T09:00:00Z", 1, grain="hour"),
    period("an hour with an offset", "2026-01-05 09:00+02:00", 1, grain="hour"),
    period("half an hour", "2026-01-05 09:30", {"off_grid": 1}, grain="hour"),
    period("a day where an hour is due", "2026-01-05", {"not_a_time": 1}, grain="hour"),
    period("hour 24", "2026-01-05 24:00", {"not_a_time": 1}, grain="hour"),
    period("an hour that came twice", "2026-10-25 02:00", {"hour_twice": 1}, grain="hour", dialect=BERLIN),
    period(
        "an hour that came twice, with its offset", "2026-10-25 02:00+01:00", 1, grain="hour", dialect=BERLIN
    ),
    period("an hour that was skipped", "2026-03-29 02:00", {"hour_skipped": 1}, grain="hour", dialect=BERLIN),
    period("an hour in the year 1", "0001-01-01 00:00", {"no_such_date": 1}, grain="hour", dialect=BERLIN),
    text("the same month twice", f"{HEAD}\n{ROW}\n2026-01,1,1\n", {"duplicate": 1}),
    text(
        "the same hour in two zones",
        f"{HEAD}\n2026-01-05 09:00Z,1,1\n2026-01-05 10:00+01:00,1,1\n",
        {"duplicate": 1},
        grain="hour",
    ),
)
UNITS = (
    unit("with leading zeros", "007", 1),
    unit("NA", "NA", 1),
    unit("in another script", "東京", 1),
    unit("with a comma", '"north, east"', 1),
    unit("with a quote", '"the ""old"" one"', 1),
    unit("of a web link", "http://x.test/a", 1),
    unit("empty", "", {"missing": 1}),
    unit("of blanks", "   ", {"missing": 1}),
    unit("as a formula", "=HYPERLINK(1)", {"formula": 1}),
    unit("with at", "@a", {"formula": 1}),
    unit("with a minus", "-north", {"formula": 1}),
    unit("with a full-width sign", "＝1", {"formula": 1}),
    unit("with a turning character", "a\u202eb", {"invisible": 1}),
    unit("with a bell", "a\ab", {"invisible": 1}),
    unit("with a line end", '"a\nb"', {"invisible": 1}),
    unit("too long", "x" * 201, {"too_long": 1}),
    text(
        "units in two Unicode forms",
        "period,unit,value,n\n2026-01-01,é,1,1\n2026-01-01,e\u0301,1,1\n",
        {"duplicate": 1},
        grain="month-unit",
    ),
    text("two units", "period,unit,value,n\n2026-01-01,a,1,1\n2026-01-01,b,1,1\n", 2, grain="month-unit"),
)
ROWS = (
    text("a short row", f"{HEAD}\n{ROW}\n2026-02-01,1\n", {"ragged": 1}),
    text("a long row", f"{HEAD}\n{ROW},9\n{ROW2}\n", {"ragged": 1}),
    text("an unquoted decimal comma makes a long row", f"{HEAD}\n2026-01-01,12,5,10\n", {"ragged": 1}),
    text("several faults of several kinds", f"{HEAD}\n2026-01-01,x,0\n2026-02-01,,1\n2026-03-01,1,1\n",
         {"not_a_number": 1, "out_of_range": 1, "missing": 1}),
    text("a late change of type", f"{HEAD}\n" + "".join(
        f"{dt.date(1950, 1, 1) + dt.timedelta(days=i)},1,1\n" for i in range(12_000)) + "2026-01-01,late,1\n",
        {"not_a_number": 1}, grain="day"),
)  # fmt: skip


def packed(name: str, make: Callable[[], bytes], want, **more) -> Odd:
    return Odd(f"gzip: {name}", make, want, kind="gz", **more)


GZIP = (
    packed("sound", lambda: gzip.compress(SOUND.encode()), 2),
    packed(
        "two members",
        lambda: gzip.compress(f"{HEAD}\n{ROW}\n".encode()) + gzip.compress(f"{ROW2}\n".encode()),
        2,
    ),
    packed("not packed at all", SOUND.encode, "not_gzip"),
    packed("cut off", lambda: gzip.compress(SOUND.encode() * 1)[:-9], "not_gzip"),
    packed("a wrong checksum", lambda: gzip.compress(SOUND.encode())[:-8] + b"\0" * 8, "not_gzip"),
    packed("packed twice", lambda: gzip.compress(gzip.compress(SOUND.encode())), "disguised"),
    packed("an empty member", lambda: gzip.compress(b""), "empty"),
    packed(
        "a bomb",
        lambda: gzip.compress(
            f"{HEAD},note\n".encode() + (f"{ROW}," + " " * 9_000 + "\n").encode() * 3_000, 6
        ),
        "expands",
    ),
)


def table(name: str, columns: dict[str, object], want, **more) -> Odd:
    def make() -> bytes:
        out = io.BytesIO()
        pq.write_table(pa.table(columns), out)
        return out.getvalue()

    return Odd(f"parquet: {name}", make, want, kind="parquet", **more)


JAN, FEB = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
NOON = dt.datetime(2026, 1, 5, 9)


def book(
    *rows,
    title: str = "baseline",
    more: tuple[str, ...] = (),
    change: Callable[[openpyxl.Workbook], None] | None = None,
) -> bytes:
    made = openpyxl.Workbook()
    made.active.title = title
    for row in (("period", "value", "n"), *(rows or ((JAN, 12.5, 10),))):
        made.active.append(row)
    for name in more:
        made.create_sheet(name)
    if change is not None:
        change(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def repacked(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """A workbook whose parts were changed by hand."""
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        parts = {n: pack.read(n) for n in pack.namelist()}
    change(parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, part in parts.items():
            pack.writestr(name, part)
    return out.getvalue()


def sheet(old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        assert old in parts["xl/worksheets/sheet1.xml"]
        parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(old, new)

    return change


def part(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.__setitem__(name, content)


PARQUET = (
    table("dates and numbers", {"period": [JAN, FEB], "value": [1.5, 2.5], "n": [1, 2]}, 2),
    table("text", {"period": ["2026-01-01"], "value": ["1.5"], "n": ["1"]}, 1),
    table(
        "dictionaries", {"period": pa.array(["2026-01-01"]).dictionary_encode(), "value": [1.0], "n": [1]}, 1
    ),
    table("decimals", {"period": [JAN], "value": pa.array([1.5]).cast(pa.decimal128(10, 2)), "n": [1]}, 1),
    table(
        "midnight in the zone",
        {
            "period": pa.array([dt.datetime(2025, 12, 31, 23)], pa.timestamp("us", "UTC")),
            "value": [1.0],
            "n": [1],
        },
        1,
        dialect=BERLIN,
    ),
    table(
        "hours with a zone",
        {"period": pa.array([NOON], pa.timestamp("ns", "UTC")), "value": [1.0], "n": [1]},
        1,
        grain="hour",
    ),
    table(
        "hours without a zone",
        {"period": pa.array([NOON], pa.timestamp("us")), "value": [1.0], "n": [1]},
        1,
        grain="hour",
    ),
    table(
        "a time where a month is due",
        {"period": pa.array([NOON], pa.timestamp("us")), "value": [1.0], "n": [1]},
        {"off_grid": 1},
    ),
    table("a null", {"period": [JAN], "value": pa.array([None], pa.float64()), "n": [1]}, {"missing": 1}),
    table("a column of nulls", {"period": [JAN], "value": pa.nulls(1), "n": [1]}, {"missing": 1}),
    table("NaN", {"period": [JAN], "value": [float("nan")], "n": [1]}, {"not_finite": 1}),
    table("infinity", {"period": [JAN], "value": [float("inf")], "n": [1]}, {"not_finite": 1}),
    table("flags", {"period": [JAN], "value": [True], "n": [1]}, {"wrong_type": 1}),
    table("numbers as periods", {"period": [45_355], "value": [1.0], "n": [1]}, {"excel_serial": 1}),
    table(
        "fractions as units",
        {"period": [JAN], "unit": [1.5], "value": [1.0], "n": [1]},
        {"wrong_type": 1},
        grain="month-unit",
    ),
    table("lists", {"period": [JAN], "value": [[1.0]], "n": [1]}, "nested"),
    table("bytes", {"period": [JAN], "value": [b"1"], "n": [1]}, "nested"),
    table(
        "no rows",
        {
            "period": pa.array([], pa.date32()),
            "value": pa.array([], pa.float64()),
            "n": pa.array([], pa.int64()),
        },
        "no_rows",
    ),
    table("a column missing", {"period": [JAN], "value": [1.0]}, "column_missing"),
    Odd("parquet: text called parquet", SOUND.encode, "not_parquet", kind="parquet"),
    Odd(
        "parquet: cut off",
        lambda: table("", {"period": [JAN], "value": [1.0], "n": [1]}, 1).make()[:-30],
        "not_parquet",
        kind="parquet",
    ),
    Odd("parquet: a workbook", book, "disguised", kind="parquet"),
    Odd("parquet: encrypted", lambda: b"PARE" + b"\0" * 40 + b"PARE", "encrypted", kind="parquet"),
    Odd("parquet: only its mark", lambda: b"PAR1", "not_parquet", kind="parquet"),
)
