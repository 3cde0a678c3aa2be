"""Assertions, and what else has no family."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.dtypes import itemsize
from theano_compat.codegen.lower.registry import register
from theano_compat.tensor.basic import Tri
from theano_compat.tensor.opt import Assert


@register(Assert)
def lower_assert(op, node, builder):
    for k, condition in enumerate(node.inputs[1:], 1):
        value = builder.scalar_of(condition)
        builder.check(f"{value}", ErrorCode.ASSERTION, str(k))
    builder.bind(node.outputs[0], builder.view(node.inputs[0]))


@register(Tri)
def lower_tri(op, node, builder):
    from theano_compat.codegen.lower.alloc import matrix_shape
    from theano_compat.codegen.print_c import write_element

    dtype = node.outputs[0].type.dtype
    rows, columns = matrix_shape(builder, node)
    shift = builder.integer(node.inputs[2])
    room = builder.temp(dtype, (rows, columns))
    place = f"{room.pointer} + (i * {columns} + j) * {itemsize(dtype)}"
    builder.call(
        f"for (int64_t i = 0; i < {rows}; i++)\n    for (int64_t j = 0; j < {columns}; j++)\n        "
        + write_element(place, dtype, f"(j <= i + {shift})"),
        (),
        (room,),
        label="tri",
    )
    builder.bind(node.outputs[0], room)
