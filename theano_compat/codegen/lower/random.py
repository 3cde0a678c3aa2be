"""Random numbers: the streams of MRG31k3p, draws from discrete distributions."""

from __future__ import annotations

import math

from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.dtypes import COMPLEX, itemsize, storage_type
from theano_compat.codegen.lower.alloc import checked_shape, known_ones
from theano_compat.codegen.lower.incsubtensor import writable
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.print_c import read_element, write_element
from theano_compat.sandbox.multinomial import ChoiceFromUniform, MultinomialFromUniform
from theano_compat.sandbox.rng_mrg import DotModulo, mrg_uniform
from theano_compat.scalar import basic as scal

#: dtype -> its sample as a C expression of the integer z that was drawn
_SAMPLE = {
    "float16": "tc_f2h((float)((z & 0x7fff) + 1) * 0x1.ffp-16f)",
    "float32": "(float)z * 4.6566126e-10f",
    "float64": "(double)z * 0x1p-31",
}


@register(mrg_uniform)
def lower_mrg_uniform(op, node, builder):
    dtype, kind = op.output_type.dtype, node.inputs[0].type
    if dtype not in _SAMPLE or kind.dtype != "int32" or kind.ndim != 2:
        raise NotLowered(f"a sample of dtype {dtype} from states of type {kind}")
    lengths = builder.integers(node.inputs[1], op.output_type.ndim)
    if len(lengths) != op.output_type.ndim:
        raise NotLowered("a size of another length than the rank of the sample")
    states = writable(builder, op, node)
    streams, width = map(builder.find, states.shape)
    builder.check_message(f"{width} == 6", ValueError, "rstate must have 6 columns, it has {}", width)
    shape = known_ones(builder, node.outputs[1], checked_shape(builder, lengths))
    if all(map(is_literal, shape)) and math.prod(map(int, shape)) >= 2**31:
        raise NotLowered("a sample of more numbers than there can be")
    room = builder.temp(dtype, shape)
    most = 2**31 - 1
    builder.check_message(
        f"{room.buffer.nbytes} <= INT64_C({most * itemsize(dtype)})", ValueError, f"rng_mrg does not support more than (2**31 -1) = {most} samples"
    )
    n = builder.mul(*shape, "1")
    builder.check_message(f"{streams} > 0 || {n} == 0", ValueError, "rstate must have rows, it has none")
    where = ", ".join((states.pointer, *states.strides, streams, n, f"({storage_type(dtype)} *){room.pointer}"))
    builder.call(
        f"tc_mrg_draw_{dtype}({where});",
        (states,),
        (states, room),
        helpers=(f"TC_MRG({dtype}, {storage_type(dtype)}, {_SAMPLE[dtype]})",),
        headers=("mrg",),
        label="uniform",
    )
    builder.bind(node.outputs[0], states)
    builder.bind(node.outputs[1], room)


#: The sums of a row as far as each outcome, as doubles; whether none is below the one before.  The first sum above u, k if none is:
#: of a row that is read as far as there, for one draw, and of sums that many draws share.
_SUMS = """static int tc_sums_{P}(int64_t k, const char *p, int64_t step, double *to)
{{
    double total = 0;
    int rising = 1;
    for (int64_t m = 0; m < k; m++) {{
        const double before = total;
        to[m] = total = before + (double){p};
        rising &= total >= before;
    }}
    return rising;
}}

static int64_t tc_first_of_row_{P}(int64_t k, const char *p, int64_t step, double u)
{{
    double total = 0;
    int64_t m = 0;
    while (m < k && !((total += (double){p}) > u))
        m++;
    return m;
}}"""
_FIRST_ABOVE = """static int64_t tc_first_above(int64_t k, const double *sums, int rising, double u)
{
    int64_t from = 0;
    if (rising)
        for (int64_t stop = k; from < stop;) {
            const int64_t middle = from + (stop - from) / 2;
            if (sums[middle] > u)
                stop = middle;
            else
                from = middle + 1;
        }
    else
        while (from < k && !(sums[from] > u))
            from++;
    return from;
}"""

_MULTINOMIAL = """static void tc_multinomial_{P}_{U}_{Z}(int64_t rows, int64_t k, int64_t n, const char *pvals, int64_t p0, int64_t p1,
                                      const char *unis, int64_t u0, double *sums, char *z)
{{
    for (int64_t i = 0; i < rows; i++, z += k * (int64_t)sizeof({T})) {{
        const int rising = n > 1 && tc_sums_{P}(k, pvals + i * p0, p1, sums);
        for (int64_t c = 0; c < n; c++) {{
            const char *at = unis + (c * rows + i) * u0;
            const double u = (double){u};
            const int64_t m = n > 1 ? tc_first_above(k, sums, rising, u) : tc_first_of_row_{P}(k, pvals + i * p0, p1, u);
            if (m < k)
                {count}
        }}
    }}
}}"""

_CHOICE = """static void tc_choice_{P}_{U}_{Z}(int64_t rows, int64_t k, int64_t n, const char *pvals, int64_t p0, int64_t p1,
                                 const char *unis, int64_t u0, double *sums, char *z)
{{
    for (int64_t i = 0; i < rows; i++) {{
        const int rising = n > 1 && tc_sums_{P}(k, pvals + i * p0, p1, sums);
        for (int64_t c = 0; c < n; c++, z += sizeof({T})) {{
            const char *at = unis + (c * rows + i) * u0;
            const double u = (double){u};
            const int64_t m = n > 1 ? tc_first_above(k, sums, rising, u) : tc_first_of_row_{P}(k, pvals + i * p0, p1, u);
            {found}
        }}
    }}
}}"""

#: What is drawn gets probability 0, and the others of its row are divided by their sum; after the last draw nobody reads them.
_CHOICE_ONCE = """static void tc_choice_once_{P}_{U}_{Z}(int64_t rows, int64_t k, int64_t n, const char *pvals, int64_t p0, int64_t p1,
                                      const char *unis, int64_t u0, {W} *w, char *z)
{{
    for (int64_t i = 0; i < rows; i++) {{
        const char *p = pvals + i * p0;
        for (int64_t m = 0; m < k; m++, p += p1)
            w[m] = *(const {W} *)p;
        for (int64_t c = 0; c < n; c++, z += sizeof({T})) {{
            const char *at = unis + (c * rows + i) * u0;
            const double u = (double){u};
            double total = 0;
            int64_t m = 0;
            while (m < k && !((total += w[m]) > u))
                m++;
            {found}
            if (m == k || c == n - 1)
                continue;
            {W} sum = ({W})(total - w[m]);
            w[m] = 0;
            for (int64_t j = m; j < k; j++)
                sum += w[j];
            #pragma omp simd
            for (int64_t j = 0; j < k; j++)
                w[j] /= sum;
        }}
    }}
}}"""


class _Draws:
    """What the draws from rows of probabilities have in common: their arguments, checked, and the call."""

    def __init__(self, builder, node) -> None:
        self.builder, self.node = builder, node
        dtypes = [node.inputs[0].type.dtype, node.inputs[1].type.dtype, node.outputs[0].type.dtype]
        if any(d in COMPLEX for d in dtypes) or dtypes[2] == "bool":
            raise NotLowered(f"draws of dtypes {', '.join(dtypes)}")
        self.dtypes = dtypes
        self.pvals, self.unis = (builder.in_memory(builder.view(v)) for v in node.inputs[:2])
        self.rows, self.k = map(builder.find, self.pvals.shape)
        self.n = "1"
        if len(node.inputs) > 2:
            if not node.inputs[2].type.dtype.startswith(("int", "uint")):
                raise NotLowered("a number of draws that is no integer")
            self.n = builder.integer(node.inputs[2])

    def check(self) -> None:
        """There has to be one uniform number for each draw from each row."""
        have = self.builder.find(self.unis.shape[0])
        text = "unis.shape[0] != pvals.shape[0] * n_samples: {} numbers were given for {} rows and {} draws"
        self.builder.check_message(f"{have} == {self.rows} * {self.n}", ValueError, text, have, self.rows, self.n)

    def run(self, name: str, template: str, room, scratch, helpers=()) -> None:
        """Emit the call; the template's names say how elements are read and written."""
        P, U, Z = self.dtypes
        count = f"z + m * (int64_t)sizeof({storage_type(Z)})"
        found = "m < k ? m : -1"
        text = template.format(
            P=P, U=U, Z=Z, T=storage_type(Z), W=storage_type(P), p=read_element("(p + m * step)", P), u=read_element("at", U),
            count=write_element(count, Z, f"{read_element(count, Z)} + 1"), found=write_element("z", Z, found),
        )  # fmt: skip
        pvals, unis = self.pvals, self.unis
        where = ", ".join((
            self.rows, self.k, self.n, pvals.pointer, *pvals.strides, unis.pointer, *unis.strides,
            f"({storage_type(scratch.dtype)} *){scratch.pointer}", room.pointer,
        ))  # fmt: skip
        self.builder.call(
            f"tc_{name}_{P}_{U}_{Z}({where});", (pvals, unis, room), (scratch, room), helpers=(*helpers, text), label=name.replace("_", " ")
        )
        self.builder.bind(self.node.outputs[0], room)

    def sums(self) -> tuple[str, str]:
        """Texts of the functions that search the sums of a row."""
        P = self.dtypes[0]
        return _SUMS.format(P=P, p=read_element("(p + m * step)", P)), _FIRST_ABOVE


@register(MultinomialFromUniform)
def lower_multinomial(op, node, builder):
    draws = _Draws(builder, node)
    draws.check()
    room = builder.temp(draws.dtypes[2], (draws.rows, draws.k), local=False)
    builder.call(f"memset({room.pointer}, 0, (size_t){room.buffer.nbytes});", (), (room,), label="zero")
    draws.run("multinomial", _MULTINOMIAL, room, builder.temp("float64", (draws.k,)), draws.sums())


@register(ChoiceFromUniform)
def lower_choice(op, node, builder):
    draws = _Draws(builder, node)
    if not op.replace:
        if draws.dtypes[0] not in ("float32", "float64"):
            raise NotLowered(f"probabilities of dtype {draws.dtypes[0]}")
        text = "Cannot sample without replacement n samples bigger than the size of the distribution."
        builder.check_message(f"{draws.n} <= {draws.k}", ValueError, text)
    draws.check()
    shape = known_ones(builder, node.outputs[0], [draws.rows, *checked_shape(builder, [draws.n])])
    room = builder.temp(draws.dtypes[2], shape)
    if op.replace:
        draws.run("choice", _CHOICE, room, builder.temp("float64", (draws.k,)), draws.sums())
    else:
        draws.run("choice_once", _CHOICE_ONCE, room, builder.temp(draws.dtypes[0], (draws.k,)))


@register(DotModulo)
def lower_dot_modulo(op, node, builder):
    kinds = [v.type.dtype for v in (*node.inputs, *node.outputs)]
    ranks = [v.type.ndim for v in node.inputs]
    if ranks != [2, 1, 0] * 2 or any(not k.startswith("int") for k in kinds) or kinds[-1] != "int32":
        raise NotLowered(f"modular products of dtypes {', '.join(kinds)}")
    matrices, vectors = ([builder.in_memory(builder.view(node.inputs[at + half])) for half in (0, 3)] for at in (0, 1))
    rows, depths = ([builder.find(m.shape[d]) for m in matrices] for d in range(2))
    room = builder.temp("int32", (builder.add(*rows),))
    for half, (a, s) in enumerate(zip(matrices, vectors)):
        m = builder.integer(node.inputs[3 * half + 2])
        n = builder.find(s.shape[0])
        builder.check_message(f"{n} == {depths[half]}", ValueError, "a matrix of {} columns was given for a vector of {}", depths[half], n)
        kind = ["int64", "int64"]
        term = f"(int64_t){read_element(f'{a.pointer} + i * {a.strides[0]} + j * {a.strides[1]}', a.dtype)}"
        term += f" * {read_element(f'{s.pointer} + j * {s.strides[0]}', s.dtype)}"
        builder.call(
            f"for (int64_t i = 0; i < {rows[half]}; i++) {{\n    int64_t sum = 0;\n    for (int64_t j = 0; j < {n}; j++)\n"
            f"        sum += {scal.mod.c_expr([f'({term})', m], kind, 'int64')};\n"
            f"    ((int32_t *){room.pointer})[{rows[0] if half else 0} + i] = (int32_t){scal.mod.c_expr(['sum', m], kind, 'int64')};\n}}",
            (a, s, room) if half else (a, s),
            (room,),
            helpers=tuple(scal.mod.c_helpers(kind, "int64")),
            label="modular product",
        )
    builder.bind(node.outputs[0], room)
