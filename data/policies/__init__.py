"""Dated policy data: suppression obligations, policy profiles, quiet hours. Data with sources, not legal advice.

The one place that reads these files; everything else gets frozen values.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Any


@functools.cache
def document(name: str) -> dict[str, Any]:
    """A packaged TOML file of this folder, by its name without the ending. Raises FileNotFoundError."""
    with resources.files("data.policies").joinpath(f"{name}.toml").open("rb") as handle:
        return tomllib.load(handle)
