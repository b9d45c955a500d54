"""Frozen dataclasses back from their JSON, by their own type hints."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def rebuilt(kind: type[T], found: object) -> T:
    """A dataclass from the object that `json_of` wrote; fields that an older writer did not know take their defaults.

    Raises ValueError where the object is not of this kind.
    """
    if not isinstance(found, dict):
        raise ValueError(f"{kind.__name__}: {str(found)[:80]!r} is no object")  # noqa: TRY004 (a file's content, not a caller's type)
    hints = _hints(typing.cast("Any", kind))
    known = {name: _value(hint, found[name]) for name, hint in hints.items() if name in found}
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


@cache
def _hints(kind: type[object]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(typing.cast("Any", kind))}


def _value(hint: Any, found: object) -> object:  # noqa: ANN401 (a type hint has no better type)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        kinds = [a for a in typing.get_args(hint) if a is not type(None)]
        return None if found is None else _value(kinds[0], found) if len(kinds) == 1 else found
    if typing.get_origin(hint) is tuple and isinstance(found, list):
        return tuple(_value(typing.get_args(hint)[0], x) for x in found)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return rebuilt(hint, found)
    return hint(found) if isinstance(hint, type) and issubclass(hint, enum.Enum) else found
