"""What was before, and what was found: baselines, registered studies, and their results."""

from data.fields import Field, Flow, Kind, Move, Register, choice, day, long, number, ref, text, whole, words

GRAINS = (
    "hour", "day", "week", "month", "quarter", "hour-unit", "day-unit", "week-unit", "month-unit", "quarter-unit",
)  # fmt: skip
DECIMALS = ("point", "comma")
DATE_ORDERS = ("year-month-day", "day-month-year", "month-day-year")
GRADES = ("randomised", "quasi-experimental", "modelled", "claimed", "blocked")

# A file never changes, so nothing here does: another file is another baseline. In force is the one that was approved or
# reinstated last; the others of its series are superseded. Undo is therefore a move of that pointer, and there is never
# more than one baseline in force.
UPLOAD = Flow(
    "draft",
    (
        Move("submit", ("draft", "withdrawn"), "submitted"),
        Move("withdraw", ("draft", "submitted"), "withdrawn"),
        Move("approve", ("submitted",), "approved"),
        Move("reject", ("submitted",), "rejected"),
        Move("reinstate", ("approved",), "approved"),
        Move("revoke", ("approved",), "revoked"),
    ),
    live=("draft", "submitted", "approved"),
)
PLAN = Flow("registered", (Move("retire", ("registered",), "retired"),), live=("registered",))
FOUND = Flow("recorded", live=("recorded",))

BASELINES = Register(
    "baselines",
    "Baselines",
    "baseline",
    "Documented performance before AI: a checked file, approved by a second person, kept under its SHA-256.",
    (
        text("title", "Title", required=True),
        Field("metric", "Metric", Kind.METRIC, required=True),
        choice("grain", "Grain", *GRAINS, help="One row for each period, or for each unit and period.", required=True),
        words("scope", "Scope", "Such as model_id=churn-1. Empty means all."),
        ref("initiative", "Initiative", "initiatives"),
        text("template", "Template", "Which version of the template the rows were checked against.", required=True),
        text("delimiter", "Delimiter", "Of a CSV file."),
        choice("decimal", "Decimal mark", *DECIMALS, required=True),
        choice("date_order", "Date order", *DATE_ORDERS, required=True),
        text("zone", "Time zone", "In which days and hours were counted.", required=True),
        text("file_name", "File name", "As it was called where it came from; shown only."),
        Field("sha256", "SHA-256", Kind.SHA256, "Of the file's bytes.", required=True),
        whole("bytes", "Size", "Bytes.", low=0, required=True),
        Field("rows_sha256", "SHA-256 of the rows", Kind.SHA256, "Of the checked rows in their one order.", required=True),
        whole("rows", "Rows", low=1, required=True),
        day("first", "First day", required=True),
        day("last", "Last day", required=True),
        number("value", "Value", "Over all rows, in the metric's unit."),
        number("low", "Low", "Of the 95 % interval."),
        number("high", "High", "Of the 95 % interval."),
        long("note", "Note", "Where the figures come from."),
    ),
    flow=UPLOAD,
)  # fmt: skip

STUDIES = Register(
    "studies",
    "Studies",
    "study",
    "Plans of attribution studies, written down and hashed before any result. A changed plan is another study.",
    (
        text("title", "Name", required=True),
        text("design", "Design", required=True),
        ref("initiative", "Initiative", "initiatives"),
        ref("baseline", "Baseline", "baselines"),
        Field("plan_hash", "Plan hash", Kind.SHA256, "Of everything but the data.", required=True),
        long("plan", "Plan", "As JSON.", required=True),
        words("warnings", "Warnings", "What differs from the last plan of this name."),
    ),
    flow=PLAN,
)

RESULTS = Register(
    "study_results",
    "Study results",
    "study result",
    "What a study found, on which rows, by which versions. Running it again on the same rows adds nothing.",
    (
        ref("study", "Study", "studies", required=True),
        text("data_hash", "Data hash", "SHA-256 of the rows, and of the cost lines after a plus sign.", required=True),
        Field("sha256", "SHA-256", Kind.SHA256, "Of the whole result as JSON, kept outside the ledger.", required=True),
        whole("bytes", "Size", "Bytes.", low=0, required=True),
        words("versions", "Versions", "Of Python and the libraries that computed it."),
        choice("grade", "Evidence", *GRADES, required=True),
        Field("counted", "Counted", Kind.FLAG, "Whether its value may enter a sum.", required=True),
        words("blocked_by", "Blocked by", "The gates that blocked it."),
        number("estimate", "Estimate"),
        number("low", "Low", "Of the 95 % interval."),
        number("high", "High", "Of the 95 % interval."),
        number("p_value", "p value", low=0, high=1),
        number("value", "Value", "Money."),
        number("value_low", "Value, low"),
        number("value_high", "Value, high"),
        number("cost", "Cost of ownership", "Money."),
        long("diagnostics", "Diagnostics", "Every gate with value, threshold and verdict, as JSON.", required=True),
    ),
    flow=FOUND,
    label="study",
)  # fmt: skip
