"""Tests mirror the rooms; `laws/` hold over all metrics and all pages."""
