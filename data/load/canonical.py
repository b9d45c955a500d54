"""Canonical rows as providers' mappers write them, before the person behind each is known.

A mapper hands records to an `Outbox`: rows, what it learned of identities, what it could not map. The same event
met twice counts once: the better clock wins, then the earlier one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from data.schema import METADATA, PURPOSES

# How far a message got; a late `sent` says nothing new about one that was delivered.
STATUS_RANK = {
    name: rank
    for rank, names in enumerate(
        (
            ("queued",),
            ("deferred",),
            ("sent",),
            ("skipped", "blocked", "rejected", "failed", "bounced_soft", "bounced_hard"),
            ("delivered",),
            ("opened", "read"),
            ("clicked", "replied"),
            ("unsubscribed", "complained"),
        )
    )
    for name in names
}


class Quality(enum.IntEnum):
    """Whose clock a time is from, best first."""

    PROVIDER = 0
    SKEW_CORRECTED = 1
    RECEIVED = 2
    INFERRED = 3


@dataclass(frozen=True, order=True)
class Id:
    """An identifier of a person: email, phone, user_id, anonymous_id, braze_id, ..."""

    kind: str
    value: str


@dataclass(frozen=True)
class Who:
    """What a record says of its person: the company's own id, the provider's id, an address. Any may be missing."""

    own: str | None = None
    record: Id | None = None
    address: Id | None = None

    def ids(self) -> tuple[Id, ...]:
        return tuple(i for i in (self.record, self.address) if i)


Ref = tuple[str, str]  # (provider_message_id, recipient): a message whose activation id is not said


@dataclass(frozen=True)
class Row:
    """A row of a warehouse table; person columns are filled in later from `who` (column -> identity)."""

    table: str
    values: tuple[tuple[str, str | None], ...]
    place: int
    who: tuple[tuple[str, Who], ...] = ()
    quality: Quality = Quality.PROVIDER
    ref: Ref | None = None

    def value(self, name: str) -> str | None:
        return dict(self.values).get(name)

    def key(self) -> tuple[str | None, ...]:
        found = dict(self.values)
        return tuple(found.get(k) for k in METADATA.tables[self.table].info["key"])


@dataclass(frozen=True)
class Claim:
    """`id` was seen with the company's own person id `own` at a time."""

    id: Id
    own: str
    record: str
    at: dt.datetime
    place: int


@dataclass
class Outbox:
    """Everything a file says, in canonical form. Counts are by the provider's names."""

    source: str
    rows: dict[tuple[str, tuple[str | None, ...]], Row] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    mapped: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    not_kept: Counter[str] = field(default_factory=Counter)
    inferred: Counter[str] = field(default_factory=Counter)
    refs: dict[Ref, set[str]] = field(default_factory=dict)
    zones: dict[Who, str] = field(default_factory=dict)
    literal: dict[Id, tuple[dt.datetime, int]] = field(default_factory=dict)  # ids that rows use as persons
    records: int = 0
    repeated: int = 0

    def add(
        self,
        table: str,
        place: int,
        *,
        who: Iterable[tuple[str, Who]] = (),
        quality: Quality = Quality.PROVIDER,
        ref: Ref | None = None,
        **values: object,
    ) -> None:
        """Keep a row, or the better of two with the same key."""
        row = Row(table, tuple((k, worded(v)) for k, v in values.items()), place, tuple(who), quality, ref)
        key = (table, row.key())
        held = self.rows.get(key)
        if held is not None and table == "activations":
            row = _filled(held, row)
        elif held is not None:
            self.repeated += table == "message_events"
            row = min((held, row), key=_preference)
        self.rows[key] = row

    def event(  # noqa: PLR0913 (the columns of the table)
        self,
        place: int,
        event_id: str,
        activation: str | Ref,
        type_: str,
        at: dt.datetime,
        *,
        received: dt.datetime | None = None,
        reason: str | None = None,
        code: str | None = None,
        machine: bool = False,
        quality: Quality = Quality.PROVIDER,
    ) -> None:
        """A row of message_events. Where it has no reason of its own, a clock that is not the provider's is said."""
        named = None if quality is Quality.PROVIDER else quality.name.lower()
        ref = None if isinstance(activation, str) else activation
        self.add(
            "message_events", place, quality=quality, ref=ref, source=self.source, event_id=event_id,
            activation_id="|".join(ref) if ref else activation, event_type=type_, event_at=at, received_at=received,
            reason=reason or named, provider_code=code, is_machine=machine,
        )  # fmt: skip

    def suppress(  # noqa: PLR0913 (the columns of the table)
        self,
        place: int,
        event_id: str,
        who: Who,
        trigger: str,
        at: dt.datetime,
        channel: str,
        *,
        channels: str = "*",
        programme: str | None = None,
        received: dt.datetime | None = None,
        purpose: str = "marketing",
        by_person: bool = True,
    ) -> None:
        """A suppression, or its release where the trigger is an opt-in (`manual` where it was not the person's)."""
        record = who.record or who.address
        action = "release" if trigger == "re_opt_in" else "suppress"
        trigger = "manual" if action == "release" and not by_person else trigger
        self.add(
            "suppression_events", place, who=[("person_id", who)],
            suppression_event_id=f"{self.source}:{event_id}", record_id=record.value if record else None,
            trigger_type=trigger, action=action,
            origin_channel=channel, scope_channels=channels, scope_purpose=purpose, scope_program=programme,
            effective_at=at, received_at=received,
        )  # fmt: skip

    def activation(  # noqa: PLR0913 (the columns of the table)
        self,
        place: int,
        activation: str,
        who: Who,
        channel: str,
        message: str,
        recipient: str | None,
        *,
        purpose: str | None = None,
        campaign: str | None = None,
        created: dt.datetime | None = None,
        cost: float | None = None,
        currency: str | None = None,
    ) -> None:
        """A message to one recipient; what it is for may be left open here."""
        ref = (message, recipient) if recipient else None
        derived = ref is not None and activation == "|".join(ref)
        if ref and not derived:
            self.refs.setdefault(ref, set()).add(activation)
        self.add(
            "activations", place, who=[("person_id", who)], ref=ref if derived else None, activation_id=activation,
            record_id=who.record.value if who.record else None, channel=channel,
            purpose=purpose if purpose in PURPOSES else None, campaign_id=campaign, provider=self.source,
            provider_message_id=message, address=who.address.value if who.address else None,
            created_at=created, cost_amount=cost, cost_currency=currency,
        )  # fmt: skip

    def claim(self, who: Who, at: dt.datetime, place: int) -> None:
        """Note that a record and an address belong to the company's own person id, where it is said."""
        if who.own:
            record = who.record.value if who.record else who.own
            self.claims += [Claim(i, who.own, record, at, place) for i in who.ids()]


def _preference(row: Row) -> tuple[int, str, str]:
    return row.quality, row.value("event_at") or "", row.value("received_at") or ""


def _filled(held: Row, row: Row) -> Row:
    """Two rows about the same message: the first one's values, with what only the other knows."""
    more = dict(row.values)
    values = tuple((k, v if v is not None else more.get(k)) for k, v in held.values)
    known = {k for k, _ in values}
    who = tuple((k, _joined(w, dict(row.who).get(k, Who()))) for k, w in held.who)
    return dataclasses.replace(
        held, values=values + tuple(p for p in row.values if p[0] not in known), who=who
    )


def _joined(a: Who, b: Who) -> Who:
    return Who(a.own or b.own, a.record or b.record, a.address or b.address)


def worded(value: object) -> str | None:
    """A value as the contract reads it; times in a fixed width, so that their texts sort."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return repr(value) if isinstance(value, float) else str(value)


def content_id(*parts: object) -> str:
    """A stand-in for a missing event id: the same content gives the same id."""
    text = "\x1f".join(worded(p) or "" for p in parts)
    return "hash:" + hashlib.sha256(text.encode()).hexdigest()[:32]


def email(value: str | None) -> Id | None:
    return Id("email", value.strip().lower()) if value and value.strip() else None


def phone(value: str | None) -> Id | None:
    """A number in E.164 where it is written with its country; short codes and the rest keep their digits only."""
    digits = "".join(c for c in value or "" if c.isdigit())
    plus = "+" if "+" in (value or "") else ""
    return Id("phone", plus + digits) if digits else None
