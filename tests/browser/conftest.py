"""The full demo, served: what the stories are told on and the pictures are taken of."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from app.govern.board.publish import publish
from app.govern.demo import fill
from app.govern.open import open_ledger, operator
from app.measure.demo import write
from app.measure.refresh import refresh
from app.runtime import open_runtime, utc_now
from app.settings import Settings
from data import ledger_store
from metrics import ROLLUPS
from tests.browser.chrome import serving

DAYS, PERSONS, SEED = 180, 20_000, 7  # as `python -m app demo` makes it


@pytest.fixture(scope="session")
def full_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the demo as it stands today, refreshed and published once, or of one that is served already."""
    if served := os.environ.get("THROUGHLINE_DEMO_URL"):
        yield served
        return
    runtime = open_runtime(Settings(home=tmp_path_factory.mktemp("full_demo")))
    write(runtime, utc_now(), days=DAYS, persons=PERSONS, seed=SEED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_store, "PRAGMAS", tuple(p.replace("EXTRA", "OFF") for p in ledger_store.PRAGMAS))
        fill(runtime.settings, utc_now())
        refresh(
            ROLLUPS.values(), runtime.warehouse, runtime.store, utc_now
        )  # by today's clock: pictures show it
        publish(runtime, open_ledger(runtime.settings, utc_now), operator(), utc_now())
    with serving(runtime.settings.home, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url
