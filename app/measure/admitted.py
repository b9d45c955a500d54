"""What a broken data contract does to a Reading: late data make it stale, missing or wrong data withhold it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from data.schema import METADATA
from metrics.core.metric import Reading


@dataclass(frozen=True)
class Failure:
    """A contract that its table does not keep today. `late`: the data are only too old, the numbers themselves stand."""

    contract: str
    table: str
    reason: str
    late: bool


Objections = Callable[[tuple[str, ...]], tuple[Failure, ...]]


def no_objection(_: tuple[str, ...]) -> tuple[Failure, ...]:
    """Where no ledger is kept there is no contract to break."""
    return ()


def once(ask: Objections) -> Objections:
    """The same answers from one question about every table: what one page run sees does not change half way."""
    kept: list[tuple[Failure, ...]] = []

    def answer(tables: tuple[str, ...]) -> tuple[Failure, ...]:
        if not kept:
            kept.append(ask(tuple(METADATA.tables)))
        return tuple(f for f in kept[0] if f.table in tables)

    return answer


def admitted(reading: Reading, failures: tuple[Failure, ...]) -> Reading:
    """The Reading with what speaks against it. Withheld: no value, and the reason names the contract."""
    if not failures:
        return reading
    reasons = tuple(f.reason for f in failures)
    if all(f.late for f in failures):
        return replace(reading, warnings=(*reading.warnings, *reasons), inadmissible=reasons)
    told = reasons if reading.value is not None else (*reasons, reading.reason)
    return replace(
        reading, value=None, low=None, high=None, numerator=None, denominator=None, reason="; ".join(told),
        inadmissible=reasons,
    )  # fmt: skip
