"""The dispatch of lowerings on op classes.

Modules that define lowerings are imported with the first function that is compiled, those of the ops of a module that few programs
import with the first function after its import.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys

from theano_compat.codegen.builder import NotLowered

__all__ = ["lower", "register"]

#: Files of this folder that register lowerings, and the module without which there are no such ops.
TOPICS = {
    **dict.fromkeys((
        "elemwise", "views", "reduce", "alloc", "shape", "subtensor", "incsubtensor", "advanced", "join", "blas", "extremum", "extra",
        "misc", "nnet", "conv", "pool",
    ), "theano_compat.tensor"),
    "random": "theano_compat.sandbox.multinomial",
    "scan": "theano_compat.scan_module.scan_op",
    "sparse": "theano_compat.sparse",
}  # fmt: skip


@functools.singledispatch
def _lower(op, node, builder):
    raise NotLowered(f"op {type(op).__name__} has no lowering")


register = _lower.register


_waiting = dict(TOPICS)


def _load_topics() -> None:
    for topic in [topic for topic, needed in _waiting.items() if needed in sys.modules]:
        del _waiting[topic]
        path = f"theano_compat.codegen.lower.{topic}"
        if importlib.util.find_spec(path):
            importlib.import_module(path)


#: Methods whose override in a subclass changes what an op computes.
_MEANING = ("perform", "make_thunk", "c_code")


def lower(op, node, builder) -> None:
    """Lower one node into the builder, or raise `NotLowered`.

    Notes
    -----
    A user's subclass that overrides `perform` or `c_code` of an op computes something else than its parent: it is not lowered
    by its parent's lowering.
    """
    _load_topics()
    cls = type(op)
    found = _lower.dispatch(cls)
    if cls not in _lower.registry and found is not _lower.registry[object]:
        owner = next(c for c in cls.__mro__ if c in _lower.registry)
        for between in cls.__mro__[: cls.__mro__.index(owner)]:
            if any(name in between.__dict__ for name in _MEANING):
                raise NotLowered(f"op {cls.__name__} has code of its own")
    found(op, node, builder)
