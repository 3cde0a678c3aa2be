"""An op that computes an expression for each index: rows of Jacobian matrices where there is no scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_compat.gof import Apply, Constant, Op, Variable, graph, ops_with_inner_function
from theano_compat.gradient.types import grad_not_implemented

__all__ = ["RowLoop", "rows_of"]


class RowLoop(Op):
    """For each index from 0 on, the gradients of one element of a vector; stacked along a new first axis.

    Parameters
    ----------
    index : Variable
        An int64 scalar.
    leaves : list of Variable
        What else the rows are computed from.
    rows : list of Variable
        The rows for this index.

    Notes
    -----
    The node's inputs are the number of rows, the variables that the rows are the gradients towards (whose shapes the
    rows have), and the leaves.
    """

    def __init__(self, index: Variable, leaves: Sequence[Variable], rows: Sequence[Variable]):
        self.index, self.leaves, self.rows = index, list(leaves), list(rows)
        self._fn: Any = None

    def __str__(self) -> str:
        return "RowLoop"

    @property
    def fn(self) -> Any:
        """The compiled row."""
        if self._fn is None:
            from theano_compat.compile.function_module import orig_function
            from theano_compat.compile.pfunc import rebuild_collect_shared

            stand_ins = [v.type() for v in self.leaves]
            inputs, outputs, _ = rebuild_collect_shared(
                self.rows,
                [self.index, *stand_ins],
                replace=dict(zip(self.leaves, stand_ins)),
                copy_inputs_over=False,
                no_default_updates=True,
            )
            self._fn = orig_function(inputs, outputs, on_unused_input="ignore")
        return self._fn

    def make_node(self, length: Variable, *inputs: Variable) -> Apply:
        outputs = [row.type.clone(broadcastable=(False, *row.type.broadcastable))() for row in self.rows]
        return Apply(self, [length, *inputs], outputs)

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Sequence[list[Any]]) -> None:
        length, count = int(inputs[0]), len(self.rows)
        towards, leaves = inputs[1 : 1 + count], inputs[1 + count :]
        for cell, variable, value in zip(outputs, node.outputs, towards):
            cell[0] = np.empty((length, *value.shape), dtype=variable.dtype)
        for i in range(length):
            for cell, row in zip(outputs, self.fn(np.asarray(i, dtype="int64"), *leaves)):
                cell[0][i] = row

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [(node.inputs[0], *shape) for shape in shapes[1 : 1 + len(self.rows)]]

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Any]:
        return [grad_not_implemented(self, i, v, "Derivatives of Jacobians need scan.") for i, v in enumerate(inputs)]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fn": None}


ops_with_inner_function[RowLoop] = "fn"


def rows_of(vector: Variable, wrt: Sequence[Variable], gradient: Any) -> list[Variable]:
    """For each of `wrt` the gradients of all elements of `vector`, stacked.

    Parameters
    ----------
    vector : Variable
        The expression.
    wrt : list of Variable
        Towards what.
    gradient : callable
        ``gradient(scalar, variable)`` gives the gradient of one element.
    """
    from theano_compat import tensor

    index = tensor.lscalar("row")
    rows = [gradient(vector[index], variable) for variable in wrt]
    leaves = [v for v in graph.inputs(rows) if v is not index and not isinstance(v, Constant)]
    return RowLoop(index, leaves, rows)(vector.shape[0], *wrt, *leaves, return_list=True)
