"""How many of each special case the lattice plants, and the figures that follow from the numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction

from data.demo.lattice_base import Figure


@dataclass(frozen=True)
class Plants:
    """How many of each case. Signals first, then persons who said stop. Numbers may be 0."""

    in_window: int = 7
    late: int = 5
    missed: int = 4
    open: int = 3
    holdout: int = 6
    test: int = 2
    no_action: int = 3
    unlinked: int = 2
    clamped: int = 2  # sent 3 s before the scoring: inside the tolerance
    invalid: int = 2  # sent 30 s before it
    converted: int = 3  # bought before the message came
    suppressed: int = 3  # opted out before it came, and no message
    duplicate_events: int = 4  # repeated rows of in-window sends; at most in_window
    duplicate_sends: int = 2  # a second message to in-window signals; at most in_window
    loaded_late: int = 3  # in the window, but the warehouse knew it two days later
    breach: int = 5  # sent an hour after the stop, in another channel
    in_flight: int = 2  # sent 30 s after it
    same_instant: int = 2  # sent at the very moment: no violation
    blocked: int = 3  # refused by the provider: near miss
    transactional: int = 3  # exempt
    withheld: int = 2  # transactional and refused: over-suppression
    re_opt_in: int = 3  # came back, then sent
    resurrected: int = 2  # brought back by an import, then sent
    merged_before: int = 2  # stop on one record, sent to another that was known to be the same person
    merged_after: int = 2  # the same, found out after the send
    slow_intake: int = 2  # the collector heard of the stop after the send
    no_consent: int = 3  # marketing without a consent; no stop
    unproven: int = 2  # with a consent but no proof

    def __post_init__(self) -> None:
        for f in fields(self):
            if getattr(self, f.name) < 0:
                raise ValueError(f"plants cannot be negative: {f.name} = {getattr(self, f.name)}")
        if max(self.duplicate_events, self.duplicate_sends) > self.in_window:
            raise ValueError("duplicates repeat in-window sends: there cannot be more of them than in_window")


def figures(k: Plants) -> tuple[Figure, ...]:
    """Every figure that follows from the counts."""
    return (*_activation_figures(k), *_suppression_figures(k))


def _share(part: int, whole: int) -> float:
    return float(Fraction(part, whole)) if whole else 0.0


def _activation_figures(k: Plants) -> tuple[Figure, ...]:
    inside = k.in_window + k.clamped + k.loaded_late
    valid = inside + k.late + k.missed
    early = (("as_of", "early"),)
    states = {
        "excluded_test": k.test, "excluded_holdout": k.holdout, "excluded_no_action": k.no_action,
        "unlinked_identity": k.unlinked, "invalid_negative": k.invalid, "in_window": inside, "late": k.late,
        "competing_suppressed": k.suppressed, "competing_converted": k.converted, "open": k.open, "missed": k.missed,
    }  # fmt: skip
    return (
        *(Figure("activation.signals", n, state, (("state", state),)) for state, n in states.items()),
        Figure("activation.signals", sum(states.values()), "sum of all states"),
        Figure("activation.in_window_share", _share(inside, valid), "k / (k + late + missed); k: in window"),
        Figure(
            "activation.in_window_share", _share(k.in_window + k.clamped, valid),
            "loaded_late still missed: (in_window + clamped) / (the same)", settings=early,
        ),
        Figure("activation.value_lost", 50.0 * (k.late + k.missed), "50 (late + missed)"),
    )  # fmt: skip


def _suppression_figures(k: Plants) -> tuple[Figure, ...]:
    merged = k.merged_before + k.merged_after
    violations = k.breach + k.in_flight + k.resurrected + merged + k.slow_intake
    clean = k.suppressed + k.same_instant + k.blocked + k.transactional + k.withheld + k.re_opt_in
    linked = k.in_window + k.duplicate_sends + k.loaded_late + k.late + k.clamped + k.invalid + k.converted
    sends = linked + k.same_instant + k.re_opt_in + violations + k.no_consent + k.unproven
    known, received = (("identity", "known"),), (("clock", "received"),)
    words = "breach + in_flight + resurrected + merged_before + merged_after + slow_intake"
    return (
        Figure("suppression.violations", violations, words),
        Figure("suppression.violations", violations - k.merged_after, f"{words} - merged_after", settings=known),
        Figure("suppression.violations", violations - k.slow_intake, f"{words} - slow_intake", settings=received),
        Figure("suppression.violations_by_tier", k.in_flight, "in_flight", (("tier", "in_flight"),)),
        Figure("suppression.cross_channel_violations", k.breach, "breach"),
        Figure("suppression.persons_affected", violations, "one a person"),
        Figure("suppression.violation_rate", _share(violations * 10_000, sends), "violations / marketing sends x 10,000"),
        Figure("suppression.near_misses", k.blocked, "blocked"),
        Figure("suppression.over_suppression", k.withheld, "withheld"),
        Figure("suppression.resurrected", k.resurrected, "resurrected"),
        Figure("suppression.intake_lag_violations", k.slow_intake, "slow_intake"),
        Figure("suppression.identity_gap_violations", k.merged_after, "merged_after"),
        Figure("suppression.clean_stop_rate", _share(clean, clean + violations), "stops without a violation / all stops"),
        Figure("suppression.consent_gap_rate", _share(k.no_consent, sends), "no_consent / marketing sends"),
        Figure("identity.cross_record_violations", _share(merged, violations), "(merged_before + merged_after) / violations"),
        Figure("identity.unlinkable_share", _share(k.unlinked, _real_signals(k)), "unlinked / signals that are not tests"),
        Figure("marketing_sends", sends, "all sends with a person but transactional ones and tests"),
    )  # fmt: skip


def _real_signals(k: Plants) -> int:
    signals = k.in_window + k.late + k.missed + k.open + k.holdout + k.no_action + k.unlinked + k.clamped
    return signals + k.invalid + k.converted + k.suppressed + k.loaded_late
