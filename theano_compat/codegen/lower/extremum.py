"""MaxAndArgmax and Argmax: position of the largest element over any axes, NaN first as in NumPy."""

from __future__ import annotations

from theano_compat.codegen.builder import NotLowered
from theano_compat.codegen.dtypes import COMPLEX, compute_type, itemsize, storage_type
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.print_c import read_element, write_element
from theano_compat.gof.graph import Constant
from theano_compat.tensor.basic import Argmax, MaxAndArgmax


def _axes(op, ndim: int) -> list[int]:
    axis = op.axis
    if axis is None:
        return list(range(ndim))
    if isinstance(axis, Constant):
        axis = axis.data
    return sorted(int(a) % max(ndim, 1) for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def emit_extremum(builder, node, value_out, index_out) -> None:
    """Emit the search for the largest element; the outputs wanted are given as variables or None."""
    op = node.op
    source = builder.in_memory(builder.view(node.inputs[0]))
    if source.dtype in COMPLEX:
        raise NotLowered("extremum of complex numbers")
    axes = _axes(op, source.ndim)
    kept = [a for a in range(source.ndim) if a not in axes]
    for axis in axes:
        extent = builder.find(source.shape[axis])
        builder.check_message(
            f"{extent} != 0", ValueError, "attempt to get argmax of an empty sequence (dimension {})", str(axis)
        )
    shape = [builder.find(source.shape[a]) for a in kept]
    best = builder.temp(source.dtype, shape) if value_out is not None else None
    where = builder.temp("int64", shape) if index_out is not None else None
    ctype = compute_type(source.dtype)
    if source.dtype != "float16" and len(axes) == 1 and source.ndim:
        _by_rows(builder, source, axes[0], kept, best, where)
        for var, room in ((value_out, best), (index_out, where)):
            if var is not None:
                builder.bind(var, room)
        return
    start = " + ".join([source.pointer, *[f"o{k} * {source.strides[a]}" for k, a in enumerate(kept)]])
    lines = [f"for (int64_t o{k} = 0; o{k} < {e}; o{k}++)" for k, e in enumerate(shape)]
    lines += ["{", f"    const char *p = {start};"]
    lines += [f"    {ctype} m = {read_element('p', source.dtype)};", "    int64_t at = 0, n = 0;"]
    is_float = source.dtype.startswith("float")
    better = "(v > m || (v != v && m == m))" if is_float else "v > m"
    inner = axes[-1] if axes else None
    for k, axis in enumerate(axes[:-1]):
        lines.append(f"    for (int64_t r{k} = 0; r{k} < {builder.find(source.shape[axis])}; r{k}++)")
    if inner is not None:
        place = " + ".join(["p", *[f"r{k} * {source.strides[a]}" for k, a in enumerate(axes[:-1])]])
        lines += [
            "    {",
            f"        const char *q = {place};",
            f"        for (int64_t j = 0; j < {builder.find(source.shape[inner])}; j++, n++) {{",
            f"            const {ctype} v = {read_element(f'q + j * {source.strides[inner]}', source.dtype)};",
            f"            if ({better}) {{ m = v; at = n; }}",
            "        }",
            "    }",
        ]
    else:
        lines.append("    (void)n;")
    for room, value in ((best, "m"), (where, "at")):
        if room is not None:
            place = " + ".join([room.pointer, *[f"o{k} * {s}" for k, s in enumerate(room.strides)]])
            lines.append("    " + write_element(place, room.dtype, value))
    lines.append("}")
    outs = [r for r in (best, where) if r is not None]
    builder.call("\n".join(lines), (source,), outs, label="extremum")
    for var, room in ((value_out, best), (index_out, where)):
        if var is not None:
            builder.bind(var, room)


def _by_rows(builder, source, axis: int, kept: list[int], best, where) -> None:
    """Search along one axis: whole rows where they are contiguous, side by side where the others are; packed if neither is known."""
    source = builder.packed(source)
    dtype, ctype, size = source.dtype, storage_type(source.dtype), itemsize(source.dtype)
    shape = [builder.find(e) for e in source.shape]
    helper = f"TC_ARGMAX({ctype}, {dtype}, {int(dtype.startswith('float'))})"
    n = shape[axis]
    inner = builder.mul(*shape[axis + 1 :], "1")
    outer = builder.mul(*shape[:axis], "1")
    if inner == "1":
        row = f"(const {ctype} *){source.pointer} + o * {n}"
        lines = [f"for (int64_t o = 0; o < {outer}; o++) {{", f"    const int64_t at = tc_argmax_{dtype}({n}, {row});"]
        if best is not None:
            lines.append(f"    (({ctype} *){best.pointer})[o] = ({row})[at];")
        if where is not None:
            lines.append(f"    ((int64_t *){where.pointer})[o] = at;")
        rooms = [r for r in (best, where) if r is not None]
    else:
        best = builder.temp(dtype, [shape[a] for a in kept], local=False) if best is None else best
        where = builder.temp("int64", [shape[a] for a in kept], local=False) if where is None else where
        lines = [
            f"for (int64_t o = 0; o < {outer}; o++) {{",
            f"    tc_argmax_rows_{dtype}({n}, {inner}, {source.pointer} + o * {n} * {inner} * {size}, {inner} * {size}, "
            f"({ctype} *){best.pointer} + o * {inner}, (int64_t *){where.pointer} + o * {inner});",
        ]
        rooms = [best, where]
    builder.call(
        "\n".join([*lines, "}"]), (source,), rooms, helpers=(helper,), headers=("extremum",), label="extremum"
    )


@register(MaxAndArgmax)
def lower_max_and_argmax(op, node, builder):
    emit_extremum(builder, node, node.outputs[0], node.outputs[1])


@register(Argmax)
def lower_argmax(op, node, builder):
    emit_extremum(builder, node, None, node.outputs[0])


