"""A mode that stops at the first NaN, infinity or very large value."""

from __future__ import annotations

import collections.abc
import logging
import pdb
from io import StringIO
from typing import Any

import numpy as np

from theano_compat import config
from theano_compat.compile.mode import Mode, get_mode
from theano_compat.gof.utils import get_variable_trace_string

__all__ = ["NanGuardMode", "contains_inf", "contains_nan", "flatten"]

logger = logging.getLogger("theano.compile.nanguardmode")

# The GPU types are part of theano_compat.gpuarray; their values are looked at in host memory.
pygpu_available = False

# Magnitudes from here on count as big.
_BIG = 1e10


def flatten(l: Any) -> list[Any]:  # noqa: E741  (historic name)
    """The elements of nested lists, tuples, sets and dictionaries' values in one list."""
    result: list[Any] = []
    stack = [l]
    while stack:
        element = stack.pop()
        if isinstance(element, collections.abc.Mapping):
            stack.extend(reversed(list(element.values())))
        elif isinstance(element, (list, tuple, set, frozenset)):
            stack.extend(reversed(list(element)))
        else:
            result.append(element)
    return result


def _numeric_array(arr: Any, var: Any) -> np.ndarray | None:
    """`arr` as an array of continuous numbers, or None if it is none or its NaN would mean nothing."""
    if isinstance(arr, (np.random.RandomState, np.random.Generator, slice, str, bytes)) or arr is None:
        return None
    if var is not None and getattr(var.tag, "is_rng", False):
        return None
    module = type(arr).__module__
    if module.startswith("scipy.sparse"):
        arr = arr.data
    try:
        array = np.asarray(arr)
    except Exception:
        return None
    return array if array.dtype.kind in "fc" and array.size else None


def contains_nan(arr: Any, node: Any = None, var: Any = None) -> bool:
    """Whether a value has a NaN in it.

    Parameters
    ----------
    arr : ndarray or object
        The value; what is no array of numbers has none.
    node : Apply, optional
        What computed it.
    var : Variable, optional
        What it is the value of.
    """
    array = _numeric_array(arr, var)
    # The extremes are NaN if anything is, and need no further array.
    return array is not None and bool(np.isnan(np.min(array.real)) or array.dtype.kind == "c" and np.isnan(array).any())


def contains_inf(arr: Any, node: Any = None, var: Any = None) -> bool:
    """Whether a value has an infinity in it; the parameters are those of :func:`contains_nan`."""
    array = _numeric_array(arr, var)
    if array is None:
        return False
    if array.dtype.kind == "c":
        return bool(np.isinf(array).any())
    return bool(np.isinf(np.nanmax(array)) or np.isinf(np.nanmin(array))) if not np.isnan(array).all() else False


def _contains_big(arr: Any, var: Any) -> bool:
    array = _numeric_array(arr, var)
    if array is None:
        return False
    with np.errstate(all="ignore"):
        magnitude = np.abs(array)
    return bool((magnitude[~np.isnan(magnitude)] > _BIG).any())


def _host_extreme(function: Any) -> Any:
    def extreme(inp: Any) -> Any:
        return function(np.asarray(inp))

    return extreme


# Extremes of values that live on a GPU.
f_gpua_min = _host_extreme(np.min)
f_gpua_max = _host_extreme(np.max)
f_gpua_absmax = _host_extreme(lambda a: np.max(np.abs(a)))


def f_compute(op: Any) -> Any:
    """A function that applies `op` (``numpy.min`` and the like) to a value on a GPU."""
    return _host_extreme(op)


class NanGuardMode(Mode):
    """Check the inputs of a function and everything that it computes.

    Parameters
    ----------
    nan_is_error, inf_is_error, big_is_error : bool, optional
        What to look for: NaN; infinities; magnitudes above 1e10. By default what the flags
        ``NanGuardMode.nan_is_error`` and so on say.
    optimizer : Optimizer, Query or str
        The rewrites.
    linker : object, optional
        Has to be left out: the mode brings its own.

    Raises
    ------
    AssertionError
        At the first such value, if the flag ``NanGuardMode.action`` is ``raise``.

    Notes
    -----
    Set ``var.tag.nan_guard_mode_check = False`` on a variable to leave it out.
    """

    def __init__(
        self,
        nan_is_error: bool | None = None,
        inf_is_error: bool | None = None,
        big_is_error: bool | None = None,
        optimizer: Any = "default",
        linker: Any = None,
    ):
        from theano_compat.gof.vm import VM_Linker

        self.provided_optimizer = optimizer
        flags = config.NanGuardMode
        self.nan_is_error = flags.nan_is_error if nan_is_error is None else nan_is_error
        self.inf_is_error = flags.inf_is_error if inf_is_error is None else inf_is_error
        self.big_is_error = flags.big_is_error if big_is_error is None else big_is_error
        assert self.nan_is_error or self.inf_is_error or self.big_is_error, "there is nothing to look for"
        if linker is not None:
            raise Exception(f"NanGuardMode can only use its own linker! You provided {linker}")
        # Nothing may be overwritten before it has been looked at.
        own = VM_Linker(callback=self._check_outputs, callback_input=self._check_input)
        super().__init__(own, optimizer=optimizer if optimizer != "default" else get_mode(None)._optimizer)

    def __getstate__(self) -> Any:
        return (self.provided_optimizer, self.nan_is_error, self.inf_is_error, self.big_is_error)

    def __setstate__(self, state: Any) -> None:
        if len(state) == 2:
            super().__setstate__(state)
        else:
            optimizer, *errors = state
            NanGuardMode.__init__(self, *errors, optimizer=optimizer)

    def clone(self, link_kwargs: dict[str, Any] | None = None, optimizer: Any = "", **kwargs: Any) -> NanGuardMode:
        """A copy, possibly with other rewrites."""
        if isinstance(optimizer, str) and optimizer == "":
            optimizer = self.provided_optimizer
        return type(self)(self.nan_is_error, self.inf_is_error, self.big_is_error, optimizer=optimizer)

    def _findings(self, value: Any, node: Any, var: Any) -> str:
        lines = []
        if self.nan_is_error and contains_nan(value, node, var):
            lines.append("NaN detected")
        if self.inf_is_error and contains_inf(value, node, var):
            lines.append("Inf detected")
        if self.big_is_error and _contains_big(value, var):
            lines.append("Big value detected")
        return "\n".join(lines)

    def _check(self, value: Any, node: Any, var: Any, is_input: bool = False) -> None:
        if var is not None and getattr(var.tag, "nan_guard_mode_check", True) is False:
            return
        findings = self._findings(value, node, var)
        if not findings:
            return
        text = StringIO()
        print(findings, file=text)
        if is_input:
            print("NanGuardMode found an error in an input of the graph.", file=text)
            print(get_variable_trace_string(var), file=text)
        elif node is not None:
            from theano_compat.printing import debugprint

            print("NanGuardMode found an error in the output of a node in this variable:", file=text)
            print(debugprint(var, file="str"), file=text)
        else:
            print("NanGuardMode found an error in an output of the graph.", file=text)
        message = text.getvalue()
        action = config.NanGuardMode.action
        if action == "raise":
            raise AssertionError(message)
        if action == "pdb":
            print(message)
            pdb.set_trace()
        elif action == "warn":
            logger.error(message)

    def _check_outputs(self, node: Any, thunk: Any, storage_map: Any, compute_map: Any) -> None:
        for var in node.outputs:
            if compute_map.get(var, [True])[0]:
                self._check(storage_map[var][0], node, var)

    def _check_input(self, var: Any, value: Any) -> None:
        self._check(value, None, var, is_input=True)


