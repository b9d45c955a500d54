"""How a reader writes numbers and which clock they live by: marks and grouping by locale, and a time zone.

The words stay English; only marks and clock follow the reader. Whoever draws for a reader says once, through `ask`, how to
find the reader's manner; without one (files, the command line, board packs) numbers are written 1,234.5 and times in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

NARROW = "\u202f"  # a space that no line breaks at; a value is told from its unit by the wider one


@dataclass(frozen=True)
class Manner:
    """`decimal` and `group` are marks, `sizes` the digits of the last group and of those before it; `zone` an IANA name."""

    decimal: str = "."
    group: str = ","
    sizes: tuple[int, int] = (3, 3)
    zone: str = "UTC"

    @property
    def clock(self) -> dt.tzinfo:
        return dt.UTC if self.zone == "UTC" else ZoneInfo(self.zone)

    def marked(self, plain: str) -> str:
        """A number written 1,234.5, with this manner's marks."""
        if (self.decimal, self.group, self.sizes) == (".", ",", (3, 3)):
            return plain
        whole, dot, rest = plain.partition(".")
        if "," in whole:
            digits = "".join(c for c in whole if c.isdigit())
            sign = whole[: len(whole) - len(whole.lstrip("+-\u2212"))]
            whole = sign + self.group.join(_groups(digits, self.sizes))
        return f"{whole}{self.decimal if dot else ''}{rest}"


PLAIN = Manner()


def _groups(digits: str, sizes: tuple[int, int]) -> list[str]:
    """The digits in groups, from the right: 1234567 as 1 234 567, or 12 34 567."""
    found, size = [], sizes[0]
    while len(digits) > size:
        found.append(digits[-size:])
        digits, size = digits[:-size], sizes[1]
    return [digits, *reversed(found)]


@cache
def manner_of(locale: str | None, zone: str | None) -> Manner:
    """The manner of a browser's locale ("de-CH") and time zone ("Europe/Zurich"); the plain one where it names none."""
    from babel.core import Locale, UnknownLocaleError

    known = _zone(zone)
    try:
        found = Locale.parse((locale or "en-US").replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return Manner(zone=known)
    symbols = found.number_symbols.get("latn") or found.number_symbols[found.default_numbering_system]
    last, before = found.decimal_formats[None].grouping
    group = str(symbols["group"]).replace("\u00a0", NARROW)
    return Manner(str(symbols["decimal"]), group, (last, before), known)


def _zone(name: str | None) -> str:
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ValueError, OSError, KeyError):  # what a browser sends is looked up, never trusted
        return "UTC"


_ASKED: list[Callable[[], Manner | None]] = []
_HERE: ContextVar[Manner | None] = ContextVar("manner", default=None)


def ask(how: Callable[[], Manner | None]) -> None:
    """From now on `how` tells the manner of whoever is drawn for; None where it is nobody."""
    _ASKED[:] = [how]


@contextmanager
def plainly() -> Iterator[None]:
    """For documents that everybody reads and whose bytes are frozen: the plain manner, whoever asks for them."""
    before = _HERE.set(PLAIN)
    try:
        yield
    finally:
        _HERE.reset(before)


def manner() -> Manner:
    """The manner of whoever is drawn for: asked once in each run."""
    held = _HERE.get()
    if held is not None:
        return held
    found = _ASKED[0]() if _ASKED else None
    if found is not None:
        _HERE.set(found)
    return found or PLAIN
