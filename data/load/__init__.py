"""Loaders: one module a source, all feeding the same contract check."""
