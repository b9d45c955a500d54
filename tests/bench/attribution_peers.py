"""The peers of the attribution contest, run in an environment of their own (`make setup-peers`): never imported by us.

Each takes a data frame and gives the effect and its standard error without small-sample factors, which differ between
packages and are put on outside the clock, the same for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

Answer = dict[str, float]


def pyfixest_trial(frame: pd.DataFrame) -> Answer:
    return _pyfixest("y_trial ~ arm", "arm", frame)


def pyfixest_did(frame: pd.DataFrame) -> Answer:
    return _pyfixest("y_did ~ on | unit + period", "on", frame)


def _pyfixest(formula: str, name: str, frame: pd.DataFrame) -> Answer:
    import pyfixest

    plain = pyfixest.ssc(k_adj=False, G_adj=False)
    fit = pyfixest.feols(formula, frame, vcov={"CRV1": "unit"}, ssc=plain)
    return {"effect": float(fit.coef()[name]), "se": float(fit.se()[name])}


def linearmodels_trial(frame: pd.DataFrame) -> Answer:
    from linearmodels.panel import PooledOLS

    held = frame.set_index(["unit", "period"])
    model = PooledOLS(held["y_trial"], held[["arm"]].assign(const=1.0))
    fit = model.fit(cov_type="clustered", cluster_entity=True, debiased=False, group_debias=False)
    return {"effect": float(fit.params["arm"]), "se": float(fit.std_errors["arm"])}


def linearmodels_did(frame: pd.DataFrame) -> Answer:
    from linearmodels.panel import PanelOLS

    held = frame.set_index(["unit", "period"])
    model = PanelOLS(held["y_did"], held[["on"]], entity_effects=True, time_effects=True)
    fit = model.fit(
        cov_type="clustered", cluster_entity=True, debiased=False, group_debias=False, auto_df=False, count_effects=False
    )  # fmt: skip
    return {"effect": float(fit.params["on"]), "se": float(fit.std_errors["on"])}


def csdid_roll(frame: pd.DataFrame) -> Answer:
    from csdid.att_gt import ATTgt  # type: ignore[import-not-found]

    cells = ATTgt("y_roll", "period", "unit", "cohort", frame, control_group="nevertreated")
    whole = cells.fit(est_method="reg", bstrap=False).aggte("simple", bstrap=False).atte
    return {"effect": float(whole["overall_att"]), "se": float(whole["overall_se"])}


def diff_diff_roll(frame: pd.DataFrame) -> Answer:
    from diff_diff import CallawaySantAnna  # type: ignore[import-not-found]

    found = CallawaySantAnna(control_group="never_treated").fit(
        frame, outcome="y_roll", unit="unit", time="period", first_treat="cohort"
    )
    return {"effect": float(found.overall_att), "se": float(found.overall_se)}


PEERS: dict[str, tuple[Callable[[pd.DataFrame], Answer], tuple[str, ...]]] = {
    "pyfixest, randomised": (pyfixest_trial, ("unit", "arm", "y_trial")),
    "linearmodels, randomised": (linearmodels_trial, ("unit", "period", "arm", "y_trial")),
    "pyfixest, difference-in-differences": (pyfixest_did, ("unit", "period", "on", "y_did")),
    "linearmodels, difference-in-differences": (linearmodels_did, ("unit", "period", "on", "y_did")),
    "csdid, staggered": (csdid_roll, ("unit", "period", "cohort", "y_roll")),
    "diff-diff, staggered": (diff_diff_roll, ("unit", "period", "cohort", "y_roll")),
}
