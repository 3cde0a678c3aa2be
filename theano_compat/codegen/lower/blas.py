"""Products: Dot22, Gemm, Gemv, Ger, Dot, BatchedDot.

Products of vectors and outer products are loops that fuse with what surrounds them; matrix products call the library
through the table, or run in line where they are small.
"""

from __future__ import annotations

from theano_compat.codegen import products
from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered
from theano_compat.codegen.dtypes import compute_type, literal, storage_type
from theano_compat.codegen.ir import REDUCERS, Store, View
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.scalarbody import Body
from theano_compat.scalar import basic as scal
from theano_compat.tensor.basic import Dot
from theano_compat.tensor.blas import BatchedDot, Dot22, Dot22Scalar, Gemm, Gemv, Ger

#: What the text of a product needs before it.
HEADERS = ("blas",)


def _routine(kind: str, dtype: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the C function for a product, the helpers that define it and the outside routines that it calls."""
    if not products.available(dtype):
        if dtype in ("bool", "float16"):
            raise NotLowered(f"product of dtype {dtype}")
        return "product", (f"TC_PRODUCT({storage_type(dtype)}, {dtype})",), ()
    products.start(dtype)
    return kind, (products.interface(dtype),), (products.external(dtype),)


def _matrix(view: View) -> str:
    return f"{view.pointer}, {view.strides[0]}, {view.strides[1]}"


def gemm(builder, alpha: str, a: View, b: View, beta: str, c: View) -> None:
    """Emit ``c = alpha a b + beta c`` for matrices of one dtype."""
    kind, helpers, externals = _routine("gemm", c.dtype)
    b = builder.reused_factor(b)
    m, k, n = (builder.find(e) for e in (a.shape[0], a.shape[1], b.shape[1]))
    call = f"tc_{kind}_{c.dtype}({m}, {n}, {k}, {alpha}, {_matrix(a)}, {_matrix(b)}, {beta}, {_matrix(c)})"
    reads = (a, b, c)
    if kind == "gemm" and builder.reuses(b, m):
        panels = _packed(builder, b, m, helpers, externals)
        packed = f"tc_packed_{c.dtype}({m}, {n}, {k}, {alpha}, {_matrix(a)}, {panels.pointer}, {beta}, {_matrix(c)})"
        call = f"{panels.buffer.nbytes} ? ({packed}, 0) : {call}"
        reads = (*reads, panels)
    _library_call(builder, kind, call, reads, (c,), helpers, externals)


def _packed(step, b: View, m: str, helpers, externals) -> View:
    """Return memory with a factor in the form that many products with it want; of no bytes where that does not pay at run time."""
    outer = step.outer
    n, k = outer.find(b.shape[1]), outer.find(b.shape[0])
    room = outer.sized(b.dtype, outer.let(f"{step.count} > 0 ? tc_packed_bytes_{b.dtype}({m}, {n}, {k}) : 0"))
    text = f"if ({room.buffer.nbytes})\n    tc_pack_{b.dtype}({n}, {k}, {_matrix(b)}, {room.pointer});"
    outer.call(text, (b,), (room,), helpers=helpers, headers=HEADERS, externals=externals, label="pack a factor")
    return room


def gemv(builder, alpha: str, a: View, x: View, beta: str, y: View) -> None:
    """Emit ``y = alpha a x + beta y``."""
    kind, helpers, externals = _routine("gemv", y.dtype)
    a = builder.permute(builder.reused_factor(builder.permute(a, (1, 0))), (1, 0))
    m, k = (builder.find(e) for e in a.shape)
    if kind == "product":
        call = (
            f"tc_product_{y.dtype}({m}, 1, {k}, {alpha}, {_matrix(a)}, {x.pointer}, {x.strides[0]}, 0, {beta}, "
            f"{y.pointer}, {y.strides[0]}, 0)"
        )
    else:
        call = (
            f"tc_gemv_{y.dtype}({m}, {k}, {alpha}, {_matrix(a)}, {x.pointer}, {x.strides[0]}, {beta}, "
            f"{y.pointer}, {y.strides[0]})"
        )
    _library_call(builder, kind, call, (a, x, y), (y,), helpers, externals)


def _library_call(builder, kind, call, reads, writes, helpers, externals) -> None:
    text = f"{call};" if kind == "product" else (
        f"if ({call}) return tc_fail(f, {int(ErrorCode.MEMORY)}, {builder.node_number}, 0, 0, 0, 0, 0, 0);"
    )
    builder.call(text, reads, writes, helpers=helpers, headers=HEADERS, externals=externals, label=kind)


def _inner_extent(builder, a: View, b: View) -> None:
    """Check that two factors agree in the summed dimension."""
    rows = [builder.find(e) for e in a.shape]
    columns = [builder.find(e) for e in b.shape]
    axis = 0 if b.ndim == 1 else b.ndim - 2
    details = (rows[-2] if len(rows) > 1 else "1", rows[-1], columns[axis], columns[-1] if len(columns) > 1 else "1")
    builder.require_equal(rows[-1], columns[axis], ErrorCode.DOT_MISMATCH, *details)


def _factor(builder, view: View, dtype: str) -> View:
    """Return a factor in memory and of the right dtype."""
    view = builder.in_memory(view)
    if view.dtype == dtype:
        return view
    room = builder.temp(dtype, view.shape)
    builder.copy(room, view)
    return room


def _one(dtype: str) -> str:
    return literal(1, dtype)


def _zero(dtype: str) -> str:
    return literal(0, dtype)


def product(builder, a: View, b: View, dtype: str, alpha: str | None = None) -> View:
    """Return ``alpha a b`` for vectors and matrices."""
    _inner_extent(builder, a, b)
    alpha = _one(dtype) if alpha is None else alpha
    a, b = _factor(builder, a, dtype), _factor(builder, b, dtype)
    if a.ndim == b.ndim == 1:
        return _inner_product(builder, a, b, dtype)
    if a.ndim == b.ndim == 2:
        out = builder.temp(dtype, (a.shape[0], b.shape[1]))
        gemm(builder, alpha, a, b, _zero(dtype), out)
    elif a.ndim == 2:
        out = builder.temp(dtype, (a.shape[0],))
        gemv(builder, alpha, a, b, _zero(dtype), out)
    else:
        out = builder.temp(dtype, (b.shape[1],))
        gemv(builder, alpha, builder.permute(b, (1, 0)), a, _zero(dtype), out)
    return out


def _inner_product(builder, a: View, b: View, dtype: str) -> View:
    total = builder.temp(dtype, ())
    builder.fill(total, f"(({compute_type(dtype)})0)")
    domain = (builder.find(a.shape[0]),)
    loads = [builder.load(a, domain), builder.load(b, domain)]
    body = Body(builder)
    name = body.apply(scal.mul, [load.name for load in loads], [dtype, dtype], [dtype])[0]
    builder.loop(domain, loads, body.statements, [Store(total, ("0",), name, REDUCERS["add"])])
    return total


@register(Dot22)
def lower_dot22(op, node, builder):
    a, b = (builder.view(v) for v in node.inputs)
    builder.bind(node.outputs[0], product(builder, a, b, node.outputs[0].type.dtype))


@register(Dot)
def lower_dot(op, node, builder):
    a, b = (builder.view(v) for v in node.inputs)
    dtype = node.outputs[0].type.dtype
    if not (1 <= a.ndim <= 2 and 1 <= b.ndim <= 2):
        raise NotLowered("product of arrays of other ranks than 1 and 2")
    if dtype in ("bool", "float16"):
        raise NotLowered(f"product of dtype {dtype}")
    builder.bind(node.outputs[0], product(builder, a, b, dtype))


@register(Dot22Scalar)
def lower_dot22_scalar(op, node, builder):
    a, b = (builder.view(v) for v in node.inputs[:2])
    alpha = builder.scalar_of(node.inputs[2])
    builder.bind(node.outputs[0], product(builder, a, b, node.outputs[0].type.dtype, alpha))


def _accumulator(builder, op, view: View, beta: str, dtype: str) -> View:
    """Return the array that a product is added to: the input's memory, a copy, or a new array if beta is 0."""
    view = builder.in_memory(view)
    if op.inplace:
        return View(view.buffer, view.dtype, view.pointer, view.shape, view.strides, view.axes, also=view.also)
    room = builder.temp(dtype, view.shape)
    if beta != _zero(dtype):
        builder.copy(room, view)
    return room


@register(Gemm)
def lower_gemm(op, node, builder):
    dtype = node.outputs[0].type.dtype
    z, a, b = (builder.view(node.inputs[k]) for k in (0, 2, 3))
    alpha, beta = (builder.scalar_of(node.inputs[k]) for k in (1, 4))
    _inner_extent(builder, a, b)
    for axis, (mine, k, view) in enumerate(((a.shape[0], 2, z), (b.shape[1], 3, z))):
        mine, wanted = builder.find(mine), builder.find(view.shape[axis])
        builder.require_equal(wanted, mine, ErrorCode.SHAPE_MISMATCH, "0", str(axis), wanted, str(k), str(axis), mine)
    a, b = _factor(builder, a, dtype), _factor(builder, b, dtype)
    if op.inplace:
        c = _accumulator(builder, op, z, beta, dtype)
        gemm(builder, alpha, a, b, beta, c)
        builder.bind(node.outputs[0], c)
        return
    # the product into a new array, then the sum as a loop that what comes next can take in
    domain = tuple(map(builder.find, z.shape))
    product = builder.temp(dtype, domain)
    gemm(builder, alpha, a, b, _zero(dtype), product)
    if beta == _zero(dtype):
        builder.bind(node.outputs[0], product)
        return
    total = builder.temp(dtype, domain)
    body, two = Body(builder), [dtype, dtype]
    loads = [builder.load(v, domain) for v in (product, z) if v.value is None]
    name = loads[1].name if z.value is None else z.value
    if beta != _one(dtype):
        name = body.apply(scal.mul, [beta, name], two, [dtype])[0]
    value = body.apply(scal.add, [name, loads[0].name], two, [dtype])[0]
    builder.loop(domain, loads, body.statements, [Store(total, total.strides, value)], tuple(body.helpers))
    builder.bind(node.outputs[0], total)


@register(Gemv)
def lower_gemv(op, node, builder):
    dtype = node.outputs[0].type.dtype
    y, a, x = (builder.view(node.inputs[k]) for k in (0, 2, 3))
    alpha, beta = (builder.scalar_of(node.inputs[k]) for k in (1, 4))
    _inner_extent(builder, a, x)
    mine, wanted = builder.find(a.shape[0]), builder.find(y.shape[0])
    builder.require_equal(wanted, mine, ErrorCode.SHAPE_MISMATCH, "0", "0", wanted, "2", "0", mine)
    a, x = _factor(builder, a, dtype), _factor(builder, x, dtype)
    target = _accumulator(builder, op, y, beta, dtype)
    gemv(builder, alpha, a, x, beta, target)
    builder.bind(node.outputs[0], target)


@register(Ger)
def lower_ger(op, node, builder):
    dtype = node.outputs[0].type.dtype
    a, x, y = (builder.view(node.inputs[k]) for k in (0, 2, 3))
    alpha = builder.scalar_of(node.inputs[1])
    domain = tuple(map(builder.find, a.shape))
    for k, (vector, axis) in enumerate(((x, 0), (y, 1))):
        mine = builder.find(vector.shape[0])
        builder.require_equal(
            domain[axis], mine, ErrorCode.SHAPE_MISMATCH, "0", str(axis), domain[axis], str(k + 2), "0", mine
        )
    views = [a, builder.permute(x, (0, None)), builder.permute(y, (None, 0))]
    target = builder.temp(dtype, domain)
    if op.destructive and builder.must_overwrite(a, node.outputs[0]):
        target = a
    body, names, loads = Body(builder), [], []
    for view in views:
        if view.value is not None:
            names.append(view.value)
        else:
            loads.append(builder.load(view, domain))
            names.append(loads[-1].name)
    two = [dtype, dtype]
    scaled = body.apply(scal.mul, [alpha, names[1]], two, [dtype])[0]
    outer = body.apply(scal.mul, [scaled, names[2]], two, [dtype])[0]
    value = body.apply(scal.add, [names[0], outer], two, [dtype])[0]
    builder.loop(domain, loads, body.statements, [Store(target, target.strides, value)], tuple(body.helpers))
    builder.bind(node.outputs[0], target)


@register(BatchedDot)
def lower_batched_dot(op, node, builder):
    dtype = node.outputs[0].type.dtype
    a, b = (_factor(builder, builder.view(v), dtype) for v in node.inputs)
    if not (2 <= a.ndim <= 3 and 2 <= b.ndim <= 3):
        raise NotLowered("batched product of arrays of other ranks than 2 and 3")
    n_batch, other = builder.find(a.shape[0]), builder.find(b.shape[0])
    builder.require_equal(n_batch, other, ErrorCode.SHAPE_MISMATCH, "0", "0", n_batch, "1", "0", other)
    left = a if a.ndim == 3 else builder.permute(a, (0, None, 1))
    right = b if b.ndim == 3 else builder.permute(b, (0, 1, None))
    inner, mine = builder.find(left.shape[2]), builder.find(right.shape[1])
    builder.require_equal(
        inner, mine, ErrorCode.SHAPE_MISMATCH, "0", str(a.ndim - 1), inner, "1", "1", mine
    )
    shape = [n_batch, *([a.shape[1]] if a.ndim == 3 else []), *([b.shape[2]] if b.ndim == 3 else [])]
    out = builder.temp(dtype, shape)
    whole = builder.permute(out, [0, 1 if a.ndim == 3 else None, out.ndim - 1 if b.ndim == 3 else None])
    kind, helpers, externals = _routine("gemm", dtype)

    def item(view: View) -> str:
        return f"{view.pointer} + i * {view.strides[0]}, {view.strides[1]}, {view.strides[2]}"

    m, k, n = builder.find(left.shape[1]), inner, builder.find(right.shape[2])
    call = (
        f"tc_{kind}_{dtype}({m}, {n}, {k}, {_one(dtype)}, {item(left)}, {item(right)}, {_zero(dtype)}, {item(whole)})"
    )
    text = f"for (int64_t i = 0; i < {n_batch}; i++)\n    "
    text += f"{call};" if kind == "product" else (
        f"if ({call}) return tc_fail(f, {int(ErrorCode.MEMORY)}, {builder.node_number}, 0, 0, 0, 0, 0, 0);"
    )
    builder.call(text, (a, b), (out,), helpers=helpers, headers=HEADERS, externals=externals, label="batched product")
    builder.bind(node.outputs[0], out)
