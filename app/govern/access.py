"""Who may do what: one table, and its reading. What is not in it is refused.

Roles are columns, commands are rows. Cells:

    -      no
    yes    on every record
    own    on records the person owns: named in them, in what they refer to or in its ownership, or created by them
    other  on records the person does not own
    apart  on records the person neither owns nor wrote any version of: nobody decides on their own request

`operator` is the command line on the server, `system` the app itself: neither is a person or can sign in. A person with
several roles may do what any of them may. The states in which a step is possible are those of the register's flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from data.registers import REGISTERS

POLICY = """
register         verb       viewer  analyst  owner  council  admin  operator  system

users            add        -       -        -      -        yes    yes       -
users            change     -       -        -      -        other  yes       -
users            retire     -       -        -      -        other  yes       -
users            restore    -       -        -      -        other  yes       -

initiatives      add        -       -        yes    yes      -      -         -
initiatives      change     -       -        own    yes      -      -         -
initiatives      retire     -       -        -      yes      -      -         -
initiatives      restore    -       -        -      yes      -      -         -

ownership        add        -       -        own    yes      -      -         -
ownership        change     -       -        own    yes      -      -         -
ownership        retire     -       -        -      yes      -      -         -
ownership        restore    -       -        -      yes      -      -         -

decision_rights  add        -       -        own    yes      -      -         -
decision_rights  change     -       -        own    yes      -      -         -
decision_rights  retire     -       -        own    yes      -      -         -
decision_rights  restore    -       -        own    yes      -      -         -

decisions        add        -       -        own    yes      -      -         -
decisions        change     -       -        own    yes      -      -         -
decisions        retire     -       -        own    yes      -      -         -
decisions        restore    -       -        own    yes      -      -         -

postures         add        -       -        own    yes      -      -         -
postures         change     -       -        own    yes      -      -         -
postures         retire     -       -        -      yes      -      -         -
postures         restore    -       -        -      yes      -      -         -

evidence         add        -       yes      yes    -        -      -         -
evidence         change     -       own      own    -        -      -         -
evidence         retire     -       own      own    -        -      -         -
evidence         restore    -       own      own    -        -      -         -

appetites        add        -       -        -      yes      -      -         -
appetites        change     -       -        -      yes      -      -         -
appetites        retire     -       -        -      yes      -      -         -
appetites        restore    -       -        -      yes      -      -         -

risks            add        -       yes      yes    yes      -      -         -
risks            change     -       own      own    yes      -      -         -
risks            retire     -       -        -      yes      -      -         -
risks            restore    -       -        -      yes      -      -         -

controls         add        -       -        own    -        -      -         -
controls         change     -       -        own    -        -      -         -
controls         retire     -       -        own    -        -      -         -
controls         restore    -       -        own    -        -      -         -

acceptances      add        -       -        own    -        -      -         -
acceptances      change     -       -        own    -        -      -         -
acceptances      submit     -       -        own    -        -      -         -
acceptances      withdraw   -       -        own    -        -      -         -
acceptances      accept     -       -        -      apart    -      -         -
acceptances      reject     -       -        -      apart    -      -         -
acceptances      revoke     -       -        -      yes      -      -         -
acceptances      lapse      -       -        -      -        -      -         yes

exceptions       add        -       -        own    -        -      -         -
exceptions       change     -       -        own    -        -      -         -
exceptions       submit     -       -        own    -        -      -         -
exceptions       withdraw   -       -        own    -        -      -         -
exceptions       accept     -       -        -      apart    -      -         -
exceptions       reject     -       -        -      apart    -      -         -
exceptions       revoke     -       -        -      yes      -      -         -
exceptions       lapse      -       -        -      -        -      -         yes

contracts        add        -       yes      yes    -        -      -         -
contracts        change     -       yes      own    -        -      -         -
contracts        retire     -       yes      own    -        -      -         -
contracts        restore    -       yes      own    -        -      -         -

operability      add        -       -        own    -        -      -         -
operability      change     -       -        own    -        -      -         -
operability      retire     -       -        own    -        -      -         -
operability      restore    -       -        own    -        -      -         -

targets          add        -       -        yes    yes      -      -         -
targets          change     -       -        own    yes      -      -         -
targets          retire     -       -        own    yes      -      -         -
targets          restore    -       -        own    yes      -      -         -

check_ins        add        -       yes      own    yes      -      -         -

gate_reviews     add        -       -        own    -        -      -         -
gate_reviews     withdraw   -       -        own    -        -      -         -

gate_delegations add        -       -        -      apart    -      -         -
gate_delegations revoke     -       -        -      own      -      -         -

gate_votes       add        -       apart    apart  apart    -      -         -

conditions       add        -       apart    apart  apart    -      -         -
conditions       withdraw   -       own      own    own      -      -         -
conditions       fulfil     -       -        -      -        -      -         yes
conditions       breach     -       -        -      -        -      -         yes
conditions       lapse      -       -        -      -        -      -         yes

gate_decisions   add        -       -        -      apart    -      -         -

gate_revocations add        -       -        -      yes      -      -         -

gate_events      add        -       -        -      -        -      -         yes

meetings         add        -       -        -      yes      -      -         -

attendances      add        -       yes      yes    yes      -      -         -
attendances      leave      -       own      own    own      -      -         -
attendances      return     -       own      own    own      -      -         -

minutes          add        -       -        -      yes      -      -         -

baselines        add        -       yes      yes    -        -      yes       -
baselines        submit     -       own      own    -        -      yes       -
baselines        withdraw   -       own      own    -        -      yes       -
baselines        approve    -       -        apart  apart    -      -         -
baselines        reject     -       -        apart  apart    -      -         -
baselines        reinstate  -       -        other  other    -      -         -
baselines        revoke     -       -        yes    yes      -      -         -

studies          add        -       yes      yes    -        -      yes       -
studies          retire     -       own      own    yes      -      -         -

study_results    add        -       yes      yes    -        -      yes       -

milestones       add        -       -        own    yes      -      -         -
milestones       change     -       -        own    yes      -      -         -
milestones       retire     -       -        -      yes      -      -         -
milestones       restore    -       -        -      yes      -      -         -

conclusions      add        -       yes      own    -        -      -         -
conclusions      change     -       own      own    -        -      -         -
conclusions      retire     -       own      own    -        -      -         -
conclusions      restore    -       own      own    -        -      -         -

alerts           add        -       -        -      -        -      yes       yes
alerts           claim      -       -        -      -        -      yes       yes
alerts           send       -       -        -      -        -      yes       yes
alerts           fail       -       -        -      -        -      yes       yes
alerts           close      -       -        -      -        -      yes       yes

publications     add        -       -        -      -        -      yes       yes

comments         add        yes     yes      yes    yes      -      -         -

interventions    add        -       yes      yes    yes      -      -         -
interventions    withdraw   -       own      own    own      -      -         -

saved_views      add        yes     yes      yes    yes      yes    -         -
saved_views      change     own     own      own    own      own    -         -
saved_views      retire     own     own      own    own      own    -         -
saved_views      restore    own     own      own    own      own    -         -
"""

CELLS = ("-", "yes", "own", "other", "apart")


@dataclass(frozen=True)
class Relation:
    """What ties a person to a record: whether they own it, whether they wrote any version of it."""

    owns: bool = False
    wrote: bool = False

    def satisfies(self, cell: str) -> bool:
        match cell:
            case "yes":
                return True
            case "own":
                return self.owns
            case "other":
                return not self.owns
            case "apart":
                return not (self.owns or self.wrote)
            case _:
                return False


@cache
def policy() -> dict[tuple[str, str], dict[str, str]]:
    """(register, verb) -> role -> cell. Raises ValueError where the table names what does not exist."""
    head, *lines = [line.split() for line in POLICY.strip().splitlines() if line]
    table: dict[tuple[str, str], dict[str, str]] = {}
    for register, verb, *cells in lines:
        known = register in REGISTERS and verb in REGISTERS[register].verbs
        sound = len(cells) == len(head) - 2 and set(cells) <= set(CELLS) and (register, verb) not in table
        if not (known and sound):
            raise ValueError(f"policy: the line of {register} {verb} is not sound")
        table[register, verb] = dict(zip(head[2:], cells, strict=True))
    return table


def why_not(register: str, verb: str, roles: tuple[str, ...], relation: Relation) -> str | None:
    """None where the roles allow it, otherwise why they do not and who could."""
    row = policy().get((register, verb), {})
    cells = {role: row.get(role, "-") for role in roles}
    if any(relation.satisfies(cell) for cell in cells.values()):
        return None
    near = {cell for cell in cells.values() if cell != "-"}
    if "apart" in near:
        return f"nobody may {verb} what they own or wrote themselves; another council member decides"
    if "own" in near:
        return f"you may {verb} only {register} that you own; ask an owner"
    if "other" in near:
        return f"you may not {verb} your own record; ask another administrator"
    able = ", ".join(role for role, cell in row.items() if cell != "-") or "nobody"
    held = ", ".join(roles) or "no role"
    return f"your rights ({held}) do not allow it; {able} may {verb} {register}"
