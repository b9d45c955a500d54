"""From text to typed arrays, one function a kind. Nothing is guessed: a value either is of its kind or is named.

Every function takes a string array without empty strings (missing is null) and returns `Typed`: the typed array
(null where missing or faulty) and the faulty positions by rule. The fast path casts the whole column at once;
only a column that holds a faulty value pays for finding it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Positions = NDArray[np.int64]
UTC_TIME = pa.timestamp("us", tz="UTC")
ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "float": pa.float64(),
    "int": pa.int64(),
    "bit": pa.int16(),
    "bool": pa.bool_(),
    "time": UTC_TIME,
    "date": pa.date32(),
}

# Each pattern lets through at least what the cast takes; the cast has the last word.
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_WHOLE = r"^-?[0-9]+$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_CLOCK = r"\d{4}-\d{2}-\d{2}[T ]\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?"
_TIME = rf"^{_CLOCK}(Z|[+-]\d{{2}}(:?\d{{2}})?)$"
_NAIVE = rf"^(\d{{4}}-\d{{2}}-\d{{2}}|{_CLOCK})$"
_NOT_FINITE = r"(?i)^[+-]?(nan(\(.*\))?|inf|infinity)$"


@dataclass(frozen=True)
class Typed:
    """A typed column and the positions of its faulty values, by rule."""

    values: pa.Array
    faults: tuple[tuple[str, Positions], ...] = ()


def typed(kind: str, text: pa.Array) -> Typed:
    """`text` as values of `kind` (see `ARROW`)."""
    return _KINDS[kind](text)


def positions(mask: pa.Array) -> Positions:
    """Where a boolean array is true (null counts as false)."""
    return np.flatnonzero(pc.fill_null(mask, fill_value=False).to_numpy(zero_copy_only=False))


def without(values: pa.Array, faulty: Positions) -> pa.Array:
    """The array with null at the faulty positions."""
    if not faulty.size:
        return values
    mask = np.zeros(len(values), dtype=bool)
    mask[faulty] = True
    return pc.if_else(pa.array(mask), pa.scalar(None, values.type), values)


def _text(text: pa.Array) -> Typed:
    """Kept exactly; only NUL is refused, since PostgreSQL cannot hold it."""
    data = text.buffers()[2]
    if data is None or np.frombuffer(data, dtype=np.uint8).all():
        return Typed(text)
    faulty = positions(pc.match_substring(text, "\0"))
    return Typed(without(text, faulty), (("nul_character", faulty),) if faulty.size else ())


def _float(text: pa.Array) -> Typed:
    fast = _whole_column(text, pa.float64())
    if fast is not None and pc.all(pc.is_finite(fast), min_count=0).as_py():
        return Typed(pc.add(fast, 0.0))  # minus zero is zero
    trimmed = pc.utf8_trim_whitespace(text)
    numbers, faulty = _cast_where(trimmed, pc.match_substring_regex(trimmed, _NUMBER), pa.float64())
    endless = positions(pc.match_substring_regex(trimmed, _NOT_FINITE))
    overflown = positions(pc.invert(pc.is_finite(numbers)))
    not_number = np.setdiff1d(faulty, endless)
    not_finite = np.union1d(endless, overflown)
    return _result(pc.add(without(numbers, not_finite), 0.0), not_number=not_number, not_finite=not_finite)


def _int(text: pa.Array) -> Typed:
    trimmed = pc.utf8_trim_whitespace(text)
    values, faulty = _cast_where(trimmed, pc.match_substring_regex(trimmed, _WHOLE), pa.int64())
    return _result(values, not_whole_number=faulty)


def _zero_one(text: pa.Array, type_: pa.DataType) -> Typed:
    one = pc.equal(text, "1")
    if pc.all(pc.or_(one, pc.equal(text, "0")), min_count=0).as_py():
        return Typed(pc.cast(one, type_))
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    index = pc.index_in(lower, value_set=pa.array(["0", "false", "1", "true"]))
    faulty = positions(pc.and_(pc.is_null(index), pc.is_valid(text)))
    return _result(pc.cast(pc.greater_equal(index, 2), type_), not_zero_or_one=faulty)


def _bit(text: pa.Array) -> Typed:
    return _zero_one(text, pa.int16())


def _bool(text: pa.Array) -> Typed:
    return _zero_one(text, pa.bool_())


def _date(text: pa.Array) -> Typed:
    fast = _whole_column(text, pa.date32())
    if fast is not None:
        return Typed(fast)
    trimmed = pc.utf8_trim_whitespace(text)
    values, faulty = _cast_where(trimmed, pc.match_substring_regex(trimmed, _DATE), pa.date32())
    return _result(values, not_date=faulty)


def _time(text: pa.Array) -> Typed:
    """ISO 8601 with an offset or Z; digits beyond microseconds are cut off."""
    fast = _whole_column(text, UTC_TIME)
    if fast is not None:
        return Typed(fast)
    trimmed = pc.utf8_trim_whitespace(text)
    shaped = pc.match_substring_regex(trimmed, _TIME)
    cut = pc.replace_substring_regex(trimmed, r"(\.\d{6})\d+", r"\1")
    values, faulty = _cast_where(cut, shaped, UTC_TIME)
    naive = positions(pc.match_substring_regex(trimmed, _NAIVE))
    return _result(values, naive_time=naive, not_time=np.setdiff1d(faulty, naive))


_KINDS: dict[str, Callable[[pa.Array], Typed]] = {
    "text": _text,
    "float": _float,
    "int": _int,
    "bit": _bit,
    "bool": _bool,
    "date": _date,
    "time": _time,
}


def _result(values: pa.Array, **faults: Positions) -> Typed:
    return Typed(values, tuple((rule, found) for rule, found in faults.items() if found.size))


def _whole_column(text: pa.Array, type_: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(text, type_)
    except pa.ArrowInvalid:
        return None


def _cast_where(text: pa.Array, shaped: pa.Array, type_: pa.DataType) -> tuple[pa.Array, Positions]:
    """Cast the values of the right shape; the others, and those the cast refuses, are faulty."""
    faulty = positions(pc.invert(shaped))
    candidates = without(text, faulty)
    values = _whole_column(candidates, type_)
    if values is None:
        refused = _refused_values(pc.drop_null(pc.unique(candidates)), type_)
        also = positions(pc.is_in(candidates, value_set=refused))
        faulty = np.union1d(faulty, also)
        values = pc.cast(without(candidates, also), type_)
    return values, faulty


def _refused_values(distinct: pa.Array, type_: pa.DataType) -> pa.Array:
    """Those of the distinct values that the cast refuses, found by halving (30 February has a good shape)."""
    todo, refused = [distinct], []
    while todo:
        part = todo.pop()
        if _whole_column(part, type_) is not None:
            continue
        if len(part) == 1:
            refused.append(part[0].as_py())
        else:
            half = len(part) // 2
            todo += [part.slice(0, half), part.slice(half)]
    return pa.array(refused, pa.string())
