"""NannyML by day on one Parquet file: estimated and realised performance, drift of score and features; run by its own Python.

    python nannyml_jobs.py ROWS.parquet

Nothing of ours is imported. Reference: the first half of the days. Prints wall and processor seconds, peak MiB and the AUC
of the last day.
"""

import importlib
import json
import os
import resource
import sys
import time
from importlib import metadata

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # it would call a server
GIB = 1 << 30
FEATURES = ["feat_age", "feat_amount", "feat_activity", "feat_channel", "feat_region"]
FIGURES = ["roc_auc", "f1", "precision", "recall"]
ROLES = {
    "y_pred": "flag",
    "y_pred_proba": "score",
    "y_true": "label",
    "timestamp_column_name": "time",
    "chunk_period": "D",
}


def jobs(path: str) -> float:
    pandas, nml = (importlib.import_module(m) for m in ("pandas", "nannyml"))
    rows = pandas.read_parquet(path)
    rows["time"] = pandas.to_datetime(rows.pop("day"), unit="D")
    for name in FEATURES[3:]:
        rows[name] = rows[name].astype("category")
    cut = rows["time"].min() + (rows["time"].max() + pandas.Timedelta(days=1) - rows["time"].min()) // 2
    before, after = rows[rows["time"] < cut], rows[rows["time"] >= cut]
    del rows
    kind = "classification_binary"
    estimated = nml.CBPE(metrics=FIGURES, problem_type=kind, **ROLES).fit(before).estimate(after)
    realised = (
        nml.PerformanceCalculator(metrics=FIGURES, problem_type=kind, **ROLES).fit(before).calculate(after)
    )
    drift = (
        nml.UnivariateDriftCalculator(
            column_names=["score", *FEATURES],
            timestamp_column_name="time",
            chunk_period="D",
            continuous_methods=["kolmogorov_smirnov", "jensen_shannon"],
            categorical_methods=["chi2", "jensen_shannon"],
        )
        .fit(before)
        .calculate(after)
    )
    assert len(estimated.to_df()) == len(drift.to_df())
    return float(realised.to_df()[("roc_auc", "value")].iloc[-1])


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (8 * GIB, 8 * GIB))
    for module in ("pandas", "nannyml"):  # start-up is not what is compared
        importlib.import_module(module)
    started, used = time.perf_counter(), time.process_time()
    auc = jobs(sys.argv[1])
    seconds, used = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    versions = ", ".join(f"{p} {metadata.version(p)}" for p in ("nannyml", "pandas", "numpy", "scikit-learn"))
    print(json.dumps({"seconds": seconds, "processor": used, "peak": peak, "auc": auc, "versions": versions}))


if __name__ == "__main__":
    main()
