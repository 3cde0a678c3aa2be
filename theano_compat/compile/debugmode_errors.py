"""What DebugMode raises, with everything that helps to find the culprit."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

import numpy as np

from theano_compat.gof import toolbox

__all__ = [
    "BadDestroyMap", "BadOptimization", "BadThunkOutput", "BadViewMap", "DebugModeError", "InvalidValueError",
    "StochasticOrder",
]


class DebugModeError(Exception):
    """Something that DebugMode checks is wrong."""


class StochasticOrder(DebugModeError):
    """Rewriting the same graph again went another way."""


def _attempt(function: Any, fallback: Any = "N/A") -> Any:
    try:
        return function()
    except Exception:
        return fallback


def _difference_lines(old: Any, new: Any) -> list[str]:
    """How two arrays differ."""
    lines = []
    if getattr(old, "shape", None) == getattr(new, "shape", ()):
        with np.errstate(all="ignore"):
            absolute = np.absolute(np.asarray(new, dtype="complex128") - np.asarray(old))
            relative = absolute / np.maximum(np.absolute(new) + np.absolute(old), 1e-300)
        for name, errors in (("Abs Diff", absolute), ("Rel Diff", relative)):
            for label, function in (("Max", np.max), ("Mean", np.mean), ("Median", np.median), ("Std", np.std)):
                lines.append(f"  {label} {name}:  {_attempt(lambda: function(errors))}")  # noqa: B023
    return lines


class BadThunkOutput(DebugModeError):
    """Two implementations of one op give different values.

    Parameters
    ----------
    r : Variable
        The output.
    thunk1, thunk2 : str
        The implementations.
    val1, val2 : object
        Their values.
    inputs_val : sequence
        The values of the inputs.
    """

    def __init__(self, r: Any, thunk1: Any, val1: Any, thunk2: Any, val2: Any, inputs_val: Sequence[Any] = ()):
        super().__init__()
        self.r = r
        self.thunk1, self.val1 = thunk1, val1
        self.thunk2, self.val2 = thunk2, val2
        self.inputs_val = inputs_val

    def offending_op(self) -> Any:
        """The class of the op."""
        return type(self.r.owner.op)

    def __str__(self) -> str:
        return self.str_diagnostic()

    def str_diagnostic(self) -> str:
        """The whole story."""
        node = self.r.owner
        lines = [
            "BadThunkOutput",
            f"  Apply   : {node}",
            f"  op      : {self.offending_op()}",
            f"  Outputs Type: {self.r.type}",
            f"  Outputs Shape: {_attempt(lambda: np.shape(self.val1))}",
            f"  Outputs Strides: {_attempt(lambda: self.val1.strides)}",
            f"  Inputs Type : {[i.type for i in node.inputs]}",
            f"  Inputs Shape: {[_attempt(lambda v=v: np.shape(v)) for v in self.inputs_val]}",
            f"  Inputs Strides: {[_attempt(lambda v=v: v.strides) for v in self.inputs_val]}",
            f"  Inputs values: {[_attempt(lambda v=v: repr(v)) for v in self.inputs_val]}",
            f"  Bad Variable: {self.r}",
            f"  thunk1  : {self.thunk1}",
            f"  thunk2  : {self.thunk2}",
            f"  value 1 : {self.val1!r}",
            f"  value 2 : {self.val2!r}",
            *_difference_lines(self.val1, self.val2),
        ]
        return "\n".join(lines) + "\n"


class BadOptimization(DebugModeError, toolbox.BadOptimization):
    """A rewrite changed a value."""


class BadDestroyMap(DebugModeError):
    """An op changed an input that its ``destroy_map`` does not name.

    Parameters
    ----------
    node : Apply
        The node.
    idx : int
        The input's position.
    old_val, new_val : object
        Its value before and after.
    perform : str
        The implementation.
    """

    def __init__(self, node: Any, idx: int, old_val: Any, new_val: Any, perform: str):
        super().__init__()
        self.node, self.idx = node, idx
        self.old_val, self.new_val = old_val, new_val
        self.perform = perform

    def __str__(self) -> str:
        node, old, new = self.node, self.old_val, self.new_val
        text = StringIO()

        def line(label: str, value: Any) -> None:
            print(f"  {label}: {value}", file=text)

        line("node", node)
        line("perform", self.perform)
        line("node.inputs", [(str(i), id(i)) for i in node.inputs])
        line("destroy_map", getattr(node.op, "destroy_map", {}))
        line("changed input idx", self.idx)
        line("changed input type", node.inputs[self.idx].type)
        line("repr (old val)", repr(old))
        line("repr (new val)", repr(new))
        if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
            line("value dtype (new <space> old)", f"{new.dtype} {old.dtype}")
            line("value shape (new <space> old)", f"{new.shape} {old.shape}")
            line("value min (new <space> old)", f"{_attempt(new.min)} {_attempt(old.min)}")
            line("value max (new <space> old)", f"{_attempt(new.max)} {_attempt(old.max)}")
            if new.shape == old.shape and new.size and new.dtype != bool:
                delta = new - old
                line("value min (new-old)", delta.min())
                line("value max (new-old)", delta.max())
                line("value argmin (new-old)", tuple(int(i) for i in np.unravel_index(delta.argmin(), new.shape)))
                line("value argmax (new-old)", tuple(int(i) for i in np.unravel_index(delta.argmax(), new.shape)))
                line("location of first 10 mismatches", np.transpose(np.nonzero(delta))[:10])
        print("", file=text)
        print(
            "  Hint: this can also be caused by a deficient values_eq_approx() or __eq__() implementation "
            "[which compared input values]",
            file=text,
        )
        return text.getvalue()


class BadViewMap(DebugModeError):
    """An op's output shares memory that its ``view_map`` does not name.

    Parameters
    ----------
    node : Apply
        The node.
    output_idx : int
        The output's position.
    out_storage : object
        Its value.
    in_alias_idx, out_alias_idx : list of int, optional
        The inputs and outputs that it shares memory with.
    """

    def __init__(
        self, node: Any, output_idx: int, out_storage: Any, in_alias_idx: Any = None, out_alias_idx: Any = None
    ):
        super().__init__()
        self.node, self.output_idx, self.out_storage = node, output_idx, out_storage
        self.in_alias_idx, self.out_alias_idx = in_alias_idx, out_alias_idx

    def __str__(self) -> str:
        node = self.node
        lines = [
            f"  node: {node}",
            f"  node.inputs: {[(str(i), id(i)) for i in node.inputs]}",
            f"  node.outputs: {[(str(i), id(i)) for i in node.outputs]}",
            f"  view_map: {getattr(node.op, 'view_map', {})}",
            f"  destroy_map: {getattr(node.op, 'destroy_map', {})}",
            f"  aliased output: {self.output_idx}",
            f"  aliased output storage: {self.out_storage}",
        ]
        if self.in_alias_idx:
            lines.append(f"  aliased to inputs: {self.in_alias_idx}")
        if self.out_alias_idx:
            lines.append(f"  aliased to outputs: {self.out_alias_idx}")
        return "\n".join(lines) + "\n"


class InvalidValueError(DebugModeError):
    """A value that its variable's type does not allow, or that is not finite.

    Parameters
    ----------
    r : Variable
        The variable.
    v : object
        The value.
    client_node : Apply, optional
        Who uses it.
    hint, specific_hint : object
        Where it came from, and what is wrong.
    """

    def __init__(self, r: Any, v: Any = None, client_node: Any = None, hint: Any = "none", specific_hint: Any = "none"):
        super().__init__()
        self.r, self.v = r, v
        self.client_node = client_node
        self.hint, self.specific_hint = hint, specific_hint

    def __str__(self) -> str:
        from theano_compat.printing.debug import debugprint_variable

        context = StringIO()
        debugprint_variable(self.r, prefix="  ", depth=12, file=context)
        v = self.v
        rows = {
            "type(variable)": self.r.type,
            "variable      ": self.r,
            "type(value)   ": type(v),
            "dtype(value)  ": _attempt(lambda: v.dtype),
            "shape(value)  ": _attempt(lambda: v.shape),
            "value         ": v,
            "min(value)    ": _attempt(lambda: v.min()),
            "max(value)    ": _attempt(lambda: v.max()),
            "isfinite      ": _attempt(lambda: bool(np.isfinite(v.dtype and v).all())),
            "client_node   ": self.client_node,
            "hint          ": self.hint,
            "specific_hint ": self.specific_hint,
        }
        body = "".join(f"\n        {label} = {value}" for label, value in rows.items())
        return f"InvalidValueError{body}\n        context        = ...\n{context.getvalue()}\n        "

