"""Identity: febrl's published counts, small hand-made links, and random worlds against the slow engine."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from app.runtime import Runtime
from metrics import ALL
from metrics._identity_links import LINKED, OVERLAPS, RECORDS, SHARED
from metrics.core.metric import Reading, Scope
from tests.cases import CASES, needs_cases
from tests.metrics.homes import loaded_into
from tests.metrics.worlds import Figures, Judges, cells, disagreements
from tests.oracle import identity as oracle
from tests.oracle.engine import View, World

ROLLED = (RECORDS, SHARED, OVERLAPS, LINKED)
HEADER = "link_id,person_id,record_id,id_type,id_value,truth_entity_id\n"


def read(runtime: Runtime, key: str, *by: str, **settings: str) -> Reading:
    return runtime.readings.read(ALL[f"identity.{key}"], Scope(by=by, settings=tuple(settings.items())))[0]


def febrl() -> list[dict[str, str]]:
    with (CASES / "identity" / "febrl_dataset1.csv").open(newline="") as file:
        return list(csv.DictReader(file, skipinitialspace=True))


def linked_by(rows: Iterable[dict[str, str]], rule: Callable[[dict[str, str]], str | None]) -> str:
    """identity_links of records put together where a rule gives them one key; a record without a key is alone."""
    lines = []
    for i, row in enumerate(rows):
        record, entity = row["rec_id"], row["rec_id"].split("-")[1]
        lines.append(f"L{i},{rule(row) or record},{record},crm_id,{record},{entity}")
    return HEADER + "\n".join(lines) + "\n"


def same_birth_and_surname(row: dict[str, str]) -> str | None:
    return f"{row['date_of_birth']} {row['surname']}" if row["date_of_birth"] and row["surname"] else None


RULES: dict[str, Callable[[dict[str, str]], str | None]] = {
    "truth": lambda row: row["rec_id"].split("-")[1],
    "rule_soc_sec_id": lambda row: row["soc_sec_id"] or None,
    "rule_dob_surname": same_birth_and_surname,
    "nobody": lambda _: None,
}


@needs_cases
@pytest.mark.parametrize("rule", RULES)
def test_febrl_has_500_entities_500_pairs_and_the_published_recalls(tmp_path: Path, rule: str):
    want = next(c for c in json.loads((CASES / "activation_cases.json").read_text()) if c["id"] == "febrl1")[
        "expected"
    ]
    found = {"truth": (500, 500), "nobody": (0, 0)} | {
        k: (v["pairs"], v["tp"]) for k, v in want.items() if k.startswith("rule")
    }
    runtime = loaded_into(tmp_path / "home", {"identity_links": linked_by(febrl(), RULES[rule])}, ROLLED)
    ((_, overlaps),) = runtime.readings.cells(OVERLAPS, Scope())
    pairs, right = found[rule]
    assert (overlaps.records, overlaps.pairs) == (want["records"], (right, pairs, want["true_pairs"]))
    assert overlaps.exact[1] == want["entities"]
    recall, precision = read(runtime, "pairwise_recall"), read(runtime, "pairwise_precision")
    assert recall.value == right / want["true_pairs"]
    assert precision.value == (right / pairs if pairs else None)
    assert (precision.reason == "") == bool(pairs)
    assert (
        read(runtime, "exact_clusters").numerator == right
    )  # entities of this sample have one or two records
    f1 = read(runtime, "pairwise_f1")
    assert f1.value == pytest.approx(2 * right / (pairs + want["true_pairs"]))


@needs_cases
def test_b_cubed_follows_from_the_definition_on_febrl(tmp_path: Path):
    rows = febrl()
    person = {r["rec_id"]: same_birth_and_surname(r) or r["rec_id"] for r in rows}
    truth = {r["rec_id"]: r["rec_id"].split("-")[1] for r in rows}
    own, entity = members(person), members(truth)
    both = {r: len(own[person[r]] & entity[truth[r]]) for r in person}
    links = linked_by(rows, same_birth_and_surname)
    runtime = loaded_into(tmp_path / "home", {"identity_links": links}, ROLLED)
    for key, sizes, names in (("b_cubed_precision", own, person), ("b_cubed_recall", entity, truth)):
        reading = read(runtime, key)
        assert reading.value == pytest.approx(
            sum(both[r] / len(sizes[names[r]]) for r in person) / len(person)
        )
        assert reading.low <= reading.value <= reading.high <= 1


def members(of: dict[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for record, name in of.items():
        found[name].add(record)
    return found


LINKS = (
    "link_id,person_id,record_id,id_type,id_value,valid_to\n"
    "l1,p1,r1,email,A@x ,\n"
    "l2,p2,r2,email,a@x,\n"
    "l3,p3,r3,email,a@x,2026-01-01T00:00:00Z\n"
    "l4,p3,r3,phone,+1,\n"
    "l5,p1,r4,device_id,a@x,\n"
)


def test_shared_addresses_and_records_follow_links_that_hold_and_merges(tmp_path: Path):
    marked = {"data_watermarks": "source,complete_through_at\nall,2026-03-01T00:00:00Z\n"}
    apart = loaded_into(tmp_path / "apart", {"identity_links": LINKS} | marked, ROLLED)
    shared = read(apart, "shared_addresses")
    assert (shared.value, shared.n) == (1, 2)
    assert read(apart, "shared_addresses", k="2").value == 0
    assert read(apart, "records_per_person").value == pytest.approx(4 / 3)
    merged = {"person_merges": "from_person_id,to_person_id,merged_at\np1,p2,2026-01-01T00:00:00Z\n"}
    one = loaded_into(tmp_path / "one", {"identity_links": LINKS} | marked | merged, ROLLED)
    assert read(one, "shared_addresses").value == 0
    assert read(one, "records_per_person").value == pytest.approx(4 / 2)


def test_without_links_or_truth_the_reason_says_what_to_load(tmp_path: Path):
    runtime = loaded_into(tmp_path / "home", {"identity_links": LINKS}, ROLLED)
    unlabelled = read(runtime, "pairwise_recall")
    assert unlabelled.value is None
    assert unlabelled.reason


def test_the_unlinkable_share_leaves_tests_out(tmp_path: Path):
    signals = (
        "signal_id,person_id,model_id,signal_name,decision,arm,scored_at,window_seconds,is_test\n"
        "s1,p1,m,hot,activate,treatment,2026-03-01T00:00:00Z,60,0\n"
        "s2,,m,hot,activate,treatment,2026-03-01T00:00:00Z,60,0\n"
        "s3,,m,hot,activate,treatment,2026-03-01T00:00:00Z,60,1\n"
    )
    reading = read(loaded_into(tmp_path / "home", {"signals": signals}, ROLLED), "unlinkable_share")
    assert (reading.numerator, reading.denominator) == (1, 2)


def sql_figures(w: World) -> Figures:
    found = {k: c.get(()) for k, c in cells(w, ROLLED).items()}
    told: dict[str, Any] = {
        "records": 0,
        "persons": 0,
        "shared": 0,
        "right": 0,
        "put": 0,
        "belong": 0,
        "exact": 0,
    }
    own = found[RECORDS.key]
    if own is not None:
        told |= {"records": int((own.size * own.n).sum()), "persons": int(own.n.sum())}
    if found["identity.addresses"] is not None:
        told["shared"] = int(found["identity.addresses"].n[found["identity.addresses"].persons > 1].sum())
    if found[OVERLAPS.key] is not None:
        overlaps = found[OVERLAPS.key]
        told |= dict(zip(("right", "put", "belong"), overlaps.pairs, strict=True)) | {
            "exact": overlaps.exact[0]
        }
    return told


def engine_figures(w: World) -> Figures:
    records, persons = oracle.records_per_person(w)
    judged = oracle.linkage(w)
    return {
        "records": records, "persons": persons, "shared": len(oracle.shared_addresses(w)),
        "right": judged.true_positives, "put": judged.predicted, "belong": judged.actual, "exact": judged.exact_clusters,
    }  # fmt: skip


def test_random_worlds_agree_with_the_slow_engine():
    examples = hypothesis.settings().max_examples
    judges = Judges(lambda w: w, lambda w, _: sql_figures(w), engine_figures)
    assert disagreements(judges, (View(),), examples) is None
