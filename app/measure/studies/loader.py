"""YAML as the specifications of studies are written in: safe, and no key twice."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

import yaml  # type: ignore[import-untyped]

from app.measure.studies.spec import SpecError


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML without tags that run code; a key written twice is an error, not the later value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if not isinstance(key, Hashable):
                raise SpecError(
                    f"line {key_node.start_mark.line + 1}: a list cannot be a key; write key: value"
                )
            if key in seen:
                line = key_node.start_mark.line + 1
                raise SpecError(f"line {line}: the key {key!r} is written twice; keep one")
            seen.add(key)
        return cast("dict[Hashable, object]", super().construct_mapping(node, deep))
