"""The column contract: one value means one thing, whatever else its column holds."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import schema
from data.contracts import LINE, Contract, LoadError, check, contract_for, with_header
from data.load.kinds import ARROW, Typed, typed

NOW = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
VALUES = {
    "float": [
        "0.5", "+0.5", ".5", "5.", "1e5", "-0", "1e-999", "nan", "-inf", "1e999", "0x10", "1_0", "1,5", "٣", "",
        "NaN(1)", " 1", "--1",
    ],
    "int": ["5", "-5", "+5", "0x10", "5.0", "007", "9223372036854775807", "9223372036854775808", "-9223372036854775808", " 5"],
    "bit": ["0", "1", "true", "FALSE", "2", "yes", " 1 ", "01", "0.0"],
    "bool": ["0", "1", "True", "false", "t", "no", "-1"],
    "date": ["2026-01-31", "2026-02-30", "2026-1-1", "20260101", "31/01/2026", " 2026-01-31", "2026-01-31T00:00:00Z"],
    "time": [
        "2026-01-31T10:00:00Z", "2026-01-31 10:00:00+01", "2026-01-31T10:00+0100", "2026-01-31T10:00:00.123456789Z",
        "2026-01-31T10:00:00", "2026-01-31", "2026-02-30T10:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T10:00:60Z",
        "2026-01-31T10:00:00+99:00", "2026-01-31t10:00:00z", "now", "45355", "2026-01-31T10:00:00 Z",
        "2026-01-31T10:00:00,5Z", "0001-01-01T00:00:00Z", " 2026-01-31T10:00:00Z ",
    ],
}  # fmt: skip


def told(result: Typed, row: int) -> tuple[object, ...]:
    """What became of one value: its rules, and the value itself (as bytes of a float, to the last bit)."""
    rules = tuple(rule for rule, rows in result.faults if row in rows.tolist())
    value = result.values[row]
    if pa.types.is_timestamp(value.type):
        return (*rules, value.value)
    return (*rules, value.as_py())


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_means_the_same_alone_and_in_company(kind: str) -> None:
    values = [v or None for v in VALUES[kind]]
    together = typed(kind, pa.array(values, pa.string()))
    for row, value in enumerate(values):
        assert told(together, row) == told(typed(kind, pa.array([value], pa.string())), 0), value


@given(st.data())
def test_company_never_changes_a_value(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(VALUES)))
    odd = st.text(st.sampled_from(list("0123456789+-.eE:TZ naif")), max_size=9)
    values = [
        v or None for v in data.draw(st.lists(st.sampled_from(VALUES[kind]) | odd, min_size=1, max_size=6))
    ]
    together = typed(kind, pa.array(values, pa.string()))
    for row, value in enumerate(values):
        assert told(together, row) == told(typed(kind, pa.array([value], pa.string())), 0)


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        ("float", "nan", "not_finite"), ("float", "1e999", "not_finite"), ("float", "1,5", "not_number"),
        ("int", "0x10", "not_whole_number"), ("int", "5.0", "not_whole_number"), ("bit", "2", "not_zero_or_one"),
        ("bool", "yes", "not_zero_or_one"), ("date", "2026-02-30", "not_date"), ("time", "2026-02-30T00:00:00Z", "not_time"),
        ("time", "2026-01-31T10:00:00", "naive_time"), ("time", "2026-01-31 10:00:00.5", "naive_time"),
        ("text", "a\0b", "nul_character"),
    ],
)  # fmt: skip
def test_a_faulty_value_breaks_exactly_one_rule_and_becomes_null(kind: str, value: str, rule: str) -> None:
    result = typed(kind, pa.array(["", value][1:] * 2, pa.string()))
    assert [(r, rows.tolist()) for r, rows in result.faults] == [(rule, [0, 1])]
    assert result.values.null_count == 2
    assert result.values.type == ARROW[kind]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_number_written_with_all_its_digits_comes_back_the_same(numbers: list[float]) -> None:
    found = typed("float", pa.array([repr(n) for n in numbers])).values.to_pylist()
    assert found == numbers
    assert all(math.copysign(1, f) == 1 for f in found if f == 0)


def test_digits_beyond_microseconds_are_cut_off_not_rounded() -> None:
    found = typed("time", pa.array(["2026-01-31T10:00:00.1234569Z"])).values.to_pylist()
    assert found == [dt.datetime(2026, 1, 31, 10, 0, 0, 123456, dt.UTC)]


def test_every_table_has_a_contract_and_the_key_and_the_event_are_columns() -> None:
    for name in schema.METADATA.tables:
        contract = contract_for(name)
        assert set(contract.key) <= set(contract.schema().names)
        assert contract.event is None or contract.column(contract.event) is not None
        assert not contract.event or contract.column(contract.event).optional is False


def test_an_unknown_table_is_named_with_what_there_is() -> None:
    with pytest.raises(LoadError, match=r"There is no table 'nothing'.*Tables: activation_hops"):
        contract_for("nothing")


def test_headers_are_read_without_regard_to_case_order_or_spaces() -> None:
    contract, names, faults = with_header(
        contract_for("labels"), [" Labelled_At", "LABEL", "prediction_id ", "feat_X1", "loaded_at"]
    )
    assert faults == []
    assert names == ("labelled_at", "label", "prediction_id", "feat_x1", "loaded_at")
    assert contract.columns[-1].name == "feat_x1"


def test_a_near_miss_in_a_header_is_pointed_out() -> None:
    _, _, faults = with_header(contract_for("labels"), ["prediction_id", "lable", "labelled_at"])
    assert [(f.rule, f.column, f.value) for f in faults] == [
        ("unknown_column", "lable", "did you mean label?"), ("missing_column", "label", ""),
    ]  # fmt: skip


def test_a_row_with_several_faults_is_rejected_once_and_every_fault_is_told() -> None:
    contract: Contract = contract_for("labels")
    text = {
        "prediction_id": pa.array(["a", None, "c"]),
        "label": pa.array(["1", "7", "0"]),
        "labelled_at": pa.array(["2026-01-01T00:00:00Z", "never", "2027-01-01T00:00:00Z"]),
    }
    checked = check(contract, text, np.array([2, 3, 4]), NOW)
    told_ = sorted((f.rule, f.column, f.rows.tolist(), f.values) for f in checked.faults)
    assert checked.rejected == 2
    assert checked.rows[LINE].to_pylist() == [2]
    assert told_ == [
        ("future_time", "labelled_at", [2], ("2027-01-01T00:00:00Z",)), ("missing", "prediction_id", [1], (None,)),
        ("not_time", "labelled_at", [1], ("never",)), ("not_zero_or_one", "label", [1], ("7",)),
    ]  # fmt: skip
