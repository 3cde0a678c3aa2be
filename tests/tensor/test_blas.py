"""The BLAS ops against NumPy, and the rewrites that lead to them."""

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from tests.tensor.subtensor_tools import run
from theano_compat.compile.mode import optdb
from theano_compat.configparser import change_flags
from theano_compat.gof import FunctionGraph
from theano_compat.gof.fg import InconsistencyError
from theano_compat.printing import debugprint
from theano_compat.tensor import blas, blas_c, blas_headers, blas_scipy
from theano_compat.tensor.blas import (
    BatchedDot,
    Gemm,
    Gemv,
    Ger,
    _dot22,
    _dot22scalar,
    gemm_inplace,
    gemm_no_inplace,
)

rng = np.random.RandomState(5)
FAST = "FAST_RUN"
DTYPES = ["float32", "float64", "complex64", "complex128"]


def array(*shape, dtype="float64"):
    values = rng.rand(*shape)
    if dtype.startswith("complex"):
        values = values + 1j * rng.rand(*shape)
    return values.astype(dtype)


def close(got, wanted, dtype="float64"):
    tolerance = 1e-4 if dtype in ("float32", "complex64") else 1e-10
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


def variables(dtype, *ndims):
    return [T.TensorType(dtype, (False,) * n)() for n in ndims]


# -- ops -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("beta", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_gemm(dtype, inplace, beta, order):
    names = variables(dtype, 2, 0, 2, 2, 0)
    z, x, y = array(3, 4, dtype=dtype), array(3, 5, dtype=dtype), array(5, 4, dtype=dtype)
    if order == "F":
        z, x, y = (np.asfortranarray(v) for v in (z, x, y))
    elif order == "strided":
        z, x, y = (np.repeat(v, 2, axis=1)[:, ::2] for v in (z, x, y))
    a, b = np.asarray(2, dtype), np.asarray(beta, dtype)
    wanted = b * z + a * np.dot(x, y)
    before = z.copy()
    got = run(Gemm(inplace)(*names), dict(zip(names, (z, a, x, y, b))))
    close(got, wanted, dtype)
    assert (got is z) if inplace else (z == before).all()


def test_gemm_with_zero_beta_ignores_nan():
    names = variables("float64", 2, 0, 2, 2, 0)
    values = (np.full((2, 2), np.nan), np.asarray(1.0), np.eye(2), np.eye(2), np.asarray(0.0))
    close(run(gemm_no_inplace(*names), dict(zip(names, values))), np.eye(2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", [Gemv(False), Gemv(True), blas_c.CGemv(False), blas_c.CGemv(True)], ids=str)
def test_gemv(dtype, op):
    names = variables(dtype, 1, 0, 2, 1, 0)
    y, A, x = array(3, dtype=dtype), array(3, 4, dtype=dtype), array(4, dtype=dtype)
    a, b = np.asarray(2, dtype), np.asarray(3, dtype)
    wanted = b * y + a * np.dot(A, x)
    got = run(op(*names), dict(zip(names, (y, a, A, x, b))))
    close(got, wanted, dtype)
    assert (got is y) == op.inplace


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize(
    "op", [c(d) for c in (Ger, blas_c.CGer, blas_scipy.ScipyGer) for d in (False, True)], ids=lambda op: f"{op}"
)
def test_ger(dtype, fortran, op):
    names = variables(dtype, 2, 0, 1, 1)
    A, x, y = array(3, 4, dtype=dtype), array(3, dtype=dtype), array(4, dtype=dtype)
    A = np.asfortranarray(A) if fortran else A
    a = np.asarray(2, dtype)
    before = A.copy()
    got = run(op(*names), dict(zip(names, (A, a, x, y))))
    close(got, before + 2 * np.outer(x, y), dtype)
    if op.destructive:
        close(A, got, dtype)
    else:
        assert (A == before).all()


@pytest.mark.parametrize("dtype", ["float16", *DTYPES])
def test_dot22_and_dot22scalar(dtype):
    names = variables(dtype, 2, 2, 0)
    x, y, a = array(3, 4, dtype=dtype), array(4, 2, dtype=dtype), np.asarray(3, dtype)
    values = dict(zip(names, (x, y, a)))
    rough = {"rtol": 1e-2, "atol": 1e-2} if dtype == "float16" else {"rtol": 1e-4}
    np.testing.assert_allclose(run(_dot22(*names[:2]), values), np.dot(x, y), **rough)
    np.testing.assert_allclose(run(_dot22scalar(*names), values), a * np.dot(x, y), **rough)


@pytest.mark.parametrize(("left", "right"), [((2, 3), (2, 3)), ((2, 3), (2, 3, 4)), ((2, 5, 3), (2, 3)), ((2, 5, 3), (2, 3, 4)), ((0, 5, 3), (0, 3, 4))])
def test_batched_dot(left, right):
    x, y = array(*left), array(*right)
    names = variables("float64", x.ndim, y.ndim)
    out = blas.batched_dot(*names)
    values = dict(zip(names, (x, y)))
    wanted = np.array([np.dot(a, b) for a, b in zip(x, y)]).reshape(left[:-1] + right[2:])
    close(run(out, values), wanted)
    shape = out.owner.op.infer_shape(out.owner, [tuple(v.shape[k] for k in range(v.ndim)) for v in names])[0]
    assert tuple(int(run(T.as_tensor_variable(e), values)) for e in shape) == wanted.shape
    if left[0]:
        theano_compat.gradient.verify_grad(blas.batched_dot, [x, y], rng=rng, mode="FAST_COMPILE")


def test_batched_dot_takes_mixed_dtypes_and_keeps_patterns():
    x, y = T.fmatrix(), T.TensorType("float64", (True, False, True))()
    out = blas.batched_dot(x, y)
    assert out.dtype == "float64" and out.broadcastable == (True, True)
    gy = T.grad(out.sum(), y)
    assert gy.type == y.type


def test_r_op_of_batched_dot():
    x, y, dx, dy = variables("float64", 3, 3, 3, 3)
    moved = T.Rop(blas.batched_dot(x, y), [x, y], [dx, dy])
    values = {x: array(2, 3, 4), y: array(2, 4, 2), dx: array(2, 3, 4), dy: array(2, 4, 2)}
    wanted = np.matmul(values[dx], values[y]) + np.matmul(values[x], values[dy])
    close(run(moved, values), wanted)


E1, E2, E3 = T.matrix("x"), T.vector("v"), T.scalar("a")
F = T.fmatrix("fx")
I = T.imatrix("im")  # noqa: E741


@pytest.mark.parametrize(
    ("build", "error", "args"),
    [
        (lambda: gemm_no_inplace(E1, E3, E1, E1), TypeError,
         ["Wrong number of inputs for Gemm{no_inplace} (expected 5, got 4)"]),
        (lambda: gemm_no_inplace(E2, E3, E1, E1, E3), TypeError, ["gemm only works for rank 2", "v"]),
        (lambda: gemm_no_inplace(E1, E2, E1, E1, E3), TypeError, ["gemm requires scalar argument", "v"]),
        (lambda: gemm_no_inplace(E1, E3, F, E1, E3), TypeError, ["gemm requires matching dtypes"]),
        (lambda: gemm_no_inplace(I, T.iscalar(), I, I, T.iscalar()), TypeError,
         ["gemm requires floating-point dtypes", "int32"]),
        (lambda: gemm_inplace(E1, E3, E1, T.matrix(), E3), InconsistencyError, ["argument z aliased to x or y"]),
        (lambda: gemm_inplace(E1, E3, T.matrix(), E1.T, E3), InconsistencyError, ["argument z aliased to x or y"]),
        (lambda: blas.gemv(E1, E3, E1, E2, E3), TypeError, ["gemv requires vector for y"]),
        (lambda: blas.gemv(E2, E3, E2, E2, E3), TypeError, ["gemv requires matrix for A"]),
        (lambda: blas.gemv(E2, E3, E1, E1, E3), TypeError, ["gemv requires vector for x"]),
        (lambda: blas.gemv(E2, E3, F, E2, E3), TypeError, ["Gemv requires matching dtypes"]),
        (lambda: blas.ger(E1, E2, E2, E2), TypeError, ["ger requires scalar alpha"]),
        (lambda: blas.ger(E2, E3, E2, E2), TypeError, ["ger requires matrix for A"]),
        (lambda: blas.ger(E1, E3, E1, E2), TypeError, ["ger requires vector for x"]),
        (lambda: blas.ger(E1, E3, E2, E1), TypeError, ["ger requires vector for y"]),
        (lambda: blas.ger(E1, T.fscalar(), E2, E2), TypeError, ["ger requires matching dtypes"]),
        (lambda: _dot22(E1, E2), TypeError, ["v"]),
        (lambda: _dot22(E1, F), TypeError, ["dtype mismatch to Dot22"]),
        (lambda: _dot22scalar(E1, E1, E2), TypeError, ["gemm requires scalar argument", "v"]),
        (lambda: _dot22scalar(E1, E1, T.fscalar()), TypeError, ["Dot22Scalar requires matching dtypes"]),
        (lambda: _dot22scalar(I, I, T.iscalar()), TypeError, ["Dot22Scalar requires float or complex args"]),
        (lambda: BatchedDot()(E1), TypeError, ["theano.tensor.blas.BatchedDot: 2 arguments required, 1 given "]),
        (lambda: BatchedDot()(E2, E1), TypeError,
         ["theano.tensor.blas.BatchedDot: input 0 (0-indexed) must have ndim of 2 or 3, 1 given."
          " Consider calling theano.tensor.batched_dot instead."]),
    ],
)
def test_wrong_inputs_are_refused_in_theanos_words(build, error, args):
    with pytest.raises(error) as caught:
        build()
    assert [str(a) for a in caught.value.args[: len(args)]] == args


def test_shape_mismatches_name_both_shapes():
    x, y, z = T.matrices("xyz")
    a = T.scalar()
    ones = np.ones
    with pytest.raises(ValueError, match=r"Shape mismatch: x has 4 cols \(and 3 rows\) but y has 3 rows \(and 4 cols\)"):
        run(_dot22(x, y), {x: ones((3, 4)), y: ones((3, 4))})
    with pytest.raises(ValueError, match="Shape mismatch: x has 3 rows but z has 5 rows"):
        run(gemm_no_inplace(z, a, x, y, a), {z: ones((5, 5)), a: ones(()), x: ones((3, 4)), y: ones((4, 3))})
    t, u = T.tensor3(), T.tensor3()
    with pytest.raises(ValueError, match=r"batch sizes unequal. x.shape is \(3, 4, 5\), y.shape is \(2, 5, 3\)."):
        run(blas.batched_dot(t, u), {t: ones((3, 4, 5)), u: ones((2, 5, 3))})


# -- rewrites --------------------------------------------------------------------------------------

DIM = 4
NAMES = {
    "x": T.matrix("x"), "y": T.matrix("y"), "z": T.matrix("z"), "v": T.vector("v"), "w": T.vector("w"),
    "a": T.scalar("a"), "b": T.scalar("b"), "row": T.row("row"), "col": T.col("col"), "t": T.tensor3("t"),
    "u": T.tensor3("u"), "i": T.iscalar("i"), "fx": T.fmatrix("fx"), "im": T.imatrix("im"), "fa": T.fscalar("fa"),
}
VALUES = {
    "x": array(DIM, DIM), "y": array(DIM, DIM), "z": array(DIM, DIM), "v": array(DIM), "w": array(DIM),
    "a": np.asarray(1.5), "b": np.asarray(-0.5), "row": array(1, DIM), "col": array(DIM, 1),
    "t": array(2, DIM, DIM), "u": array(2, DIM, DIM), "i": np.int32(3), "fx": array(DIM, DIM, dtype="float32"),
    "im": np.arange(16, dtype="int32").reshape(4, 4), "fa": np.float32(2.5),
}

#: expression -> the op classes (by printed name) that must and must not be in the compiled graph
GRAPHS = {
    "T.dot(x, y)": (["Dot22"], []),
    "T.dot(x, v)": (["CGemv{inplace}"], ["Dot22"]),
    "T.dot(v, x)": (["CGemv{inplace}"], ["Dot22"]),
    "T.dot(v, w)": (["CGemv{inplace}"], ["Dot22"]),
    "T.dot(x, y) + z": (["Gemm{no_inplace}"], ["Dot22", "Elemwise"]),
    "z - T.dot(x, y)": (["Gemm{no_inplace}"], ["Dot22", "Elemwise"]),
    "a * z + b * T.dot(x, y)": (["Gemm{no_inplace}"], ["Dot22", "Elemwise"]),
    "z * 2 + T.dot(x, y) * 3": (["Gemm{no_inplace}"], ["Dot22", "Elemwise"]),
    "z + z + T.dot(x, y)": (["Gemm{no_inplace}"], ["Dot22", "Elemwise"]),
    "z - a * (b * T.dot(x, y))": (["Gemm{no_inplace}"], ["Dot22"]),
    "z + T.dot(x, y) * a * b": (["Gemm{no_inplace}"], ["Dot22"]),
    "(z + T.dot(x, y)) * a": (["Gemm{no_inplace}"], ["Dot22", "Elemwise"]),
    "a * (b * z + T.dot(x, y))": (["Gemm{no_inplace}"], ["Dot22"]),
    "(z + T.dot(x, y)) * a + x": (["Gemm{no_inplace}"], ["Dot22"]),
    "z.T + T.dot(x, y)": (["Gemm{no_inplace}"], ["Dot22"]),
    "T.dot(x, y).T + z": (["Gemm{no_inplace}"], ["Dot22"]),
    "T.dot(x, y) + z + 1": (["Gemm{no_inplace}"], ["Dot22"]),
    "i * z + T.dot(x, y)": (["Gemm{no_inplace}"], ["Dot22"]),
    "z * x * a + T.dot(x, y) * b": (["Gemm{inplace}"], ["Dot22"]),
    "fa * fx + T.dot(fx, fx)": (["Gemm{no_inplace}"], ["Dot22"]),
    "a * fx + T.dot(fx, fx)": (["Dot22"], ["Gemm"]),
    "T.dot(x, y) + T.dot(y, x)": (["Gemm{inplace}", "Dot22"], ["Elemwise"]),
    "z + T.dot(x, y) + T.dot(y, z)": (["Gemm{inplace}", "Gemm{no_inplace}"], ["Dot22", "Elemwise"]),
    "T.dot(x, y) + T.dot(y, x) + z": (["Gemm{inplace}"], []),
    "[T.dot(x, y) + z, T.dot(x, y)]": (["Dot22"], ["Gemm"]),
    "T.dot(x, y) + T.dot(x, y)": (["Dot22"], ["Gemm"]),
    "z + T.dot(x, y) + T.dot(x, y)": (["Gemm{no_inplace}"], ["Dot22"]),
    "b * b * z * a + a * a * T.dot(x, y) + b * T.dot(x, y)": (["Gemm{no_inplace}"], ["Dot22"]),
    "v + T.dot(x, w) + T.dot(x, w)": (["CGemv{no_inplace}"], ["Dot22"]),
    "T.dot(x, y) * z": (["Dot22"], ["Dot22Scalar"]),
    "a * T.dot(x, y)": (["Dot22Scalar"], ["Elemwise"]),
    "2 * T.dot(x, y)": (["Dot22Scalar"], ["Elemwise"]),
    "i * T.dot(x, y)": (["Dot22Scalar"], []),
    "-T.dot(x, y)": (["Dot22Scalar"], ["Elemwise"]),
    "T.dot(x, y) * a * b * z": (["Dot22Scalar"], []),
    "T.dot(x, y) * T.dot(y, x) * a": (["Dot22"], ["Dot22Scalar"]),
    "(a * z) * T.dot(x, y)": (["Dot22Scalar"], []),
    "a * (z * T.dot(x, y))": (["Dot22Scalar"], []),
    "v + T.dot(x, w)": (["CGemv{no_inplace}"], ["Dot22", "Elemwise"]),
    "T.dot(x, w) - v": (["CGemv{no_inplace}"], ["Dot22", "Elemwise"]),
    "a * v + b * T.dot(w, x)": (["CGemv{no_inplace}"], ["Dot22", "Elemwise"]),
    "v - a * T.dot(x.T, w)": (["CGemv{no_inplace}"], ["Dot22"]),
    "T.dot(x, v) + T.dot(y, w)": (["CGemv{inplace}"], ["Dot22", "Elemwise"]),
    "z + T.outer(v, w)": (["CGer{non-destructive}"], ["Gemm", "Elemwise"]),
    "z + a * T.outer(v, w)": (["CGer{non-destructive}"], ["Gemm", "Elemwise"]),
    "z - T.dot(col, row)": (["CGer{non-destructive}"], ["Gemm", "Elemwise"]),
    "a * z + T.outer(v, w)": (["Gemm{no_inplace}"], ["CGer"]),
    "T.outer(v, w)": (["CGer{destructive}"], ["Dot22"]),
    "T.dot(x, col)": (["CGemv{inplace}"], ["Dot22"]),
    "T.dot(row, x)": (["CGemv{inplace}"], ["Dot22"]),
    "T.dot(row, col)": (["CGemv{inplace}"], ["Dot22"]),
    "T.dot(im, im)": (["dot"], ["Dot22"]),
    "T.dot(fx, x)": (["dot"], ["Dot22"]),
    "T.batched_dot(t, u)": (["BatchedDot"], []),
}


def plain(text):
    """Evaluate an expression on the arrays themselves."""

    class NumPy:
        dot, outer = staticmethod(np.dot), staticmethod(np.outer)
        batched_dot = staticmethod(np.matmul)

    return eval(text, {"T": NumPy, **VALUES})


@pytest.mark.parametrize("text", GRAPHS)
def test_products_end_in_the_right_op(text):
    wanted, unwanted = GRAPHS[text]
    built = eval(text, {"T": T, **NAMES})
    used = [n for n in NAMES if n in text.replace("T.dot", "").replace("T.outer", "").replace("T.batched_dot", "")]
    f = theano_compat.function([NAMES[n] for n in used], built, on_unused_input="ignore", mode=FAST)
    ops = [str(node.op) for node in f.maker.fgraph.toposort()]
    for name in wanted:
        assert name in ops, ops
    for name in unwanted:
        exact = name in ("Dot22", "Dot22Scalar")
        assert not any(op == name if exact else op.startswith(name) for op in ops), ops
    got, right = f(*[VALUES[n] for n in used]), plain(text)
    for ours, numpys in zip(*([got], [right]) if not isinstance(got, list) else (got, right)):
        np.testing.assert_allclose(ours, numpys, rtol=1e-4 if "f" in text else 1e-9)


@pytest.mark.parametrize(
    ("shared", "update", "op"),
    [
        (array(DIM, DIM), lambda s: s - 0.1 * T.dot(NAMES["x"].T, NAMES["y"]), "Gemm{inplace}"),
        (array(DIM, DIM), lambda s: 0.9 * s + T.dot(NAMES["x"], NAMES["y"]), "Gemm{inplace}"),
        (array(DIM, DIM), lambda s: s + T.outer(NAMES["v"], NAMES["w"]), "CGer{destructive}"),
        (array(DIM), lambda s: s - 0.1 * T.dot(NAMES["x"], NAMES["v"]), "CGemv{inplace}"),
    ],
    ids=["gemm", "gemm with momentum", "ger", "gemv"],
)
def test_updates_work_in_place(shared, update, op):
    s = theano_compat.shared(shared.copy())
    inputs = [NAMES[n] for n in "xyvw"]
    f = theano_compat.function(inputs, [], updates=[(s, update(s))], on_unused_input="ignore", mode=FAST)
    assert op in [str(node.op) for node in f.maker.fgraph.toposort()]
    values = [VALUES[n] for n in "xyvw"]
    wanted = theano_compat.function(inputs, update(T.constant(shared)), on_unused_input="ignore", mode="FAST_COMPILE")(*values)
    f(*values)
    close(s.get_value(), wanted)


def test_products_of_one_shape_have_memory_of_their_own():
    x, (v, w) = T.dmatrix("x"), T.dvectors("v", "w")
    f = theano_compat.function([x, v, w], [T.dot(v, x), T.dot(w, x)], mode="FAST_RUN")
    names = [str(node.op) for node in f.maker.fgraph.apply_nodes]
    assert names.count("CGemv{inplace}") == 2 and "CGemv{no_inplace}" not in names
    values = array(DIM, DIM), array(DIM), -array(DIM)
    for got, right in zip(f(*values), (values[1] @ values[0], values[2] @ values[0])):
        np.testing.assert_allclose(got, right, rtol=1e-6)


def test_fast_compile_stops_at_dot22():
    x, y, z = (NAMES[n] for n in "xyz")
    f = theano_compat.function([x, y, z], T.dot(x, y) + z, mode="FAST_COMPILE")
    assert [type(n.op).__name__ for n in f.maker.fgraph.toposort()] == ["Dot22", "Elemwise"]


@pytest.mark.parametrize("excluded", ["gemm_optimizer", "local_dot_to_dot22", "c_blas", "BlasOpt", "inplace"])
def test_rewrites_can_be_excluded_by_name(excluded):
    x, y, z, v = (NAMES[n] for n in "xyzv")
    mode = theano_compat.compile.mode.get_mode(FAST).excluding(excluded)
    f = theano_compat.function([x, y, z, v], [T.dot(x, y) + z, T.dot(x, v)], mode=mode)
    ops = {type(n.op).__name__ for n in f.maker.fgraph.apply_nodes}
    if excluded == "gemm_optimizer":
        assert "Gemm" not in ops and "Dot22" in ops
    elif excluded in ("local_dot_to_dot22", "BlasOpt"):
        assert "Dot" in ops and "Dot22" not in ops
    elif excluded == "c_blas":
        assert "CGemv" not in ops and "Gemv" in ops
    else:
        assert not any(getattr(n.op, "destroy_map", None) for n in f.maker.fgraph.apply_nodes)
    got = f(*[VALUES[n] for n in "xyzv"])
    close(got[0], VALUES["x"] @ VALUES["y"] + VALUES["z"])
    close(got[1], VALUES["x"] @ VALUES["v"])


def test_positions_in_the_database():
    query = optdb.query("+fast_run")
    names = [getattr(o, "name", None) for o in query]
    assert "BlasOpt" in names and names.index("BlasOpt") < names.index("specialize")
    for late in ("InplaceBlasOpt", "c_blas_destructive"):
        assert names.index("specialize") < names.index(late)


def test_long_sums_are_rewritten_in_linear_time():
    import time

    def seconds(n):
        pairs = [(T.matrix(), T.matrix()) for _ in range(n)]
        total, half = T.matrix(), T.scalar()
        inputs = [total, half, *(v for pair in pairs for v in pair)]
        for left, right in pairs:
            total = total + half * _dot22(left, right)
        fgraph = FunctionGraph(inputs, [total], clone=True)
        started = time.perf_counter()
        blas.GemmOptimizer().optimize(fgraph)
        elapsed = time.perf_counter() - started
        assert [type(node.op) for node in fgraph.apply_nodes] == [Gemm] * n
        return elapsed

    seconds(4)
    small, large = seconds(25), seconds(100)
    assert large < 24 * small + 0.5


def test_gemm_of_deep_networks_takes_each_sum_once():
    x = T.matrix()
    weights = [T.matrix() for _ in range(60)]
    h = x
    for w in weights:
        h = T.tanh(_dot22(h, w) + x)
    fgraph = FunctionGraph([x, *weights], [h], clone=True)
    profile = blas.GemmOptimizer().apply(fgraph)
    assert sum(isinstance(node.op, Gemm) for node in fgraph.apply_nodes) == 60
    assert profile[1] <= 2 * 60 and profile[2] == 60


def test_user_line_survives():
    x, y, z = (NAMES[n] for n in "xyz")
    f = theano_compat.function([x, y, z], T.dot(x, y) + z, mode=FAST)
    (node,) = f.maker.fgraph.toposort()
    assert isinstance(node.op, Gemm)
    assert any("test_blas.py" in str(line) for trace in node.outputs[0].tag.trace for line in trace)


def test_canonical_terms():
    x, y, a = NAMES["x"], NAMES["y"], NAMES["a"]
    assert blas._gemm_canonicalize(x + y, 1.0, [], 0) == [(1.0, x), (1.0, y)]
    assert blas._gemm_canonicalize(x - y, 2.0, [], 0) == [(2.0, x), (-2.0, y)]
    assert blas._factor_canonicalized([(1.0, x), (2.0, x), (a, y)]) == [(3.0, x), (a, y)]
    found = blas._gemm_from_factored_list([(1.0, x), (a, _dot22(y, x))])
    assert isinstance(found[0][0].owner.op, Gemm)
    assert blas._gemm_from_factored_list([(1.0, x), (a, y)]) is None


def test_ldflags_are_split():
    with change_flags(**{"blas.ldflags": "-L/some/where -lopenblas -fopenmp -I/inc"}):
        assert blas.ldflags() == ["openblas"]
        assert blas.ldflags(libs=False, libs_dir=True) == ["/some/where"]
        assert blas.ldflags(libs=False, flags=True) == ["-fopenmp"]
        assert blas.ldflags(libs=False, include_dir=True) == ["/inc"]


def test_headers_declare_the_routines():
    text = blas_headers.blas_header_text()
    for name in ("sgemm_", "dgemm_", "sgemv_", "dger_", "ddot_"):
        assert f"{name}(" in text


def test_printed_graph():
    x, y, z = (NAMES[n] for n in "xyz")
    f = theano_compat.function([x, y, z], z - 0.5 * T.dot(x, y), mode=FAST)
    assert debugprint(f, file="str").splitlines() == [
        "Gemm{no_inplace} [id A] ''   0",
        " |z [id B]",
        " |TensorConstant{-0.5} [id C]",
        " |x [id D]",
        " |y [id E]",
        " |TensorConstant{1.0} [id F]",
    ]
