"""What can be shown: evidence files, data contracts, and what keeps a system running."""

from data.fields import Field, Kind, Register, choice, day, long, number, person, ref, text, whole

STATUSES = ("proposed", "draft", "active", "deprecated", "retired")

EVIDENCE = Register(
    "evidence",
    "Evidence",
    "evidence",
    "Files that show something, kept outside the ledger under their SHA-256. A new file is a new version.",
    (
        text("title", "Title", required=True),
        choice(
            "type", "Type", "test report", "validation report", "model card", "policy", "minutes", "contract",
            "assessment", "training record", "screenshot", "other", required=True,
        ),
        choice("basis", "Basis", "observed", "inferred", "absent", required=True),
        text("file_name", "File name", "As it was called where it came from; shown only."),
        Field("sha256", "SHA-256", Kind.SHA256, "Of the file's bytes."),
        whole("bytes", "Size", "Bytes.", low=0),
        ref("initiative", "Initiative", "initiatives"),
        person("owner", "Owner", required=True, owns=True),
        day("expires", "Expires"),
    ),
    prefix="EVI",
)  # fmt: skip

CONTRACTS = Register(
    "contracts",
    "Data contracts",
    "contract",
    "What a table promises, in the words of the Open Data Contract Standard 3.1. The identifier is the contract's id.",
    (
        text("title", "Name", required=True),
        text("contract_version", "Version", required=True),
        choice("status", "Status", *STATUSES, required=True),
        text("table_name", "Table", "Of the warehouse.", required=True),
        person("owner", "Owner", required=True, owns=True),
        long("purpose", "Purpose"),
        number("freshness_hours", "Freshness (hours)", "The newest load is at most this old.", low=0),
        number("volume_min", "Smallest volume", "Rows at least, in the whole table.", low=0),
        number("availability_percent", "Availability (%)", low=0, high=100),
        long("document", "Document", "The whole contract as JSON; import and export YAML.", required=True),
    ),
)

OPERABILITY = Register(
    "operability",
    "Operability",
    "operability",
    "What is needed to run an initiative and to stop it. One record each; its identifier is the initiative's.",
    (
        ref("initiative", "Initiative", "initiatives", required=True),
        long("rollback_plan", "Rollback plan", "Steps, who takes them, how long it takes.", required=True),
        day("rollback_tested", "Rollback last tested"),
        number("rollback_minutes", "Rollback time (minutes)", "As measured in the last test.", low=0),
        text("runbook", "Runbook", "Where it is."),
        text("on_call", "On call", "Who is called, by which number or rota."),
        number("latency_ms", "Latency budget (ms)", "At the 95th percentile.", low=0),
        number("cost_budget", "Cost budget", "Money a month.", low=0),
        long("card_details", "Model card: details", "Developer, version, type, licence."),
        long("card_intended_use", "Model card: intended use", "And use out of scope."),
        long("card_training_data", "Model card: training data"),
        long("card_evaluation", "Model card: evaluation", "Data, factors and metrics."),
        long("card_limitations", "Model card: bias, risks, limitations"),
        Field(
            "card_claims",
            "Model card: claims",
            Kind.WORDS,
            "Such as model.auc=0.81; checked against today's intervals.",
        ),
        ref("card_evidence", "Model card file", "evidence"),
        person("owner", "Owner", required=True, owns=True),
        day("next_review", "Next review", required=True),
    ),
    label="initiative",
)
