"""Softmax and the crossentropies: a few passes over each row while it is in the nearest cache."""

from __future__ import annotations

from theano_compat.codegen.builder import Builder, NotLowered
from theano_compat.codegen.dtypes import storage_type
from theano_compat.codegen.ir import View
from theano_compat.codegen.lower.registry import register
from theano_compat.tensor.nnet.nnet import (
    CrossentropyCategorical1Hot,
    CrossentropyCategorical1HotGrad,
    CrossentropySoftmax1HotWithBiasDx,
    CrossentropySoftmaxArgmax1HotWithBias,
    LogSoftmax,
    Softmax,
    SoftmaxGrad,
    SoftmaxWithBias,
)

#: exp(x + b - max) of a row into `to`; the largest element and the sum come back.
_ROW_EXP = """static inline {T} tc_row_exp_{D}(int64_t k, const {T} *x, const {T} *b, {T} *to, {T} *top)
{{
    {T} m = -({T})INFINITY, sum = 0;
    if (b) {{
        #pragma omp simd reduction(max:m)
        for (int64_t j = 0; j < k; j++) {{
            const {T} v = x[j] + b[j];
            to[j] = v;
            m = v > m ? v : m;
        }}
        x = to;
    }} else {{
        #pragma omp simd reduction(max:m)
        for (int64_t j = 0; j < k; j++)
            m = x[j] > m ? x[j] : m;
    }}
    #pragma omp simd reduction(+:sum)
    for (int64_t j = 0; j < k; j++) {{
        const {T} e = exp{S}(x[j] - m);
        to[j] = e;
        sum += e;
    }}
    *top = m;
    return sum;
}}"""

#: Rows have nothing to do with each other, so several threads may do some each.
_ROWS = """typedef struct {{ {fields} }} tc_job_{name};
static void tc_rows_{name}(void *job, int64_t from, int64_t end, int worker)
{{
    const tc_job_{name} v = *(const tc_job_{name} *)job;
    tc_some_{name}({shifted});
}}
static void tc_{name}({parameters})
{{
    tc_job_{name} job = {{ {names} }};
    tc_each(tc_rows_{name}, &job, n, (double)n * (double)k * {cost}, {most});
}}"""


def _by_rows(name: str, parameters: str, steps: dict[str, str], cost: str, most: str = "INT32_MAX") -> str:
    """Return a C function ``tc_<name>`` that runs ``tc_some_<name>`` on its rows, by several threads where they are many.

    Parameters
    ----------
    name : str
    parameters : str
        Of both; the first is ``int64_t n``, the rows.
    steps : dict
        How far pointers move from a row to the next; ``?`` before it where the pointer may be NULL.
    cost : str
        Nanoseconds of one element.
    most : str
        Workers that may take part.
    """
    names = [parameter.split()[-1].lstrip("*") for parameter in parameters.split(", ")]
    shifted = {v: f"v.{v}" for v in names} | {"n": "end - from"}
    for v, step in steps.items():
        moved = f"v.{v} + from * {step.removeprefix('?')}"
        shifted[v] = f"v.{v} ? {moved} : NULL" if step.startswith("?") else moved
    fields = parameters.replace(", ", "; ") + ";"
    return _ROWS.format(name=name, fields=fields, shifted=", ".join(shifted.values()), parameters=parameters, names=", ".join(names), cost=cost, most=most)


_SOFTMAX = """static void tc_some_softmax_{D}(int64_t n, int64_t k, const {T} *x, const {T} *b, {T} *to)
{{
    for (int64_t i = 0; i < n; i++, x += k, to += k) {{
        {T} m;
        const {T} r = 1 / tc_row_exp_{D}(k, x, b, to, &m);
        #pragma omp simd
        for (int64_t j = 0; j < k; j++)
            to[j] *= r;
    }}
}}"""
_SOFTMAX_ROWS = ("softmax", "int64_t n, int64_t k, const {T} *x, const {T} *b, {T} *to", {"x": "v.k", "to": "v.k"}, "0.25 * sizeof *x")

_LOG_SOFTMAX = """static void tc_some_log_softmax_{D}(int64_t n, int64_t k, const {T} *x, {T} *to)
{{
    for (int64_t i = 0; i < n; i++, x += k, to += k) {{
        {T} m;
        const {T} shift = log{S}(tc_row_exp_{D}(k, x, NULL, to, &m));
        #pragma omp simd
        for (int64_t j = 0; j < k; j++)
            to[j] = (x[j] - m) - shift;
    }}
}}"""
_LOG_SOFTMAX_ROWS = ("log_softmax", "int64_t n, int64_t k, const {T} *x, {T} *to", {"x": "v.k", "to": "v.k"}, "0.25 * sizeof *x")

_SOFTMAX_GRAD = """static void tc_some_softmax_grad_{D}(int64_t n, int64_t k, const {T} *dy, int64_t step, const {T} *s, {T} *to)
{{
    for (int64_t i = 0; i < n; i++, dy += step, s += k, to += k) {{
        {T} sum = 0;
        #pragma omp simd reduction(+:sum)
        for (int64_t j = 0; j < k; j++)
            sum += dy[j] * s[j];
        #pragma omp simd
        for (int64_t j = 0; j < k; j++)
            to[j] = (dy[j] - sum) * s[j];
    }}
}}"""
_SOFTMAX_GRAD_ROWS = (
    "softmax_grad", "int64_t n, int64_t k, const {T} *dy, int64_t step, const {T} *s, {T} *to", {"dy": "v.step", "s": "v.k", "to": "v.k"}, "0.1 * sizeof *s",
)

#: `bad` is set to the number of the first row (plus 1) whose class does not exist.
_CROSSENTROPY = """static void tc_some_crossentropy_{D}_{I}(int64_t n, int64_t k, const {T} *x, const {T} *b, const char *y, int64_t y0,
                                       {T} *nll, {T} *sm, {I} *am, {T} *row, int64_t first, int64_t *bad)
{{
    for (int64_t i = 0; i < n; i++, x += k) {{
        const int64_t c = (int64_t)*(const {I} *)(y + i * y0);
        if (c < 0 || c >= k) {{
            tc_least(bad, first + i + 1);
            return;
        }}
        {T} *to = sm ? sm + i * k : row, m;
        const {T} sum = tc_row_exp_{D}(k, x, b, to, &m);
        if (nll)
            nll[i] = log{S}(sum) - (x[c] + (b ? b[c] : 0) - m);
        if (am) {{
            int64_t at = 0;
            {T} best = x[0] + (b ? b[0] : 0);
            for (int64_t j = 1; j < k; j++) {{
                const {T} v = x[j] + (b ? b[j] : 0);
                if (v > best || (v != v && best == best)) {{
                    best = v;
                    at = j;
                }}
            }}
            am[i] = ({I})at;
        }}
        if (sm) {{
            const {T} r = 1 / sum;
            #pragma omp simd
            for (int64_t j = 0; j < k; j++)
                to[j] *= r;
        }}
    }}
}}"""
_CROSSENTROPY_ROWS = (
    "crossentropy",
    "int64_t n, int64_t k, const {T} *x, const {T} *b, const char *y, int64_t y0, {T} *nll, {T} *sm, {I} *am, {T} *row, int64_t first, int64_t *bad",
    {"x": "v.k", "y": "v.y0", "nll": "?1", "sm": "?v.k", "am": "?1", "first": "1"},
    "0.4 * sizeof *x",
    "sm ? INT32_MAX : 1",  # one row of scratch
)

_CROSSENTROPY_DX = """static void tc_some_crossentropy_dx_{D}_{I}(int64_t n, int64_t k, const char *dy, int64_t dy0, const {T} *s, const char *y,
                                          int64_t y0, {T} *to, int64_t first, int64_t *bad)
{{
    for (int64_t i = 0; i < n; i++, s += k, to += k) {{
        const int64_t c = (int64_t)*(const {I} *)(y + i * y0);
        const {T} g = *(const {T} *)(dy + i * dy0);
        if (c < 0 || c >= k) {{
            tc_least(bad, first + i + 1);
            return;
        }}
        #pragma omp simd
        for (int64_t j = 0; j < k; j++)
            to[j] = g * s[j];
        to[c] -= g;
    }}
}}"""
_CROSSENTROPY_DX_ROWS = (
    "crossentropy_dx",
    "int64_t n, int64_t k, const char *dy, int64_t dy0, const {T} *s, const char *y, int64_t y0, {T} *to, int64_t first, int64_t *bad",
    {"dy": "v.dy0", "s": "v.k", "y": "v.y0", "to": "v.k", "first": "1"},
    "0.05 * sizeof *s",
)

#: Remembers the smallest number that any thread has come upon; 0 is none.
_LEAST = """static inline void tc_least(int64_t *to, int64_t number)
{
    int64_t old = __atomic_load_n(to, __ATOMIC_RELAXED);
    while ((old == 0 || number < old) && !__atomic_compare_exchange_n(to, &old, number, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}"""


def _text(template: str, dtype: str, index: str = "") -> str:
    return template.format(
        T=storage_type(dtype), D=dtype, S="f" if dtype == "float32" else "", I=storage_type(index) if index else ""
    )


def _rows_text(rows: tuple, dtype: str, index: str = "") -> str:
    name, parameters, *others = rows
    return _by_rows(f"{name}_{dtype}" + (f"_{storage_type(index)}" if index else ""), _text(parameters, dtype, index), *others)


def _rows(builder: Builder, view: View, dtype: str | None = None) -> View:
    """Return a float matrix with contiguous rows, one after the other."""
    dtype = view.dtype if dtype is None else dtype
    if dtype not in ("float32", "float64"):
        raise NotLowered(f"softmax of dtype {dtype}")
    view = builder.in_memory(view)
    if view.dtype != dtype:
        room = builder.temp(dtype, view.shape)
        builder.copy(room, view)
        view = room
    return builder.packed(view)


def _extents(builder: Builder, view: View) -> tuple[str, str]:
    return builder.find(view.shape[0]), builder.find(view.shape[1])


def _is_used(var, builder: Builder) -> bool:
    return bool(getattr(var, "clients", True)) or var in builder.results


def _bias(builder: Builder, var, dtype: str, k: str) -> View:
    bias = builder.view(var)
    mine = builder.find(bias.shape[0])
    if mine != k:
        builder.check_message(
            f"{mine} == {k}", ValueError, "b must have same number of columns as x: {} and {}", mine, k
        )
    if bias.value is not None:
        room = builder.temp(dtype, (k,))
        builder.fill(room, bias.value)
        return room
    return _rows(builder, bias, dtype)


def _pointer(view: View | None, dtype: str, const: bool = True) -> str:
    if view is None:
        return "NULL"
    return f"({'const ' if const else ''}{storage_type(dtype)} *){view.pointer}"


def _emit_softmax(builder: Builder, node, bias_var=None) -> None:
    x = _rows(builder, builder.view(node.inputs[0]))
    n, k = _extents(builder, x)
    dtype = x.dtype
    bias = None if bias_var is None else _bias(builder, bias_var, dtype, k)
    out = builder.temp(dtype, (n, k))
    builder.call(
        f"tc_softmax_{dtype}({n}, {k}, {_pointer(x, dtype)}, {_pointer(bias, dtype)}, {_pointer(out, dtype, False)});",
        (x,) if bias is None else (x, bias),
        (out,),
        helpers=(_text(_ROW_EXP, dtype), _text(_SOFTMAX, dtype), _rows_text(_SOFTMAX_ROWS, dtype)),
        externals=("pool",),
        label="softmax",
    )
    builder.bind(node.outputs[0], out)


@register(Softmax)
def lower_softmax(op, node, builder):
    _emit_softmax(builder, node)


@register(SoftmaxWithBias)
def lower_softmax_with_bias(op, node, builder):
    _emit_softmax(builder, node, node.inputs[1])


@register(LogSoftmax)
def lower_log_softmax(op, node, builder):
    x = _rows(builder, builder.view(node.inputs[0]))
    n, k = _extents(builder, x)
    dtype = x.dtype
    out = builder.temp(dtype, (n, k))
    builder.call(
        f"tc_log_softmax_{dtype}({n}, {k}, {_pointer(x, dtype)}, {_pointer(out, dtype, False)});",
        (x,),
        (out,),
        helpers=(_text(_ROW_EXP, dtype), _text(_LOG_SOFTMAX, dtype), _rows_text(_LOG_SOFTMAX_ROWS, dtype)),
        externals=("pool",),
        label="log-softmax",
    )
    builder.bind(node.outputs[0], out)


@register(SoftmaxGrad)
def lower_softmax_grad(op, node, builder):
    dtype = node.outputs[0].type.dtype
    dy, s = builder.view(node.inputs[0]), _rows(builder, builder.view(node.inputs[1]), dtype)
    n, k = _extents(builder, s)
    if dy.ndim == 1:
        dy = builder.permute(dy, (None, 0))
    wanted = (n, k)
    if any(builder.find(dy.shape[d]) != wanted[d] for d in range(2)):
        rows, columns = map(builder.find, dy.shape)
        builder.check_message(
            f"({rows} == {n} || {rows} == 1) && ({columns} == {k} || {columns} == 1)",
            ValueError,
            "dy and the softmax it belongs to have shapes ({}, {}) and ({}, {})",
            rows,
            columns,
            n,
            k,
        )
        if dy.value is not None:
            room = builder.temp(dtype, wanted)
            builder.fill(room, dy.value)
            dy = room
        else:
            dy = builder.in_memory(dy)
            strides = tuple(builder.let(f"{e} == 1 ? 0 : {st}") for e, st in zip((rows, columns), dy.strides))
            dy = View(dy.buffer, dy.dtype, dy.pointer, wanted, strides, also=dy.also)
    dy = _rows(builder, dy, dtype)
    out = builder.temp(dtype, (n, k))
    builder.call(
        f"tc_softmax_grad_{dtype}({n}, {k}, {_pointer(dy, dtype)}, {k}, {_pointer(s, dtype)}, {_pointer(out, dtype, False)});",
        (dy, s),
        (out,),
        helpers=(_text(_SOFTMAX_GRAD, dtype), _rows_text(_SOFTMAX_GRAD_ROWS, dtype)),
        externals=("pool",),
        label="softmax gradient",
    )
    builder.bind(node.outputs[0], out)


def _classes(builder: Builder, var, n: str, message: str) -> View:
    y = builder.in_memory(builder.view(var))
    rows = builder.find(y.shape[0])
    if rows != n:
        builder.check_message(f"{rows} == {n}", ValueError, message, rows, n)
        builder.unify(rows, n)
    if y.dtype == "bool":
        raise NotLowered("classes of dtype bool")
    return y


def _checked_call(builder: Builder, call: str) -> str:
    """Return text that runs a function which sets ``{bad}`` to the number of a bad row (plus 1)."""
    bad = builder.name("_u")
    builder.messages.append((ValueError, "y_i value out of bounds"))
    return (
        f"int64_t {bad} = 0;\n"
        f"{call.format(bad=bad)};\n"
        f"if ({bad}) return tc_fail(f, 12, {builder.node_number}, {len(builder.messages) - 1}, {bad} - 1, 0, 0, 0, 0);"
    )


@register(CrossentropySoftmaxArgmax1HotWithBias)
def lower_crossentropy_softmax(op, node, builder):
    x = _rows(builder, builder.view(node.inputs[0]))
    n, k = _extents(builder, x)
    dtype = x.dtype
    bias = _bias(builder, node.inputs[1], dtype, k)
    y = _classes(builder, node.inputs[2], n, "y_idx must have same number of rows as x: {} and {}")
    index = storage_type(y.dtype)
    shapes = ((n,), (n, k), (n,))
    dtypes = (dtype, dtype, node.outputs[2].type.dtype)
    rooms: list[View | None] = []
    for out, shape, out_dtype in zip(node.outputs, shapes, dtypes):
        rooms.append(builder.temp(out_dtype, shape) if _is_used(out, builder) else None)
    row = builder.temp(dtype, (k,), local=False) if rooms[1] is None else None
    lent = [_pointer(r, d, False) for r, d in zip((*rooms, row), (*dtypes, dtype))]
    call = (
        f"tc_crossentropy_{dtype}_{index}({n}, {k}, {_pointer(x, dtype)}, {_pointer(bias, dtype)}, {y.pointer}, "
        f"{y.strides[0]}, {', '.join(lent)}, 0, &{{bad}})"
    )
    builder.call(
        _checked_call(builder, call),
        (x, bias, y),
        [r for r in (*rooms, row) if r is not None],
        helpers=(_LEAST, _text(_ROW_EXP, dtype), _text(_CROSSENTROPY, dtype, y.dtype), _rows_text(_CROSSENTROPY_ROWS, dtype, y.dtype)),
        externals=("pool",),
        label="crossentropy",
    )
    for out, room in zip(node.outputs, rooms):
        if room is not None:
            builder.bind(out, room)


@register(CrossentropySoftmax1HotWithBiasDx)
def lower_crossentropy_softmax_dx(op, node, builder):
    dtype = node.outputs[0].type.dtype
    s = _rows(builder, builder.view(node.inputs[1]), dtype)
    n, k = _extents(builder, s)
    dy = builder.view(node.inputs[0])
    if dy.dtype != dtype:
        room = builder.temp(dtype, dy.shape)
        builder.copy(room, dy)
        dy = room
    dy = builder.in_memory(dy)
    rows = builder.find(dy.shape[0])
    step = dy.strides[0]
    if rows != n:
        if rows != "1":
            builder.check_message(
                f"{rows} == {n} || {rows} == 1", ValueError, "dy.shape[0] is {}, not 1 or the number of rows of sm, {}", rows, n
            )
            step = builder.let(f"{rows} == 1 ? 0 : {step}")
        else:
            step = "0"
    y = _classes(builder, node.inputs[2], n, "rows mismatch in sm and y_idx: {1} and {0}")
    out = builder.temp(dtype, (n, k))
    call = (
        f"tc_crossentropy_dx_{dtype}_{storage_type(y.dtype)}({n}, {k}, {dy.pointer}, {step}, {_pointer(s, dtype)}, "
        f"{y.pointer}, {y.strides[0]}, {_pointer(out, dtype, False)}, 0, &{{bad}})"
    )
    builder.call(
        _checked_call(builder, call),
        (dy, s, y),
        (out,),
        helpers=(_LEAST, _text(_CROSSENTROPY_DX, dtype, y.dtype), _rows_text(_CROSSENTROPY_DX_ROWS, dtype, y.dtype)),
        externals=("pool",),
        label="crossentropy gradient",
    )
    builder.bind(node.outputs[0], out)


def _one_hot_walk(builder: Builder, node, coding: View, y: View, statement: str, reads, room: View) -> None:
    """Emit a loop over rows in which ``c`` is the row's class."""
    n, k = _extents(builder, coding)
    builder.messages.append((IndexError, "index {1} is out of bounds for axis 1 with size {2}"))
    builder.call(
        f"for (int64_t i = 0; i < {n}; i++) {{\n"
        f"    int64_t c = (int64_t)*(const {storage_type(y.dtype)} *)({y.pointer} + i * {y.strides[0]});\n"
        f"    if (!tc_inside(&c, {k})) return tc_fail(f, 12, {builder.node_number}, {len(builder.messages) - 1}, i, c, {k}, 0, 0);\n"
        f"    {statement}\n}}",
        reads,
        (room,),
        label="categorical crossentropy",
    )
    builder.bind(node.outputs[0], room)


@register(CrossentropyCategorical1Hot)
def lower_crossentropy(op, node, builder):
    coding = builder.in_memory(builder.view(node.inputs[0]))
    dtype = coding.dtype
    if dtype not in ("float32", "float64"):
        raise NotLowered(f"crossentropy of dtype {dtype}")
    y = _classes(builder, node.inputs[1], builder.find(coding.shape[0]), "{} classes were given for {} rows")
    room = builder.temp(dtype, (coding.shape[0],))
    T = storage_type(dtype)
    log = "logf" if dtype == "float32" else "log"
    source = f"*(const {T} *)({coding.pointer} + i * {coding.strides[0]} + c * {coding.strides[1]})"
    _one_hot_walk(builder, node, coding, y, f"(({T} *){room.pointer})[i] = -{log}({source});", (coding, y), room)


@register(CrossentropyCategorical1HotGrad)
def lower_crossentropy_grad(op, node, builder):
    coding = builder.in_memory(builder.view(node.inputs[1]))
    dtype = node.outputs[0].type.dtype
    if dtype not in ("float32", "float64") or coding.dtype != dtype or node.inputs[0].type.dtype != dtype:
        raise NotLowered(f"crossentropy gradient of dtypes {coding.dtype}, {dtype}")
    n, k = _extents(builder, coding)
    g = builder.in_memory(builder.view(node.inputs[0]))
    if g.ndim == 0:
        step = "0"
    else:
        rows = builder.find(g.shape[0])
        builder.check_message(f"{rows} == {n} || {rows} == 1", ValueError, "{} gradients for {} rows", rows, n)
        step = builder.let(f"{rows} == 1 ? 0 : {g.strides[0]}") if g.strides[0] != "0" else "0"
    y = _classes(builder, node.inputs[2], n, "{} classes were given for {} rows")
    T = storage_type(dtype)
    room = builder.temp(dtype, (n, k), local=False)
    builder.call(f"memset({room.pointer}, 0, (size_t){room.buffer.nbytes});", (), (room,), label="zero")
    source = f"*(const {T} *)({coding.pointer} + i * {coding.strides[0]} + c * {coding.strides[1]})"
    statement = f"(({T} *){room.pointer})[i * {k} + c] = -*(const {T} *)({g.pointer} + i * {step}) / {source};"
    _one_hot_walk(builder, node, coding, y, statement, (coding, y, g), room)
