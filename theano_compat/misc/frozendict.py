"""Dictionaries that cannot be changed, and can be hashed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["FrozenOrderedDict", "frozendict"]


class frozendict(Mapping):
    """An immutable dictionary; made like :class:`dict`."""

    dict_cls: type = dict

    def __init__(self, *args: Any, **kwargs: Any):
        self._dict = self.dict_cls(*args, **kwargs)
        self._hash: int | None = None

    def __getitem__(self, key: Any) -> Any:
        return self._dict[key]

    def __contains__(self, key: object) -> bool:
        return key in self._dict

    def __iter__(self) -> Iterator[Any]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def copy(self, **add_or_replace: Any) -> frozendict:
        """A dictionary with some entries more or different."""
        return type(self)(self, **add_or_replace)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._dict!r}>"

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._dict.items()))
        return self._hash


class FrozenOrderedDict(frozendict):
    """An immutable dictionary that compares its order too."""

    dict_cls = OrderedDict
