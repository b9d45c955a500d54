"""How stops are carried, obeyed and proven: the metrics of the suppression family beside its violations."""

from __future__ import annotations

from metrics._suppression_carried import CARRIED
from metrics._suppression_cases import PERSONS_AT_RISK
from metrics._suppression_consent import CONSENTS, WITHHELD
from metrics._suppression_figures import (
    at_risk_of,
    clean_of,
    coverage_of,
    gap_of,
    near_misses_of,
    propagation_of,
    resurrected_of,
    unproven_of,
    withheld_of,
)
from metrics._suppression_risk import AT_RISK
from metrics._suppression_sends import ATTEMPTS
from metrics._suppression_stops import STOPS
from metrics._suppression_words import (
    CLOCK,
    GDPR,
    KIND,
    POLICY,
    TURNBULL_1976,
    WILSON_1927,
    count_metric,
    rate_metric,
)
from metrics.core.estimates import WILSON
from metrics.core.metric import Direction, Unit
from metrics.core.turnbull import METHOD as TURNBULL

CONDUCT = (
    count_metric(
        key="suppression.near_misses",
        title="Attempts that only the provider stopped",
        question="How often did someone else have to stop our message?",
        definition=(
            "Messages never sent that were blocked, skipped or failed as opted out (21610, 131050) at a time at which"
            " sending them would have been a violation."
        ),
        why="No person was disturbed, but our own list did not know; the next provider may not be as careful.",
        rollup=ATTEMPTS,
        finalise=near_misses_of,
    ),
    rate_metric(
        key="suppression.clean_stop_rate",
        title="Stops obeyed for thirty days",
        question="Of the people who said stop, for how many did it stop?",
        definition="Suppressions with no violating send in the 30 days after they took effect / those 30 days old.",
        why="It is what the person experiences: it worked, or it did not.",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        rollup=STOPS,
        interval=WILSON,
        finalise=clean_of,
        references=(WILSON_1927,),
    ),
    count_metric(
        key="suppression.resurrected",
        title="Re-subscriptions nobody asked for",
        question="How often did a sync or an import sign a person up again?",
        definition="Releases whose trigger is not a person's own opt-in. They release nothing here.",
        why="Systems that overwrite each other's lists undo a stop in silence.",
        rollup=STOPS,
        finalise=resurrected_of,
        settings=(),
    ),
    rate_metric(
        key="suppression.propagation_median",
        title="Time for a stop to reach a channel (median)",
        question="How long does a stop take to be obeyed in every channel?",
        definition=(
            "Median over pairs of a stop and a channel of the time to its acknowledgement; where none is logged, between"
            " the last violating send and the first refusal after it (Turnbull). Silent pairs are left out and counted."
        ),
        why="The delay of the slowest sync is the time in which violations happen.",
        unit=Unit.SECONDS,
        direction=Direction.LOWER,
        rollup=CARRIED,
        interval=TURNBULL,
        finalise=propagation_of,
        settings=(POLICY,),
        references=(TURNBULL_1976,),
    ),
    rate_metric(
        key="suppression.propagation_coverage",
        title="Stops whose arrival can be told",
        question="For how many stops and channels do we know when the stop arrived?",
        definition=(
            "Pairs of a stop and a channel with an acknowledgement, a violating send or a refusal / all such pairs and"
            " those whose channel can reach the person."
        ),
        why="Silence is not obedience: where nothing is acknowledged and nothing tried, the delay is unknown, not 0.",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        rollup=CARRIED,
        interval=WILSON,
        finalise=coverage_of,
        settings=(POLICY,),
        references=(WILSON_1927,),
    ),
    count_metric(
        key="suppression.at_risk_persons",
        title="Persons at risk of a violation",
        question="Who would be disturbed next?",
        definition=(
            "Persons with a stop in force at the observation end and a reachable channel in scope that has not"
            " acknowledged it (soft), or with a queued or scheduled message it would stop (hard)."
        ),
        why="It is the one list on which acting today prevents a violation tomorrow.",
        rollup=AT_RISK,
        finalise=at_risk_of,
        cases=PERSONS_AT_RISK,
        settings=(POLICY, CLOCK, KIND),
    ),
    rate_metric(
        key="suppression.consent_gap_rate",
        title="Marketing sends without consent",
        question="Which share of marketing messages had no consent at the moment of sending?",
        definition=(
            "Marketing sends not covered by the person's latest consent for the channel, subscribed and not expired at"
            " the send / all marketing sends to known persons. Later consent cures nothing."
        ),
        why="A stop is the second line; in opt-in jurisdictions the message must not be sent without a yes.",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        rollup=CONSENTS,
        interval=WILSON,
        finalise=gap_of,
        settings=(),
        references=(GDPR, WILSON_1927),
    ),
    count_metric(
        key="suppression.unproven_consents",
        title="Marketing sends on consent without proof",
        question="How many marketing messages rest on a consent that cannot be shown?",
        definition="Marketing sends covered by a consent of which no row holds a proof_ref.",
        why="The sender has to show the consent; without proof it may be taken for none.",
        rollup=CONSENTS,
        finalise=unproven_of,
        settings=(),
        references=(GDPR,),
    ),
    count_metric(
        key="suppression.over_suppression",
        title="Messages withheld wrongly",
        question="How many messages were held back that the person should have had?",
        definition=(
            "Transactional, service or legal messages refused although only a marketing stop stood against them, and"
            " marketing refused after a valid release."
        ),
        why="A login mail that never arrives is the price of suppressing too much; it belongs on the same page.",
        rollup=WITHHELD,
        finalise=withheld_of,
    ),
)
