"""Lowerings: how each op class is written in the loop IR.

One file per op family.  ``lower(op, node, builder)`` is dispatched on the class of the op; a lowering reads ``builder.view(input)``,
emits statements, and binds a view to every output.  It raises `NotLowered` where it cannot, before or after
having emitted: the builder takes back what was emitted.
"""

from theano_compat.codegen.lower.registry import lower, register

__all__ = ["lower", "register"]
