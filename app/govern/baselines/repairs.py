"""What can be wrong with a file, each with the one thing to do about it. Faults are shown grouped by this."""

from __future__ import annotations

from dataclasses import dataclass

# Cells and rows: everything else in the file is still checked.
CELLS: dict[str, str] = {
    "missing": "Fill in the cell; a row without it is left out of the file.",
    "not_a_number": "Write a plain number.",
    "decimal_mark": "Write the declared decimal mark, or declare the other one.",
    "thousands": "Write the number without thousands marks.",
    "percent": "Write the share as a number, such as 0.12 for 12 %.",
    "not_finite": "Write a finite number; where there is none, leave the row out.",
    "error_cell": "Mend the formula that gives this error, and save the values.",
    "not_whole": "Write a whole number.",
    "out_of_range": "Write a number within the column's range.",
    "above_denominator": "Write a numerator that is at most the denominator.",
    "zero_denominator": "Leave out rows in which there was nothing to count.",
    "not_a_date": "Write a date in the declared order.",
    "date_order": "Write dates in the declared order, or declare the other one.",
    "short_year": "Write the year with four digits.",
    "excel_serial": "Format the column as dates; this is a spreadsheet's day number.",
    "no_such_date": "Write a date that the calendar has.",
    "not_a_time": "Write the hour as 2026-01-05 09:00.",
    "hour_twice": "Write the offset too: this hour came twice when the clocks went back.",
    "hour_skipped": "Correct the hour: the clocks skipped it.",
    "off_grid": "Write the period's first day (weeks begin on Monday, hours at minute 0).",
    "future": "Leave out periods that have not ended yet; a baseline has happened.",
    "formula": "Write text or a number; a cell that begins like a formula is not taken.",
    "invisible": "Remove characters that cannot be seen.",
    "too_long": "Shorten the text to 200 characters.",
    "duplicate": "Keep one row for each period and unit.",
    "ragged": "Write as many cells as the header has.",
    "wrong_type": "Store the column as text, numbers or dates.",
}
# The whole file: nothing of it is looked at further.
FILES: dict[str, str] = {
    "empty": "The file is empty; start from the template.",
    "no_rows": "There is nothing below the header; add one row a period.",
    "too_large": "The file is larger than is taken here; use the command line, or split it.",
    "not_text": "Save the file as CSV in the declared encoding (UTF-8 unless declared).",
    "nul": "The file holds NUL characters; export it again as CSV.",
    "disguised": "The file is not what its name says; give it the right ending or export it again.",
    "unknown_kind": "Bring in .csv, .csv.gz, .xlsx or .parquet.",
    "separator_line": "Remove the line sep= at the top and declare the delimiter instead.",
    "delimiter": "Declare the delimiter that the file uses.",
    "quote": "Mend the quoting: a quote is never closed, or text follows a closed one.",
    "cell_too_long": "Shorten the cell; no cell has more than 10,000 characters.",
    "too_many_columns": "Keep the template's columns; a file has at most 200.",
    "header_twice": "Keep one column of this name.",
    "column_missing": "Name the columns as in the template.",
    "not_gzip": "The file is not sound gzip; pack it again.",
    "expands": "The file unpacks to far more than a baseline needs; export it again.",
    "not_a_workbook": "The file is no sound .xlsx workbook; save it again from a spreadsheet.",
    "old_excel": "Save the workbook as .xlsx; the old .xls is not read.",
    "encrypted": "Remove the password and save again.",
    "macros": "Save the workbook without macros, as .xlsx.",
    "external_links": "Replace links to other workbooks by their values.",
    "embedded": "Remove embedded objects and controls.",
    "entities": "The workbook declares XML entities; save it again from a spreadsheet.",
    "no_value": "Save the workbook in a spreadsheet so that its formulas have values, or paste values.",
    "merged": "Unmerge the cells; every cell stands for itself.",
    "sheet": "Name the sheet that holds the baseline.",
    "not_parquet": "The file is no sound Parquet file; write it again.",
    "nested": "Write flat columns; lists and structures are not taken.",
    "no_room": "The disk of this home has no room for the file's rows; make room and bring it in again.",
    "too_costly": "Reading the file took more memory or time than is allowed; export it again, or split it.",
}


@dataclass(frozen=True)
class Example:
    """One faulty cell: `line` counts as the file does, 1 being its first line or row."""

    line: int
    column: str
    value: str


@dataclass(frozen=True)
class Repair:
    """Everything that one action mends: how many cells, and the first few of them."""

    code: str
    action: str
    count: int
    examples: tuple[Example, ...]
