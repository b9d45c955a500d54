"""From what a form, a file or a program hands over to a typed value of a field, or a fault that says what to do."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import unicodedata

from data.fields import Field, Kind
from data.ledger_types import Value

LONGEST = {Kind.TEXT: 300, Kind.LONG: 100_000}
# The range in which whole numbers are the same in SQLite, PostgreSQL, JSON and a spreadsheet.
BIGGEST = 2**53
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


class FieldError(ValueError):
    """A value that a field does not take; names the field, the value and what to do."""

    def __init__(self, field: str, value: object, advice: str) -> None:
        shown = str(value) if len(str(value)) <= 80 else str(value)[:77] + "..."
        super().__init__(f"{field}: {shown!r}. {advice}" if value not in (None, "") else f"{field}: {advice}")
        self.field, self.value, self.advice = field, shown, advice


def parse(field: Field, value: Value) -> Value:
    """The typed value; None for an empty one. Raises FieldError."""
    if isinstance(value, str):
        value = _clean(field, value)
    if value is None or value == ():
        if field.required:
            raise FieldError(field.name, None, f"Fill in {field.title.lower()}; it is required.")
        return None
    match field.kind:
        case Kind.INT | Kind.NUMBER:
            return _number(field, value)
        case Kind.FLAG:
            return _flag(field, value)
        case Kind.DAY:
            return _day(field, value)
        case Kind.TIME:
            return _time(field, value)
        case Kind.WORDS | Kind.CHOICES:
            return _words(field, value)
        case _:
            return _text(field, value)


def _clean(field: Field, value: str) -> str | None:
    """Text in one Unicode form without outer blanks; characters that no person types are refused."""
    value = unicodedata.normalize("NFC", value).strip()
    if any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in value):
        raise FieldError(field.name, ascii(value), "Remove the NUL character or the broken character.")
    return value or None


def _text(field: Field, value: Value) -> str:
    if not isinstance(value, str):
        raise FieldError(field.name, value, "Write text.")
    if field.choices and value not in field.choices:
        raise FieldError(field.name, value, "Write one of: " + ", ".join(field.choices) + ".")
    if field.kind is Kind.SHA256 and not _SHA256.match(value):
        raise FieldError(field.name, value, "Write a SHA-256: 64 digits 0-9 and a-f.")
    if field.kind is not Kind.LONG and ("\n" in value or "\r" in value):
        raise FieldError(field.name, ascii(value), "Write it in one line.")
    longest = LONGEST.get(field.kind, LONGEST[Kind.TEXT])
    if len(value) > longest:
        raise FieldError(field.name, value, f"Shorten it to {longest} characters; it has {len(value)}.")
    return value


def _number(field: Field, value: Value) -> int | float:
    whole = field.kind is Kind.INT
    advice = "Write a whole number, such as 5." if whole else "Write a finite number, such as 1234.5."
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FieldError(field.name, value, advice)
    try:
        found = int(value) if whole and isinstance(value, str) else float(value)
    except (ValueError, OverflowError) as error:
        raise FieldError(field.name, value, advice) from error
    if not math.isfinite(found) or abs(found) > (BIGGEST if whole else math.inf):
        raise FieldError(field.name, value, advice)
    if whole and found != int(found):
        raise FieldError(field.name, value, advice)
    low = -math.inf if field.low is None else field.low
    high = math.inf if field.high is None else field.high
    if not low <= found <= high:
        raise FieldError(field.name, value, f"Write a number from {low:g} to {high:g}.")
    return int(found) if whole else float(found) + 0.0  # + 0.0: there is one zero


def _flag(field: Field, value: Value) -> bool:
    word = str(value).lower()
    if word not in _YES + _NO:
        raise FieldError(field.name, value, "Write yes or no.")
    return word in _YES


def _day(field: Field, value: Value) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise FieldError(field.name, value, "Write a day as YYYY-MM-DD.") from error


def _time(field: Field, value: Value) -> dt.datetime:
    advice = "Write a time with its offset, such as 2026-01-31T14:05:00Z."
    try:
        time = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
        return time.astimezone(dt.UTC) if time.tzinfo else _refuse(field, value, advice)
    except (ValueError, OverflowError) as error:
        raise FieldError(field.name, value, advice) from error


def _refuse(field: Field, value: Value, advice: str) -> dt.datetime:
    raise FieldError(field.name, value, advice)


def _words(field: Field, value: Value) -> tuple[str, ...] | None:
    """A list, as a tuple, as a JSON array or as text parted by semicolons; no word twice, order kept."""
    if isinstance(value, str):
        value = _split(field, value)
    if not isinstance(value, tuple) or not all(isinstance(w, str) for w in value):
        raise FieldError(field.name, value, "Write words parted by semicolons.")
    cleaned = (_clean(field, w) for w in value)
    found = tuple(dict.fromkeys(w for w in cleaned if w))
    for word in found:
        if field.choices and word not in field.choices:
            raise FieldError(field.name, word, "Write any of: " + ", ".join(field.choices) + ".")
        if len(word) > LONGEST[Kind.TEXT]:
            raise FieldError(field.name, word, f"Shorten it to {LONGEST[Kind.TEXT]} characters.")
    if field.required and not found:
        raise FieldError(field.name, None, f"Fill in {field.title.lower()}; it is required.")
    return found or None


def _split(field: Field, value: str) -> tuple[str, ...]:
    if not value.startswith("["):
        return tuple(value.split(";"))
    try:
        return tuple(str(w) for w in json.loads(value))
    except ValueError as error:
        raise FieldError(field.name, value, "Write words parted by semicolons.") from error


def shown(value: Value) -> str:
    """A value as text that `parse` reads back to the same value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        plain = not any(";" in w or w.startswith("[") for w in value)
        return "; ".join(value) if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return repr(value) if isinstance(value, float) else str(value)
