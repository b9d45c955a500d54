"""Other tools measured beside ours, each in an environment of its own outside the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOM = Path(os.environ.get("THROUGHLINE_PEERS", Path(tempfile.gettempdir()) / "throughline-peers"))
# What a fresh install needs to start at all (July 2026): Evidently fails on pandas 3, NannyML does not name statsmodels.
NEEDS = {
    "evidently": ("evidently==0.7.23", "pandas<3", "pyarrow"),
    "nannyml": ("nannyml==0.13.1", "statsmodels", "pyarrow"),
}
SCRIPTS = {"evidently": "evidently_presets.py", "nannyml": "nannyml_jobs.py"}
PATIENCE = 2400.0


def python_of(name: str) -> Path:
    """The Python of a peer's environment, which is made where it is not there."""
    own = ROOM / name
    python = own / "bin" / "python"
    if not (own / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(own)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *NEEDS[name]], check=True)
        (own / "made").touch()
    return python


def peer(name: str, rows: Path) -> dict[str, object]:
    """One run on a Parquet file: seconds, processor, peak, auc, versions; or `failed` with the last words."""
    command = [str(python_of(name)), str(HERE / SCRIPTS[name]), str(rows)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {PATIENCE / 60:.0f} minutes"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:200]}
    return dict(json.loads(done.stdout.splitlines()[-1]))
