"""Evidently's classification and drift presets on one Parquet file, whole population only; run by its own Python.

    python evidently_presets.py ROWS.parquet

Nothing of ours is imported. Reference: the first half of the days. Prints wall and processor seconds, peak MiB and the AUC.
"""

import importlib
import json
import resource
import sys
import time
from importlib import metadata

GIB = 1 << 30
NUMBERS, WORDS = ["feat_age", "feat_amount", "feat_activity"], ["feat_channel", "feat_region"]


def presets(path: str) -> float:
    pandas, ev, kinds = (importlib.import_module(m) for m in ("pandas", "evidently", "evidently.presets"))
    rows = pandas.read_parquet(path)
    roles = ev.DataDefinition(
        classification=[
            ev.BinaryClassification(target="label", prediction_labels="flag", prediction_probas="score")
        ],
        numerical_columns=["score", *NUMBERS],
        categorical_columns=["label", "flag", *WORDS],
    )
    half = rows["day"] < rows["day"].min() + (rows["day"].max() + 1 - rows["day"].min()) // 2
    columns = ["label", "flag", "score", *NUMBERS, *WORDS]
    before, after = (
        ev.Dataset.from_pandas(rows.loc[kept, columns].reset_index(drop=True), data_definition=roles)
        for kept in (half, ~half)
    )
    del rows
    done = ev.Report([kinds.ClassificationPreset(), kinds.DataDriftPreset()]).run(after, before)
    found = json.loads(done.json())["metrics"]
    return next(float(m["value"]) for m in found if "RocAuc" in str(m))


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (8 * GIB, 8 * GIB))
    for module in ("pandas", "evidently", "evidently.presets"):  # start-up is not what is compared
        importlib.import_module(module)
    started, used = time.perf_counter(), time.process_time()
    auc = presets(sys.argv[1])
    seconds, used = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    versions = ", ".join(
        f"{p} {metadata.version(p)}" for p in ("evidently", "pandas", "numpy", "scikit-learn")
    )
    print(json.dumps({"seconds": seconds, "processor": used, "peak": peak, "auc": auc, "versions": versions}))


if __name__ == "__main__":
    main()
