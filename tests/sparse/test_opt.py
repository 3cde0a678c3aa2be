"""Rewrites of sparse graphs: the op is gone, the value is the same."""

import numpy as np
import pytest
import scipy.sparse as sp

import theano_compat as theano
from theano_compat import sparse, tensor

MODE = theano.compile.mode.get_mode("FAST_RUN")


def ops(f):
    return [type(node.op) for node in f.maker.fgraph.toposort()]


def both(inputs, output, values):
    """The rewritten function and what it and the one as written return."""
    f = theano.function(inputs, output, mode=MODE)
    plain = theano.function(inputs, output, mode=theano.Mode("py", None))
    results = [g(*values) for g in (f, plain)]
    return f, *[r.toarray() if sp.issparse(r) else r for r in results]


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_products_with_dense_become_products_of_data(format, make):
    x, d = sparse.SparseType(format, "float64")(), tensor.dmatrix()
    f, result, expected = both([x, d], x * d, [make(format), np.random.default_rng(0).random((5, 4))])
    assert sparse.MulSD not in ops(f)
    np.testing.assert_allclose(result, expected)


@pytest.mark.parametrize("op, gone", [(sparse.mul_s_v, sparse.MulSV), (sparse.structured_add_s_v, sparse.StructuredAddSV)])
def test_vectors_meet_the_data_of_csr(op, gone, make):
    x, v = sparse.csr_matrix(dtype="float64"), tensor.dvector()
    f, result, expected = both([x, v], op(x, v), [make("csr"), np.arange(4.0)])
    assert gone not in ops(f)
    np.testing.assert_allclose(result, expected)


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_with_dense_leave_the_caller_s_array_alone(format, dtype, make):
    x, d = sparse.SparseType(format, dtype)(), tensor.dmatrix()
    dense = np.ones((5, 4))
    f, result, expected = both([x, d], x + d, [make(format, dtype=dtype), dense])
    assert sparse.AddSD not in ops(f) and (dense == 1).all()
    np.testing.assert_allclose(result, expected)


def test_sparse_from_dense_and_back_is_nothing():
    d = tensor.dmatrix()
    f = theano.function([d], sparse.dense_from_sparse(sparse.csr_from_dense(d)), mode=MODE)
    assert len(f.maker.fgraph.apply_nodes) == 1


def test_vectors_stay_matrices_when_made_sparse_and_back():
    v = tensor.dvector()
    f = theano.function([v], sparse.dense_from_sparse(sparse.csr_from_dense(v)), mode=MODE)
    np.testing.assert_array_equal(f(np.arange(3.0)), [[0, 1, 2]])


def test_arrays_of_an_assembled_matrix_are_the_arrays(make):
    value = make("csc")
    data, indices, indptr, shape = tensor.dvector(), tensor.lvector(), tensor.ivector(), tensor.ivector()
    f = theano.function([data, indices, indptr, shape], sparse.csm_properties(sparse.CSC(data, indices, indptr, shape)), mode=MODE)
    assert not {sparse.CSM, sparse.CSMProperties} & set(ops(f))
    results = f(value.data, value.indices, value.indptr, np.array(value.shape, "int32"))
    assert results[1].dtype == "int32"
    np.testing.assert_array_equal(results[1], value.indices)


def test_removing_zeros_leaves_the_caller_s_matrix_alone():
    value = sp.csr_matrix((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    x = sparse.csr_matrix(dtype="float64")
    f = theano.function([x], sparse.remove0(x), mode=MODE)
    assert f(value).nnz == 1 and value.nnz == 2
    inside = theano.function([x], sparse.remove0(x * 2.0), mode=MODE)
    assert [node.op.inplace for node in inside.maker.fgraph.toposort() if isinstance(node.op, sparse.Remove0)] == [True]


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_usmm_with_a_named_blas(format, make):
    x, y, z, a = sparse.SparseType(format, "float64")(), tensor.dmatrix(), tensor.dmatrix(), tensor.dscalar()
    values = [make(format), np.ones((4, 3)), np.full((5, 3), 2.0), 0.5]
    with theano.config.change_flags(**{"blas.ldflags": "-lblas"}):
        f, result, expected = both([x, y, z, a], z - a * sparse.dot(x, y), values)
    assert {sparse.Usmm, sparse.opt.UsmmCscDense} & set(ops(f)) and sparse.Dot not in ops(f)
    np.testing.assert_allclose(result, expected)
    assert (values[2] == 2).all()


@pytest.mark.parametrize("format, op", [("csr", sparse.opt.sd_csr), ("csc", sparse.opt.sd_csc)])
def test_products_by_arrays(format, op, make):
    value, b = make(format), np.ones((4, 2))
    rows = [np.int32(5)] if format == "csc" else []
    np.testing.assert_allclose(op(value.data, value.indices, value.indptr, *rows, b).eval(), value @ b)
