"""Who is who: persons, their records in source systems, and what the company knows of it when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.demo import files
from data.demo.draws import DAY, SECOND, Bools, Ints, World, load_time
from data.demo.frames import FAR, planted
from data.demo.routes import CHANNELS, COUNTRIES, COUNTRY_SHARES, REACH, SMS, ZONES
from data.demo.specs import REGIONS

_EXTRA = 0.15  # chance of one more record
_KINDS = (0.55, 0.33, 0.10, 0.02)  # linked at once, merged later, never linked, linked to the wrong person
AT_ONCE, LATER, NEVER, WRONG = range(4)
_LABELLED = 0.2


@dataclass(frozen=True)
class Directory:
    """Records (R,), the person nodes they are filed under (M,), and merges (K,) of nodes.

    The first `persons` records and nodes are the main ones. `joined` says when a node was merged into the main
    one of its person (0: always, FAR: never). `root` names the component of today's merges.
    """

    persons: int
    person: Ints
    node: Ints
    kind: Ints
    owner: Ints
    joined: Ints
    root: Ints
    merge_from: Ints
    merge_to: Ints
    merged_at: Ints
    reverted_at: Ints
    reach: Bools
    country: Ints

    @property
    def nodes(self) -> int:
        return int(self.owner.size)

    def linked(self, a: Ints, b: Ints, at: Ints) -> Bools:
        """Had the company joined these nodes of one person at a time? Shapes (n,)."""
        known = np.maximum(self.joined[a], self.joined[b]) <= at
        together: Bools = (a == b) | (known & (self.owner[a] == self.owner[b]))
        return together

    def person_ids(self, node: Ints) -> pa.Array:
        return files.members("p-", self.nodes, node)

    def record_ids(self, record: Ints) -> pa.Array:
        return files.members("rec-", self.person.size, record)

    def some_record(self, draw: np.random.Generator, person: Ints) -> Ints:
        """The record a system would use: the main one, or with a chance of 0.4 another where there is one."""
        extra = np.arange(self.persons, self.person.size)
        other = np.full(self.persons, -1)
        other[self.person[extra]] = extra
        use = (other[person] >= 0) & (draw.random(person.size) < 0.4)
        return np.where(use, other[person], person)


def make_directory(world: World) -> Directory:
    """Draw records, linkage errors, merges (some in chains), reach and country."""
    draw = world.stream("directory")
    people = world.persons
    count = np.minimum(draw.geometric(1 - _EXTRA, people) - 1, 2)
    if count.sum() < 4:
        count[: min(4, people)] = np.maximum(count[: min(4, people)], 1)
    extra = np.repeat(np.arange(people), count)
    kind = draw.choice(4, extra.size, p=_KINDS)
    kind[: min(4, extra.size)] = (LATER, NEVER, AT_ONCE, LATER)[: min(4, extra.size)]
    kind[kind == WRONG] = WRONG if people > 1 else AT_ONCE
    own = (kind == LATER) | (kind == NEVER)
    node = extra.copy()
    node[own] = people + np.arange(int(own.sum()))
    wrong = kind == WRONG
    node[wrong] = (extra[wrong] + draw.integers(1, max(people, 2), int(wrong.sum()))) % people
    owner = np.concatenate([np.arange(people), extra[own]])
    later = own & (kind == LATER)
    merge_from, merge_to, merged_at = _merges(world, draw, extra, node, later)
    joined = np.zeros(owner.size, np.int64)
    joined[people:] = FAR
    joined[merge_from] = merged_at
    chained = merge_to >= people
    joined[merge_from[chained]] = np.maximum(merged_at[chained], joined[merge_to[chained]])
    root = np.where(joined < FAR, owner, np.arange(owner.size))
    false_from, false_to, false_at, undone = _mistakes(world, draw, people)
    reach = draw.random((people, len(CHANNELS))) < np.array(REACH)
    return Directory(
        people, np.concatenate([np.arange(people), extra]), np.concatenate([np.arange(people), node]),
        np.concatenate([np.zeros(people, np.int64), kind]), owner, joined, root,
        np.concatenate([merge_from, false_from]), np.concatenate([merge_to, false_to]),
        np.concatenate([merged_at, false_at]), np.concatenate([np.full(merge_from.size, FAR), undone]), reach,
        draw.choice(len(COUNTRIES), people, p=COUNTRY_SHARES),
    )  # fmt: skip


def _merges(
    world: World, draw: np.random.Generator, person: Ints, node: Ints, later: Bools
) -> tuple[Ints, Ints, Ints]:
    """Merges of later-found nodes: into the main node, or the second one into the first: a chain."""
    source, owner = node[later], person[later]
    first = np.concatenate([[True], owner[1:] != owner[:-1]])[: owner.size]
    target = np.where(first, owner, np.concatenate([owner[:1], source[:-1]]))
    at = (
        world.end
        - world.days * DAY
        + (draw.random(source.size) ** 0.8 * (world.days - 0.2) * DAY).astype(np.int64)
    )
    return source, target, at


def _mistakes(world: World, draw: np.random.Generator, people: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Merges of two different persons, undone some days later."""
    n = max(1, round(people * 0.0005)) if people > 1 and world.days > 3 else 0
    source = draw.integers(0, people, n)
    target = (source + draw.integers(1, max(people, 2), n)) % max(people, 1)
    at = world.end - (draw.uniform(0.5, 0.9, n) * world.days * DAY).astype(np.int64)
    undone = at + (draw.uniform(0.2, 0.4, n) * world.days * DAY).astype(np.int64)
    return source, target, at, undone


def identity_tables(world: World, book: Directory) -> dict[str, pa.Table]:
    """`people`, `identity_links` and `person_merges`."""
    draw = world.stream("identity tables")
    return {
        "people": _people(world, book, draw),
        "identity_links": _links(world, book, draw),
        "person_merges": _merge_table(world, book, draw),
    }


def _people(world: World, book: Directory, draw: np.random.Generator) -> pa.Table:
    n, owner = book.nodes, book.owner
    start = world.end - world.days * DAY
    zones = [z for c in COUNTRIES for z in ZONES[c]]
    zone = book.country[owner] * 4 + world.region[owner]
    known = draw.random(n) >= 0.06
    return pa.table(
        {
            "person_id": book.person_ids(np.arange(n)),
            "created_at": files.times(start - draw.integers(1, 1400, n) * DAY),
            "country": files.words(COUNTRIES, book.country[owner]),
            "region": files.words(REGIONS, world.region[owner]),
            "timezone": files.known(files.words(zones, zone), known),
            "is_test": pa.array(np.zeros(n, np.bool_)),
            "loaded_at": files.times(np.full(n, start, np.int64)),
        }
    )


def _links(world: World, book: Directory, draw: np.random.Generator) -> pa.Table:
    """A user id of each record, with the e-mail address or the telephone number it came with."""
    record = np.arange(book.person.size)
    phone = record[book.reach[book.person, SMS]]
    row = np.concatenate([record, record, phone])
    kind = np.repeat([0, 1, 2], [record.size, record.size, phone.size])
    shared = planted(draw, record.size, 0.006)[row] & (kind > 0)
    whose = np.where(shared, (book.person[row] + 1) % book.persons, book.person[row])
    guessed = (book.kind[row] != 0) | (draw.random(row.size) < 0.1)
    guessed &= row >= book.persons
    n, start = row.size, world.end - world.days * DAY
    digits = files.members("", max(book.persons, book.person.size), np.where(kind == 0, row, whose))
    labelled = draw.random(book.persons) < _LABELLED
    labelled[book.person[book.persons :][:4]] = True
    truth = files.members("e-", book.persons, book.person[row])
    since = start + draw.integers(0, 600 * SECOND, n)
    return pa.table(
        {
            "link_id": files.numbered("l-", n),
            "person_id": book.person_ids(book.node[row]),
            "record_id": book.record_ids(row),
            "id_type": files.words(("user_id", "email", "phone"), kind),
            "id_value": files.joined(
                files.words(("u", "person", "+1555"), kind),
                digits,
                files.words(("", "@example.org", ""), kind),
            ),
            "link_method": files.words(("deterministic", "probabilistic"), guessed.astype(np.int64)),
            "match_probability": files.optional_floats(np.round(0.8 + 0.2 * draw.random(n), 3), guessed),
            "source": files.words(("crm", "shop"), (row >= book.persons).astype(np.int64)),
            "valid_from": files.times(since),
            "valid_to": files.optional_times(since, np.zeros(n, np.bool_)),
            "truth_entity_id": files.known(truth, labelled[book.person[row]]),
            "loaded_at": files.times(since),
        }
    )


def _merge_table(world: World, book: Directory, draw: np.random.Generator) -> pa.Table:
    undone = book.reverted_at < FAR
    heard = load_time(draw, np.where(undone, book.reverted_at, book.merged_at), 60.0)
    n = book.merged_at.size
    return pa.table(
        {
            "merge_id": files.numbered("m-", n),
            "from_person_id": book.person_ids(book.merge_from),
            "to_person_id": book.person_ids(book.merge_to),
            "merged_at": files.times(book.merged_at),
            "method": files.words(
                ("deterministic", "probabilistic"), (np.arange(n) % 3 == 0).astype(np.int64)
            ),
            "reverted_at": files.optional_times(book.reverted_at, undone),
            "loaded_at": files.times(np.minimum(heard, world.end - 1)),
        }
    )


def same_group(book: Directory) -> Ints:
    """Persons who share a node by a wrong link, under one number: shape (persons,)."""
    group = np.arange(book.persons)
    wrong = np.flatnonzero(book.kind == WRONG)
    for record in wrong.tolist():
        a, b = group[book.person[record]], group[book.node[record]]
        group[group == max(a, b)] = min(a, b)
    return group
