"""Attribution: what an initiative caused, by study design. Estimators and diagnostics on arrays, nothing else."""
