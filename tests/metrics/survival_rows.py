"""Random grouped survival data and its expansion to person rows, for the oracles that take rows only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st


@dataclass(frozen=True)
class Grouped:
    time: np.ndarray
    events: np.ndarray  # (causes, G)
    censored: np.ndarray

    @property
    def one_cause(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.time, self.events.sum(axis=0), self.censored

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """(time, status) per person; status 0 is censored, 1 + cause otherwise."""
        counts = np.vstack([self.censored, self.events])
        status, at = np.nonzero(counts)
        repeats = counts[status, at]
        return np.repeat(self.time[at], repeats), np.repeat(status, repeats)


@st.composite
def grouped(draw: st.DrawFn, causes: int = 1, tail: int = 1) -> Grouped:
    """Up to 12 groups in any order; `tail` persons censored last, so that the survival stays above 0."""
    size = draw(st.integers(1, 12))
    time = draw(st.lists(st.integers(0, 30), min_size=size, max_size=size))
    counts = draw(
        st.lists(
            st.lists(st.integers(0, 4), min_size=size, max_size=size),
            min_size=causes + 1,
            max_size=causes + 1,
        )
    )
    data = np.array([[*row, 0] for row in counts])
    data[-1, -1] = tail
    return Grouped(np.array([*time, 31], dtype=float), data[:-1], data[-1])


def from_rows(time, status, causes: int = 1) -> Grouped:
    status = np.asarray(status)
    return Grouped(
        np.asarray(time, dtype=float),
        np.stack([(status == c + 1).astype(np.int64) for c in range(causes)]),
        (status == 0).astype(np.int64),
    )
