"""Computing what depends on constants alone."""

from __future__ import annotations

from theano_compat.gof import Constant, local_optimizer
from theano_compat.gof.opt import copy_stack_trace, in2out
from theano_compat.tensor.opt.registry import (
    register_canonicalize,
    register_specialize,
    register_stabilize,
    register_uncanonicalize,
)


@local_optimizer(None)
def constant_folding(node):
    """Replace a node all of whose inputs are constants by constants, unless its op objects (`do_constant_folding`)."""
    for variable in node.inputs:
        if not isinstance(variable, Constant):
            return False
    if not node.op.do_constant_folding(node):
        return False
    values = {variable: [variable.data] for variable in node.inputs}
    ready = {variable: [True] for variable in node.inputs}
    for output in node.outputs:
        values[output], ready[output] = [None], [False]
    thunk = node.op.make_thunk(node, values, ready, no_recycling=[], impl="py")
    pending = thunk()
    if pending:
        # A lazy op that wants inputs computed: they are constants, so they are there.
        raise AssertionError(f"{node.op} asked for constants that are there already: {pending}")
    return [_constant_like(output, values[output][0]) for output in node.outputs]


def _constant_like(output, value):
    make = getattr(output.type, "make_constant", None)
    if make is not None:
        constant = make(value)
    else:
        constant_class = getattr(output.type, "Constant", None) or Constant
        constant = constant_class(output.type, value)
    return copy_stack_trace(output, constant)


topo_constant_folding = in2out(constant_folding, ignore_newtrees=True, name="topo_constant_folding")
for _register in (register_canonicalize, register_uncanonicalize, register_stabilize, register_specialize):
    _register(topo_constant_folding, "fast_compile", final_opt=True)
