"""The registers of the ledger, in the order in which they are filled: later ones refer to earlier ones."""

from data.fields import Register
from data.registers.alerts import ALERTS
from data.registers.assurance import CONTRACTS, EVIDENCE, OPERABILITY
from data.registers.baselines import BASELINES, RESULTS, STUDIES
from data.registers.board import COMMENTS, INTERVENTIONS, PUBLICATIONS, SAVED_VIEWS
from data.registers.gates import (
    CONDITIONS,
    GATE_DECISIONS,
    GATE_DELEGATIONS,
    GATE_EVENTS,
    GATE_REVIEWS,
    GATE_REVOCATIONS,
    GATE_VOTES,
)
from data.registers.learning import CONCLUSIONS, MILESTONES
from data.registers.meetings import ATTENDANCES, MEETINGS, MINUTES
from data.registers.people import DECISION_RIGHTS, OWNERSHIP, USERS
from data.registers.portfolio import CHECK_INS, DECISIONS, INITIATIVES, POSTURES, TARGETS
from data.registers.risk import ACCEPTANCES, APPETITES, CONTROLS, EXCEPTIONS, RISKS

REGISTERS: dict[str, Register] = {
    r.name: r
    for r in (
        USERS, INITIATIVES, OWNERSHIP, DECISION_RIGHTS, DECISIONS, POSTURES, EVIDENCE, APPETITES, RISKS, CONTROLS,
        ACCEPTANCES, EXCEPTIONS, CONTRACTS, OPERABILITY, TARGETS, CHECK_INS,
        GATE_REVIEWS, GATE_DELEGATIONS, GATE_VOTES, CONDITIONS, GATE_DECISIONS, GATE_REVOCATIONS, GATE_EVENTS,
        BASELINES, STUDIES, RESULTS, MILESTONES, CONCLUSIONS, ALERTS, PUBLICATIONS, COMMENTS, INTERVENTIONS,
        MEETINGS, ATTENDANCES, MINUTES, SAVED_VIEWS,
    )
}  # fmt: skip

__all__ = ["REGISTERS"]
