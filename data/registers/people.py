"""Who may do what, and who answers for what."""

from data.fields import Field, Kind, Register, choice, day, long, person, ref, text, whole

ROLES = ("viewer", "analyst", "owner", "council", "admin")

USERS = Register(
    "users",
    "Users",
    "user",
    "Who may sign in, known by issuer and subject, never by e-mail. The identifier is issuer|subject.",
    (
        text("issuer", "Issuer", "The sign-in service, as an https address.", required=True),
        text("subject", "Subject", "The person's identifier at that service.", required=True),
        text("name", "Name", "As shown beside decisions.", required=True),
        text("email", "E-mail", "For messages only; it grants nothing."),
        Field(
            "roles", "Roles", Kind.CHOICES, "Admin configures and decides nothing: it goes with no deciding role.",
            choices=ROLES,
        ),
    ),
    label="name",
)  # fmt: skip

OWNERSHIP = Register(
    "ownership",
    "Ownership",
    "ownership",
    "Who answers for an initiative: one accountable person with authority, and those who act. One record each.",
    (
        ref("initiative", "Initiative", "initiatives", "The same as the record's identifier.", required=True),
        person("accountable", "Accountable", "One named person with authority to stop it.", required=True, owns=True),
        text("authority", "Authority", "Where the authority comes from: a budget, an office, a mandate.", required=True),
        person("business_owner", "Business owner", owns=True),
        person("technical_owner", "Technical owner", owns=True),
        person("data_steward", "Data steward", owns=True),
        person("validator", "Validator", "Independent of those who build it."),
        person("delegate", "Delegate", "Acts while the accountable person is away.", owns=True),
        day("since", "Since", "First day of this arrangement.", required=True),
        whole("review_days", "Review every (days)", required=True, low=1, high=1830),
        day("next_review", "Next review", required=True),
    ),
    label="initiative",
)  # fmt: skip

DECISION_RIGHTS = Register(
    "decision_rights",
    "Decision rights",
    "decision right",
    "Who has which part in an activity, by one scheme an initiative.",
    (
        ref("initiative", "Initiative", "initiatives", required=True),
        text("activity", "Activity", "Such as: change the threshold.", required=True),
        choice("scheme", "Scheme", "RACI", "RAPID", required=True),
        choice(
            "part", "Part", "responsible", "accountable", "consulted", "informed", "recommend", "agree", "perform",
            "input", "decide", required=True,
        ),
        person("who", "Who", required=True),
        long("note", "Note"),
    ),
    prefix="RIGHT",
    label="activity",
)  # fmt: skip
