"""CAReduce: sums, products, extrema and logical reductions over any axes.

A reduction is a loop over the whole input whose store accumulates into an array with stride 0 along the reduced axes.
"""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered
from theano_compat.codegen.ir import REDUCERS, Store, View
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.print_c import identity
from theano_compat.codegen.scalarbody import convert
from theano_compat.scalar import basic as scal
from theano_compat.tensor.elemwise import CAReduce

_BY_CLASS = {
    scal.Add: "add",
    scal.Mul: "mul",
    scal.ScalarMaximum if hasattr(scal, "ScalarMaximum") else scal.Maximum: "maximum",
    scal.ScalarMinimum if hasattr(scal, "ScalarMinimum") else scal.Minimum: "minimum",
    scal.AND: "and_",
    scal.OR: "or_",
    scal.XOR: "xor",
}


@register(CAReduce)
def lower_reduce(op, node, builder):
    source = builder.view(node.inputs[0])
    out_dtype = node.outputs[0].type.dtype
    name = _BY_CLASS.get(type(op.scalar_op))
    if name is None:
        raise NotLowered(f"reduction by {op.scalar_op}")
    reducer = REDUCERS[name]
    acc_dtype = getattr(op, "acc_dtype", None) or out_dtype
    if acc_dtype == "float16":
        acc_dtype = "float32"
    if name in ("and_", "or_") and type(op).__name__ in ("All", "Any"):
        acc_dtype = "bool"
    if acc_dtype.startswith("complex") and name not in ("add", "mul"):
        raise NotLowered("extremum of complex numbers")
    axes = range(source.ndim) if op.axis is None else [a % max(source.ndim, 1) for a in op.axis]
    kept = [a for a in range(source.ndim) if a not in axes]
    if name in ("maximum", "minimum"):
        for axis in axes:
            extent = builder.find(source.shape[axis])
            builder.check(f"{extent} != 0", ErrorCode.EMPTY_REDUCTION, str(axis))
    if not source.ndim or not list(axes):
        _pass_on(builder, node, source, out_dtype)
        return
    source = builder.in_memory(source)
    total = builder.temp(acc_dtype, [source.shape[a] for a in kept])
    builder.fill(total, identity(reducer, acc_dtype))
    order = list(range(source.ndim))
    if source.axes is not None and None not in source.axes:
        order.sort(key=source.axes.__getitem__)  # walk memory in its own order
    domain = [builder.find(source.shape[a]) for a in order]
    strides = []
    for a in order:
        strides.append(total.strides[kept.index(a)] if a in kept else "0")
    walked = builder.permute(source, order) if source.value is None else source
    load = builder.load(walked, domain)
    body, value = convert(builder, load.name, source.dtype, acc_dtype)
    builder.loop(domain, [load], body, [Store(total, tuple(strides), value, reducer)])
    if acc_dtype == out_dtype:
        builder.bind(node.outputs[0], total)
    else:
        _pass_on(builder, node, total, out_dtype)


def _pass_on(builder, node, view: View, dtype: str) -> None:
    """Bind the output to `view` converted to `dtype`."""
    if view.ndim == 0:
        body, value = convert(builder, builder.scalar(view), view.dtype, dtype)
        builder.statements.extend(body)
        builder.bind(node.outputs[0], builder.value_view(value, dtype))
        return
    room = builder.temp(dtype, view.shape)
    builder.copy(room, view)
    builder.bind(node.outputs[0], room)
