"""The council's meeting in the diary: the pilot of churn retention was decided in it, and its minutes closed it."""

from __future__ import annotations

from app.govern.commands import values_of
from app.govern.demo_acts import Act, by
from app.govern.demo_gates import Scene
from app.govern.gates import meeting, minutes
from app.govern.model import Add, Receipt

_DAY = 61  # on which the pilot was decided


def _open(scene: Scene) -> Receipt:
    agenda = (f"review {scene.held['g-churn']}",)
    return scene.do(Add("meetings", values_of(title="Council, second session of the quarter", agenda=agenda)))


def _enter(scene: Scene) -> Receipt | None:
    look = scene.sources.look
    held = meeting.on_now(look)
    command = meeting.entering(look, held, scene.actor) if held is not None else None
    return scene.do(command) if command is not None else None


def _close(scene: Scene) -> Receipt | None:
    look = scene.sources.look
    held = meeting.on_now(look)
    remarks = "Mira Okafor tells the council in four weeks how far the batches are."
    return scene.do(minutes.closing(look, held, remarks)) if held is not None else None


OPENED = (
    Act(_DAY, by("hanna"), "add", "meetings", "m-churn", plan=_open),
    *(
        Act(_DAY, by(who), "add", "attendances", f"m-churn-{who}", plan=_enter)
        for who in ("hanna", "david", "nadia", "mira")
    ),
)
CLOSED = (Act(_DAY, by("hanna"), "add", "minutes", "m-churn-minutes", plan=_close),)
