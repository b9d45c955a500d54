"""Are records resolved into the right persons? With labelled samples against the truth; without, by its traces.

Errors weigh unevenly: a missed link leaks a suppression to another record, a false link silences the wrong person.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from metrics._identity_links import LINKED, OVERLAPS, RECORDS, SHARED, Addresses, Linked, Overlaps, Records
from metrics._suppression_figures import cross_record_of
from metrics._suppression_sends import ATTEMPTS
from metrics._suppression_words import VIEW
from metrics.core.estimates import WILSON, share
from metrics.core.intervals import bounded_mean, wilson
from metrics.core.metric import Choice, Dimension, Direction, Estimate, Metric, Setting, Unit, undefined
from metrics.core.shapes import Floats

ROLLUPS = (RECORDS, SHARED, OVERLAPS, LINKED)
OWNER = "head of customer data"
NO_LINKS = "no record is linked to a person: load identity_links"
NO_TRUTH = "no record has a truth_entity_id: label a sample to measure this"
BOUNDED_T = "Student t, within 0 and 1"
WILSON_OF_UNION = "Wilson of the overlap, carried over"
K = Setting("k", "1", "an address is shared when more persons than this use it", ("1", "2", "3", "5", "10"))
WILSON_1927 = "Wilson 1927, doi:10.1080/01621459.1927.10502953"
BAGGA_1998 = "Bagga and Baldwin 1998, Entity-based cross-document coreferencing, doi:10.3115/980845.980859"
HASSANZADEH_2009 = (
    "Hassanzadeh et al. 2009, Framework for evaluating clustering algorithms in duplicate detection"
)

_metric = partial(Metric[Any], dimension=Dimension.TECHNICAL, owner=OWNER)
_truth = partial(_metric, unit=Unit.SHARE, direction=Direction.HIGHER, rollup=OVERLAPS)


def _per_person(cells: Records, _: Choice) -> Estimate:
    persons, records = int(cells.n.sum()), int((cells.n * cells.size).sum())
    if persons == 0:
        return undefined(NO_LINKS)
    return Estimate(
        records / persons, n=persons, numerator=records, denominator=persons, method="exact count"
    )


def _unlinkable(cells: Linked, _: Choice) -> Estimate:
    return share(cells.unlinked, cells.n, "no signal that is not a test in this scope")


def _shared(cells: Addresses, choice: Choice) -> Estimate:
    n = int(cells.n.sum())
    if n == 0:
        return undefined("no e-mail address or phone number is linked to a person: load identity_links")
    k = int(cells.n[cells.persons > int(choice["k"])].sum())
    return Estimate(float(k), n=n, numerator=k, denominator=n, method="exact count")


def _precision(cells: Overlaps, _: Choice) -> Estimate:
    right, put, _belong = cells.pairs
    return share(right, put, "no two labelled records are put together" if cells.records else NO_TRUTH)


def _recall(cells: Overlaps, _: Choice) -> Estimate:
    right, _put, belong = cells.pairs
    return share(right, belong, "no two labelled records belong together" if cells.records else NO_TRUTH)


def _f1(cells: Overlaps, _: Choice) -> Estimate:
    right, put, belong = cells.pairs
    union = put + belong - right
    if union == 0:
        return undefined("no two labelled records are or should be together" if cells.records else NO_TRUTH)
    rate = wilson(
        right, union
    )  # F1 = 2 J / (1 + J) of the overlap J = right / union, so its limits carry over
    low, high = (2 * x / (1 + x) for x in (rate.low, rate.high))
    value = 2 * right / (put + belong)
    return Estimate(value, min(low, value), max(high, value), union, 2 * right, put + belong, WILSON_OF_UNION)


def _b_cubed(cells: Overlaps, size: Floats) -> Estimate:
    n = cells.records
    if n < 2:
        return undefined(NO_TRUTH if n == 0 else "one labelled record has no other to be together with", n)
    each = cells.both / size
    total = cells.total(cells.both * each)
    mean = bounded_mean(n, total, cells.total(cells.both * each * each), 0.0, 1.0)
    return Estimate(mean.value, mean.low, mean.high, n, total, n, BOUNDED_T)


def _b_cubed_precision(cells: Overlaps, _: Choice) -> Estimate:
    return _b_cubed(cells, cells.found)


def _b_cubed_recall(cells: Overlaps, _: Choice) -> Estimate:
    return _b_cubed(cells, cells.true)


def _exact(cells: Overlaps, _: Choice) -> Estimate:
    return share(*cells.exact, NO_TRUTH)


TRACES = (
    _metric(
        key="identity.records_per_person",
        title="Records per person",
        question="How many records does a person have on average?",
        definition="Distinct records that a link in force names / distinct persons they resolve to, after all merges.",
        why="A jump upward means that systems stopped recognising people; one downward, that strangers were merged.",
        unit=Unit.RATIO,
        direction=Direction.NEITHER,
        rollup=RECORDS,
        interval="none: a complete count",
        finalise=_per_person,
        min_n=1,
    ),
    _metric(
        key="identity.unlinkable_share",
        title="Signals that name no person",
        question="Which share of what the models said could not be acted on, for want of a person?",
        definition="Signals without a person / all signals, tests left out of both.",
        why="Intelligence about nobody reaches nobody: it is the first place where value is lost.",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        rollup=LINKED,
        interval=WILSON,
        finalise=_unlinkable,
        references=(WILSON_1927,),
    ),
    _metric(
        key="identity.shared_addresses",
        title="Addresses shared by several persons",
        question="How many e-mail addresses and phone numbers belong to more than one person?",
        definition="Addresses (lower case, trimmed) whose links in force name more than k persons, after all merges.",
        why="A shared address is a missed merge or a family: either way one person's stop may not hold for it.",
        unit=Unit.COUNT,
        direction=Direction.LOWER,
        rollup=SHARED,
        interval="none: a complete count",
        finalise=_shared,
        settings=(K,),
        min_n=1,
    ),
    _metric(
        key="identity.cross_record_violations",
        title="Violations across records of one person",
        question="How often did a stop on one record not hold for another of the same person?",
        definition="Violations whose send names another record than the stop they are charged to / all violations.",
        why="It tells how much of the breach is a matter of identity rather than of the sending system.",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        rollup=ATTEMPTS,
        interval=WILSON,
        finalise=cross_record_of,
        settings=VIEW,
        references=(WILSON_1927,),
    ),
)
AGAINST_TRUTH = (
    _truth(
        key="identity.pairwise_precision",
        title="Links that are right (pairwise precision)",
        question="Of two records taken for one person, how often are they?",
        definition="Pairs of labelled records put together rightly / all pairs put together.",
        why="A false link silences or exposes the wrong person.",
        interval=WILSON,
        finalise=_precision,
        references=(HASSANZADEH_2009, WILSON_1927),
    ),
    _truth(
        key="identity.pairwise_recall",
        title="Links that were found (pairwise recall)",
        question="Of two records of one person, how often were they put together?",
        definition="Pairs of labelled records put together rightly / all pairs that belong together.",
        why="Each missed link is a way for a stop to be ignored.",
        interval=WILSON,
        finalise=_recall,
        references=(HASSANZADEH_2009, WILSON_1927),
    ),
    _truth(
        key="identity.pairwise_f1",
        title="Links found and right (pairwise F1)",
        question="How good are the links over all?",
        definition="2 x pairs put together rightly / (pairs put together + pairs that belong together).",
        why="One number to compare two linkers; the two errors behind it weigh unevenly, so look at both.",
        interval=WILSON_OF_UNION,
        finalise=_f1,
        references=(HASSANZADEH_2009,),
    ),
    _truth(
        key="identity.b_cubed_precision",
        title="Purity of a record's person (B-cubed precision)",
        question="For a record, which share of its person's records really are that person's?",
        definition="Mean over labelled records of the share of its person's labelled records with its true person.",
        why="Pairs are dominated by large clusters; here every record counts once.",
        interval=BOUNDED_T,
        finalise=_b_cubed_precision,
        references=(BAGGA_1998,),
    ),
    _truth(
        key="identity.b_cubed_recall",
        title="Completeness of a record's person (B-cubed recall)",
        question="For a record, which share of the true person's records was found?",
        definition="Mean over labelled records of the share of its true person's labelled records with its person.",
        why="It is the share of a person's records on which a stop would hold.",
        interval=BOUNDED_T,
        finalise=_b_cubed_recall,
        references=(BAGGA_1998,),
    ),
    _truth(
        key="identity.exact_clusters",
        title="True persons recovered exactly",
        question="For how many people is the set of their records exactly right?",
        definition="True persons whose labelled records are all and only those of one person / all true persons.",
        why="It is the strictest measure: nothing missed and nobody else mixed in.",
        interval=WILSON,
        finalise=_exact,
        references=(HASSANZADEH_2009, WILSON_1927),
    ),
)
METRICS = (*TRACES, *AGAINST_TRUTH)
