"""The outbox: what people were told, whether it reached them, and when. One record for each event and recipient."""

from data.fields import Flow, Move, Register, choice, day, long, text

KINDS = (
    "review due", "acceptance ends", "lapsed", "condition due", "condition failed", "decision back", "ratification due",
    "vote waits", "request waits", "indicator in breach",
)  # fmt: skip

# `claim` comes before a delivery and `send` after it, so a crash in between leaves a record that says so.
OUTBOX = Flow(
    "queued",
    (
        Move("claim", ("queued", "sending"), "sending"),
        Move("send", ("sending",), "sent"),
        Move("fail", ("sending",), "queued"),
        Move("close", ("queued", "sending", "sent"), "closed"),
    ),
    live=("queued", "sending", "sent"),
)

ALERTS = Register(
    "alerts",
    "Alerts",
    "alert",
    "Messages about what is due or went wrong. Written by the app; its identifier is made of event and recipient.",
    (
        text("event", "Event", "What happened, once: kind, record, and the day or the bound it is about.", required=True),
        choice("kind", "Kind", *KINDS, required=True),
        text("about_register", "Register", required=True),
        text("about_record", "Record", required=True),
        text("recipient", "Recipient", "A person's identity, or webhook.", required=True),
        text("subject", "Subject", required=True),
        long("message", "Message", required=True),
        day("due", "Due"),
    ),
    flow=OUTBOX,
    label="subject",
)  # fmt: skip
