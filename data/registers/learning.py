"""What was promised by when, and what an experiment taught."""

from __future__ import annotations

from data.fields import Register, choice, day, long, person, ref, text

PROMISES = ("pilot", "production", "capability")
EFFECTS = ("changed a decision", "confirmed a decision", "left the decision open")

MILESTONES = Register(
    "milestones",
    "Milestones",
    "milestone",
    "What an initiative promised to reach by a day: its pilot, its production, or something that it will then be able to do.",
    (
        ref("initiative", "Initiative", "initiatives", required=True),
        choice("kind", "Kind", *PROMISES, required=True),
        text("title", "Milestone", "What will be there that is not there today.", required=True),
        day("due", "Promised for", required=True),
        day("reached", "Reached", "Empty until it is."),
        person("owner", "Owner", "Who promised it.", required=True, owns=True),
        long("note", "Note"),
    ),
    prefix="MILE",
)

CONCLUSIONS = Register(
    "conclusions",
    "Conclusions",
    "conclusion",
    "What an experiment taught, and whether anything was decided otherwise because of it.",
    (
        ref("initiative", "Initiative", "initiatives", required=True),
        text("experiment", "Experiment", "As in the warehouse.", required=True),
        ref("study", "Study", "studies", "Where it was registered as one."),
        day("concluded", "Concluded", required=True),
        long("finding", "Finding", "What it showed, with its interval.", required=True),
        choice("effect", "What became of it", *EFFECTS, required=True),
        long("decision", "Decision", "Which decision, and what is done otherwise."),
        person("owner", "Owner", "Who answers for the conclusion.", required=True, owns=True),
    ),
    prefix="CONC",
    label="experiment",
)
