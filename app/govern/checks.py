"""What a row must satisfy before it is written: fields by kind, references that exist, and rules across fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache

import sqlalchemy as sa

from app.govern import rows
from app.govern.model import RESERVED, Invalid, Values
from app.settings import is_safe
from data.field_text import FieldError, parse
from data.fields import Field, Kind, Register
from data.ledger import TABLES
from data.ledger_types import Value
from data.registers import REGISTERS

Fault = tuple[str, str]
_SEPARATE = {"council", "owner", "analyst"}
# The identifier is one of the record's own fields, so there can be no second record for it.
_NAMED_BY = {"ownership": "initiative", "operability": "initiative", "appetites": "category"}


def parsed(register: Register, values: Values) -> Mapping[str, Value]:
    """Typed values of the fields handed over. Raises Invalid with every fault."""
    found: dict[str, Value] = {}
    faults: list[Fault] = []
    for name, value in values:
        field = register.field(name)
        if field is None:
            names = ", ".join(f.name for f in register.fields)
            faults.append((name, f"{register.name} has no field {name!r}; it has: {names}"))
            continue
        try:
            found[name] = parse(field, value)
        except FieldError as error:
            faults.append((name, str(error)))
    if faults:
        raise Invalid(tuple(faults))
    return found


def complete(register: Register, values: Mapping[str, Value], state: str) -> Mapping[str, Value]:
    """A whole row of values: defaults where none was given. Raises Invalid for required fields that are empty."""
    whole = {f.name: values.get(f.name, f.default) for f in register.fields}
    missing = tuple(
        (f.name, f"{f.name}: Fill in {f.title.lower()}; it is required.")
        for f in register.fields
        if f.required and whole[f.name] is None
    )
    faults = (*missing, *((("expires", _END),) if state == "submitted" and not _ends(whole) else ()))
    if faults:
        raise Invalid(faults)
    return whole


_END = "expires: Say until which day, or which tripwire metric ends it; nothing is borne for ever."


def _ends(values: Mapping[str, Value]) -> bool:
    return "expires" not in values or values["expires"] is not None or values["tripwire_metric"] is not None


def check(
    db: sa.Connection,
    register: Register,
    record_id: str,
    values: Mapping[str, Value],
    before: Mapping[str, Value],
) -> None:
    """Check references and rules across fields. `before`: the values of the version before, if any.

    References that did not change are not asked again: a record stays correctable after its owner has left.
    """
    faults: list[Fault] = []
    for field in register.fields:
        value = values[field.name]
        if value is not None and value != before.get(field.name):
            faults += _reference(db, field, str(value))
    named_by = _NAMED_BY.get(register.name)
    if named_by and values[named_by] != record_id:
        faults.append(
            (named_by, f"{named_by}: The record of {values[named_by]} is called the same, not {record_id}.")
        )
    for rule in _RULES.get(register.name, ()):
        faults += rule(record_id, values)
    if faults:
        raise Invalid(tuple(faults))


def _reference(db: sa.Connection, field: Field, value: str) -> list[Fault]:
    register = "users" if field.kind is Kind.PERSON else field.ref
    if field.kind is Kind.METRIC:
        return (
            []
            if value in metric_keys()
            else [(field.name, f"{field.name}: {value!r} is no metric of the catalogue.")]
        )
    if not register:
        return []
    row = rows.current(db, register, value)
    if row is not None and row.live:
        return []
    what = REGISTERS[register].noun
    state = "there is none of this identifier" if row is None else f"it is {row.state}"
    return [
        (field.name, f"{field.name}: {value!r} is no {what} in use ({state}); choose one from {register}.")
    ]


@cache
def metric_keys() -> frozenset[str]:
    from metrics import ALL

    return frozenset(ALL)


def _user(record_id: str, values: Mapping[str, Value]) -> list[Fault]:
    issuer, roles = str(values["issuer"]), values["roles"]
    held = set(roles) if isinstance(roles, tuple) else set()
    faults: list[Fault] = []
    if issuer in RESERVED or "|" in issuer or not (issuer == "demo" or is_safe(issuer)):
        faults.append(("issuer", f"issuer: {issuer!r}. Write the sign-in service's https address."))
    if record_id != f"{issuer}|{values['subject']}":
        faults.append(
            ("subject", "subject: Issuer and subject name the user and never change; add another user.")
        )
    if "admin" in held and held & _SEPARATE:
        faults.append(
            ("roles", "roles: Admin configures and decides nothing; leave out its other roles but viewer.")
        )
    return faults


def _tripwire(prefix: str) -> Callable[[str, Mapping[str, Value]], list[Fault]]:
    names = tuple(f"{prefix}_{part}" for part in ("metric", "comparator", "threshold"))

    def rule(_: str, values: Mapping[str, Value]) -> list[Fault]:
        missing = [n for n in names if values[n] is None]
        if not missing or len(missing) == len(names):
            return _scope(values, f"{prefix}_scope")
        return [(n, f"{n}: Fill in metric, comparator and bound together, or none of them.") for n in missing]

    return rule


def _scope(values: Mapping[str, Value], name: str = "scope") -> list[Fault]:
    words = values[name] or ()
    bad = [w for w in words if "=" not in w] if isinstance(words, tuple) else []
    return [(name, f"{name}: {w!r}. Write DIMENSION=VALUE, such as model_id=churn-1.") for w in bad]


def _target(_: str, values: Mapping[str, Value]) -> list[Fault]:
    return _scope(values) + _in_order(values, "valid_from", "valid_to")


def _in_order(values: Mapping[str, Value], first: str, last: str) -> list[Fault]:
    start, end = values[first], values[last]
    if isinstance(start, dt.date) and isinstance(end, dt.date) and end < start:
        return [(last, f"{last}: {end} lies before {first} {start}.")]
    return []


def _appetite(_: str, values: Mapping[str, Value]) -> list[Fault]:
    appetite, tolerance = values["appetite"], values["tolerance"]
    if isinstance(appetite, int) and isinstance(tolerance, int) and tolerance < appetite:
        return [
            (
                "tolerance",
                f"tolerance: {tolerance} is below the appetite {appetite}; what is sought is borne.",
            )
        ]
    return []


def _pairs(_: str, values: Mapping[str, Value]) -> list[Fault]:
    faults: list[Fault] = []
    for name in ("inherent", "current", "residual", "target"):
        pair = (f"{name}_likelihood", f"{name}_impact")
        empty = [n for n in pair if values[n] is None]
        if len(empty) == 1:
            faults.append(
                (empty[0], f"{empty[0]}: A rating has likelihood and impact; fill in both or neither.")
            )
    return faults


_RULES: dict[str, tuple[Callable[[str, Mapping[str, Value]], list[Fault]], ...]] = {
    "users": (_user,),
    "targets": (_target,),
    "appetites": (_appetite,),
    "risks": (_pairs, _tripwire("indicator")),
    "acceptances": (_tripwire("tripwire"),),
    "exceptions": (_tripwire("tripwire"),),
}


def keeps_an_admin(db: sa.Connection, record_id: str, verb: str, values: Mapping[str, Value]) -> None:
    """Raise Invalid if a change would leave the ledger without an active administrator."""
    roles = values["roles"] if isinstance(values["roles"], tuple) else ()
    stays = verb != "retire" and "admin" in roles
    if not stays and rows.admins(db) == (record_id,):
        advice = "roles: This is the last administrator; grant admin to somebody else first."
        raise Invalid((("roles", advice),))


def new_id(db: sa.Connection, register: Register, record_id: str, values: Mapping[str, Value]) -> str:
    """The identifier of a new record: numbered, taken from its fields, or as the user names it."""
    if register.prefix:
        if record_id:
            raise Invalid(
                (("record_id", f"{register.name} are numbered by the ledger; leave the identifier empty."),)
            )
        table = TABLES[register.name]
        held = db.execute(
            sa.select(sa.func.count()).select_from(table).where(table.c.version == 1)
        ).scalar_one()
        return f"{register.prefix}-{held + 1:04d}"
    if register.name == "users":
        return f"{values.get('issuer')}|{values.get('subject')}"
    named_by = _NAMED_BY.get(register.name)
    name = str(values.get(named_by) or "") if named_by else record_id.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise Invalid(
            (("record_id", f"Give the {register.noun} an identifier of 1 to 200 printable characters."),)
        )
    return name
