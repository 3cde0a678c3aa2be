"""Elementwise loops: every layout, dtype, broadcast, and special value gives what `perform` gives."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.codegen.support import compare, layouts
from theano_compat.scalar import ScalarOp, get_scalar_type
from theano_compat.scalar.op import BinaryScalarOp
from theano_compat.tensor.elemwise import Elemwise

rng = np.random.default_rng(1)
x, y = T.dmatrices("x", "y")
v, s = T.dvector("v"), T.dscalar("s")


def test_arithmetic_over_all_layouts():
    outputs = [x + y, T.exp(x) * y, T.tanh(x - y) / 2, x > y, T.switch(x > 0, x, y), abs(x), x**2, T.sqr(x).T + y.T]
    pairs = [(a, b) for a in layouts(rng, 5, 7) for b in layouts(rng, 5, 7)]
    compare([x, y], outputs, *pairs)


@pytest.mark.parametrize("shape", [(0, 7), (5, 0), (1, 1), (1, 7), (300, 40)])
def test_extents_from_none_to_many(shape):
    compare([x, y], [x + y, T.maximum(x, y), (x * y).T], (rng.standard_normal(shape), rng.standard_normal(shape)))


def test_extents_that_differ_are_an_error_even_if_one_is_1():
    compare([x, y], [x + y], (np.ones((5, 7)), np.ones((5, 6))), (np.ones((1, 7)), np.ones((5, 7))))


def test_broadcasting_of_vectors_columns_and_scalars():
    outputs = [x + v, x * s, s + 1, x.dimshuffle(0, "x", 1) + x.dimshuffle("x", 0, 1), v.dimshuffle(0, "x") * v]
    for a in layouts(rng, 5, 7):
        for b in layouts(rng, 7):
            compare([x, v, s], outputs, (a, b, np.array(2.5)))


def test_nan_infinity_and_signed_zero():
    special = np.array([[0.0, -0.0, np.nan, np.inf], [-np.inf, 1e308, -1e-320, 1.0]])
    outputs = [T.exp(x), T.tanh(x), T.sgn(x), T.maximum(x, 0.0), T.minimum(x, y), 1 / x, T.isnan(x), T.log1p(abs(x))]
    with np.errstate(all="ignore"):
        found = compare([x, y], outputs, (special, special[::-1]))
    assert found


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers(dtype):
    a, b = T.TensorType(dtype, (False, False))("a"), T.TensorType(dtype, (False, False))("b")
    left = rng.integers(0 if dtype[0] == "u" else -100, 100, (4, 5)).astype(dtype)
    right = rng.integers(1, 9, (4, 5)).astype(dtype)
    outputs = [a + b, a * b, a - b, a // b, a % b, a / b, T.cast(a, "float32"), T.cast(a, "bool"), a & b, a ^ b, a < b]
    compare([a, b], outputs, (left, right), (left[:, ::-1], right[:, ::-1]))


@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64", "complex128", "bool"])
def test_other_dtypes(dtype):
    a = T.TensorType(dtype, (False, False))("a")
    outputs = [T.cast(a, "complex128"), a.T] if dtype.startswith("complex") else [T.cast(a, "float64"), a.T]
    if dtype == "bool":
        outputs += [T.and_(a, a.T.T), T.invert(a), T.cast(a, "int8")]
    else:
        outputs += [a + a, a * a, T.exp(a), a / 3]
    compare([a], outputs, *[(value,) for value in layouts(rng, 4, 5, dtype=dtype)])


def test_float16_casts_round_half_to_even_and_keep_subnormals():
    h, f = T.TensorType("float16", (False,))("h"), T.fvector("f")
    halves = np.arange(2**16, dtype="uint16").view("float16")
    halves = halves[np.isfinite(halves)]
    exact = halves.astype("float32")
    between = (exact[:-1] + exact[1:]) / 2
    compare([h, f], [T.cast(h, "float32"), T.cast(f, "float16")], (halves, exact), (halves, between))
    linked = compare([h, f], [h + 0, T.cast(f, "float16")], (halves, np.array([1e9, -1e9, np.inf, 65519.0], "float32")))
    assert linked


class _OwnCode(BinaryScalarOp):
    """A user's scalar op in the style of Theano: C code only as text."""

    def output_types(self, types):
        return [get_scalar_type("float64")]

    def impl(self, a, b):
        return 2 * a + b

    def c_code(self, node, name, inputs, outputs, sub):
        return f"double {name}_t = 2 * {inputs[0]}; {outputs[0]} = {name}_t + {inputs[1]};"


def test_a_users_scalar_op_with_c_code_is_embedded():
    own = Elemwise(_OwnCode(name="own"))
    linked = compare([x, y], [own(x, y), own(own(x, y), y)], (np.ones((3, 4)), np.full((3, 4), 5.0)))
    assert "_t = 2 *" in linked[0].program.source


class _OwnSupport(_OwnCode):
    """The same with functions of its own, one for the op and one for each use."""

    def c_support_code(self):
        return "static double tc_test_double(double v) { return 2 * v; }"

    def c_support_code_apply(self, node, name):
        return f"static double {name}_sum(double v, double w) {{ return tc_test_double(v) + w; }}"

    def c_code(self, node, name, inputs, outputs, sub):
        return f"{outputs[0]} = {name}_sum({inputs[0]}, {inputs[1]});"


def test_support_code_of_an_op_and_of_each_use_is_there():
    own = Elemwise(_OwnSupport(name="support"))
    compare([x, y], [own(own(x, y), y), own(y, x)], (np.ones((3, 4)), np.full((3, 4), 5.0)))


class _NoCode(ScalarOp):
    nin = 1

    def output_types(self, types):
        return [get_scalar_type("float64")]

    def impl(self, a):
        return a + 1


def test_a_scalar_op_without_c_text_runs_in_python():
    compare([x], [Elemwise(_NoCode(name="nocode"))(x) * 2], (np.ones((3, 4)),), may_be_island=("nocode",))


def test_loops_with_many_computed_scalars_between_them_compile():
    n = 40
    arrays, numbers = [T.dmatrix() for _ in range(n)], [T.dscalar() for _ in range(2 * n)]
    total = sum(T.exp(x) * T.exp(s) + T.sin(t) for x, s, t in zip(arrays, numbers[::2], numbers[1::2]))
    rng = np.random.RandomState(0)
    values, scalars = rng.rand(n, 3, 4), rng.rand(2 * n)
    wanted = sum(np.exp(x) * np.exp(s) + np.sin(t) for x, s, t in zip(values, scalars[::2], scalars[1::2]))
    for mode in ("FAST_RUN", theano.Mode("cvm", "fast_compile")):
        np.testing.assert_allclose(theano.function(arrays + numbers, total, mode=mode)(*values, *scalars), wanted)


MANY = {
    "sum": (["float64"], lambda xs: T.add(*xs)),
    "product": (["float32"], lambda xs: T.mul(*xs)),
    "descent": (["float64"], lambda xs: xs[0] - 0.1 * sum(xs[1:])),
    "two sums": (["float64", "int8", "float32"], lambda xs: T.tanh(T.add(*xs)) / T.maximum(T.add(*xs[:90]), 2)),
    "steps": (["float64"], lambda xs: sum(T.exp(x) * k for k, x in enumerate(xs))),
    "whole numbers": (["int8", "int64"], lambda xs: T.add(*xs)),
    "complex": (["complex128"], lambda xs: T.add(*xs)),
    "half": (["float16"], lambda xs: T.add(*xs)),
    "choice": (["float64"], lambda xs: T.switch(T.add(*xs) > 100, T.mul(*xs[:70]), T.add(*xs[70:]))),
    "reduction": (["float64"], lambda xs: T.add(*xs).sum(axis=0)),
}


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("shapes", [[(3, 4)], [(3, 4), (1, 4), (3, 1), (1, 1)], [(1, 1)]], ids=str)
def test_more_arrays_than_one_loop_walks(name, shapes):
    dtypes, build = MANY[name]
    xs, values = [], []
    for k in range(130):
        shape, dtype = shapes[k % len(shapes)], dtypes[k % len(dtypes)]
        xs.append(T.TensorType(dtype, [n == 1 for n in shape])())
        values.append((rng.uniform(0.9, 1.1, shape) if dtype[0] in "fc" else rng.integers(0, 2, shape)).astype(dtype))
    f, g = theano.function(xs, build(xs)), theano.function(xs, build(xs), mode=theano.Mode("py", None))
    got, want = f(*values), g(*values)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_allclose(got, want, rtol={"half": 1e-2, "product": 1e-5, "two sums": 1e-6}.get(name, 1e-12))
    assert "Python" not in f.explain()


def test_many_arrays_in_place_and_with_a_wrong_shape():
    w, xs = theano.shared(np.ones((3, 4))), [T.dmatrix() for _ in range(100)]
    f = theano.function(xs, [], updates=[(w, w * 2 - T.add(*xs) * w)])
    f(*[np.full((3, 4), k / 100) for k in range(100)])
    np.testing.assert_allclose(w.get_value(), np.full((3, 4), 2 - 49.5))
    assert "Python" not in f.explain()
    f = theano.function(xs, T.add(*xs))
    with pytest.raises(ValueError, match=r"input\[0\].shape\[1\] = 4, input\[99\].shape\[1\] = 5"):
        f(*[np.ones((3, 4))] * 99, np.ones((3, 5)))
