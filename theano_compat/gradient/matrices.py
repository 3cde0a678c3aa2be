"""Matrices of derivatives, row by row through scan; and gradients of a part of a graph."""

from __future__ import annotations

from typing import Any

from theano_compat.gof import Variable
from theano_compat.gradient.backward import format_as, grad
from theano_compat.gradient.rows import rows_of

__all__ = ["hessian", "jacobian", "subgraph_grad"]


def _rows(expression: Variable, wrt: list[Variable], consider_constant: Any, disconnected_inputs: str) -> list[Any]:
    """For each of `wrt` the gradients of all elements of the vector `expression`, stacked."""
    from theano_compat import tensor

    def gradient(element: Variable, argument: Variable) -> Any:
        return grad(
            element, argument, consider_constant=consider_constant, disconnected_inputs=disconnected_inputs
        )

    try:
        from theano_compat import scan
    except ImportError:
        return rows_of(expression, wrt, gradient)

    def row(index: Variable, vector: Variable, *arguments: Variable) -> list[Any]:
        return [gradient(vector[index], argument) for argument in arguments]

    rows, updates = scan(row, sequences=tensor.arange(expression.shape[0]), non_sequences=[expression, *wrt])
    assert not updates, (
        "Scan has returned a list of updates; this should not happen. Report this to theano-users (also include the "
        "script that generated the error)"
    )
    return rows if isinstance(rows, (list, tuple)) else [rows]


def jacobian(expression: Any, wrt: Any, consider_constant: Any = None, disconnected_inputs: str = "raise") -> Any:
    """The Jacobian matrix of a vector.

    Parameters
    ----------
    expression : Variable
        A vector or a scalar.
    wrt : Variable or list or tuple of Variable
        Towards what.
    consider_constant, disconnected_inputs
        As for :func:`grad`.

    Returns
    -------
    Variable or list or tuple of Variable
        In the form of `wrt`: element ``i`` along the first axis is the gradient of ``expression[i]``.
    """
    from theano_compat import tensor

    assert isinstance(expression, Variable), "tensor.jacobian expects a Variable as `expression`"
    assert expression.ndim < 2, (
        "tensor.jacobian expects a 1 dimensional variable as `expression`. If not use flatten to make it a vector"
    )
    use_list, use_tuple = isinstance(wrt, list), isinstance(wrt, tuple)
    wrt = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    if expression.ndim == 0:
        gradients = grad(
            expression, wrt, consider_constant=consider_constant, disconnected_inputs=disconnected_inputs
        )
        return format_as(use_list, use_tuple, gradients)
    assert isinstance(expression, tensor.TensorVariable)
    return format_as(use_list, use_tuple, list(_rows(expression, wrt, consider_constant, disconnected_inputs)))


def hessian(cost: Any, wrt: Any, consider_constant: Any = None, disconnected_inputs: str = "raise") -> Any:
    """The matrix of second derivatives of a scalar.

    Parameters
    ----------
    cost : Variable
        A scalar.
    wrt : Variable or list or tuple of Variable
        Vectors.
    consider_constant, disconnected_inputs
        As for :func:`grad`.

    Returns
    -------
    Variable or list or tuple of Variable
        A matrix for each vector, in the form of `wrt`.
    """
    assert isinstance(cost, Variable), "tensor.hessian expects a Variable as `cost`"
    assert cost.ndim == 0, "tensor.hessian expects a 0 dimensional variable as `cost`"
    use_list, use_tuple = isinstance(wrt, list), isinstance(wrt, tuple)
    wrt = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    for vector in wrt:
        assert isinstance(vector, Variable), "tensor.hessian expects a (list of) Variable as `wrt`"
        assert vector.ndim == 1, "tensor.hessian expects a (list of) 1 dimensional variable as `wrt`"
    matrices = []
    for vector in wrt:
        first = grad(cost, vector, consider_constant=consider_constant, disconnected_inputs=disconnected_inputs)
        # a gradient that no longer depends on the vector (of a linear cost) has zero rows
        matrices.extend(_rows(first, [vector], consider_constant, "ignore"))
    return format_as(use_list, use_tuple, matrices)


def subgraph_grad(wrt: list[Variable], end: list[Variable], start: Any = None, cost: Any = None, details: bool = False) -> Any:
    """Gradients through a part of a graph: from a cost or known gradients down to `end`.

    Parameters
    ----------
    wrt : list of Variable
        Parameters inside the part.
    end : list of Variable
        Where the part ends; gradients stop there.
    start : dict of Variable to Variable, optional
        Known gradients where the part begins.
    cost : Variable, optional
        A scalar of the part; its gradients are added to those from `start`.
    details : bool
        Return also the gradients from `start` and those from `cost`, towards parameters and end together.

    Returns
    -------
    tuple of list
        Gradients towards `wrt` and towards `end`; with `details`, two more lists.
    """
    assert cost is not None or start is not None, "a cost or starting gradients are needed"
    assert isinstance(end, list), "`end` has to be a list"
    assert isinstance(wrt, list), "`wrt` has to be a list"
    if start is not None:
        assert isinstance(start, dict), "`start` has to be a dictionary"

    targets = list(dict.fromkeys([*wrt, *end]))

    def towards_targets(**origin: Any) -> list[Any]:
        return list(grad(wrt=targets, consider_constant=end, disconnected_inputs="ignore", **origin))

    from_start = None if start is None else towards_targets(cost=None, known_grads=start)
    from_cost = None if cost is None else towards_targets(cost=cost)
    if from_start is None:
        total = from_cost
    elif from_cost is None:
        total = from_start
    else:
        total = [a + b for a, b in zip(from_start, from_cost)]
    gradient_of = dict(zip(targets, total or ()))
    answer = ([gradient_of[v] for v in wrt], [gradient_of[v] for v in end])
    return (*answer, from_start, from_cost) if details else answer
