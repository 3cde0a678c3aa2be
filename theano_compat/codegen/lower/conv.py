"""Convolutions (CorrMM, Corr3dMM, both gradients of each, ConvOp): patches in a matrix, then products by the library."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.dtypes import storage_type
from theano_compat.codegen.ir import View
from theano_compat.codegen.lower.blas import HEADERS, _routine
from theano_compat.codegen.lower.registry import register
from theano_compat.tensor.nnet.conv import ConvOp
from theano_compat.tensor.nnet.corr import CorrMM, CorrMM_gradInputs, CorrMM_gradWeights
from theano_compat.tensor.nnet.corr3d import Corr3dMM, Corr3dMM_gradInputs, Corr3dMM_gradWeights
from theano_compat.tensor.nnet.corr_base import FULL, HALF

#: Columns that a product should have at least: images are taken together until there are so many.
_COLUMNS = 256

_SOURCE = Path(__file__).resolve().parent.parent / "csrc" / "corr.in.h"


@cache
def _text(dtype: str, kind: str) -> str:
    """Return the C functions for a dtype, with the product that its library has."""
    call = f"tc_{kind}_{dtype}(m, n, k, 1, (const char *)a, a0 * z, a1 * z, (const char *)b, b0 * z, b1 * z, beta, (char *)c, c0 * z, z)"
    gemm = f"return {call};" if kind == "gemm" else f"{call};\n    return 0;"
    text = _SOURCE.read_text(encoding="utf-8")
    for word, value in (("GEMM", gemm), ("T", storage_type(dtype)), ("N", dtype)):
        text = text.replace(f"@{word}@", value)
    return text


def divide(builder, a: str, b: str) -> str:
    """Quotient of two tokens that are not negative, rounded down, as a token."""
    a, b = builder.find(a), builder.find(b)
    if is_literal(a) and is_literal(b):
        return str(int(a) // int(b))
    return a if b == "1" else builder.let(f"{a} / {b}")


def ints(tokens) -> str:
    """Return tokens as a C array."""
    return f"(const int64_t[]){{{', '.join(tokens)}}}"


class Geometry:
    """Extents of one convolution as tokens, and the checks on them.

    Parameters
    ----------
    builder : Builder
    op : CorrND
    taps : sequence of str
        Spatial extents of the filters.
    """

    def __init__(self, builder, op, taps) -> None:
        if getattr(op, "unshared", False):
            raise NotLowered("unshared convolution")
        self.builder, self.op = builder, op
        self.taps = [builder.find(t) for t in taps]
        self.stride = [str(s) for s in op.subsample]
        self.dilation = [str(d) for d in op.filter_dilation]
        self.window = []
        self.pad = []
        for tap, dilation, (before, after) in zip(self.taps, self.dilation, op._pads()):
            window = builder.add(builder.mul(builder.sub(tap, "1"), dilation), "1")
            self.window.append(window)
            if before == HALF:
                half = divide(builder, window, "2")
                self.pad.append((half, half))
            elif before == FULL:
                full = builder.sub(window, "1")
                self.pad.append((full, full))
            else:
                self.pad.append((str(before), str(after)))

    def positions(self, image) -> list[str]:
        """Return the spatial extents of the output; the filter must fit into the padded image."""
        builder, result = self.builder, []
        for axis, (n, w, s, (lo, hi)) in enumerate(zip(image, self.window, self.stride, self.pad)):
            room = builder.sub(builder.add(builder.add(n, lo), hi), w)
            if not (is_literal(room) and int(room) >= 0):
                builder.check_message(
                    f"{room} >= 0", ValueError,
                    f"{self.op.label}: impossible output shape\n  axis {{}}: image {{}}, padding {{}} and {{}}, window {{}}\n",
                    str(axis), builder.find(n), lo, hi, w,
                )
            result.append(builder.add(divide(builder, room, s), "1"))
        return result

    def numbers(self, batch, channels, filters, image, positions, at_once) -> str:
        """Return the array ``g`` of the C functions."""
        fill = [1] * (3 - len(self.taps))

        def three(tokens, missing="1"):
            return [missing] * len(fill) + [self.builder.find(t) for t in tokens]

        pads = three([lo for lo, _ in self.pad], "0")
        head = [self.builder.find(t) for t in (batch, channels, filters)] + [str(self.op.num_groups)]
        return ints(
            head + three(image) + three(self.taps) + three(positions) + pads + three(self.stride) + three(self.dilation)
            + [at_once]
        )

    def together(self, batch, positions) -> str:
        """Return how many images are taken at once."""
        builder = self.builder
        p = builder.mul(*positions)
        if is_literal(p):
            n = max(1, _COLUMNS // max(1, int(p)))
            if n == 1 or is_literal(batch):
                return str(min(n, max(1, int(batch))) if is_literal(batch) else n)
            return builder.let(f"tc_max(1, tc_min({n}, {batch}))")
        return builder.let(f"tc_max(1, tc_min({_COLUMNS} / tc_max({p}, 1), {batch}))")


def _operand(builder, view: View, dtype: str) -> View:
    view = builder.in_memory(view)
    if view.dtype != dtype:
        room = builder.temp(dtype, view.shape)
        builder.copy(room, view)
        view = room
    return builder.packed(view)


def _same_stack(builder, op, channels: str, of_filters: str) -> None:
    """Check that the image has the channels that the filters take."""
    wanted = builder.mul(of_filters, str(op.num_groups))
    channels = builder.find(channels)
    if channels != wanted:
        builder.check_message(
            f"{channels} == {wanted}", ValueError,
            f"{op.label} images and kernel must have the same stack size\n"
            "the image has {} channels, the filters take {} in each of {} group(s)",
            channels, builder.find(of_filters), str(op.num_groups),
        )
        builder.unify(channels, wanted)


def _divisible(builder, op, extent: str, what: str) -> None:
    """Check that the groups share an extent equally."""
    if op.num_groups == 1:
        return
    extent = builder.find(extent)
    if is_literal(extent) and int(extent) % op.num_groups == 0:
        return
    builder.check_message(
        f"{extent} % {op.num_groups} == 0", ValueError,
        f"{op.label} the number of {what} must be divisible by the number of groups\n{{}} in {op.num_groups} groups", extent,
    )


def _same_top(builder, op, top: View, wanted) -> None:
    """Check that the gradient of the output has the output's shape."""
    for axis, extent in enumerate(wanted):
        given, extent = builder.find(top.shape[axis]), builder.find(extent)
        if given != extent:
            builder.check_message(
                f"{given} == {extent}", ValueError,
                f"{op.label} shape inconsistency:\n  top shape along axis {{}}: {{}} (expected {{}})\n", str(axis), given, extent,
            )
            builder.unify(given, extent)


def _run(builder, what: str, dtype: str, numbers: str, first: View, second: View, out: View, room, batch: str, at_once: str) -> None:
    """Emit the call of one direction; `room` are extents of a worker's columns and tile, `at_once` images of the batch are taken together."""
    kind, helpers, externals = _routine("gemm", dtype)
    units = builder.let(f"({batch} + {at_once} - 1) / {at_once}")
    workers = builder.let(f"tc_crew({units})")
    col, tile = (builder.temp(dtype, (workers, *extents), local=False) for extents in room)
    ctype = storage_type(dtype)
    arguments = [f"(const {ctype} *){first.pointer}", f"(const {ctype} *){second.pointer}"]
    arguments += [f"({ctype} *){v.pointer}" for v in (out, col, tile)]
    text = (
        f"if (tc_corr_run_{dtype}(tc_{what}_{dtype}, {numbers}, {', '.join(arguments)}, {workers}))\n"
        f"    return tc_fail(f, {int(ErrorCode.MEMORY)}, {builder.node_number}, 0, 0, 0, 0, 0, 0);"
    )
    builder.call(
        text, (first, second), (out, col, tile), helpers=(*helpers, _text(dtype, kind)), headers=HEADERS,
        externals=tuple(dict.fromkeys((*externals, "pool"))), label="convolution",
    )


def _dtype(node) -> str:
    dtype = node.outputs[0].type.dtype
    if dtype in ("bool", "float16") or dtype.startswith("complex"):
        raise NotLowered(f"convolution of dtype {dtype}")
    return dtype


def _room(geometry, channels, filters, positions, at_once):
    """Extents of the matrix of patches and of the outputs side by side."""
    builder = geometry.builder
    columns = builder.mul(at_once, *positions)
    return (builder.mul(channels, *geometry.taps), columns), (filters, columns)


def _forward(builder, node, op, img: View, kern: View) -> None:
    dtype, nd = _dtype(node), op.convdim
    _same_stack(builder, op, img.shape[1], kern.shape[1])
    _divisible(builder, op, kern.shape[0], "filters")
    img, kern = (_operand(builder, v, dtype) for v in (img, kern))
    geometry = Geometry(builder, op, kern.shape[2:])
    batch, channels, filters = (builder.find(e) for e in (img.shape[0], img.shape[1], kern.shape[0]))
    image = [builder.find(e) for e in img.shape[2:]]
    positions = geometry.positions(image)
    at_once = geometry.together(batch, positions)
    out = builder.temp(dtype, (batch, filters, *positions), local=False)
    assert len(positions) == nd
    numbers = geometry.numbers(batch, channels, filters, image, positions, at_once)
    _run(builder, "forward", dtype, numbers, img, kern, out, _room(geometry, channels, filters, positions, at_once), batch, at_once)
    builder.bind(node.outputs[0], out)


@register(CorrMM)
@register(Corr3dMM)
def lower_corr(op, node, builder):
    if getattr(op, "unshared", False):
        raise NotLowered("unshared convolution")
    _forward(builder, node, op, *(builder.view(v) for v in node.inputs))


@register(CorrMM_gradWeights)
@register(Corr3dMM_gradWeights)
def lower_corr_weights(op, node, builder):
    if getattr(op, "unshared", False):
        raise NotLowered("unshared convolution")
    dtype = _dtype(node)
    img, top = (builder.view(v) for v in node.inputs[:2])
    if len(node.inputs) > 2:
        taps = [builder.integer(v) for v in node.inputs[2:]]
    else:
        taps = []
        for n, t, (lo, hi), d in zip(img.shape[2:], top.shape[2:], op._pads(), op.filter_dilation):
            if lo == FULL:
                window = builder.add(builder.sub(t, n), "1")
            else:
                window = builder.add(builder.sub(builder.add(builder.add(n, str(lo)), str(hi)), t), "1")
            taps.append(builder.add(divide(builder, builder.sub(window, "1"), str(d)), "1"))
    for axis, tap in enumerate(taps):
        if not is_literal(tap):
            builder.check_message(
                f"{tap} > 0", ValueError, f"{op.label}: impossible filter shape: {{}} along axis {{}}\n", tap, str(axis)
            )
    _divisible(builder, op, img.shape[1], "channels")
    _divisible(builder, op, top.shape[1], "filters")
    geometry = Geometry(builder, op, taps)
    batch, channels, filters = (builder.find(e) for e in (img.shape[0], img.shape[1], top.shape[1]))
    image = [builder.find(e) for e in img.shape[2:]]
    positions = geometry.positions(image)
    _same_top(builder, op, top, (batch, filters, *positions))
    img, top = (_operand(builder, v, dtype) for v in (img, top))
    at_once = geometry.together(batch, positions)
    out = builder.temp(dtype, (filters, divide(builder, channels, str(op.num_groups)), *geometry.taps), local=False)
    numbers = geometry.numbers(batch, channels, filters, image, positions, at_once)
    _run(builder, "weights", dtype, numbers, img, top, out, _room(geometry, channels, filters, positions, at_once), batch, at_once)
    builder.bind(node.outputs[0], out)


@register(CorrMM_gradInputs)
@register(Corr3dMM_gradInputs)
def lower_corr_inputs(op, node, builder):
    if getattr(op, "unshared", False):
        raise NotLowered("unshared convolution")
    dtype, nd = _dtype(node), op.convdim
    kern, top = (builder.view(v) for v in node.inputs[:2])
    geometry = Geometry(builder, op, kern.shape[2:])
    if len(node.inputs) > 2:
        image = [builder.integer(v) for v in node.inputs[2:]]
    else:
        image = []
        for t, w, (lo, hi) in zip(top.shape[2:], geometry.window, geometry.pad):
            image.append(builder.sub(builder.sub(builder.sub(builder.add(t, w), "1"), lo), hi))
    for axis, n in enumerate(image):
        if not is_literal(n):
            builder.check_message(
                f"{n} >= 0", ValueError, f"{op.label}: impossible image shape: {{}} along axis {{}}\n", n, str(axis)
            )
    _divisible(builder, op, kern.shape[0], "filters")
    batch, filters = builder.find(top.shape[0]), builder.find(kern.shape[0])
    channels = builder.mul(kern.shape[1], str(op.num_groups))
    positions = geometry.positions(image)
    _same_top(builder, op, top, (batch, filters, *positions))
    kern, top = (_operand(builder, v, dtype) for v in (kern, top))
    batch = builder.find(batch)
    at_once = geometry.together(batch, positions)
    out = builder.temp(dtype, (batch, channels, *image), local=False)
    assert len(positions) == nd
    numbers = geometry.numbers(batch, channels, filters, image, positions, at_once)
    _run(builder, "inputs", dtype, numbers, kern, top, out, _room(geometry, channels, filters, positions, at_once), batch, at_once)
    builder.bind(node.outputs[0], out)


@register(ConvOp)
def lower_convop(op, node, builder):
    """The old op is a correlation with the filters turned round."""
    if op.is_upsampling():
        raise NotLowered("ConvOp with logical shapes")
    img, kern = (builder.view(v) for v in node.inputs)
    told = (((op.bsize, *op.imshp), img, "images"), ((op.nkern, None, *op.kshp), kern, "kernels"))
    for known, view, name in told:
        for axis, n in enumerate(known):
            given = builder.find(view.shape[axis])
            if n is not None and given != str(n):
                builder.check_message(
                    f"{given} == {n}", ValueError,
                    f"The {name} have {{}} elements along axis {{}}, but ConvOp was told {n}", given, str(axis),
                )
                builder.unify(given, str(n))
    kern = builder.in_memory(kern)
    rows, columns = (builder.find(e) for e in kern.shape[2:])
    step = [builder.mul(s, "-1") for s in kern.strides[2:]]
    start = builder.add(
        builder.mul(builder.sub(rows, "1"), kern.strides[2]), builder.mul(builder.sub(columns, "1"), kern.strides[3])
    )
    turned = builder.subview(kern, start, kern.shape, (*kern.strides[:2], *step))
    _forward(builder, node, CorrMM(border_mode=op.out_mode, subsample=(op.dx, op.dy)), img, turned)
