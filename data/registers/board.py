"""What the board saw and what was said about it: publications, comments on numbers, and interventions.

Nothing here is changed afterwards: a publication stays what it was, a comment is answered by another one.
"""

from data.fields import (
    LOG,
    Field,
    Flow,
    Kind,
    Move,
    Register,
    choice,
    day,
    long,
    person,
    ref,
    text,
    whole,
    words,
)

KINDS = ("day", "month")

PUBLICATIONS = Register(
    "publications",
    "Publications",
    "publication",
    "What the board sees, frozen. Named by the instant that the data were known at, or by the month that was closed.",
    (
        choice("kind", "Kind", *KINDS, required=True, help="A day's numbers, or the close of a month."),
        Field("as_of", "Known at", Kind.TIME, "Newest load that the numbers reflect.", required=True),
        day("first", "First day", required=True),
        day("last", "Last day", required=True),
        whole("readings", "Readings", required=True, low=0),
        text("sha256", "SHA-256", "Of the whole document, all parts together.", required=True),
        whole("part", "Part", "A long document lies in several records.", required=True, low=1),
        whole("parts", "Parts", required=True, low=1),
        long("document", "Document", "Canonical JSON.", required=True),
    ),
    flow=LOG,
    label="as_of",
)

COMMENTS = Register(
    "comments",
    "Comments",
    "comment",
    "What was said about a number. Never changed; say more in a new one.",
    (
        Field("metric", "Metric", Kind.METRIC, required=True),
        words("scope", "Whose number", "Such as model_id=churn-1. Empty means all."),
        day(
            "about",
            "About the day",
            "Where it stands on the time axis; the day of writing where it is empty.",
        ),
        long("comment", "Comment", required=True),
    ),
    prefix="COM",
    flow=LOG,
    label="comment",
)

INTERVENTIONS = Register(
    "interventions",
    "Interventions",
    "intervention",
    "What somebody did so that a number would move, and when. Its effect is measured, never written down.",
    (
        Field("metric", "Metric", Kind.METRIC, "The number that it should move.", required=True),
        words("scope", "Whose number", "Such as model_id=churn-1. Empty means all."),
        ref("initiative", "Initiative", "initiatives"),
        day("done_on", "Done on", "The first day on which it could act.", required=True),
        long("what", "What was done", required=True),
        person("owner", "Owner", "Who did it and answers for it.", required=True, owns=True),
    ),
    prefix="INT",
    flow=Flow("recorded", (Move("withdraw", ("recorded",), "withdrawn"),), live=("recorded",)),
    label="what",
)  # fmt: skip

SAVED_VIEWS = Register(
    "saved_views",
    "Saved views",
    "saved view",
    "A page with the reader's choices under a name. Everybody lists their own; a link shares one.",
    (
        text("title", "Name", required=True),
        text("page", "Page", "As it stands in the address.", required=True),
        long("choices", "Choices", "As they stand in the address; empty for none."),
    ),
    prefix="VIEW",
)
