"""An op that starts the debugger in the middle of a graph when a condition holds."""

from __future__ import annotations

import copy

from theano_compat import tensor
from theano_compat.gof import Apply, Op, Variable
from theano_compat.gradient import DisconnectedType

__all__ = ["PdbBreakpoint"]


class PdbBreakpoint(Op):
    """Hands variables through unchanged, and starts ``pdb`` when a condition is true.

    Parameters
    ----------
    name : str
        Printed when the debugger starts.

    Examples
    --------
    >>> import theano_compat as theano
    >>> import theano_compat.tensor as tt
    >>> from theano_compat.tests.breakpoint import PdbBreakpoint
    >>> x = tt.fvector()
    >>> stop = PdbBreakpoint("x has a large sum")
    >>> x = stop(tt.gt(x.sum(), 1000), x)

    Notes
    -----
    Use what the op returns further on in the graph: a breakpoint that no output depends on is not part of the function.
    In the debugger the values are in the list `monitored`.
    """

    __props__ = ("name",)
    digestible = False  # it does so while constants are folded, too

    def __init__(self, name):
        self.name = name

    def make_node(self, condition, *monitored_vars):
        """The node for a scalar condition and the variables to hand through."""
        if not isinstance(condition, Variable):
            condition = tensor.as_tensor_variable(condition)
        assert condition.ndim == 0, "the condition of a breakpoint is a scalar"
        variables = [v if isinstance(v, Variable) else tensor.as_tensor_variable(v) for v in monitored_vars]
        op = copy.copy(self)
        op.view_map = {k: [k + 1] for k in range(len(variables))}
        return Apply(op, [condition, *variables], [v.type() for v in variables])

    def perform(self, node, inputs, output_storage):
        condition, *monitored = inputs
        if condition:
            self._stop(node, monitored)
        for storage, value in zip(output_storage, inputs[1:]):
            storage[0] = value

    def _stop(self, node, monitored) -> None:
        import pdb

        print("\n-------------------------------------------------")
        print(f"Conditional breakpoint '{self.name}' activated\n")
        print("The monitored variables are stored, in order, in the list variable 'monitored':")
        for position, variable in enumerate(node.inputs[1:]):
            print(f"    monitored[{position}]: {variable}")
        print("-------------------------------------------------")
        pdb.set_trace()

    def grad(self, inputs, output_gradients):
        return [DisconnectedType()(), *output_gradients]

    def infer_shape(self, inputs, input_shapes):
        return input_shapes[1:]

    def connection_pattern(self, node):
        variables = range(len(node.outputs))
        return [[False for _ in variables], *[[row == column for column in variables] for row in variables]]
