"""The Identity page: whether records are resolved into the right persons, and what a wrong link does to a stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.measure import words
from app.measure.judged import Frame, Judged, drawable, history
from app.measure.scorecard import Tile
from metrics import ALL, ROLLUPS
from metrics._identity_links import Records

TRACES = (
    "identity.records_per_person", "identity.shared_addresses", "identity.unlinkable_share",
    "identity.cross_record_violations",
)  # fmt: skip
TRUTH = (
    "identity.pairwise_precision", "identity.pairwise_recall", "identity.pairwise_f1", "identity.b_cubed_precision",
    "identity.b_cubed_recall", "identity.exact_clusters",
)  # fmt: skip
PRECISION, RECALL = TRUTH[:2]
GAP = "suppression.identity_gap_violations"
MOST_RECORDS = 5  # persons with this many records or more share a bar


@dataclass(frozen=True)
class IdentityBoard:
    """The page. `sizes` are (records, persons) with the last "or more"; `missing` says what to load."""

    sentence: str
    detail: str
    verdict: Judged
    tiles: tuple[Tile, ...]
    truth: tuple[Judged, ...]
    sizes: tuple[tuple[str, int], ...]
    addresses: tuple[Judged, ...]
    missing: str = ""

    @property
    def labelled(self) -> bool:
        return any(j.reading.value is not None for j in self.truth)


def identity_board(frame: Frame) -> IdentityBoard:
    """Everything of the page; links have no day, so they are judged as they stand at the observation end."""
    own = replace(frame, view=replace(frame.view, model="", experiment=""))
    tiles = tuple(_tile(own, key) for key in (*TRACES, GAP))
    truth = tuple(own.read(ALL[key])[0] for key in TRUTH)
    recall = truth[TRUTH.index(RECALL)]
    if all(t.one.reading.value is None for t in tiles) and recall.reading.value is None:
        todo = own.todo("identity_links, signals and person_merges", tiles[0].one.reading.reason)
        return IdentityBoard("No record to resolve yet.", "", recall, tiles, truth, (), (), todo)
    sentence, detail = _said(truth, tiles)
    return IdentityBoard(sentence, detail, recall, tiles, truth, _sizes(own), _addresses(own))


def _tile(frame: Frame, key: str) -> Tile:
    found = frame.read(ALL[key])
    return Tile(found[0], "", drawable(found[0].metric, history(frame, found[0])), None, found)


def _said(truth: tuple[Judged, ...], tiles: tuple[Tile, ...]) -> tuple[str, str]:
    """The errors in people's words: of 100 links needed so many are missed, of 100 made so many are wrong."""
    precision, recall = truth[0], truth[1]
    gap = tiles[-1].one
    hidden = ""
    if gap.reading.value:
        n = round(gap.reading.value)
        sent = f"{words.plural(n, 'message')} went out after a stop"
        hidden = f" {sent} that was said on a record not yet linked to the one written to."
    per_person = tiles[0].one
    if recall.reading.value is None:
        if per_person.reading.value is None:
            return "How well records are linked cannot be told.", words.sentence(
                recall.reading.reason
            ) + hidden
        shown = words.shown(per_person.metric, per_person.reading).value
        return f"A person has {shown} records on average.", words.sentence(recall.reading.reason) + hidden
    found = words.shown(recall.metric, recall.reading)
    right = words.shown(precision.metric, precision.reading)
    sentence = f"Of the records that belong together, {found.value} are linked ({found.interval})."
    detail = (
        f"Of the links made, {right.value} are right ({right.interval}); judged on a labelled sample."
        if precision.reading.value is not None
        else ""
    )
    return sentence, (detail + hidden).strip()


def _sizes(frame: Frame) -> tuple[tuple[str, int], ...]:
    """Persons by how many records they have."""
    scope = frame.scope(ALL["identity.records_per_person"])
    counted: dict[int, int] = {}
    for _, cells in frame.readings.cells(ROLLUPS["identity.records"], scope):
        assert isinstance(cells, Records)
        for size, n in zip(cells.size.tolist(), cells.n.tolist(), strict=True):
            at = min(size, MOST_RECORDS)
            counted[at] = counted.get(at, 0) + n
    names = {k: f"{k} or more" if k == MOST_RECORDS else words.plural(k, "record") for k in counted}
    return tuple((names[k], counted[k]) for k in sorted(counted))


def _addresses(frame: Frame) -> tuple[Judged, ...]:
    """Shared addresses by kind."""
    metric = ALL["identity.shared_addresses"]
    found = frame.readings.read(metric, replace(frame.scope(metric), by=("id_type",)))
    return tuple(j for j in frame.judge(metric, found) if j.reading.value is not None)
