"""The ways from a model's score to a person: parameters only, one route a person-facing model."""

from __future__ import annotations

from dataclasses import dataclass

HOUR = 3600.0

Mix = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Export:
    """How scores leave the model: as a stream (`period` 0, seconds on average) or by runs every `period` seconds.

    Runs start at `offset` seconds after midnight UTC and last `run` seconds.
    """

    period: float = 0.0
    offset: float = 0.0
    run: float = 5.0


@dataclass(frozen=True)
class Approval:
    """A share of messages waits for a person's yes in working hours; the rest are approved by rule."""

    share: float
    median_minutes: float = 45.0


@dataclass(frozen=True)
class FollowUp:
    """A later message of the same flow: sent to `share` of the first one's receivers after `hours`."""

    hours: float
    share: float
    channels: Mix


@dataclass(frozen=True)
class Route:
    """From signal to message for one model. Shares are of activated signals unless said otherwise.

    `slot` is the hour (UTC) at which a campaign goes out, None where messages leave when ready. `urgent` signals
    skip export and slot: somebody calls. `lost` never leave the system. `convert` holds the chances that a person
    converts when reached in the window, reached late, and not reached. `stale_hours` is the typical age of the
    newest data in the score. `held` signals stop a payment and lead to a service notice: they activate nobody.
    """

    model_id: str
    slug: str
    signal_name: str
    campaign_id: str
    window: float
    channels: Mix
    export: Export
    approval: Approval
    convert: tuple[float, float, float]
    outcome: str
    value: float
    slot: float | None = None
    release_minutes: float = 1.0
    urgent: float = 0.0
    lost: float = 0.02
    follow_ups: tuple[FollowUp, ...] = ()
    opt_out: float = 0.02
    experiment: str | None = None
    stale_hours: float = 6.0
    feedback_hours: float = 12.0
    watched: float = 0.03
    rescored: float = 0.0
    held: bool = False


CHURN_ROUTE = Route(
    model_id="churn_v3",
    slug="churn-retention",
    signal_name="churn_risk",
    campaign_id="winback",
    window=24 * HOUR,
    channels=(("email", 0.62), ("sms", 0.28), ("voice", 0.10)),
    export=Export(24 * HOUR, 2 * HOUR, 40 * 60.0),
    approval=Approval(0.25, 90.0),
    slot=9.5,
    release_minutes=90.0,
    urgent=0.13,
    lost=0.09,
    convert=(0.06, 0.06, 0.06),
    outcome="renewal",
    value=60.0,
    opt_out=0.02,
    experiment="churn_holdout",
    stale_hours=60.0,
    feedback_hours=500.0,
)
LEAD_ROUTE = Route(
    model_id="lead_v2",
    slug="lead-scoring",
    signal_name="hot_lead",
    campaign_id="first_contact",
    window=HOUR,
    channels=(("voice", 0.40), ("email", 0.45), ("sms", 0.15)),
    export=Export(run=5.0),
    approval=Approval(0.16, 25.0),
    release_minutes=4.0,
    lost=0.03,
    convert=(0.13, 0.10, 0.09),
    outcome="purchase",
    value=180.0,
    opt_out=0.012,
    experiment="lead_holdout",
    stale_hours=2.0,
    feedback_hours=3.0,
    rescored=0.03,
)
OFFER_ROUTE = Route(
    model_id="offer_v5",
    slug="offer-engine",
    signal_name="next_offer",
    campaign_id="offers",
    window=4 * HOUR,
    channels=(("email", 0.55), ("push", 0.20), ("sms", 0.15), ("whatsapp", 0.10)),
    export=Export(HOUR, 0.0, 8 * 60.0),
    approval=Approval(0.07, 60.0),
    release_minutes=35.0,
    lost=0.03,
    follow_ups=(
        FollowUp(7.0, 0.36, (("sms", 0.6), ("whatsapp", 0.4))),
        FollowUp(26.0, 0.2, (("whatsapp", 0.5), ("email", 0.3), ("push", 0.2))),
    ),
    convert=(0.085, 0.082, 0.08),
    outcome="purchase",
    value=90.0,
    opt_out=0.045,
    experiment="offers_holdout",
    stale_hours=5.0,
    feedback_hours=20.0,
)
PRICE_ROUTE = Route(
    model_id="price_v1",
    slug="pricing-pilot",
    signal_name="price_offer",
    campaign_id="price_pilot",
    window=48 * HOUR,
    channels=(("in_app", 0.7), ("email", 0.3)),
    export=Export(6 * HOUR, 0.0, 15 * 60.0),
    approval=Approval(1.0, 420.0),
    release_minutes=5.0,
    lost=0.10,
    convert=(0.05, 0.05, 0.05),
    outcome="upgrade",
    value=40.0,
    opt_out=0.006,
    stale_hours=20.0,
    feedback_hours=100.0,
)
FRAUD_ROUTE = Route(
    model_id="fraud_v7",
    slug="fraud-screening",
    signal_name="payment_held",
    campaign_id="payment_check",
    window=0.25 * HOUR,
    channels=(("sms", 0.75), ("email", 0.25)),
    export=Export(run=1.0),
    approval=Approval(0.0),
    release_minutes=0.2,
    lost=0.01,
    convert=(0.0, 0.0, 0.0),
    outcome="purchase",
    value=0.0,
    opt_out=0.0,
    stale_hours=0.2,
    watched=0.002,
    held=True,
)
ROUTES: tuple[Route, ...] = (CHURN_ROUTE, LEAD_ROUTE, OFFER_ROUTE, PRICE_ROUTE, FRAUD_ROUTE)

CHANNELS = ("email", "sms", "whatsapp", "push", "voice", "in_app")
REACH = (0.95, 0.55, 0.25, 0.35, 0.40, 1.0)  # share of people who can be reached there
PROVIDERS = ("mailhub", "textline", "textline", "pushkit", "callcentre", "own_app")
PRICES = (0.0008, 0.03, 0.05, 0.0002, 1.9, 0.0)  # money a message
DELIVERED = (0.98, 0.975, 0.98, 0.96, 0.96, 0.99)
OPENED = (0.24, 0.0, 0.72, 0.08, 0.0, 0.55)
CLICKED = (0.10, 0.09, 0.16, 0.25, 0.0, 0.2)  # of opened; of delivered where opening is not told
COUNTRIES = ("US", "GB", "DE", "CA")
COUNTRY_SHARES = (0.62, 0.18, 0.12, 0.08)
ZONES = {
    "US": ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
    "GB": ("Europe/London",) * 4,
    "DE": ("Europe/Berlin",) * 4,
    "CA": ("America/Toronto", "America/Winnipeg", "America/Edmonton", "America/Vancouver"),
}
EMAIL, SMS, WHATSAPP, PUSH, VOICE, IN_APP = range(6)
MARKETING, TRANSACTIONAL, SERVICE, LEGAL, CONFIRMATION = range(5)


@dataclass(frozen=True)
class Incident:
    """A bad day: `at_share` of the days have passed, from and to these hours (UTC)."""

    slug: str
    what: str
    at_share: float
    from_hour: float
    to_hour: float


EXPORT_DOWN = Incident("lead-scoring", "export down", 0.6, 9.0, 15.0)
WEBHOOK_DROPPED = Incident("offer-engine", "webhook dropped", 0.8, 8.0, 20.0)
