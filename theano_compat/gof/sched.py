"""Orders of execution chosen by comparison functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key

from theano_compat.gof.graph import Apply, list_of_nodes
from theano_compat.gof.utils import toposort


class memodict(dict):
    """A dictionary that computes the value of a missing key by a function, and keeps it."""

    def __init__(self, f: Callable):
        super().__init__()
        self._compute = f

    def __missing__(self, key):
        value = self[key] = self._compute(key)
        return value

    def __call__(self, key):
        """Return the value of ``key``."""
        return self[key]


def make_depends() -> Callable:
    """Return a function of a pair ``(a, b)`` of variables or nodes: does ``a`` need ``b``? Answers are remembered."""
    reached: dict = {}

    def depends(pair) -> bool:
        a, b = pair
        if a not in reached:
            seen: set = set()
            pending = [a]
            while pending:
                for parent in pending.pop().get_parents():
                    if parent not in seen:
                        seen.add(parent)
                        pending.append(parent)
            reached[a] = seen
        return b in reached[a]

    return depends


def make_dependence_cmp() -> Callable:
    """Return a comparison: 1 if the first node depends on the second, -1 if it is the other way round, else 0."""
    depends = make_depends()

    def dependence(a, b) -> int:
        return int(depends((a, b))) - int(depends((b, a)))

    return dependence


def reverse_dict(d: dict) -> dict:
    """Turn a map from keys to collections of values into one from values to the tuple of keys that have them."""
    reversed_: dict = {}
    for key, values in d.items():
        for value in values:
            reversed_[value] = (*reversed_.get(value, ()), key)
    return reversed_


def _toposort(edges: dict) -> list:
    """Sort so that each key of ``edges`` comes before the elements it maps to."""
    after = {node for nodes in edges.values() for node in nodes}
    return toposort({**{node: () for node in edges if node not in after}, **reverse_dict(edges)})


def posort(l: Iterable, *cmps: Callable) -> list:
    """Sort by several comparisons, each a partial order; an earlier one outweighs the later ones.

    Parameters
    ----------
    l : iterable
    cmps : callable
        From two elements to a negative, zero or positive number.
    """
    items = list(l)
    comes_before: dict = {item: set() for item in items}
    comes_after: dict = {item: set() for item in items}

    def add_link(a, b) -> None:
        """Note that ``a`` comes before ``b``, with all that follows from it."""
        firsts, seconds = {a} | comes_before[a], {b} | comes_after[b]
        for first in firsts:
            comes_after[first] |= seconds
        for second in seconds:
            comes_before[second] |= firsts

    for compare in cmps:
        for i, a in enumerate(items):
            for b in items[i + 1 :]:
                if b in comes_before[a] or b in comes_after[a]:
                    continue
                answer = compare(a, b)
                if answer < 0:
                    add_link(a, b)
                elif answer > 0:
                    add_link(b, a)
    return _toposort(comes_after)


def sort_apply_nodes(inputs: Sequence, outputs: Sequence, cmps: Sequence[Callable]) -> list[Apply]:
    """Return the nodes between inputs and outputs, dependencies first, ties broken by ``cmps``."""
    return posort(list_of_nodes(inputs, outputs), make_dependence_cmp(), *cmps)


def sort_schedule_fn(*cmps: Callable) -> Callable:
    """Return a schedule function for linkers, which orders the nodes by dependency, then by ``cmps``."""
    dependence = make_dependence_cmp()

    def schedule(fgraph) -> list[Apply]:
        return posort(list_of_nodes(fgraph.inputs, fgraph.outputs), dependence, *cmps)

    return schedule


def key_to_cmp(key: Callable) -> Callable:
    """Return the comparison of two elements by their ``key``."""

    def key_cmp(a, b) -> int:
        ka, kb = key(a), key(b)
        return (ka > kb) - (ka < kb)

    return key_cmp


__all__ = [
    "cmp_to_key", "key_to_cmp", "make_depends", "make_dependence_cmp", "memodict", "posort", "reverse_dict",
    "sort_apply_nodes", "sort_schedule_fn",
]  # fmt: skip
