"""Alerts: what is due or went wrong, told once to each person it concerns."""
