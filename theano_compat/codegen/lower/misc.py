"""Assertions, positions of what is not zero, and what else has no family."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.dtypes import itemsize, literal
from theano_compat.codegen.ir import REDUCERS, Store
from theano_compat.codegen.lower.alloc import matrix_shape
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.print_c import read_element, write_element
from theano_compat.codegen.scalarbody import convert
from theano_compat.tensor.basic import Nonzero, Tri
from theano_compat.tensor.opt import Assert


@register(Assert)
def lower_assert(op, node, builder):
    for k, condition in enumerate(node.inputs[1:], 1):
        value = builder.scalar_of(condition)
        builder.check(f"{value}", ErrorCode.ASSERTION, str(k))
    builder.bind(node.outputs[0], builder.view(node.inputs[0]))


@register(Tri)
def lower_tri(op, node, builder):
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


@register(Nonzero)
def lower_nonzero(op, node, builder):
    """One pass counts, so that the result has its length; the second writes the positions, never more than there is room for."""
    source = builder.in_memory(builder.view(node.inputs[0]))
    shape = list(map(builder.find, source.shape))
    count = builder.let(f"({builder.scalar(_count(builder, source, shape))})")
    room = builder.temp("int64", (str(source.ndim), count))
    at = " + ".join([source.pointer, *(f"i{d} * {stride}" for d, stride in enumerate(source.strides))])
    lines = ["{", "    int64_t at = 0;"]
    lines += [f"    for (int64_t i{d} = 0; i{d} < {extent}; i{d}++)" for d, extent in enumerate(shape)]
    lines += [f"        if (({read_element(at, source.dtype)}) != 0 && at < {count}) {{"]
    lines += [f"            ((int64_t *){room.pointer})[{d} * {count} + at] = i{d};" for d in range(source.ndim)]
    lines += ["            at++;", "        }", "}"]
    builder.call("\n".join(lines), (source,), (room,), label="nonzero")
    builder.bind(node.outputs[0], room)


def _count(builder, source, shape: list[str]):
    """How many elements are not zero, as a 0-d int64 array."""
    total = builder.temp("int64", ())
    builder.fill(total, literal(0, "int64"))
    load = builder.load(source, shape)
    body, value = convert(builder, load.name, source.dtype, "bool")
    more, value = convert(builder, value, "bool", "int64")
    builder.loop(shape, [load], [*body, *more], [Store(total, ("0",) * len(shape), value, REDUCERS["add"])])
    return total
