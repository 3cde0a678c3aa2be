"""Forward mode: the Jacobian-vector product :func:`Rop`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from theano_compat.gof import Apply, Variable
from theano_compat.gof.utils import get_variable_trace_string
from theano_compat.gradient.backward import format_as
from theano_compat.gradient.types import DisconnectedInputError

__all__ = ["Rop"]


class _ForwardSweep:
    """Derivatives of nodes along given directions, computed from the inputs onwards."""

    def __init__(self, wrt: Sequence[Variable], eval_points: Sequence[Any]):
        self.directions = dict(zip(wrt, eval_points))
        self._done: dict[Apply, list[Any]] = {}

    def _point(self, variable: Variable) -> Any:
        """The derivative of an input of a node; None where there can be none."""
        if variable in self.directions:
            return self.directions[variable]
        if variable.owner is not None:
            return self._done[variable.owner][variable.owner.outputs.index(variable)]
        try:
            return variable.zeros_like()
        except Exception:
            # Random states and the like.
            return None

    def _apply(self, node: Apply) -> None:
        points = []
        for variable in node.inputs:
            point = self._point(variable)
            if point is not None:
                if not isinstance(point, Variable):
                    from theano_compat import tensor

                    point = tensor.as_tensor_variable(point)
                try:
                    point = variable.type.filter_variable(point)
                except TypeError:
                    # A float direction for an integer variable keeps its own dtype.
                    point = variable.type.clone(dtype=point.type.dtype).filter_variable(point)
            points.append(point)
        try:
            self._done[node] = list(node.op.R_op(node.inputs, points))
        except NotImplementedError:
            # What is not continuous (indices, slices) does not move with its inputs.
            if any(str(getattr(out.type, "dtype", "")).startswith(("float", "complex")) for out in node.outputs):
                raise
            self._done[node] = [None] * len(node.outputs)

    def derivative(self, variable: Variable) -> Any:
        """The derivative of `variable`; None if it does not depend on the arguments."""
        if variable.owner is None or variable in self.directions:
            return self.directions.get(variable)
        stack = [variable.owner]
        while stack:
            node = stack[-1]
            if node in self._done:
                stack.pop()
                continue
            missing = [
                v.owner
                for v in node.inputs
                if v.owner is not None and v not in self.directions and v.owner not in self._done
            ]
            if missing:
                stack.extend(reversed(missing))
                continue
            self._apply(node)
            stack.pop()
        return self._done[variable.owner][variable.owner.outputs.index(variable)]


def _check_points(wrt: Sequence[Any], eval_points: Sequence[Any]) -> None:
    assert len(wrt) == len(eval_points), f"{len(eval_points)} evaluation points for {len(wrt)} variables"
    for position, (variable, point) in enumerate(zip(wrt, eval_points)):
        have, want = getattr(point.type, "ndim", None), getattr(variable.type, "ndim", None)
        if have is not None and want is not None and have != want:
            raise ValueError(
                f"Element {position} of wrt/eval_point have mismatched dimensionality: {want} versus {have}"
            )


def Rop(
    f: Any, wrt: Any, eval_points: Any, disconnected_outputs: str = "raise", return_disconnected: str = "zero"
) -> Any:
    r"""The product of the Jacobian with a vector: :math:`\partial f / \partial x \, v`.

    Parameters
    ----------
    f : Variable or list or tuple of Variable
        The function's value.
    wrt : Variable or list or tuple of Variable
        Its arguments.
    eval_points : Variable or list of Variable
        The vector, in the shape of `wrt`.
    disconnected_outputs : {'raise', 'warn', 'ignore'}
        What to do about expressions that depend on none of `wrt`.
    return_disconnected : {'zero', 'none', 'disconnected'}
        What comes back for them.

    Returns
    -------
    Variable or list or tuple of Variable
        In the form and with the shapes of `f`.
    """
    from theano_compat import tensor

    use_list, use_tuple = isinstance(f, list), isinstance(f, tuple)
    f = list(f) if isinstance(f, (list, tuple)) else [f]
    wrt = [
        tensor.as_tensor_variable(x) for x in (wrt if isinstance(wrt, (list, tuple)) else [wrt])
    ]
    eval_points = [
        tensor.as_tensor_variable(x) for x in (eval_points if isinstance(eval_points, (list, tuple)) else [eval_points])
    ]
    _check_points(wrt, eval_points)

    sweep = _ForwardSweep(wrt, eval_points)
    result = [sweep.derivative(out) for out in f]
    for position, (out, derivative) in enumerate(zip(f, result)):
        if derivative is not None:
            continue
        message = (
            "Rop method was asked to compute the gradient with respect to a variable that is not part of the "
            "computational graph of variables in wrt, or is used only by a non-differentiable operator: "
            f"{out}"
        )
        if disconnected_outputs == "warn":
            warnings.warn(message, stacklevel=2)
        elif disconnected_outputs == "raise":
            raise DisconnectedInputError(message + get_variable_trace_string(out).rstrip("\n"))
        elif disconnected_outputs != "ignore":
            raise ValueError(
                "Invalid value for keyword 'disconnected_outputs', valid values are 'ignore', 'warn' and 'raise'."
            )
        if str(return_disconnected).lower() == "zero":
            result[position] = tensor.zeros_like(out)
        elif str(return_disconnected).lower() == "disconnected":
            from theano_compat.gradient.types import disconnected_type

            result[position] = disconnected_type()
    return format_as(use_list, use_tuple, result)
