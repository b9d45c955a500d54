"""A home with people, initiatives, baselines and studies, without the rest of the demo: made once, then copied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio
import pytest

from app.govern import demo, demo_acts, demo_studies
from app.runtime import utc_now
from app.settings import Settings
from app.ui.spelled import Spec, Spelled
from data import ledger_store


@pytest.fixture(autouse=True)
def every_chart_is_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure that a page draws in these tests is what plotly's own checks, which the app leaves out, would send."""
    spelled = Spelled.to_dict

    def sent(figure: Spelled) -> Spec:
        found = spelled(figure)
        checked, told = (
            json.loads(pio.to_json(f, validate=False))
            for f in (go.Figure(**spelled(figure)).to_dict(), spelled(figure))
        )
        assert checked["data"], "a figure without data"
        told["layout"] = {k: v for k, v in told["layout"].items() if v != []}  # plotly leaves empty lists out
        assert checked == told, "plotly would send another figure"
        return found

    monkeypatch.setattr(Spelled, "to_dict", sent)


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("studied")
    acts = (*demo_acts.USERS, *demo_acts.INITIATIVES, *demo_acts.OWNERSHIP, *demo_studies.ACTS)
    with pytest.MonkeyPatch.context() as patch:
        quick = tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS)
        patch.setattr(ledger_store, "PRAGMAS", quick)
        patch.setattr(demo, "diary", lambda _: tuple(sorted(acts, key=lambda act: -act.days_ago)))
        demo.fill(Settings(home=home), utc_now())
    return home


@pytest.fixture
def study_home(studied: Path, tmp_path: Path) -> Path:
    shutil.copytree(studied, tmp_path / "home")
    return tmp_path / "home"
