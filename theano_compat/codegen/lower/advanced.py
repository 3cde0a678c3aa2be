"""Advanced indexing with integer arrays, read and written.

The index arrays become one vector of byte offsets (bounds checked once); gathering and scattering then walk that
vector, with plain inner dimensions inside and outside of it.
"""

from __future__ import annotations

import numpy as np

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.dtypes import compute_type, itemsize, storage_type
from theano_compat.codegen.ir import View
from theano_compat.codegen.lower.incsubtensor import stretched, writable
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.lower.subtensor import indexed_view
from theano_compat.codegen.print_c import read_element, write_element
from theano_compat.codegen.scalarbody import convert
from theano_compat.gof.graph import Constant
from theano_compat.tensor.opt.repeated_rows import FEW, LARGE, DistinctRows
from theano_compat.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedSubtensor,
    AdvancedSubtensor1,
)


class Gather:
    """A result of indexing: plain dimensions before, the index dimensions, plain dimensions after.

    Attributes
    ----------
    offsets : str
        C name of the vector of byte offsets.
    count : str
        Its length.
    outer, inner : list of (extent, stride)
        Plain dimensions of the indexed array before and after the index dimensions in the result.
    shape : tuple of str
        Of the result.
    """

    def __init__(self, builder, source: View, indices: list) -> None:
        """`indices` has for every dimension of `source` a view of an index array, or None for all of it."""
        arrays = [(axis, v) for axis, v in enumerate(indices) if v is not None]
        for _, view in arrays:
            if view.dtype == "bool" or not view.dtype.startswith(("int", "uint")):
                raise NotLowered("indexing with a mask")
        ndim = max(v.ndim for _, v in arrays)
        views = [builder.permute(v, [None] * (ndim - v.ndim) + list(range(v.ndim))) for _, v in arrays]
        domain = _common_extents(builder, views)
        views = [stretched(builder, v, domain) for v in views]
        self.count = builder.mul("1", *domain)
        axes = [axis for axis, _ in arrays]
        together = axes == list(range(axes[0], axes[0] + len(axes)))
        plain = [(axis, (builder.find(source.shape[axis]), source.strides[axis])) for axis in range(len(indices)) if axis not in axes]
        self.outer = [d for axis, d in plain if together and axis < axes[0]]
        self.inner = [d for axis, d in plain if not (together and axis < axes[0])]
        self.inner += [(builder.find(e), s) for e, s in zip(source.shape[len(indices) :], source.strides[len(indices) :])]
        self.shape = (*[e for e, _ in self.outer], *domain, *[e for e, _ in self.inner])
        self.vector = builder.temp("int64", (self.count,), local=False)
        self.offsets = f"((int64_t *){self.vector.pointer})"
        self._emit(builder, source, arrays, views, domain)

    def _emit(self, builder, source, arrays, views, domain) -> None:
        lines = [f"memset({self.vector.pointer}, 0, (size_t){self.count} * 8);"]
        helpers, reads = [], []
        for (axis, _), view in zip(arrays, views):
            extent, stride = builder.find(source.shape[axis]), source.strides[axis]
            ctype = storage_type(view.dtype)
            view = builder.in_memory(view)
            if len(domain) == 1 or all(builder.find(e) == "1" for e in view.shape):
                flat, step = view, (view.strides[0] if len(domain) == 1 else "0")
                if view.shape and builder.find(view.shape[0]) == "1" and builder.find(domain[0]) != "1":
                    step = "0"
                if not domain:
                    step = "0"
            else:
                whole = builder.temp(view.dtype, domain)
                builder.copy(whole, view)
                flat, step = whole, str(itemsize(view.dtype))
            reads.append(flat)
            helpers.append(f"TC_OFFSETS({ctype})")
            bad = builder.name("_u")
            value = read_element(f"{flat.pointer} + ({bad} - 1) * {step}", view.dtype)
            lines += [
                f"const int64_t {bad} = tc_offsets_{ctype}({self.count}, {self.offsets}, {flat.pointer}, {step}, {extent}, {stride});",
                f"if ({bad}) return tc_fail(f, {int(ErrorCode.INDEX)}, {builder.node_number}, (int64_t){value}, {extent}, {axis}, 0, 0, 0);",
            ]
        builder.call(
            "\n".join(lines), reads, (self.vector,), helpers=tuple(dict.fromkeys(helpers)), headers=("index",), label="offsets"
        )

    def walk(self, body: str, simd: bool = False) -> str:
        """Return nested loops around `body`, in which ``a`` is the byte offset into the indexed array; with `simd` the steps of the innermost one are independent."""
        lines, indent = [], ""
        terms = []
        for k, (extent, stride) in enumerate(self.outer):
            lines.append(f"{indent}for (int64_t o{k} = 0; o{k} < {extent}; o{k}++)")
            terms.append(f"o{k} * {stride}")
        lines.append(f"{indent}for (int64_t k = 0; k < {self.count}; k++)")
        terms.append(f"{self.offsets}[k]")
        for k, (extent, stride) in enumerate(self.inner):
            if simd and k == len(self.inner) - 1:
                lines.append("#pragma omp simd")
            lines.append(f"for (int64_t i{k} = 0; i{k} < {extent}; i{k}++)")
            terms.append(f"i{k} * {stride}")
        return "\n".join([*lines, "{", f"    const int64_t a = {' + '.join(terms)};", body, "}"])


def _common_extents(builder, views: list[View]) -> tuple[str, ...]:
    """Return the extents to which index arrays broadcast; as in NumPy, also where an extent turns out to be 1 at run time."""
    domain = []
    for axis in range(views[0].ndim):
        common = "1"
        for mine in sorted({builder.find(v.shape[axis]) for v in views} - {"1"}, key=lambda e: (not is_literal(e), e)):
            if common == "1":
                common = mine
                continue
            if is_literal(mine):
                raise NotLowered(f"index arrays of extents {common} and {mine}")
            either = f"{mine} == 1" if is_literal(common) else f"{mine} == 1 || {common} == 1"
            builder.check_message(
                f"{mine} == {common} || {either}",
                IndexError,
                "shape mismatch: indexing arrays could not be broadcast together, their extents in dimension {} are {} and {}",
                str(axis),
                common,
                mine,
            )
            if not is_literal(common):
                common = builder.let(f"{common} == 1 ? {mine} : {common}")
        domain.append(common)
    return tuple(domain)


def _indices_of(builder, op, node, first: int) -> tuple[list, View]:
    """Return index views by dimension for the index inputs of a node, and the array with its slices applied."""
    source = builder.in_memory(builder.view(node.inputs[0]))
    return _split_indices(builder, source, node.inputs[first:])


def _split_indices(builder, source: View, inputs) -> tuple[list, View]:
    indices: list = []
    slices: list = []
    values: list = []
    order: list = []
    axis = 0
    for var in inputs:
        kind = type(var.type).__name__
        if kind == "NoneTypeT":
            order.append(None)
            indices.append(None)
            continue
        order.append(axis)
        axis += 1
        if kind == "SliceType":
            if isinstance(var, Constant):
                data = var.data
                if any(isinstance(e, np.ndarray) for e in (data.start, data.stop, data.step)):
                    data = slice(*(None if e is None else int(e) for e in (data.start, data.stop, data.step)))
                slices.append(data)
            elif var.owner is not None and type(var.owner.op).__name__ == "MakeSlice":
                entries = []
                for part in var.owner.inputs:
                    if isinstance(part, Constant) and part.data is None:
                        entries.append(None)
                    else:
                        entries.append(part.type)
                        values.append(part)
                slices.append(slice(*entries))
            else:
                raise NotLowered("a slice that is not known while compiling")
            indices.append(None)
        else:
            slices.append(slice(None))
            indices.append(builder.view(var))
    viewed = indexed_view(builder, source, slices, values)
    order += range(axis, viewed.ndim)
    if None in order:
        viewed = builder.permute(viewed, order)
    return indices, viewed


def _gather(builder, node, source: View, gather: Gather) -> None:
    out = node.outputs[0]
    shape = list(gather.shape)
    for axis, one in enumerate(out.type.broadcastable):
        if one and builder.find(shape[axis]) != "1":
            builder.check(f"{shape[axis]} == 1", ErrorCode.NOT_BROADCASTABLE, "0", str(axis), shape[axis])
            shape[axis] = "1"
    room = builder.temp(out.type.dtype, shape)
    size = itemsize(source.dtype)
    ctype = storage_type(source.dtype)
    last = gather.inner[-1] if gather.inner else None
    if last is not None and last[1] == str(size):
        # rows that are contiguous for certain
        extent = gather.inner.pop()[0]
        text = gather.walk(f"    memcpy(to, {source.pointer} + a, (size_t){extent} * {size});\n    to += {extent} * {size};")
        gather.inner.append((extent, str(size)))
    else:
        row = gather.inner.pop() if gather.inner else None
        if row is None:
            text = gather.walk(f"    *({ctype} *)to = *(const {ctype} *)({source.pointer} + a);\n    to += {size};")
        else:
            extent, stride = row
            text = gather.walk(
                f"    if ({stride} == {size})\n        memcpy(to, {source.pointer} + a, (size_t){extent} * {size});\n"
                f"    else\n        for (int64_t j = 0; j < {extent}; j++)\n"
                f"            (({ctype} *)to)[j] = *(const {ctype} *)({source.pointer} + a + j * {stride});\n"
                f"    to += {extent} * {size};"
            )
    builder.call(
        f"{{ char *to = {room.pointer};\n{text}\n}}", (source, gather.vector), (room,), label="gather"
    )
    builder.bind(out, room)


def _scatter(builder, op, node, target: View, gather: Gather, value: View) -> None:
    """Emit ``target[indices] += value`` or ``= value``, one element after the other as duplicates demand."""
    rank = len(gather.shape)
    if value.ndim > rank:
        raise NotLowered("a value of higher rank than what it is assigned to")
    value = builder.in_memory(value)
    value = builder.permute(value, [None] * (rank - value.ndim) + list(range(value.ndim)))
    value = stretched(builder, value, gather.shape)
    whole = builder.temp(value.dtype, gather.shape) if any(
        builder.find(m) != builder.find(w) for m, w in zip(value.shape, gather.shape)
    ) and len(gather.shape) - len(gather.outer) - len(gather.inner) > 1 else None
    if whole is not None:
        loaded = builder.load(value, gather.shape)
        from theano_compat.codegen.ir import Store

        builder.loop(gather.shape, [loaded], [], [Store(whole, whole.strides, loaded.name)])
        value = whole
    n_outer, n_inner = len(gather.outer), len(gather.inner)
    n_index = rank - n_outer - n_inner
    # several index dimensions are walked as one: contiguous among themselves in a whole array, or in a copy
    if n_index > 1 and whole is None and not all(
        builder.find(s) == builder.find(c) for s, c in zip(value.strides, builder.contiguous_strides(value.shape, itemsize(value.dtype)))
    ):
        value = builder.packed(value)
    dimensions = [*((f"o{k}", k) for k in range(n_outer)), *((f"i{k}", n_outer + n_index + k) for k in range(n_inner))]
    if n_index == 1:
        dimensions.append(("k", n_outer))
    terms = [f"{name} * {value.strides[d]}" for name, d in dimensions if value.shape[d] != "1"]
    if n_index > 1:
        terms.append(f"k * {builder.mul(*[e for e, _ in gather.inner], str(itemsize(value.dtype)))}")
    offset = " + ".join(terms) or "0"
    loaded = builder.name()
    body, name = convert(builder, loaded, value.dtype, target.dtype)
    lines = [f"    const {compute_type(value.dtype)} {loaded} = {read_element(f'{value.pointer} + {offset}', value.dtype)};"]
    lines += [f"    const {s.ctype} {s.name} = {s.expr};" for s in body]
    place = f"{target.pointer} + a"
    if op.set_instead_of_inc:
        lines.append("    " + write_element(place, target.dtype, name))
    elif target.dtype == "bool":
        lines.append("    " + write_element(place, target.dtype, f"({read_element(place, target.dtype)} | {name})"))
    else:
        lines.append("    " + write_element(place, target.dtype, f"({read_element(place, target.dtype)} + {name})"))
    # places of one row are apart from each other, and from the value: it is another array
    unit = str(itemsize(target.dtype))
    simd = bool(gather.inner) and gather.inner[-1][1] == unit and value.dtype == target.dtype and target.dtype in ("float32", "float64")
    simd = simd and value.buffer is not target.buffer and not value.also and not target.also
    builder.call(gather.walk("\n".join(lines), simd), (value, gather.vector, target), (target,), label="scatter")
    builder.bind(node.outputs[0], target)


@register(AdvancedSubtensor1)
def lower_take(op, node, builder):
    source = builder.in_memory(builder.view(node.inputs[0]))
    _gather(builder, node, source, Gather(builder, source, [builder.view(node.inputs[1])]))


@register(AdvancedSubtensor)
def lower_advanced(op, node, builder):
    indices, source = _indices_of(builder, op, node, 1)
    if not any(v is not None for v in indices):
        raise NotLowered("advanced indexing without index arrays")
    _gather(builder, node, source, Gather(builder, source, indices))


@register(AdvancedIncSubtensor1)
def lower_put(op, node, builder):
    value = builder.view(node.inputs[1])
    index = builder.view(node.inputs[2])
    target = writable(builder, op, node)
    _scatter(builder, op, node, target, Gather(builder, target, [index]), value)


@register(AdvancedIncSubtensor)
def lower_advanced_put(op, node, builder):
    value = builder.view(node.inputs[1])
    target = writable(builder, op, node)
    indices, part = _split_indices(builder, target, node.inputs[2:])
    if not any(v is not None for v in indices):
        raise NotLowered("advanced indexing without index arrays")
    gather = Gather(builder, part, indices)
    _scatter(builder, op, node, part, gather, value)
    builder.bind(node.outputs[0], target)


@register(DistinctRows)
def lower_distinct_rows(op, node, builder):
    index = builder.in_memory(builder.view(node.inputs[0]))
    ctype, n, extent = storage_type(index.dtype), builder.find(index.shape[0]), builder.integer(node.inputs[1])
    rows, place = (builder.temp("int64", (n,), local=False) for _ in range(2))
    pays = f"{n} >= {FEW} && {extent} <= {LARGE} * {n}"
    seat = builder.sized("int64", builder.let(f"{pays} ? {extent} * 8 : 0"))
    found = builder.name("d")
    targets = ", ".join(f"(int64_t *){view.pointer}" for view in (rows, place))
    builder.call(
        f"const int64_t {found} = tc_distinct_{ctype}({n}, {index.pointer}, {index.strides[0]}, {extent}, {targets}, {pays} ? (int64_t *){seat.pointer} : NULL);",
        (index,), (rows, place, seat), helpers=(f"TC_DISTINCT({ctype})",), headers=("index",), label="distinct rows",
    )  # fmt: skip
    builder.bind(node.outputs[0], builder.subview(rows, "0", (found,), ("8",)))
    builder.bind(node.outputs[1], place)
