"""Data contracts in the words of the Open Data Contract Standard 3.1: YAML in, register values out, and back.

The whole document is kept as it came, as canonical JSON; the fields that the register knows are written into it again on
export, so that a contract edited here and one edited there stay the same document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]

from app.govern.model import Row, Values
from data.audit import canonical
from data.ledger_types import Value

VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0")
STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
MOST_CHARACTERS = 100_000
_HOURS = {
    "h": 1.0,
    "hour": 1.0,
    "hours": 1.0,
    "d": 24.0,
    "day": 24.0,
    "days": 24.0,
    "m": 1 / 60,
    "minutes": 1 / 60,
}

Document = dict[str, Any]  # a YAML document is open by its standard; this module is where it becomes typed


class ContractError(ValueError):
    """A document that is no contract; the message names the field and what to do."""


def read_yaml(text: str) -> Document:
    """A checked document. Raises ContractError."""
    if len(text) > MOST_CHARACTERS:
        raise ContractError(f"the contract is longer than {MOST_CHARACTERS} characters")
    try:
        found = yaml.safe_load(text)
        if isinstance(found, dict):
            found = json.loads(json.dumps(found, default=str, allow_nan=False))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ContractError(f"the contract is not sound YAML: {error}") from error
    if not isinstance(found, dict):
        raise ContractError("the contract is not a mapping; it should begin with apiVersion and kind")
    _check(found)
    return found


def _check(found: Document) -> None:
    if found.get("kind") != "DataContract":
        raise ContractError(f"kind is {found.get('kind')!r}; write DataContract")
    if found.get("apiVersion") not in VERSIONS:
        raise ContractError(f"apiVersion is {found.get('apiVersion')!r}; write one of {', '.join(VERSIONS)}")
    for name in ("id", "version", "status"):
        if not isinstance(found.get(name), str | int | float) or isinstance(found.get(name), bool):
            raise ContractError(f"{name} is missing; the standard asks for it")
    if found["status"] not in STATUSES:
        raise ContractError(f"status is {found['status']!r}; write one of {', '.join(STATUSES)}")
    schema = found.get("schema")
    if not isinstance(schema, list) or len(schema) != 1 or not isinstance(schema[0], dict):
        raise ContractError("schema must hold exactly one table; write one contract a table")


def values_of(document: Document, owner: str) -> tuple[str, Values]:
    """The identifier and the register's values. `owner`: the identity of the user who answers for it here."""
    table = document["schema"][0]
    description = document.get("description")
    purpose = description.get("purpose") if isinstance(description, dict) else description
    values: tuple[tuple[str, Value], ...] = (
        ("title", str(document.get("name") or document["id"])),
        ("contract_version", str(document["version"])),
        ("status", str(document["status"])),
        ("table_name", str(table.get("physicalName") or table.get("name") or "")),
        ("owner", owner),
        ("purpose", None if purpose is None else str(purpose)),
        ("freshness_hours", _freshness(document)),
        ("volume_min", _volume(table)),
        ("availability_percent", _availability(document)),
        ("document", canonical(document)),
    )
    return str(document["id"]), values


def export_yaml(row: Row) -> str:
    """The contract as YAML, with what the register says today in the places where the standard has it."""
    document: Document = json.loads(row.text("document"))
    document |= {
        "apiVersion": document.get("apiVersion", "v3.1.0"), "kind": "DataContract", "id": row.record_id,
        "name": row.text("title"), "version": row.text("contract_version"), "status": row.text("status"),
    }  # fmt: skip
    table = document.setdefault("schema", [{"name": row.text("table_name")}])[0]
    place = "physicalName" if "physicalName" in table else "name"
    table[place] = row.text("table_name")
    if row["purpose"] is not None:
        described = document.get("description")
        document["description"] = {
            **(described if isinstance(described, dict) else {}),
            "purpose": row["purpose"],
        }
    _put_sla(document, ("latency", "freshness"), row["freshness_hours"], _freshness(document), "h")
    _put_sla(document, ("availability",), row["availability_percent"], _availability(document), "percent")
    _put_volume(table, row["volume_min"])
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _sla(document: Document, *names: str) -> Mapping[str, Any] | None:
    slas = document.get("slaProperties") or []
    found = (
        [s for s in slas if isinstance(s, dict) and s.get("property") in names]
        if isinstance(slas, list)
        else []
    )
    return found[0] if found else None


def _freshness(document: Document) -> float | None:
    """The `latency` (or older `freshness`) property in hours."""
    sla = _sla(document, "latency", "freshness")
    if sla is None:
        return None
    unit = str(sla.get("unit", "h")).lower()
    if unit not in _HOURS:
        raise ContractError(f"slaProperties: the unit {unit!r} of latency is not known; write h or d")
    return _number(sla.get("value"), "slaProperties latency") * _HOURS[unit]


def _availability(document: Document) -> float | None:
    sla = _sla(document, "availability")
    return (
        None
        if sla is None
        else _number(str(sla.get("value")).removesuffix("%"), "slaProperties availability")
    )


def _volume(table: Mapping[str, Any]) -> float | None:
    """The bound of a `rowCount` rule."""
    rule = _row_count(table)
    if rule is None:
        return None
    for name, more in (("mustBeGreaterOrEqualTo", 0), ("mustBeGreaterThan", 1)):
        if name in rule:
            return _number(rule[name], f"quality rowCount {name}") + more
    return None


def _row_count(table: Mapping[str, Any]) -> Document | None:
    rules = table.get("quality") or []
    found = [r for r in rules if isinstance(r, dict) and "rowCount" in (r.get("metric"), r.get("rule"))]
    return found[0] if found else None


def _number(value: object, where: str) -> float:
    try:
        return float(str(value))
    except ValueError as error:
        raise ContractError(f"{where} is {value!r}; write a number") from error


def _put_sla(
    document: Document, names: tuple[str, ...], value: Value, before: float | None, unit: str
) -> None:
    """Write a level into the document where it differs from what stands there."""
    if value == before:
        return
    kept = [s for s in document.get("slaProperties") or [] if s.get("property") not in names]
    document["slaProperties"] = kept + (
        [{"property": names[0], "value": value, "unit": unit}] if value is not None else []
    )


def _put_volume(table: Document, value: Value) -> None:
    if value == _volume(table):
        return
    rule = _row_count(table)
    kept = [r for r in table.get("quality") or [] if r is not rule]
    least = {"type": "library", "metric": "rowCount", "mustBeGreaterOrEqualTo": value}
    table["quality"] = kept + ([least] if value is not None else [])
