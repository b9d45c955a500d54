"""Known numbers of every special case, each on its own person (`lattice_counts` holds the numbers)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, SECOND
from data.demo.lattice_base import BASE, Lattice, watermark
from data.demo.lattice_counts import Plants, figures

_HOUR = 3600
WINDOW = 3600
SCORED = BASE + 9 * _HOUR * SECOND  # signals; one a second
ASKED = BASE + 12 * _HOUR * SECOND  # suppressions; one a second
END = BASE + 45 * DAY  # all suppressions are mature
EARLY = BASE + DAY + 12 * _HOUR * SECOND  # before the late rows are known


@dataclass(frozen=True)
class _Signal:
    signal_id: str
    person_id: str | None
    decision: str
    arm: str
    scored_at: int
    is_test: bool


@dataclass(frozen=True)
class _Message:
    activation_id: str
    person_id: str
    channel: str
    purpose: str
    signal_id: str | None
    event_type: str
    event_at: int
    loaded_at: int
    is_test: bool = False


@dataclass(frozen=True)
class _Stop:
    suppression_event_id: str
    person_id: str
    trigger_type: str
    action: str
    effective_at: int
    received_at: int


@dataclass(frozen=True)
class _Merge:
    from_person_id: str
    to_person_id: str
    merged_at: int


@dataclass(frozen=True)
class _Consent:
    consent_id: str
    person_id: str
    channel: str
    proof_ref: str | None


@dataclass
class _Script:
    """Rows written one by one."""

    signals: list[_Signal] = field(default_factory=list)
    messages: list[_Message] = field(default_factory=list)
    repeats: list[_Message] = field(default_factory=list)
    stops: list[_Stop] = field(default_factory=list)
    merges: list[_Merge] = field(default_factory=list)
    consents: list[_Consent] = field(default_factory=list)
    bought: list[tuple[str, int]] = field(default_factory=list)

    def signal(self, case: str, i: int, *, decision: str = "activate", arm: str = "treatment", at: int | None = None,
               linked: bool = True, test: bool = False) -> _Signal:  # fmt: skip
        moment = SCORED + len(self.signals) * SECOND if at is None else at
        row = _Signal(f"s-{case}-{i}", f"p-{case}-{i}" if linked else None, decision, arm, moment, test)
        self.signals.append(row)
        return row

    def message(self, person: str, at: int, *, channel: str = "email", purpose: str = "marketing", event: str = "sent",
                signal: _Signal | None = None, loaded: int | None = None, suffix: str = "",
                proof: str | None = "form") -> _Message:  # fmt: skip
        """A message with one event, and a consent for it unless `proof` is empty (None: unproven)."""
        row = _Message(
            f"a{person[1:]}{suffix}", person, channel, purpose, signal.signal_id if signal else None, event, at,
            at if loaded is None else loaded, signal.is_test if signal else False,
        )  # fmt: skip
        self.messages.append(row)
        if purpose == "marketing" and proof != "":
            self.consents.append(_Consent(f"c{person[1:]}{suffix}", person, channel, proof))
        return row

    def stop(self, person: str, at: int, *, release: str | None = None, received: int | None = None) -> None:
        kind = "opt_out" if release is None else release
        self.stops.append(
            _Stop(
                f"x-{len(self.stops):05d}",
                person,
                kind,
                "release" if release else "suppress",
                at,
                received or at,
            )
        )

    def asked(self) -> int:
        """The moment of the next stop."""
        return ASKED + len(self.stops) * SECOND


def plants(counts: Plants = Plants()) -> Lattice:  # noqa: B008 (frozen)
    """The planted cases as canonical tables, with every figure as a formula of the counts."""
    script = _Script()
    _plant_signals(script, counts)
    _plant_excluded(script, counts)
    _plant_stops(script, counts)
    _plant_returns(script, counts)
    _plant_records(script, counts)
    return Lattice(_tables(script), figures(counts))


def _plant_signals(script: _Script, k: Plants) -> None:
    for i in range(k.in_window):
        s = script.signal("in", i)
        person, at = s.person_id or "", s.scored_at + (60 + i % 3000) * SECOND
        first = script.message(person, at, signal=s)
        if i < k.duplicate_events:
            script.repeats.append(first)
        if i < k.duplicate_sends:
            script.message(person, at + 300 * SECOND, signal=s, suffix="-again")
    for i in range(k.loaded_late):
        s = script.signal("reload", i)
        at = s.scored_at + 90 * SECOND
        script.message(s.person_id or "", at, signal=s, loaded=at + 2 * DAY)
    for case, n, shift in (
        ("late", k.late, WINDOW + 60),
        ("clamp", k.clamped, -3),
        ("early", k.invalid, -30),
    ):
        for i in range(n):
            s = script.signal(case, i)
            script.message(s.person_id or "", s.scored_at + shift * SECOND, signal=s)
    for i in range(k.converted):
        s = script.signal("won", i)
        script.bought.append((s.person_id or "", s.scored_at + 30 * SECOND))
        script.message(s.person_id or "", s.scored_at + 120 * SECOND, signal=s)
    for i in range(k.suppressed):
        s = script.signal("stopped", i)
        script.stop(s.person_id or "", s.scored_at + 30 * SECOND)


def _plant_excluded(script: _Script, k: Plants) -> None:
    for i in range(k.missed):
        script.signal("miss", i)
    for i in range(k.open):
        script.signal("open", i, at=END - 60 * SECOND - i)
    for i in range(k.holdout):
        script.signal("hold", i, decision="hold_out", arm="holdout")
    for i in range(k.no_action):
        script.signal("idle", i, decision="no_action")
    for i in range(k.unlinked):
        script.signal("nobody", i, linked=False)
    for i in range(k.test):
        s = script.signal("test", i, test=True)
        script.message(s.person_id or "", s.scored_at + 5 * SECOND, signal=s)


def _plant_stops(script: _Script, k: Plants) -> None:
    """One stop a person and one message after it: (case, count, seconds after, channel, purpose, event)."""
    for case, n, after, channel, purpose, event in (
        ("breach", k.breach, _HOUR, "sms", "marketing", "sent"),
        ("flight", k.in_flight, 30, "email", "marketing", "sent"),
        ("instant", k.same_instant, 0, "email", "marketing", "sent"),
        ("block", k.blocked, _HOUR, "email", "marketing", "blocked"),
        ("order", k.transactional, _HOUR, "email", "transactional", "sent"),
        ("held", k.withheld, _HOUR, "email", "transactional", "skipped"),
    ):
        for i in range(n):
            person, at = f"p-{case}-{i}", script.asked()
            script.stop(person, at)
            script.message(person, at + after * SECOND, channel=channel, purpose=purpose, event=event)


def _plant_returns(script: _Script, k: Plants) -> None:
    for case, n, trigger in (("back", k.re_opt_in, "re_opt_in"), ("import", k.resurrected, "manual")):
        for i in range(n):
            person, at = f"p-{case}-{i}", script.asked()
            script.stop(person, at)
            script.stop(person, at + _HOUR * SECOND, release=trigger)
            script.message(person, at + 2 * _HOUR * SECOND)
    for i in range(k.slow_intake):
        person, at = f"p-slow-{i}", script.asked()
        script.stop(person, at, received=at + 3 * _HOUR * SECOND)
        script.message(person, at + _HOUR * SECOND)


def _plant_records(script: _Script, k: Plants) -> None:
    for case, n, joined in (("before", k.merged_before, -_HOUR), ("after", k.merged_after, 5 * _HOUR)):
        for i in range(n):
            person, other, at = f"p-{case}-{i}", f"q-{case}-{i}", script.asked()
            script.stop(person, at)
            script.message(other, at + _HOUR * SECOND)
            script.merges.append(_Merge(other, person, at + joined * SECOND))
    for case, n, proof in (("gap", k.no_consent, ""), ("proof", k.unproven, None)):
        for i in range(n):
            script.message(f"p-{case}-{i}", ASKED + i * SECOND, proof=proof)


_Rows = list[_Signal] | list[_Message] | list[_Stop] | list[_Merge] | list[_Consent]


def _times(values: list[int]) -> pa.Array:
    return files.times(np.array(values, np.int64))


def _column(rows: _Rows, name: str) -> pa.Array:
    """One field of the rows; times are microseconds there."""
    values = [getattr(row, name) for row in rows]
    return (
        _times(values)
        if name.endswith("_at")
        else pa.array(values, pa.bool_() if name == "is_test" else pa.string())
    )


def _tables(script: _Script) -> dict[str, pa.Table]:
    told = [m for m in script.messages if m.signal_id is not None]
    return {
        "signals": _signals(script.signals),
        "activations": _activations(script.messages),
        "activation_signals": pa.table({c: _column(told, c) for c in ("signal_id", "activation_id")}),
        "message_events": _events(script.messages + script.repeats),
        "suppression_events": _stops(script.stops),
        "person_merges": _own(script.merges, _Merge),
        "consents": _consents(script.consents),
        "outcomes": _outcomes(script.bought),
        "data_watermarks": watermark(END),
    }


def _own(rows: _Rows, kind: type[_Signal] | type[_Stop] | type[_Merge] | type[_Consent]) -> pa.Table:
    """The rows' own fields as columns."""
    return pa.table({f.name: _column(rows, f.name) for f in fields(kind)})


def _with(table: pa.Table, **words: str) -> pa.Table:
    """The table with columns of one word each."""
    for name, word in words.items():
        table = table.append_column(name, files.constant(word, table.num_rows))
    return table


def _signals(rows: list[_Signal]) -> pa.Table:
    n = len(rows)
    table = _own(rows, _Signal).append_column("window_seconds", pa.array([float(WINDOW)] * n, pa.float64()))
    table = table.append_column("expected_value", pa.array([50.0] * n, pa.float64()))
    return _with(table, model_id="plants", signal_name="tick", currency="USD")


def _activations(rows: list[_Message]) -> pa.Table:
    names = ("activation_id", "person_id", "channel", "purpose", "is_test")
    table = pa.table({c: _column(rows, c) for c in names} | {"record_id": _column(rows, "person_id")})
    return _with(table, campaign_id="plants", provider="lattice")


def _events(rows: list[_Message]) -> pa.Table:
    names = ("activation_id", "event_type", "event_at", "loaded_at")
    ids = files.joined(_column(rows, "activation_id"), ":", _column(rows, "event_type"))
    return _with(pa.table({c: _column(rows, c) for c in names} | {"event_id": ids}), source="lattice")


def _stops(rows: list[_Stop]) -> pa.Table:
    table = _own(rows, _Stop).append_column("record_id", _column(rows, "person_id"))
    return _with(table, origin_channel="email", scope_channels="*", scope_purpose="marketing")


def _consents(rows: list[_Consent]) -> pa.Table:
    table = _own(rows, _Consent).append_column("captured_at", _times([BASE] * len(rows)))
    return _with(table, purpose="marketing", status="subscribed")


def _outcomes(bought: list[tuple[str, int]]) -> pa.Table:
    n = len(bought)
    return pa.table(
        {
            "outcome_id": files.numbered("o-", n), "person_id": pa.array([p for p, _ in bought], pa.string()),
            "outcome_type": files.constant("purchase", n), "occurred_at": _times([at for _, at in bought]),
            "revenue": pa.array([80.0] * n),
        }
    )  # fmt: skip
