"""Answers kept in memory: the least recently asked go first, by number and by size. Threads may share one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
READINGS = 8192  # finished answers kept in memory; each is a few hundred bytes to some kilobytes
SLICES, SLICE_BYTES = 512, 192 * 2**20  # merged cells, and how large together
# The same of what no rollup holds: dear to ask again, so nothing else displaces it.
ASKED, ASKED_BYTES = 512, 64 * 2**20
DERIVED = 64  # cells as finalisers take them, and what is made of many Readings


class Shelf(Generic[T]):
    """At most `most` answers of at most `room` bytes together (None: whatever their size)."""

    def __init__(self, most: int, room: int | None = None) -> None:
        self._most, self._room = most, room
        self._held: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._size = 0
        self._guard = threading.Lock()

    def find(self, name: Hashable) -> T | None:
        with self._guard:
            if name not in self._held:
                return None
            self._held.move_to_end(name)
            return self._held[name][0]

    def keep(self, name: Hashable, answer: T, size: int = 0) -> T:
        """Keep an answer of so many bytes and give it back; the newest stays even where it is larger than the room."""
        with self._guard:
            self._size += size - self._held.pop(name, (answer, 0))[1]
            self._held[name] = (answer, size)
            while len(self._held) > 1 and self._over:
                self._size -= self._held.popitem(last=False)[1][1]
        return answer

    @property
    def _over(self) -> bool:
        return len(self._held) > self._most or (self._room is not None and self._size > self._room)

    def __len__(self) -> int:
        return len(self._held)
