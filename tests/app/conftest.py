"""A home with people, initiatives, baselines and studies, without the rest of the demo: made once, then copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.govern import demo, demo_acts, demo_studies
from app.runtime import utc_now
from app.settings import Settings
from data import ledger_store


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
