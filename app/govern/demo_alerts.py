"""What people of the simulated enterprise were told: one reminder, so that the outbox can be seen. Nothing leaves the demo."""

from __future__ import annotations

from app.govern.alerts.outbox import APP, alert_id
from app.govern.demo_acts import Act, InDays, Planned, person

_EVENT, _NAME = "review due/ownership/offer-engine/demo/14 days before", "alert-offer-review"
_WHO, _WHY = person("elena"), "demo: recorded for show, nothing was sent"
_VALUES: tuple[tuple[str, Planned], ...] = (
    ("event", _EVENT), ("kind", "review due"), ("about_register", "ownership"), ("about_record", "offer-engine"),
    ("recipient", _WHO), ("subject", "review due: Next best offer (offer-engine)"),
    ("message", "Ownership offer-engine, Next best offer: its review is due soon; renew it and set the next day."),
    ("due", InDays(-23)),
)  # fmt: skip

ACTS = (
    Act(37, APP, "add", "alerts", _NAME, _VALUES, alert_id(_EVENT, _WHO), _WHY),
    Act(37, APP, "claim", "alerts", _NAME, (), "", _WHY),
    Act(37, APP, "send", "alerts", _NAME, (), "", _WHY),
)
