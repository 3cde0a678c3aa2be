"""The rewrite that lets ops on lists work in place."""

from __future__ import annotations

from theano_compat import compile
from theano_compat.gof import TopoOptimizer, local_optimizer
from theano_compat.typed_list.basic import Append, Extend, Insert, Remove, Reverse


@local_optimizer([Append, Extend, Insert, Reverse, Remove], inplace=True)
def typed_list_inplace_opt(node):
    """Replace an op on a list by its in-place form; the destroy handler vetoes where the list is still needed."""
    if isinstance(node.op, (Append, Extend, Insert, Reverse, Remove)) and not node.op.inplace:
        return [node.op.__class__(inplace=True)(*node.inputs)]
    return False


compile.optdb.register(
    "typed_list_inplace_opt",
    TopoOptimizer(typed_list_inplace_opt, failure_callback=TopoOptimizer.warn_inplace),
    60,
    "fast_run",
    "inplace",
)
