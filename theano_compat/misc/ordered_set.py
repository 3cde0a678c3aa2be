"""A set that keeps the order in which its elements came."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, MutableSet
from typing import Any

string_types = (str,)


def check_deterministic(iterable: Any) -> None:
    """Raise unless `iterable` gives its elements in the same order in every run.

    Parameters
    ----------
    iterable : iterable or None
        A list, tuple, dictionary, :class:`OrderedSet`, generator or text.
    """
    if iterable is None:
        return
    allowed = (list, tuple, dict, OrderedSet, types.GeneratorType, *string_types)
    views = (type({}.keys()), type({}.values()), type({}.items()))
    if not isinstance(iterable, allowed + views):
        if len(iterable) > 1:
            raise AssertionError(f"Get an not ordered iterable when one was expected: {type(iterable)}")


class Link:
    """One element of a chain; kept for code that names it, and for pickles of Theano, in which a set is a chain."""

    __slots__ = ("prev", "next", "key", "__weakref__")

    def __setstate__(self, state: list[Any]) -> None:
        for name, value in zip(("prev", "next", "key"), state, strict=False):
            setattr(self, name, value)

    def keys(self) -> Iterator[Any]:
        """What the chain holds that begins after this element, which has no key."""
        link = self.next
        while link is not self:
            yield link.key
            link = link.next


class OrderedSet(MutableSet):
    """A set that keeps the order of insertion.

    Parameters
    ----------
    iterable : iterable, optional
        First elements; its own order has to be well defined.
    """

    __slots__ = ("_items",)

    def __init__(self, iterable: Iterable[Any] | None = None):
        check_deterministic(iterable)
        self._items: dict[Any, None] = {} if iterable is None else dict.fromkeys(iterable)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self._items)

    def add(self, key: Any) -> None:
        """Put `key` at the end unless it is there."""
        self._items.setdefault(key)

    def discard(self, key: Any) -> None:
        """Remove `key` if it is there."""
        self._items.pop(key, None)

    def pop(self, last: bool = True) -> Any:
        """Remove and return the last or the first element."""
        if not self._items:
            raise KeyError("set is empty")
        key = next(reversed(self._items)) if last else next(iter(self._items))
        del self._items[key]
        return key

    def update(self, iterable: Iterable[Any]) -> None:
        """Add all elements of `iterable`."""
        check_deterministic(iterable)
        self._items.update(dict.fromkeys(iterable))

    def union(self, s: Iterable[Any]) -> OrderedSet:
        """A new set with the elements of both, its own first."""
        check_deterministic(s)
        result = self.copy()
        result.update(s)
        return result

    def intersection_update(self, s: Any) -> None:
        """Keep only what is also in `s`."""
        self._items = {key: None for key in self._items if key in s}

    def difference_update(self, s: Any) -> None:
        """Remove what is in `s`."""
        for key in list(s):
            self._items.pop(key, None)

    def copy(self) -> OrderedSet:
        """A set with the same elements in the same order."""
        twin = type(self)()
        twin._items = dict(self._items)
        return twin

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OrderedSet):
            return list(self) == list(other)
        if isinstance(other, set):
            raise TypeError(
                "Cannot compare an `OrderedSet` to a `set` because this comparison cannot be made symmetric: please "
                "manually cast your `OrderedSet` into `set` before performing this comparison."
            )
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})" if self._items else f"{type(self).__name__}()"

    __str__ = __repr__

    def __getstate__(self) -> list[Any]:
        # Never false, so that it is always handed back.
        return [list(self._items)]

    def __setstate__(self, state: list[Any] | dict[str, Any]) -> None:
        # Theano pickles the first element of its chain, and where it finds the others.
        self._items = dict.fromkeys(state["_OrderedSet__root"].keys() if isinstance(state, dict) else state[0])
