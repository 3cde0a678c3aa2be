"""New arrays: filled, uninitialised, ranges, identity matrices."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.dtypes import compute_type, literal, storage_type
from theano_compat.codegen.lower.incsubtensor import stretched
from theano_compat.codegen.lower.registry import register
from theano_compat.gof.graph import Constant
from theano_compat.tensor.basic import Alloc, AllocEmpty, ARange, Eye


def wanted_shape(builder, variables) -> list[str]:
    """Return extents given as 0-d variables, checked to be no less than 0."""
    return checked_shape(builder, map(builder.integer, variables))


def checked_shape(builder, tokens) -> list[str]:
    """Return extents given as tokens, checked to be no less than 0."""
    shape = []
    for axis, extent in enumerate(map(builder.find, tokens)):
        if not (is_literal(extent) and int(extent) >= 0) and not extent.startswith("d"):
            builder.check(f"{extent} >= 0", ErrorCode.NEGATIVE_SIZE, str(axis), extent)
        shape.append(extent)
    return shape


def matrix_shape(builder, node) -> list[str]:
    """Return the extents of `Eye` and `Tri`, whose second one a caller may give as None (as many columns as rows)."""
    rows, columns = node.inputs[:2]
    if columns is not rows and columns in builder.lent:
        raise NotLowered("a number of columns that may be None")
    return wanted_shape(builder, (rows, columns))


@register(AllocEmpty)
def lower_alloc_empty(op, node, builder):
    shape = known_ones(builder, node.outputs[0], wanted_shape(builder, node.inputs))
    builder.bind(node.outputs[0], builder.temp(node.outputs[0].type.dtype, shape))


def known_ones(builder, out, shape: list[str]) -> list[str]:
    """Return extents, checked to be 1 where the type of `out` says so."""
    for axis, one in enumerate(out.type.broadcastable):
        if one and shape[axis] != "1":
            builder.check(f"{shape[axis]} == 1", ErrorCode.NOT_BROADCASTABLE, "0", str(axis), shape[axis])
            shape[axis] = "1"
    return shape


@register(Alloc)
def lower_alloc(op, node, builder):
    value = builder.view(node.inputs[0])
    shape = known_ones(builder, node.outputs[0], wanted_shape(builder, node.inputs[1:]))
    room = builder.temp(node.outputs[0].type.dtype, shape)
    if value.ndim:
        order = [None] * (len(shape) - value.ndim) + list(range(value.ndim))
        value = builder.permute(value, order)
        value = stretched(builder, value, room.shape)
        builder.copy(room, value)
    elif room.ndim == 0:
        builder.bind(node.outputs[0], builder.value_view(builder.scalar(value), value.dtype))
        return
    else:
        builder.fill(room, builder.scalar(value))
    builder.bind(node.outputs[0], room)


@register(ARange)
def lower_arange(op, node, builder):
    dtype = node.outputs[0].type.dtype
    start, stop, step = node.inputs
    if all(v.type.dtype.startswith(("int", "uint", "bool")) for v in node.inputs):
        first, last, by = (builder.integer(v) for v in node.inputs)
        if not (isinstance(step, Constant) and int(step.data) != 0):
            builder.check_message(f"{by} != 0", ZeroDivisionError, "Maximum allowed size exceeded")
        if first == "0" and by == "1":
            count = builder.let(f"tc_max({last}, 0)") if not is_literal(last) else str(max(int(last), 0))
        else:
            count = builder.let(f"tc_count({first}, {last}, {by})")
        origin, stride = f"(({compute_type(dtype)}){first})", f"(({compute_type(dtype)}){by})"
    else:
        names = [f"((double){builder.scalar_of(v)})" for v in node.inputs]
        size = builder.assign("float64", f"ceil(({names[1]} - {names[0]}) / {names[2]})")
        builder.check_message(f"{size} < 4e18", ValueError, "Maximum allowed size exceeded")
        count = builder.let(f"(int64_t)fmax({size}, 0.0)")
        working = "double" if dtype == "float16" else compute_type(dtype)
        origin, by = (f"(({working}){builder.scalar_of(v)})" for v in (start, step))
        # as NumPy: the second element is rounded first, the others follow from the difference
        stride = builder.assign("float64" if dtype == "float16" else dtype, f"({working})({origin} + {by}) - {origin}")
    room = builder.temp(dtype, [count])
    ctype, store = compute_type(dtype), storage_type(dtype)
    value = f"({ctype})({origin} + ({ctype})i * {stride})"
    if dtype == "float16":
        value = f"tc_f2h((float)({origin} + (double)i * {stride}))"
    builder.call(
        f"for (int64_t i = 0; i < {count}; i++)\n    (({store} *){room.pointer})[i] = {value};",
        (),
        (room,),
        label="arange",
    )
    items = None
    if is_literal(count) and all(isinstance(v, Constant) for v in node.inputs) and dtype == "int64" and int(count) <= 64:
        items = tuple(str(int(start.data) + i * int(step.data)) for i in range(int(count)))
    builder.bind(node.outputs[0], room if items is None else _with_items(room, items))


def _with_items(view, items):
    return type(view)(view.buffer, view.dtype, view.pointer, view.shape, view.strides, view.axes, None, items)


@register(Eye)
def lower_eye(op, node, builder):
    dtype = node.outputs[0].type.dtype
    rows, columns = matrix_shape(builder, node)
    shift = builder.integer(node.inputs[2])
    room = builder.temp(dtype, (rows, columns))
    builder.fill(room, literal(0, dtype))
    one = "0x3c00" if dtype == "float16" else literal(1, dtype)
    builder.call(
        f"for (int64_t i = 0; i < {rows}; i++) {{\n    const int64_t j = i + {shift};\n"
        f"    if (j >= 0 && j < {columns})\n        (({storage_type(dtype)} *){room.pointer})[i * {columns} + j] = {one};\n}}",
        (room,),
        (room,),
        label="eye",
    )
    builder.bind(node.outputs[0], room)


