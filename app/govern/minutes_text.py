"""Minutes as a document that people read, made from the record in the ledger and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from app.govern.model import Row
from app.measure import words
from app.measure.manner import plainly

Name = Callable[[str], str]
_BLANK = str.maketrans("\r\n\t", "   ")
_ESCAPED = frozenset("\\`*_{}[]<>#|~")


def markdown(minutes: Row, name: Name) -> str:
    """Minutes as Markdown. What people wrote is escaped, so it shows as text wherever it is opened.

    `name`: a person's identity as people say it.
    """
    with plainly():
        return _markdown(minutes, name)


def _markdown(minutes: Row, name: Name) -> str:
    held = json.loads(minutes.text("record"))
    lines = [
        f"# Minutes of {plain(held['meeting'])}: {plain(held['title'])}", "",
        f"Opened by {plain(name(held['opened']['by']))}, {_time(held['opened']['at'])}; closed by"
        f" {plain(name(minutes.by.identity))}, {words.moment(minutes.at)}.", "",
        f"Attendance: {_attendance(held['attendance'], name)}.", "",
    ]  # fmt: skip
    for at, item in enumerate(held["items"], start=1):
        lines += [*_item(at, item, name), ""]
    if minutes["remarks"] is not None:
        lines += ["## Remarks", "", plain(minutes.text("remarks")), ""]
    lines += [
        f"Record: SHA-256 {minutes.text('record_sha256')}, audit entry {minutes.seq}. Told from the records of the ledger.",
        "",
    ]
    return "\n".join(lines)


def plain(text: str) -> str:
    """A text on one line, in which nothing is markup."""
    return "".join(f"\\{c}" if c in _ESCAPED else c for c in text.translate(_BLANK))


def _time(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"


def _attendance(came: list[dict[str, Any]], name: Name) -> str:
    said = (f"{plain(name(a['person']))}{' (left)' if a['state'] == 'left' else ''}" for a in came)
    return ", ".join(said) or "nobody entered"


def _item(at: int, item: dict[str, Any], name: Name) -> Iterator[str]:
    beside = "" if item["on the agenda"] else ", not on the agenda"
    if "gate" not in item:
        moved = ", moved in the meeting" if item["moved in the meeting"] else ""
        yield f"## {at}. {item['kind'].capitalize()} {plain(item['record'])}"
        yield f"\nIt is {plain(item['state'])}{moved}{beside}."
        return
    yield f"## {at}. {plain(item['initiative'])}, gate {item['gate']} ({plain(item['record'])}, {item['kind']}{beside})"
    yield ""
    yield from (_vote(v, name) for v in item["votes"])
    yield from (
        f"- Condition {c['condition']}: {plain(c['title'])}; {plain(name(c['owner']))}, {c['due']}, {c['state']}"
        for c in item["conditions"]
    )
    yield _decision(item["decision"], name)


def _vote(vote: dict[str, Any], name: Name) -> str:
    by = f", cast by {plain(name(vote['by']))}" if vote["by"] != vote["seat"] else ""
    when = "" if vote["in the meeting"] else ", before the meeting"
    said = f": {plain(vote['statement'])}" if vote["statement"] else ""
    return f"- {plain(name(vote['seat']))}{by}: {vote['vote']}{when}{said} (audit entry {vote['entry']})"


def _decision(found: dict[str, Any] | None, name: Name) -> str:
    if found is None:
        return "\nNot decided."
    when = "Decided" if found["in the meeting"] else "Decided before the meeting"
    return (
        f"\n{when}: **{found['outcome']}**, recorded by {plain(name(found['by']))} ({plain(found['tally'])})."
        f" {plain(found['drivers'])} {plain(found['consequences'])}"
        f" Basis SHA-256 {found['basis_sha256']}, audit entry {found['entry']}."
    )
