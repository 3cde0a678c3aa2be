"""Every sparse op against dense NumPy: values, inferred shapes, gradients."""

import numpy as np
import pytest
import scipy.sparse as sp

import theano_compat as theano
from theano_compat import sparse, tensor
from theano_compat.tests import unittest_tools as utt

V4, V5 = np.array([0.5, -1.0, 2.0, 3.0]), np.array([1.0, 2.0, -0.5, 0.25, 3.0])
D = np.arange(20.0).reshape(5, 4) / 7 - 1
W = np.cos(np.arange(12.0).reshape(4, 3))


def dense(value):
    return value.toarray() if sp.issparse(value) else np.asarray(value)


def stored(x):
    return (x != 0).astype(x.dtype)


#: name -> (symbolic expression of the matrix x (5 x 4), the same of the dense array)
UNARY = {
    "transpose": (lambda x: x.T, lambda x: x.T),
    "neg": (lambda x: -x, lambda x: -x),
    "toarray": (lambda x: x.toarray(), lambda x: x),
    "remove0": (sparse.remove0, lambda x: x),
    "clean": (sparse.clean, lambda x: x),
    "cast": (lambda x: x.astype("float32"), lambda x: x),
    "add dense": (lambda x: x + D, lambda x: x + D),
    "dense minus": (lambda x: D - x, lambda x: D - x),
    "mul dense": (lambda x: x * D, lambda x: x * D),
    "mul row": (lambda x: x * tensor.as_tensor_variable(V4[None, :]), lambda x: x * V4),
    "mul scalar": (lambda x: 3.0 * x, lambda x: 3 * x),
    "mul self": (lambda x: x * x, lambda x: x * x),
    "add self": (lambda x: x + x, lambda x: 2 * x),
    "add_s_s_data": (lambda x: sparse.add_s_s_data(x, x), lambda x: 2 * x),
    "mul_s_v": (lambda x: sparse.mul_s_v(x, V4), lambda x: x * V4),
    "structured_add_s_v": (lambda x: sparse.structured_add_s_v(x, V4), lambda x: (x + V4) * stored(x)),
    "col_scale": (lambda x: sparse.col_scale(x, V4), lambda x: x * V4),
    "row_scale": (lambda x: sparse.row_scale(x, V5), lambda x: x * V5[:, None]),
    "sum": (sparse.sp_sum, lambda x: x.sum()),
    "sum of columns": (lambda x: sparse.sp_sum(x, axis=0, sparse_grad=True), lambda x: x.sum(0)),
    "sum of rows": (lambda x: sparse.sp_sum(x, axis=1), lambda x: x.sum(1)),
    "hstack": (lambda x: sparse.hstack([x, x], format="csr"), lambda x: np.hstack([x, x])),
    "vstack": (lambda x: sparse.vstack([x, x * 2.0]), lambda x: np.vstack([x, 2 * x])),
    "structured_dot": (lambda x: sparse.structured_dot(x, W), lambda x: x @ W),
    "structured_dot right": (lambda x: sparse.structured_dot(W.T, x.T), lambda x: W.T @ x.T),
    "dot": (lambda x: sparse.dot(x, W), lambda x: x @ W),
    "dot vector": (lambda x: sparse.dot(x, V4), lambda x: x @ V4),
    "vector dot": (lambda x: sparse.dot(V5, x), lambda x: V5 @ x),
    "true_dot": (lambda x: sparse.true_dot(x, W), lambda x: x @ W),
    "true_dot sparse": (lambda x: sparse.true_dot(x, x.T), lambda x: x @ x.T),
    "diag": (lambda x: sparse.diag(x[:4]), lambda x: np.diag(x[:4])),
    "block": (lambda x: x[1:4, :2], lambda x: x[1:4, :2]),
    "element": (lambda x: x[1, 2], lambda x: x[1, 2]),
    "rows": (lambda x: x[[3, 0, 3]], lambda x: x[[3, 0, 3]]),
    "elements": (lambda x: x[[3, 0, 3], [1, 2, 1]], lambda x: x[[3, 0, 3], [1, 2, 1]]),
    "ones": (sparse.sp_ones_like, stored),
    "zeros": (lambda x: x.zeros_like(), lambda x: 0 * x),
    "structured_sigmoid": (sparse.structured_sigmoid, lambda x: stored(x) / (1 + np.exp(-x))),
    "structured_pow": (lambda x: sparse.structured_pow(x, 3), lambda x: x**3),
    "structured_maximum": (lambda x: sparse.structured_maximum(x, 1), lambda x: np.maximum(x, 1) * stored(x)),
    "sqrt": (sparse.sqrt, np.sqrt),
    "tanh": (sparse.tanh, np.tanh),
    "rint": (sparse.rint, np.rint),
}
#: ops whose result or gradient Theano does not differentiate through (no gradient is defined, or it is 0 everywhere)
NO_GRADIENT = {"block", "diag", "cast", "rint", "ones", "zeros"}


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("name", UNARY)
def test_value_and_inferred_shape(name, format, make):
    symbolic, reference = UNARY[name]
    value = make(format)
    x = getattr(sparse, f"{format}_matrix")("x", dtype="float64")
    z = symbolic(x)
    result, shape = theano.function([x], [z, z.shape])(value)
    expected = reference(value.toarray())
    assert z.type.is_valid_value(result)
    np.testing.assert_allclose(dense(result), expected, rtol=1e-5 if name == "cast" else 1e-12)
    assert tuple(shape) == np.shape(expected)


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("name", sorted(set(UNARY) - NO_GRADIENT))
def test_gradient_to_stored_elements(name, format, make):
    symbolic, _ = UNARY[name]
    value = make(format)
    build = sparse.CSM(format)

    def of_data(data):
        z = symbolic(build(data, value.indices, value.indptr, np.asarray(value.shape)))
        return sparse.DenseFromSparse(structured=False)(z) if isinstance(z.type, sparse.SparseType) else z

    utt.verify_grad(of_data, [value.data], mode="FAST_COMPILE")


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize(
    "symbolic",
    [lambda x, v: sparse.mul_s_v(x, v), lambda x, v: sparse.col_scale(x, v), lambda x, v: x * v.dimshuffle("x", 0), lambda x, v: sparse.dot(x, v)],
)
def test_gradient_to_the_dense_operand(symbolic, format, make):
    value = make(format)

    def of_vector(v):
        z = symbolic(sparse.constant(value), v)
        return z.toarray() if isinstance(z.type, sparse.SparseType) else z

    utt.verify_grad(of_vector, [V4], mode="FAST_COMPILE")


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("name, function", [("lt", np.less), ("le", np.less_equal), ("gt", np.greater), ("ge", np.greater_equal), ("eq", np.equal), ("neq", np.not_equal)])  # fmt: skip
def test_comparisons(name, function, format, make):
    a, b = make(format), make(format)
    compare = getattr(sparse, name)
    x, y, d = sparse.SparseType(format, "float64")(), sparse.SparseType(format, "float64")(), tensor.dmatrix()
    f = theano.function([x, y, d], [compare(x, y), compare(x, d), compare(d, x)], mode="FAST_COMPILE")
    results = f(a, b, D)
    A = a.toarray()
    for result, expected in zip(results, (function(A, b.toarray()), function(A, D), function(D, A))):
        assert result.dtype == "uint8"
        np.testing.assert_array_equal(dense(result), expected)


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_sampling_dot_and_its_gradient(format, make):
    pattern = make(format, (5, 4))
    x, y = np.random.default_rng(1).random((5, 3)), np.random.default_rng(2).random((4, 3))
    z = sparse.sampling_dot(x, y, sparse.constant(pattern))
    np.testing.assert_allclose(dense(z.eval()), pattern.toarray() * (x @ y.T))
    utt.verify_grad(lambda a, b: sparse.sampling_dot(a, b, pattern).toarray(), [x, y], mode="FAST_COMPILE")


def test_csm_properties_are_the_arrays(make):
    value = make("csc")
    x = sparse.csc_matrix(dtype="float64")
    parts = theano.function([x], sparse.csm_properties(x), mode="FAST_COMPILE")(value)
    for part, expected in zip(parts, (value.data, value.indices, value.indptr, value.shape)):
        np.testing.assert_array_equal(part, expected)
    assert [p.dtype.name for p in parts[1:]] == ["int32"] * 3


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_csm_grad_follows_the_order_of_unsorted_and_repeated_places(format):
    indices, indptr = np.array([3, 1, 1, 0, 2], "int32"), np.array([0, 3, 3, 5], "int32")
    shape = np.array([3, 4] if format == "csr" else [4, 3], "int32")
    weights = np.arange(12.0).reshape(shape)
    data = tensor.dvector()
    cost = (sparse.CSM(format)(data, indices, indptr, shape).toarray() * weights).sum()
    result = theano.function([data], tensor.grad(cost, data), mode="FAST_COMPILE")(np.ones(5))
    major = np.array([0, 0, 0, 2, 2])
    expected = weights[major, indices] if format == "csr" else weights[indices, major]
    np.testing.assert_array_equal(result, expected)


def test_csm_refuses_wrong_arguments():
    v, i = tensor.dvector(), tensor.ivector()
    with pytest.raises(TypeError, match="data argument must be a vector"):
        sparse.CSR(tensor.dmatrix(), i, i, i)
    with pytest.raises(TypeError, match="indices must be vector of integers"):
        sparse.CSR(v, v, i, i)
    with pytest.raises(TypeError, match="n_rows must be integer type"):
        sparse.CSR(v, i, i, v)
    with pytest.raises(ValueError, match="Shape should be an array of length 2"):
        sparse.CSR(v, i, i, i).eval({v: np.ones(1), i: np.array([0], "int32")})


def test_sparse_grad_updates_only_the_rows_taken():
    w = theano.shared(np.ones((6, 3)))
    rows = tensor.ivector()
    taken = theano.sparse_grad(w[rows])
    gradient = tensor.grad((taken**2).sum(), w)
    assert isinstance(gradient.type, sparse.SparseType)
    np.testing.assert_array_equal(
        gradient.eval({rows: np.array([4, 1, 4], "int32")}).toarray()[:, 0], [0, 2, 0, 0, 4, 0]
    )
    f = theano.function([rows], [], updates=[(w, w - 0.5 * gradient)])
    f(np.array([1], "int32"))
    np.testing.assert_array_equal(w.get_value()[:, 0], [1, 0, 1, 1, 1, 1])


def test_indexing_errors():
    x = sparse.csr_matrix("x")
    with pytest.raises(NotImplementedError, match="Theano has no sparse vector"):
        x[1]
    with pytest.raises(ValueError, match="Advanced indexing is not implemented for sparse matrices"):
        x[tensor.lvector()]


def test_products_of_dense_factors_are_refused():
    for product in (sparse.dot, sparse.structured_dot, sparse.true_dot):
        with pytest.raises(TypeError):
            product(tensor.matrix(), tensor.matrix())


def test_sandbox_draws_have_the_right_means():
    from theano_compat.sparse.sandbox import sp2

    np.random.seed(3)
    p = sp.csr_matrix(np.array([[0.2, 0.0, 0.8], [1.0, 0.0, 0.0]]))
    counts = sp2.multinomial(tensor.constant(np.array([1000, 7])), sparse.constant(p)).eval().toarray()
    assert counts.sum(1).tolist() == [1000, 7] and abs(counts[0, 0] - 200) < 60 and counts[1, 0] == 7
    means = sp2.poisson(sparse.constant(sp.csr_matrix(np.full((50, 50), 4.0)))).eval()
    assert abs(means.toarray().mean() - 4) < 0.2
    binomial = sp2.csr_dbinomial(10, np.float64(0.3), np.array([50, 40])).eval()
    assert binomial.shape == (50, 40) and abs(binomial.toarray().mean() - 3) < 0.3


@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize("step", [(1, 1), (2, 1)])
def test_sandbox_convolution_against_scipy(mode, step):
    from scipy.signal import correlate2d

    from theano_compat.sparse.sandbox import sp as sandbox

    rng = np.random.default_rng(5)
    images, kernels = rng.random((2, 3, 6, 5)), rng.random((4, 3, 2, 3))
    output, shape = sandbox.convolve(kernels.reshape(4, -1), (2, 3), 4, tensor.constant(images.reshape(2, -1)), (3, 6, 5), step, mode=mode)
    expected = np.array([[sum(correlate2d(i[c], k[c], mode) for c in range(3))[:: step[0], :: step[1]] for k in kernels] for i in images])
    np.testing.assert_allclose(output.eval(), expected.reshape(2, -1))
    assert tuple(shape) == expected.shape[1:]
