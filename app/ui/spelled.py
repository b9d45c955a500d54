"""A chart's specification on its way to streamlit without plotly's checks, which take longer than all else about it.

Streamlit has plotly check each dictionary it is given, key by key and number by number, at every drawing: 4 ms a chart. A
figure object it takes as checked. The tests check each figure that a page draws (tests/app/conftest.py).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import plotly.graph_objects as go
from plotly.basedatatypes import BaseFigure

Spec = dict[str, Any]  # plotly's own format


class Spelled(BaseFigure):  # type: ignore[misc]  # plotly has no types
    """A figure whose specification is sent as it stands, under the theme that is in force."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec  # and no more: what BaseFigure keeps of a figure is what its checks are made with

    def to_dict(self) -> Spec:
        """The specification as streamlit sends it, with the template that a checked figure would carry."""
        return {**self._spec, "layout": {"template": _template(), **self._spec["layout"]}}


@cache
def _template() -> Spec:
    """Streamlit's template (it has become plotly's default once streamlit is imported), spelled out once."""
    return dict(go.Figure().to_dict()["layout"]["template"])
