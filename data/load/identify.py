"""Which person is behind an identifier, by what the lake holds and what a file says.

The company's own person id comes first. Otherwise an identifier that is linked to exactly one person is that
person; an unlinked one becomes a person of its own, and is merged into the right one when a link turns up later,
in whatever order the files come. An address that several persons share never joins them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from data import schema
from data.lake import Lake, duck
from data.load.canonical import Id, Outbox, Ref, Row, Who, worded

_ADDRESSES = ("email", "phone")
_SELF = "own identifier"  # link_method of an identifier that stands for a person nobody has named yet
Value = str | None


def held(
    lake: Lake, table: str, wanted: Sequence[str], keys: dict[str, list[Value]]
) -> list[tuple[Value, ...]]:
    """The `wanted` columns (as text) of the lake's rows whose key columns match one of the given keys."""
    files = lake.manifest.files("facts", table)
    if not files or not next(iter(keys.values()), []):
        return []
    columns = ", ".join(f'CAST(t."{c}" AS VARCHAR)' for c in wanted)
    same = " AND ".join(f'CAST(t."{c}" AS VARCHAR) IS NOT DISTINCT FROM k."{c}"' for c in keys)
    view = lake.view_sql(schema.METADATA.tables[table], files)
    with contextlib.closing(duck(lake.home, memory="300MB")) as con:
        con.register("keys", pa.table({c: pa.array(v, pa.string()) for c, v in keys.items()}))
        query = f"SELECT {columns} FROM ({view}) t JOIN (SELECT DISTINCT * FROM keys) k ON {same}"  # noqa: S608
        return con.execute(query).fetchall()


@dataclass
class Persons:
    """What is known of the identifiers of one file."""

    owners: dict[Id, set[str]] = field(default_factory=dict)
    alone: set[Id] = field(default_factory=set)
    linked: set[tuple[Id, str]] = field(default_factory=set)
    used: dict[Id, tuple[dt.datetime | None, int]] = field(default_factory=dict)
    shared: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, lake: Lake, out: Outbox) -> Persons:
        """The identifiers of the file, with the links of the lake and its own."""
        ids = {c.id for c in out.claims} | set(out.literal)
        ids |= {i for row in out.rows.values() for _, who in row.who for i in who.ids()}
        found = cls(used=dict(out.literal))
        listed = sorted(ids)
        keys: dict[str, list[Value]] = {
            "id_type": [i.kind for i in listed],
            "id_value": [i.value for i in listed],
        }
        for kind, value, person, method in held(
            lake, "identity_links", ("id_type", "id_value", "person_id", "link_method"), keys
        ):
            found._take(Id(kind or "", value or ""), person or "", method)
        for claim in out.claims:
            found.owners.setdefault(claim.id, set()).add(claim.own)
        return found

    def _take(self, id_: Id, person: str, method: Value) -> None:
        if method == _SELF:
            self.alone.add(id_)
        else:
            self.owners.setdefault(id_, set()).add(person)
            self.linked.add((id_, person))

    def person(self, who: Who, place: int, at: dt.datetime | None = None) -> str | None:
        """The person of a record; None where it says nothing of one."""
        if who.own:
            return who.own
        for id_ in who.ids():
            owners = self.owners.get(id_)
            if owners:
                if len(owners) > 1:
                    self.shared["person of an identifier that several share"] += 1
                return min(owners)
        first = next(iter(who.ids()), None)
        if first is None:
            return None
        seen, before = self.used.get(first, (None, place))
        self.used[first] = (min(seen, at) if seen and at else seen or at, min(before, place))
        return lone(first)


def lone(id_: Id) -> str:
    """The person an unlinked identifier stands for."""
    return f"{id_.kind}:{id_.value}" if id_.kind in _ADDRESSES else id_.value


def settled(lake: Lake, out: Outbox) -> list[Row]:
    """The rows of a file with their persons and activations, and the links and merges that follow from it."""
    persons, activations = Persons.of(lake, out), _activations(lake, out)
    rows = [
        _with_activation(row, activations, out)
        for row in out.rows.values()
        if not (row.table == "activations" and row.ref and _named(row, activations))
    ]
    times, first = _times(rows)
    done: list[Row] = []
    for row in rows:
        message = row.table == "activations"
        at = first.get(row.key()[0]) if message else times.get(row.place)
        filled = _with_persons(row, persons, at)
        if filled is None:
            out.not_kept[f"{row.table} without a person"] += 1
        else:
            done.append(_with_purpose(filled, out) if message else filled)
    done += [*_links(out, persons), *_merges(out, persons), *_zones(lake, out, persons)]
    out.inferred.update(persons.shared)
    return done


def _named(row: Row, activations: dict[Ref, str]) -> bool:
    """Whether the message of a row with a derived activation id has one of the company's own."""
    return row.ref is not None and activations.get(row.ref, row.key()[0]) != row.key()[0]


def _with_purpose(row: Row, out: Outbox) -> Row:
    """A provider that does not say what a message is for is read as marketing: exemptions have to be claimed."""
    if row.value("purpose"):
        return row
    out.inferred["purpose, taken as marketing"] += 1
    return dataclasses.replace(row, values=tuple({**dict(row.values), "purpose": "marketing"}.items()))


def _times(rows: Sequence[Row]) -> tuple[dict[int, dt.datetime], dict[Value, dt.datetime]]:
    """When each record happened, and when each activation was first heard of."""
    times: dict[int, dt.datetime] = {}
    first: dict[Value, dt.datetime] = {}
    for row in rows:
        event = schema.METADATA.tables[row.table].info["event"]
        said = row.value(event) if event else None
        if said:
            at = dt.datetime.fromisoformat(said)
            times[row.place] = min(times.get(row.place, at), at)
            if row.table == "message_events":
                activation = row.value("activation_id")
                first[activation] = min(first.get(activation, at), at)
    return times, first


def _with_persons(row: Row, persons: Persons, at: dt.datetime | None) -> Row | None:
    """The row with its person, known since its record; None where the table needs a person and there is none."""
    values = dict(row.values)
    table = schema.METADATA.tables[row.table]
    if table.info["event"] is None and not values.get("received_at"):
        values["received_at"] = worded(at)
    for column, who in row.who:
        person = persons.person(who, row.place, at)
        if person is None and not table.c[column].info["optional"]:
            return None
        values[column] = person
    return Row(row.table, tuple(values.items()), row.place, quality=row.quality)


def _activations(lake: Lake, out: Outbox) -> dict[Ref, str]:
    """The activation of every message that is only referred to: from the file, otherwise from the lake."""
    refs = {row.ref for row in out.rows.values() if row.ref}
    known = {ref: min(found) for ref, found in out.refs.items() if ref in refs}  # never a derived id
    open_ = sorted({message for message, _ in refs - set(known)})
    wanted = ("activation_id", "provider_message_id", "record_id", "address", "provider")
    for activation, message, record, address, provider in held(
        lake, "activations", wanted, {"provider_message_id": list(open_)}
    ):
        if provider == out.source:
            for recipient in (record, address):
                ref = (message or "", recipient or "")
                if ref in refs and activation:
                    known[ref] = min(
                        known.get(ref, activation), activation, key=lambda a: (a == "|".join(ref), a)
                    )
    return known


def _with_activation(row: Row, activations: dict[Ref, str], out: Outbox) -> Row:
    if row.ref is None:
        return row
    if row.table != "message_events":
        return row
    activation = activations.get(row.ref)
    if activation is None and ("activations", (row.value("activation_id"),)) in out.rows:
        return row
    if activation is None:
        out.inferred["activation of an event whose send was not seen"] += 1
        return row
    if len(out.refs.get(row.ref, ())) > 1:
        out.inferred["activation of an event that may belong to several"] += 1
    values = {**dict(row.values), "activation_id": activation}
    return Row(row.table, tuple(values.items()), row.place, quality=row.quality)


def _links(out: Outbox, persons: Persons) -> Iterator[Row]:
    """Links that the lake does not hold yet, each from when it was first seen."""
    first: dict[tuple[Id, str], tuple[dt.datetime, int, str]] = {}
    for c in out.claims:
        key = (c.id, c.own)
        if key not in persons.linked and (key not in first or (c.at, c.place) < first[key][:2]):
            first[key] = (c.at, c.place, c.record)
    for (id_, own), (at, place, record) in first.items():
        yield _link(out.source, id_, own, record, "deterministic", at, place)
    for id_, (seen, place) in persons.used.items():
        if id_ not in persons.alone:
            yield _link(out.source, id_, lone(id_), id_.value, _SELF, seen, place)


def _link(
    source: str, id_: Id, person: str, record: str, method: str, at: dt.datetime | None, place: int
) -> Row:
    return _row(
        "identity_links", place, link_id=f"{source}:{id_.kind}:{id_.value}:{person}", person_id=person,
        record_id=record, id_type=id_.kind, id_value=id_.value, link_method=method, source=source, valid_from=at,
        received_at=at,
    )  # fmt: skip


def _merges(out: Outbox, persons: Persons) -> Iterator[Row]:
    """An identifier that stood for a person of its own and now has exactly one owner."""
    latest: dict[Id, tuple[dt.datetime, int]] = {}
    for c in sorted(out.claims, key=lambda c: (c.at, c.place), reverse=True):
        latest[c.id] = (c.at, c.place)
    for id_ in sorted(set(latest) | set(out.literal)):
        owners = persons.owners.get(id_, set())
        if len(owners) != 1:
            continue
        own = min(owners)
        known = (id_, own) in persons.linked
        stood_before, stands_now = id_ in persons.alone, id_ in out.literal
        if own != lone(id_) and (
            (stood_before and not known) or (stands_now and not (stood_before and known))
        ):
            times = [t for t in (latest.get(id_), out.literal.get(id_)) if t]
            at, place = max(times)
            yield _row(
                "person_merges", place, merge_id=f"{out.source}:link:{id_.kind}:{id_.value}:{own}",
                from_person_id=lone(id_), to_person_id=own, merged_at=at, method=f"linked {id_.kind}",
            )  # fmt: skip


def _zones(lake: Lake, out: Outbox, persons: Persons) -> Iterable[Row]:
    """The time zone of persons of whom the lake holds nothing yet (a row would replace all it holds)."""
    zones = {persons.person(who, 0): zone for who, zone in out.zones.items()}
    listed = sorted(p for p in zones if p)
    known = {p for (p,) in held(lake, "people", ("person_id",), {"person_id": list(listed)})}
    first = min((c.at for c in out.claims), default=None)
    return [
        _row("people", 0, person_id=p, timezone=zones[p], received_at=first) for p in listed if p not in known
    ]


def _row(table: str, place: int, **values: object) -> Row:
    return Row(table, tuple((k, worded(v)) for k, v in values.items()), place)
