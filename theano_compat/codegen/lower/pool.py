"""Pooling over the last axes, its gradients, and the gradient's gradient."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.dtypes import literal, storage_type
from theano_compat.codegen.ir import View
from theano_compat.codegen.lower.registry import register
from theano_compat.tensor.signal.pool import AveragePoolGrad, DownsampleFactorMaxGradGrad, MaxPoolGrad, Pool
from theano_compat.tensor.signal.pool.numeric import lowest

_SOURCE = Path(__file__).resolve().parent.parent / "csrc" / "pool.in.h"


@cache
def _text(dtype: str) -> str:
    """Return the C functions for a dtype."""
    text = _SOURCE.read_text(encoding="utf-8")
    for word, value in (("LOWEST", literal(lowest(dtype), dtype)), ("T", storage_type(dtype)), ("N", dtype)):
        text = text.replace(f"@{word}@", value)
    return text


def _operand(builder, var, dtype: str) -> View:
    view = builder.in_memory(builder.view(var))
    if view.dtype != dtype:
        room = builder.temp(dtype, view.shape)
        builder.copy(room, view)
        view = room
    return builder.packed(view)


def _dtype(node, mode: str) -> str:
    dtype = node.outputs[0].type.dtype
    if dtype in ("bool", "float16") or dtype.startswith("complex"):
        raise NotLowered(f"pooling of dtype {dtype}")
    if mode.startswith("average") and not dtype.startswith("float"):
        raise NotLowered("average of integers")
    return dtype


class _Windows:
    """Extents of a pooling as tokens, and the checks on them."""

    def __init__(self, builder, op, node, x: View) -> None:
        nd = op.ndim
        if not 1 <= nd <= 3:
            raise NotLowered(f"pooling of {nd} axes")
        self.builder, self.op = builder, op
        at = op.window_at
        self.window, self.stride, self.pad = (builder.integers(v, nd) for v in node.inputs[at : at + 3])
        for name, tokens, least in (("window", self.window, 1), ("stride", self.stride, 1), ("padding", self.pad, 0)):
            for token in tokens:
                if not (is_literal(token) and int(token) >= least):
                    builder.check_message(
                        f"{token} >= {least}", ValueError, f"the {name} of a pooling must be at least {least}, got {{}}", token
                    )
        if not op.ignore_border:
            for token in self.pad:
                if token != "0":
                    builder.check_message(
                        f"{token} == 0", NotImplementedError, "padding works only with ignore_border=True"
                    )
        self.lead = [builder.find(e) for e in x.shape[: x.ndim - nd]]
        self.image = [builder.find(e) for e in x.shape[x.ndim - nd :]]
        self.output = [self._length(*numbers) for numbers in zip(self.image, self.window, self.stride, self.pad)]

    def _length(self, n: str, w: str, s: str, p: str) -> str:
        """Return the number of windows along one axis."""
        from theano_compat.tensor.signal.pool.numeric import output_length

        builder = self.builder
        if all(map(is_literal, (n, w, s, p))):
            return str(output_length(int(n), int(w), int(s), int(p), self.op.ignore_border))
        if self.op.ignore_border:
            room = builder.sub(builder.add(n, builder.mul(p, "2")), w)
            return builder.let(f"({room} < 0 ? 0 : {room} / {s} + 1)")
        # division that rounds down, for a length of 0
        disjoint = f"({n} == 0 ? 0 : ({n} - 1) / {s} + 1)"
        overlapping = f"tc_max(0, {n} - 1 - {w} + {s}) / {s} + 1"
        if is_literal(s) and is_literal(w):
            return builder.let(disjoint if int(s) >= int(w) else overlapping)
        return builder.let(f"({s} >= {w} ? {disjoint} : {overlapping})")

    def numbers(self) -> str:
        """Return the array ``g`` of the C functions."""
        fill = 3 - self.op.ndim
        rows = [(self.image, "1"), (self.output, "1"), (self.window, "1"), (self.stride, "1"), (self.pad, "0")]
        tokens = [self.builder.mul(*self.lead) if self.lead else "1"]
        for values, missing in rows:
            tokens += [missing] * fill + [self.builder.find(v) for v in values]
        tokens.append("1" if self.op.mode == "average_inc_pad" else "0")
        return f"(const int64_t[]){{{', '.join(tokens)}}}"

    def rows(self, dtype: str) -> tuple[View, View, str]:
        """Return scratch for a row of the image (or of windows) and for the counts of a row of windows, for so many workers."""
        longer = self.builder.let(f"tc_max({self.image[-1]}, {self.output[-1]})")
        images = self.builder.mul(*self.lead) if self.lead else "1"
        workers = self.builder.let(f"tc_crew({images})")
        row, counts = (self.builder.temp(dtype, (workers, extent), local=False) for extent in (longer, self.output[-1]))
        return row, counts, workers

    def check_pooled(self, view: View) -> None:
        """Check that an array has the shape of the pooling."""
        builder = self.builder
        for axis, extent in enumerate([*self.lead, *self.output]):
            given, extent = builder.find(view.shape[axis]), builder.find(extent)
            if given != extent:
                builder.check_message(
                    f"{given} == {extent}", ValueError,
                    "a gradient of a pooling has {} elements along axis {}, the pooling has {}", given, str(axis), extent,
                )
                builder.unify(given, extent)

    def check_image(self, view: View) -> None:
        """Check that an array has the shape of the image."""
        builder = self.builder
        for axis, extent in enumerate([*self.lead, *self.image]):
            given, extent = builder.find(view.shape[axis]), builder.find(extent)
            if given != extent:
                builder.check_message(
                    f"{given} == {extent}", ValueError,
                    "a gradient of a pooling has {} elements along axis {}, the image has {}", given, str(axis), extent,
                )
                builder.unify(given, extent)


def _arguments(dtype: str, *views: View) -> str:
    return ", ".join(f"({storage_type(dtype)} *){v.pointer}" for v in views)


@register(Pool)
def lower_pool(op, node, builder):
    dtype = _dtype(node, op.mode)
    x = _operand(builder, node.inputs[0], dtype)
    windows = _Windows(builder, op, node, x)
    out = builder.temp(dtype, (*windows.lead, *windows.output), local=False)
    row, counts, workers = windows.rows(dtype)
    what = {"max": "max", "sum": "sum"}.get(op.mode, "average")
    text = f"tc_pool_forward_{dtype}(tc_pool_{what}_{dtype}, {windows.numbers()}, {_arguments(dtype, x, out, row, counts)}, {workers});"
    builder.call(text, (x,), (out, row, counts), helpers=(_text(dtype),), externals=("pool",), label="pooling")
    builder.bind(node.outputs[0], out)


def _back(builder, windows, what, dtype, x, m, d, out) -> None:
    row, counts, workers = windows.rows(dtype)
    turned = int(what == "max_back_back")
    size = f"(size_t)({builder.mul(*out.shape)}) * sizeof({storage_type(dtype)})" if out.shape else f"sizeof({storage_type(dtype)})"
    text = (
        f"memset({out.pointer}, 0, {size});\n"
        f"tc_pool_backward_{dtype}(tc_pool_{what}_{dtype}, {turned}, {windows.numbers()}, {_arguments(dtype, x, m, d, out, row, counts)}, {workers});"
    )
    builder.call(text, (x, m, d), (out, row, counts), helpers=(_text(dtype),), externals=("pool",), label="pooling gradient")


@register(MaxPoolGrad)
def lower_max_pool_grad(op, node, builder):
    dtype = _dtype(node, "max")
    x, m, d = (_operand(builder, v, dtype) for v in node.inputs[:3])
    windows = _Windows(builder, op, node, x)
    windows.check_pooled(m)
    windows.check_pooled(d)
    out = builder.temp(dtype, (*windows.lead, *windows.image), local=False)
    _back(builder, windows, "max_back", dtype, x, m, d, out)
    builder.bind(node.outputs[0], out)


@register(AveragePoolGrad)
def lower_average_pool_grad(op, node, builder):
    dtype = _dtype(node, op.mode)
    shape_of = builder.view(node.inputs[0])
    d = _operand(builder, node.inputs[1], dtype)
    windows = _Windows(builder, op, node, shape_of)
    windows.check_pooled(d)
    out = builder.temp(dtype, (*windows.lead, *windows.image), local=False)
    what = "sum_back" if op.mode == "sum" else "average_back"
    _back(builder, windows, what, dtype, d, d, d, out)
    builder.bind(node.outputs[0], out)


@register(DownsampleFactorMaxGradGrad)
def lower_max_pool_grad_grad(op, node, builder):
    dtype = _dtype(node, "max")
    x, m, d = (_operand(builder, v, dtype) for v in node.inputs[:3])
    windows = _Windows(builder, op, node, x)
    windows.check_pooled(m)
    windows.check_image(d)
    out = builder.temp(dtype, (*windows.lead, *windows.output), local=False)
    _back(builder, windows, "max_back_back", dtype, x, m, d, out)
    builder.bind(node.outputs[0], out)
