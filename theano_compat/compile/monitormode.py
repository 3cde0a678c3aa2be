"""A mode that calls the user's functions before and after each node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theano_compat import config
from theano_compat.compile.mode import Mode
from theano_compat.configparser import string_types

__all__ = ["MonitorMode", "detect_nan"]


class MonitorMode(Mode):
    """Watch the execution of a function node by node.

    Parameters
    ----------
    pre_func, post_func : callable, optional
        ``func(i, node, fn)``, called before and after each node: its position, the node, and its thunk, whose
        ``fn.inputs`` and ``fn.outputs`` are lists of one-element lists with the values.
    optimizer : Optimizer, Query or str
        The rewrites.
    linker : Linker, optional
        Nothing but the default is possible, which runs node by node.

    Examples
    --------
    >>> import theano_compat as theano
    >>> x = theano.tensor.dscalar('x')
    >>> seen = []
    >>> mode = theano.compile.MonitorMode(post_func=lambda i, node, fn: seen.append(float(fn.outputs[0][0])))
    >>> f = theano.function([x], theano.tensor.log(x), mode=mode)
    >>> _ = f(1.0)
    >>> seen
    [0.0]
    """

    def __init__(
        self,
        pre_func: Callable[[int, Any, Any], None] | None = None,
        post_func: Callable[[int, Any, Any], None] | None = None,
        optimizer: Any = "default",
        linker: Any = None,
    ):
        from theano_compat.gof.link import PerformLinker, WrapLinkerMany

        self.pre_func, self.post_func = pre_func, post_func
        if isinstance(optimizer, string_types) and optimizer == "default":
            optimizer = config.optimizer
        if linker is not None and not isinstance(getattr(linker, "mode", None), MonitorMode):
            raise Exception(f"MonitorMode can only use its default linker! You provided {linker}")
        super().__init__(WrapLinkerMany([PerformLinker()], [self.eval]), optimizer=optimizer)

    def __getstate__(self) -> Any:
        return (*super().__getstate__(), self.pre_func, self.post_func)

    def __setstate__(self, state: Any) -> None:
        if len(state) == 4:
            self.pre_func, self.post_func = state[2:]
        super().__setstate__(state[:2])

    def eval(self, i: int, node: Any, fn: Any) -> None:
        """Run the thunk `fn` of the node at position `i` between the two functions."""
        if self.pre_func is not None:
            self.pre_func(i, node, fn)
        fn()
        if self.post_func is not None:
            self.post_func(i, node, fn)

    def clone(self, link_kwargs: dict[str, Any] | None = None, optimizer: Any = "", **kwargs: Any) -> MonitorMode:
        """A copy, possibly with other rewrites."""
        if isinstance(optimizer, string_types) and optimizer == "":
            optimizer = self.provided_optimizer
        return type(self)(pre_func=self.pre_func, post_func=self.post_func, optimizer=optimizer)


def detect_nan(i: int, node: Any, fn: Any) -> None:
    """As `post_func` of :class:`MonitorMode`: print the first node that gives NaN, and its values."""
    from theano_compat.printing import debugprint

    for output in fn.outputs:
        value = output[0]
        if not isinstance(value, np.random.RandomState) and np.isnan(np.asarray(value)).any():
            print("*** NaN detected ***")
            debugprint(node)
            print(f"Inputs : {[cell[0] for cell in fn.inputs]}")
            print(f"Outputs: {[cell[0] for cell in fn.outputs]}")
            break
