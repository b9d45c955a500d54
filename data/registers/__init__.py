"""The registers of the ledger, in the order in which they are filled: later ones refer to earlier ones."""

from data.fields import Register
from data.registers.assurance import CONTRACTS, EVIDENCE, OPERABILITY
from data.registers.people import DECISION_RIGHTS, OWNERSHIP, USERS
from data.registers.portfolio import CHECK_INS, DECISIONS, INITIATIVES, POSTURES, TARGETS
from data.registers.risk import ACCEPTANCES, APPETITES, CONTROLS, EXCEPTIONS, RISKS

REGISTERS: dict[str, Register] = {
    r.name: r
    for r in (
        USERS, INITIATIVES, OWNERSHIP, DECISION_RIGHTS, DECISIONS, POSTURES, EVIDENCE, APPETITES, RISKS, CONTROLS,
        ACCEPTANCES, EXCEPTIONS, CONTRACTS, OPERABILITY, TARGETS, CHECK_INS,
    )
}  # fmt: skip

__all__ = ["REGISTERS"]
