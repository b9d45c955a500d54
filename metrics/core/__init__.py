"""The vocabulary every family is written in: metrics, shapes, verdicts, intervals."""
