"""Is "stop" obeyed everywhere at once? Violations by view, near misses, propagation, consent, who is at risk.

A violation is a send strictly after a stop took effect, in scope and not exempt. The reader chooses policy profile,
identity view and clock view; the headline is the strictest: every channel, one person, from the moment of "stop".
"""

from __future__ import annotations

from metrics._suppression_carried import CARRIED
from metrics._suppression_cases import VIOLATIONS as VIOLATION_CASES
from metrics._suppression_conduct import CONDUCT
from metrics._suppression_consent import CONSENTS, WITHHELD
from metrics._suppression_figures import (
    POISSON,
    SCALED_WILSON,
    crossing_of,
    identity_gap_of,
    intake_lag_of,
    past_deadline_of,
    person_days_of,
    persons_of,
    rate_of,
    violations_of,
)
from metrics._suppression_persons import EXPOSURE, PERSONS
from metrics._suppression_risk import AT_RISK
from metrics._suppression_sends import ATTEMPTS, SENDS
from metrics._suppression_stops import STOPS
from metrics._suppression_words import (
    CAN_SPAM,
    CLOCK,
    GARWOOD_1936,
    GDPR,
    IDENTITY,
    POLICY,
    TCPA,
    WILSON_1927,
    count_metric,
    rate_metric,
)
from metrics.core.metric import Direction, Unit

ROLLUPS = (ATTEMPTS, SENDS, PERSONS, EXPOSURE, STOPS, CONSENTS, WITHHELD, CARRIED, AT_RISK)
VIOLATIONS = (
    count_metric(
        key="suppression.violations",
        title="Messages sent after a stop",
        question="How many messages went to people who had said stop?",
        definition=(
            "Sends strictly after a stop took effect, in its scope, not exempt: each send once, charged to the earliest"
            " stop it violates. Tests and unknown persons count nowhere."
        ),
        why="Each one breaks a promise to a person, and often a law; there is no budget for it.",
        rollup=ATTEMPTS,
        finalise=violations_of,
        references=(CAN_SPAM, TCPA, GDPR),
        cases=VIOLATION_CASES,
    ),
    rate_metric(
        key="suppression.violation_rate",
        title="Violations per 10,000 marketing sends",
        question="Of 10,000 marketing messages, how many went to someone who had said stop?",
        definition="10,000 x marketing sends that violate a stop / all marketing sends to known persons.",
        why="It compares periods and channels of different size; the count beside it says how many people it was.",
        unit=Unit.NUMBER,
        direction=Direction.LOWER,
        rollup=SENDS,
        interval=SCALED_WILSON,
        finalise=rate_of,
        references=(WILSON_1927,),
    ),
    rate_metric(
        key="suppression.violation_rate_person_days",
        title="Violations per 1,000 days lived under a stop",
        question="How often is a person disturbed while a stop is in force?",
        definition=(
            "1,000 x violations / days that persons lived under any stop, each person's days once, up to the observation"
            " end."
        ),
        why="Sends fall when fewer people can be written to; the days lived under a stop do not forgive that.",
        unit=Unit.NUMBER,
        direction=Direction.LOWER,
        rollup=EXPOSURE,
        interval=POISSON,
        finalise=person_days_of,
        references=(GARWOOD_1936,),
    ),
    count_metric(
        key="suppression.violations_by_tier",
        title="Violations by tier",
        question="How late were the messages sent after a stop?",
        definition=(
            "Violations in flight (up to 60 s after the stop), breaches (later), and those past a legal deadline on the"
            " holiday calendar of the recorded jurisdiction. The tiers add up to all violations."
        ),
        why="A message already handed over is another failure than a list that never heard of the stop.",
        rollup=ATTEMPTS,
        finalise=violations_of,
        apart=("tier",),
        cases=VIOLATION_CASES,
        references=(CAN_SPAM, TCPA),
    ),
    count_metric(
        key="suppression.past_legal_deadline",
        title="Violations past a legal deadline",
        question="How many messages went out after the law's last permitted day?",
        definition=(
            "Violations after the earliest legal deadline of any stop they violate: business days on the jurisdiction's"
            " holiday calendar, ends of days in local time, never 10 x 24 hours."
        ),
        why="These can be fined one by one; a missing jurisdiction is shown as none, not guessed.",
        rollup=ATTEMPTS,
        finalise=past_deadline_of,
        references=(CAN_SPAM, TCPA, GDPR),
    ),
    count_metric(
        key="suppression.cross_channel_violations",
        title="Violations in another channel than the stop's",
        question="How often did a stop in one channel not reach another?",
        definition="Violations whose send went through another channel than the one the charged stop came from.",
        why="A person says stop once; that it must be said again in each channel is the failure nobody measures.",
        rollup=ATTEMPTS,
        finalise=crossing_of,
    ),
    count_metric(
        key="suppression.persons_affected",
        title="Persons reached after their stop",
        question="How many different people were reached against their will?",
        definition=(
            "Distinct persons of today's closure with at least one violation. By day, a person counts on the first day"
            " in the period; groups of other breakdowns may share persons."
        ),
        why="Ten messages to one person and one to each of ten are different harms.",
        rollup=PERSONS,
        finalise=persons_of,
        cases=VIOLATION_CASES,
    ),
    count_metric(
        key="suppression.intake_lag_violations",
        title="Violations the sender could not know of yet",
        question="How many violations happened before the stop was received?",
        definition="Violations with every stop they violate received at or after the send: effective, not yet heard.",
        why="The person has said stop all the same; this part is cured at the intake, not at the sender.",
        rollup=ATTEMPTS,
        finalise=intake_lag_of,
        settings=(POLICY, IDENTITY),
    ),
    count_metric(
        key="suppression.identity_gap_violations",
        title="Violations hidden by an identity not yet merged",
        question="How many violations happened because two records were not yet known to be one person?",
        definition="Violations with no stop that was linked to the send's record at the moment of sending.",
        why="A missed link leaks a stop: this part is cured by identity resolution, not by the sender.",
        rollup=ATTEMPTS,
        finalise=identity_gap_of,
        settings=(POLICY, CLOCK),
    ),
)
METRICS = (*VIOLATIONS, *CONDUCT)
