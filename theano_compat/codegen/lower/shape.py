"""Shapes as values: extents, vectors of extents, reshape, scalars to tensors and back."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import is_literal
from theano_compat.codegen.dtypes import itemsize
from theano_compat.codegen.ir import StoreScalar, View
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.scalarbody import convert
from theano_compat.compile.ops import Shape, Shape_i
from theano_compat.tensor.basic import Reshape, ScalarFromTensor, TensorFromScalar
from theano_compat.tensor.opt import MakeVector


@register(Shape_i)
def lower_shape_i(op, node, builder):
    view = builder.view(node.inputs[0])
    builder.bind(node.outputs[0], builder.integer_view(builder.find(view.shape[op.i])))


@register(Shape)
def lower_shape(op, node, builder):
    view = builder.view(node.inputs[0])
    builder.bind(node.outputs[0], vector_of(builder, [builder.find(e) for e in view.shape]))


def vector_of(builder, tokens: list[str]) -> View:
    """Return an ``int64`` vector with the given elements."""
    room = builder.temp("int64", (str(len(tokens)),))
    for i, token in enumerate(tokens):
        cell = View(room.buffer, "int64", f"({room.pointer} + {8 * i})", (), ())
        builder.statements.append(StoreScalar(cell, builder.integer_view(token).value))
    return View(room.buffer, "int64", room.pointer, room.shape, room.strides, room.axes, None, tuple(tokens))


@register(MakeVector)
def lower_make_vector(op, node, builder):
    dtype = node.outputs[0].type.dtype
    if dtype == "int64":
        builder.bind(node.outputs[0], vector_of(builder, [builder.integer(v) for v in node.inputs]))
        return
    room = builder.temp(dtype, (str(len(node.inputs)),))
    size = itemsize(dtype)
    for i, var in enumerate(node.inputs):
        body, value = convert(builder, builder.scalar_of(var), var.type.dtype, dtype)
        builder.statements.extend(body)
        builder.statements.append(StoreScalar(View(room.buffer, dtype, f"({room.pointer} + {size * i})", (), ()), value))
    builder.bind(node.outputs[0], room)


@register(ScalarFromTensor)
@register(TensorFromScalar)
def lower_scalar_tensor(op, node, builder):
    view = builder.view(node.inputs[0])
    if view.value is None:
        builder.scalar_of(node.inputs[0])
        view = builder.view(node.inputs[0])
    builder.bind(node.outputs[0], View(None, view.dtype, "NULL", (), (), value=view.value, items=view.items))


@register(Reshape)
def lower_reshape(op, node, builder):
    source = builder.view(node.inputs[0])
    wanted = list(builder.integers(node.inputs[1], op.ndim))
    total = builder.mul(*source.shape) if source.ndim else "1"
    shape = _resolved(builder, wanted, total)
    for axis, one in enumerate(node.outputs[0].type.broadcastable):
        if one and builder.find(shape[axis]) != "1":
            builder.check(f"{shape[axis]} == 1", ErrorCode.NOT_BROADCASTABLE, "0", str(axis), shape[axis])
            shape[axis] = "1"
    source = builder.packed(source)
    strides = builder.contiguous_strides(shape, itemsize(source.dtype))
    builder.bind(node.outputs[0], builder.subview(source, "0", shape, strides))


def _resolved(builder, wanted: list[str], total: str) -> list[str]:
    """Fill in one -1, check the number of elements; negative extents other than -1 are errors."""
    unknown = [k for k, e in enumerate(wanted) if not is_literal(e) and not e.startswith("d")]
    if wanted.count("-1") == 1 and not unknown:
        k = wanted.index("-1")
        known = builder.mul(*[e for i, e in enumerate(wanted) if i != k], "1")
        if not is_literal(known) or int(known) < 1:
            # with nothing in the other dimensions this one could have any extent
            builder.check(f"{known} > 0", ErrorCode.RESHAPE, total, known)
        rest = builder.let(f"{total} / {known}") if not is_literal(known) else _divided(builder, total, int(known))
        wanted[k] = rest
        whole = builder.mul(known, rest)
    elif unknown:
        # an element known only at run time may be -1
        known = " * ".join(f"({e} == -1 ? 1 : {e})" for e in wanted)
        known = builder.let(known)
        missing = " + ".join(f"({e} == -1)" for e in wanted)
        builder.check(f"{missing} == 0 || ({missing} == 1 && {known} > 0)", ErrorCode.RESHAPE, total, known)
        for k, e in enumerate(wanted):
            if e in [wanted[u] for u in unknown] or e == "-1":
                wanted[k] = builder.let(f"{e} == -1 ? {total} / {known} : {e}")
        for k in wanted:
            builder.check(f"{k} >= 0", ErrorCode.NEGATIVE_SIZE, "0", k)
        whole = builder.mul(*wanted)
    else:
        whole = builder.mul(*wanted) if wanted else "1"
    if whole != total:
        builder.check(f"{whole} == {total}", ErrorCode.RESHAPE, total, whole)
    return wanted


def _divided(builder, total: str, known: int) -> str:
    if is_literal(total):
        return str(int(total) // known) if known else "0"
    return total if known == 1 else (builder.let(f"{total} / {known}") if known else "0")
