"""A complete small op, to start one's own from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import theano_compat.tensor as tt
from theano_compat.gof import Apply, Op, Variable

__all__ = ["DoubleOp"]


class DoubleOp(Op):
    """Twice the input.

    Examples
    --------
    >>> x = tt.dvector()
    >>> DoubleOp()(x).eval({x: [1.0, 2.5]}).tolist()
    [2.0, 5.0]
    """

    __props__ = ()

    def make_node(self, x: Any) -> Apply:
        x = tt.as_tensor_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Sequence[list[Any]]) -> None:
        output_storage[0][0] = inputs[0] * 2

    def infer_shape(self, node: Apply, i0_shapes: list[Any]) -> list[Any]:
        return i0_shapes

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Variable]:
        return [output_grads[0] * 2]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        if eval_points[0] is None:
            return [None]
        return self.grad(inputs, eval_points)
