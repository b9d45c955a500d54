"""Small cells: which groups of a breakdown must not be shown, so that no person can be picked out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SMALLEST = 10  # persons a group needs to be shown


def protect(n: Sequence[int], smallest: int = SMALLEST) -> NDArray[np.bool_]:
    """Mask of groups to hide, given the persons in each: those below `smallest`.

    Where exactly one is hidden it could be had by subtracting the others from the total, so the next smallest
    is hidden too (the complementary cell).
    """
    sizes = np.asarray(n, dtype=np.int64)
    hidden = sizes < smallest
    if hidden.sum() == 1 and len(sizes) > 1:
        shown = np.where(hidden, np.iinfo(np.int64).max, sizes)
        hidden[int(np.argmin(shown))] = True
    return hidden
