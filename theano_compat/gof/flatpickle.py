"""Pickles and deep copies of graphs without recursion.

Pickle follows references: a variable leads to its owner, that to its inputs, and so on, a few levels of recursion a
node. Here the first node of a graph that is reduced puts a *preamble* before its own state: all its ancestors, each
after those that it refers to. Pickle (or :func:`copy.deepcopy`) saves them in this order, so that each finds its
inputs in the memo and the recursion stays shallow. Nodes that belong to a running preamble get none of their own.
Shared nodes stay shared within one pickle, as the memo does all the work.
"""

from __future__ import annotations

import copyreg
import threading
import weakref

_KEY = "__preamble__"
_running = threading.local()


def flat_reduce(node, roots=None) -> tuple:
    """Return what ``__reduce_ex__`` of a Variable, Apply or FunctionGraph has to return.

    Parameters
    ----------
    node : Variable, Apply or FunctionGraph
    roots : list, optional
        The nodes whose ancestors are to come first; default: the node itself.
    """
    state = node.__getstate__()
    if isinstance(state, dict):
        if roots is not None:
            state = {_KEY: Preamble(roots), **state}
        elif (getattr(node, "owner", None) is not None or getattr(node, "inputs", None)) and not _is_covered(node):
            state = {_KEY: Preamble([node]), **state}
    return copyreg.__newobj__, (type(node),), state


def restore_state(state: dict) -> dict:
    """Return the state without its preamble."""
    return {name: value for name, value in state.items() if name != _KEY} if _KEY in state else state


def is_flat(state: dict) -> bool:
    """Whether this package made the state of a FunctionGraph, and not Theano."""
    return _KEY in state


def _is_covered(node) -> bool:
    """Whether a preamble that holds ``node`` is being saved in this thread."""
    reference = getattr(_running, "covered", {}).get(id(node))
    return reference is not None and reference() is not None


class Preamble:
    """Passes the ancestors of some nodes to the pickler, in topological order, and comes back empty."""

    def __init__(self, roots=()):
        self.roots = list(roots)

    def append(self, item) -> None:
        """Forget an item (called on loading, when it has done its work)."""

    def extend(self, items) -> None:
        """Forget some items (called on loading, when they have done their work)."""

    def __reduce_ex__(self, protocol) -> tuple:
        return copyreg.__newobj__, (Preamble,), {"roots": []}, self._items()

    def _items(self):
        last = _Last(_ancestors_in_order(self.roots))
        covered = _running.__dict__.setdefault("covered", {})
        for stale in [key for key, reference in covered.items() if reference() is None]:
            del covered[stale]  # left by a pickling that failed
        reference = weakref.ref(last)
        covered.update((id(node), reference) for node in last.order)
        yield from last.order
        # Picklers may fetch many items before they save the first: the end of the list is not the end of the work.
        yield last


class _Last:
    """Last item of a preamble. While it lives, the nodes of the preamble count as covered."""

    def __init__(self, order=()):
        self.order = order

    def __reduce_ex__(self, protocol) -> tuple:
        covered = _running.__dict__.get("covered", {})
        for node in self.order:
            covered.pop(id(node), None)
        self.order = ()
        return copyreg.__newobj__, (_Last,)


def _ancestors_in_order(roots) -> list:
    """Return the leaves and Apply nodes behind ``roots``, each Apply after its inputs."""
    order: list = []
    seen: set = set()  # of ids: subclasses of Variable may define == elementwise
    pending = [(root, False) for root in reversed(roots)]
    while pending:
        node, ready = pending.pop()
        if ready:
            order.append(node)
            continue
        if id(node) in seen or _is_covered(node):
            continue
        seen.add(id(node))
        owner = getattr(node, "owner", None)
        if owner is not None:
            order_after = [(owner, False)]
        elif getattr(node, "outputs", None) is not None:
            pending.append((node, True))
            order_after = [(var, False) for var in reversed(node.inputs)]
        else:
            order.append(node)
            continue
        pending.extend(order_after)
    # The outputs come with their node; they are covered, so that none starts a preamble.
    outputs = [out for node in order for out in getattr(node, "outputs", ())]
    return order + outputs
