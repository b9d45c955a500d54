"""Odd workbooks, made on the spot: what people do in spreadsheets, and what attackers do to ZIP archives."""

from __future__ import annotations

import datetime as dt
import io
import stat
import struct
import zipfile
from collections.abc import Callable

from tests.ledger.odd_files import JAN, SOUND, Odd, book, part, repacked, sheet


def xlsx(name: str, make: Callable[[], bytes], want, **more) -> Odd:
    return Odd(f"xlsx: {name}", make, want, kind="xlsx", **more)


def rows(name: str, *lines, want, **more) -> Odd:
    return xlsx(name, lambda: book(*lines), want, **more)


def hacked(name: str, change: Callable[[dict[str, bytes]], None], want) -> Odd:
    return xlsx(name, lambda: repacked(book(), change), want)


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in entries:
            pack.writestr(name, content)
    return out.getvalue()


def link() -> bytes:
    info = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped(("[Content_Types].xml", b"<a/>"), (info, b"/etc/passwd"))


def broken_crc() -> bytes:
    content = bytearray(book())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as pack:
        info = pack.getinfo("xl/worksheets/sheet1.xml")
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet1.xml"))
    content[at + 16 : at + 20] = struct.pack("<I", info.CRC ^ 1)
    return bytes(content)


def lying_directory() -> bytes:
    """The directory says that the sheet is small; unpacked it is not."""
    content = bytearray(book())
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet1.xml"))
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(content)


def overlapping() -> bytes:
    """Two entries of the directory share one body: the trick of the best-packed bombs."""
    content = bytearray(book())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    return bytes(content)


def encrypted_part() -> bytes:
    content = bytearray(book())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def bomb(size: int) -> bytes:
    filler = b"<sheetData>" + b" " * size
    return repacked(book(), sheet(b"<sheetData>", filler))


def strings(count: int) -> bytes:
    body = b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>" + b"".join(
        b"<si><t>%d</t></si>" % i for i in range(count)
    )
    return repacked(book(), part("xl/sharedStrings.xml", body + b"</sst>"))


def merged(made) -> None:
    made.active.merge_cells("A3:B3")


def formula(made, text: str = "=1+1") -> None:
    made.active["B2"] = text


def elsewhere(made) -> None:
    formula(made, "=[1]Sheet1!A1")


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><si><t>&b;</t></si></sst>"
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x/>'
VALUED = b'<c r="B2"><f>1+1</f><v>2</v></c>'
BOOKS = (
    rows("dates and numbers", (JAN, 12.5, 10), (dt.date(2026, 2, 1), 13.5, 10), want=2),
    rows("cells of text", ("2026-01-01", "12.5", "10"), want=1),
    rows("text with decimal commas, declared", ("2026-01-01", "12,5", "10"), want=1,
         dialect={"delimiter": ";", "decimal": "comma"}),
    rows("numbers where decimal commas are declared", (JAN, 12.5, 10), want=1, dialect={"delimiter": ";", "decimal": "comma"}),
    rows("blank rows", (JAN, 12.5, 10), (None, None, None), (dt.date(2026, 2, 1), 1, 1), want=2),
    rows("text dates in another order", ("01/02/2026", 1, 1), want={"date_order": 1}),
    rows("a day's number", (45_355, 1, 1), want={"excel_serial": 1}),
    rows("a time of day", (dt.datetime(2026, 1, 1, 9), 1, 1), want={"off_grid": 1}),
    rows("hours", (dt.datetime(2026, 1, 5, 9), 1, 1), want=1, grain="hour"),
    rows("yes and no", (JAN, True, 1), want={"wrong_type": 1}),
    rows("an empty cell", (JAN, None, 1), want={"missing": 1}),
    rows("an empty cell at the end", (JAN, 1, None), want={"missing": 1}),
    rows("a longer row", (JAN, 1, 1, "note"), want={"ragged": 1}),
    rows("an error", (JAN, "#DIV/0!", 1), want={"error_cell": 1}),
    rows("a duplicate", (JAN, 1, 1), ("2026-01", 1, 1), want={"duplicate": 1}),
    rows("a fraction as n", (JAN, 1, 1.5), want={"not_whole": 1}),
    xlsx("another sheet beside the one called baseline", lambda: book(more=("dictionary",)), 1),
    xlsx("one sheet of any name", lambda: book(title="Tabelle1"), 1),
    xlsx("two sheets, neither declared", lambda: book(title="a", more=("b",)), "sheet"),
    xlsx("two sheets, one declared", lambda: book(title="a", more=("b",)), 1, dialect={"sheet": "a"}),
    xlsx("an empty sheet, declared", lambda: book(title="a", more=("b",)), "empty", dialect={"sheet": "b"}),
    xlsx("a sheet that is not there", book, "sheet", dialect={"sheet": "c"}),
    xlsx("merged cells", lambda: book(change=merged), "merged"),
    xlsx("a formula without a value", lambda: book(change=formula), "no_value"),
    xlsx("a link to another workbook without a value", lambda: book(change=elsewhere), "no_value"),
    hacked("a formula with its value", sheet(b'<c r="B2" t="n"><v>12.5</v></c>', VALUED), 1),
    hacked("macros", part("xl/vbaProject.bin", b"macro"), "macros"),
    hacked("macros in the content types", part("[Content_Types].xml", b"<Types>macroEnabled.main+xml</Types>"), "macros"),
    hacked("old macro sheets", part("xl/macrosheets/sheet1.xml", b"<x/>"), "macros"),
    hacked("links to other workbooks", part("xl/externalLinks/externalLink1.xml", b"<x/>"), "external_links"),
    hacked("an embedded document", part("xl/embeddings/oleObject1.bin", b"x"), "embedded"),
    hacked("a control", part("xl/activeX/activeX1.xml", b"<x/>"), "embedded"),
    hacked("a billion laughs", part("xl/sharedStrings.xml", LAUGHS), "entities"),
    hacked("a declared external entity", part("xl/styles.xml", OUTSIDE), "entities"),
    hacked("a part outside", part("../evil.xml", b"<x/>"), "not_a_workbook"),
    hacked("a part with an absolute path", part("/etc/cron.d/x", b"x"), "not_a_workbook"),
    hacked("a part with a drive", part("c:\\x.xml", b"x"), "not_a_workbook"),
    hacked("parts that differ in case", part("XL/workbook.xml", b"<x/>"), "not_a_workbook"),
    hacked("broken XML", part("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>"), "not_a_workbook"),
    hacked("a workbook without a workbook", lambda parts: parts.pop("xl/workbook.xml"), "not_a_workbook"),
    hacked("no content types", lambda parts: parts.pop("[Content_Types].xml"), "not_a_workbook"),
    hacked("too many parts", lambda parts: parts.update({f"xl/p{i}.xml": b"<x/>" for i in range(1_001)}), "expands"),
    hacked("a dimension of the whole sheet", sheet(b'<dimension ref="A1:C2"', b'<dimension ref="A1:XFD1048576"'), 1),
    hacked("a cell in the last row", sheet(b"</sheetData>", b'<row r="200000"><c r="A200000"><v>1</v></c></row></sheetData>'),
           {"excel_serial": 0, "not_a_date": 1, "missing": 2}),
    hacked("a cell in the last column", sheet(b'<c r="C2"', b'<c r="XFD2"'), "too_many_columns"),
    xlsx("a zip in a zip", lambda: zipped(("book.xlsx", book())), "not_a_workbook"),
    xlsx("a symbolic link as a part", link, "not_a_workbook"),
    xlsx("a wrong checksum", broken_crc, "not_a_workbook"),
    xlsx("a directory that lies about sizes", lying_directory, "not_a_workbook"),
    xlsx("parts that overlap", overlapping, "expands"),
    xlsx("an encrypted part", encrypted_part, "encrypted"),
    xlsx("a bomb", lambda: bomb(40 << 20), "expands"),
    xlsx("two hundred thousand shared strings", lambda: strings(200_000), 1),
    xlsx("an empty archive", zipped, "not_a_workbook"),
    xlsx("cut in half", lambda: book()[:3_000], "not_a_workbook"),
    xlsx("bytes after the end", lambda: book() + b"x" * 70_000, "not_a_workbook"),
    xlsx("text", SOUND.encode, "disguised"),
    xlsx("a web page", lambda: b"<html><table><tr><td>1</td></tr></table></html>", "disguised"),
    xlsx("a PDF", lambda: b"%PDF-1.7", "disguised"),
    xlsx("with a password", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    xlsx("an old workbook", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old_excel"),
    xlsx("no byte", lambda: b"", "empty"),
)  # fmt: skip
