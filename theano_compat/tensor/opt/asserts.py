"""The run-time check inside graphs, and rewrites that drop checks."""

from __future__ import annotations

import numpy as np

from theano_compat.compile.mode import optdb
from theano_compat.gof import Apply, Op, local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.tensor import basic as T
from theano_compat.tensor.opt.common import constant_value
from theano_compat.tensor.opt.registry import register_specialize


class Assert(Op):
    """Give the first input back if all conditions are true, else raise an `AssertionError`.

    Parameters
    ----------
    msg : str
        Text of the error.
    """

    _f16_ok = True
    __props__ = ("msg",)
    view_map = {0: [0]}
    check_input = False

    def __init__(self, msg="Theano Assert failed!"):
        self.msg = msg

    def __setstate__(self, attrs):
        self.__dict__.update(attrs)
        self.__dict__.setdefault("msg", "Theano Assert failed!")

    def make_node(self, value, *conds):
        """Conditions are scalars; anything that is not 0 is true."""
        if not hasattr(value, "type"):
            value = T.as_tensor_variable(value)
        conditions = [T.as_tensor_variable(condition) for condition in conds]
        for condition in conditions:
            if condition.type.ndim != 0:
                raise AssertionError(f"The conditions of Assert must be scalars, not {condition.type}.")
        return Apply(self, [value, *conditions], [value.type()])

    def perform(self, node, inputs, out_):
        value, *conditions = inputs
        if not np.all(conditions):
            raise AssertionError(self.msg)
        out_[0][0] = value

    def grad(self, input, output_gradients):
        from theano_compat.gradient import DisconnectedType

        return [*output_gradients, *[DisconnectedType()() for _ in input[1:]]]

    def connection_pattern(self, node):
        return [[True]] + [[False]] * (len(node.inputs) - 1)

    def R_op(self, inputs, eval_points):
        return [eval_points[0]]

    def infer_shape(self, node, input_shapes):
        return [input_shapes[0]]

    def c_code_cache_version(self):
        return (3, 0)


assert_op = Assert()
# A second name for the same thing.
assert_ = Assert()


@register_specialize
@local_optimizer([Assert])
def local_remove_useless_assert(node):
    """A condition that is a constant other than 0 need not be looked at."""
    value, *conditions = node.inputs
    kept = []
    for condition in conditions:
        known = constant_value(condition)
        if known is None or known == 0:
            # A condition that is known to be false stays: it raises when the function runs.
            kept.append(condition)
    if not kept:
        return [value]
    if len(kept) < len(conditions):
        return [copy_stack_trace(node.outputs[0], node.op(value, *kept))]
    return False


@local_optimizer([Assert])
def local_remove_all_assert(node):
    """Only on request (tag ``unsafe``): drop every assertion."""
    return [node.inputs[0]]


for _database in ("canonicalize", "stabilize", "specialize", "useless"):
    optdb[_database].register("local_remove_all_assert", local_remove_all_assert, "unsafe", use_db_name_as_tag=False)
