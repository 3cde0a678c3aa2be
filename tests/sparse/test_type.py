"""Types, variables, constants and shared variables."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

import theano_compat as theano
from theano_compat import sparse, tensor


def test_scipy_is_not_imported_with_the_package():
    code = "import sys, theano_compat.sparse; assert 'scipy.sparse' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_shared_takes_sparse_matrices_before_the_package_is_loaded():
    code = (
        "import theano_compat as t, scipy.sparse as sp, sys\n"
        "assert 'theano_compat.sparse' not in sys.modules\n"
        "assert str(t.shared(sp.eye(3, format='csc')).type) == 'Sparse[float64, csc]'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_types_are_equal_by_format_and_dtype():
    assert sparse.SparseType("csr", "float32") == sparse.csr_fmatrix
    assert sparse.SparseType("csr", "float32") != sparse.csc_fmatrix
    assert str(sparse.csc_dmatrix) == "Sparse[float64, csc]"


@pytest.mark.parametrize("arguments", [("coo", "float64"), ("csr", "float128x")])
def test_unknown_formats_and_dtypes_are_refused(arguments):
    with pytest.raises(NotImplementedError, match="unsupported"):
        sparse.SparseType(*arguments)


def test_filter_converts_unless_strict():
    matrix = sp.csr_matrix(np.eye(3))
    converted = sparse.csc_dmatrix.filter(matrix)
    assert converted.format == "csc" and sparse.csc_dmatrix.is_valid_value(converted)
    assert sparse.csr_dmatrix.filter(matrix) is matrix
    with pytest.raises(TypeError, match="is not sparse, or not the right dtype"):
        sparse.csc_dmatrix.filter(matrix, strict=True)
    with pytest.raises(NotImplementedError, match="Expected float32 dtype but got float64"):
        sparse.csr_fmatrix.filter(matrix)
    assert sparse.csr_fmatrix.filter(matrix, allow_downcast=True).dtype == "float32"


def test_sparse_arrays_are_taken_as_matrices():
    if not hasattr(sp, "csr_array"):
        pytest.skip("this SciPy has no sparse arrays")
    constant = sparse.as_sparse_variable(sp.csr_array(np.eye(3)))
    assert isinstance(constant.data, sp.csr_matrix)


def test_values_eq_looks_at_elements():
    a = sp.csr_matrix(np.eye(3))
    b = a.copy()
    b.data[0] += 1e-3
    type_ = sparse.csr_dmatrix
    assert type_.values_eq(a, a.copy()) and type_.values_eq_approx(a, a.copy())
    assert not type_.values_eq(a, b) and not type_.values_eq_approx(a, b)
    assert not type_.values_eq(a, a.tocsc())


def test_may_share_memory():
    a = sp.csr_matrix(np.eye(3))
    assert sparse.SparseType.may_share_memory(a, a.T)
    assert sparse.SparseType.may_share_memory(a, a.data)
    assert not sparse.SparseType.may_share_memory(a, a.copy())


def test_equal_constants_merge():
    x = sparse.csr_matrix("x")
    f = theano.function([x], (x + sp.csr_matrix(np.eye(2))) * 1.0 + sp.csr_matrix(np.eye(2)), mode="FAST_COMPILE")
    constants = [v for v in f.maker.fgraph.variables if isinstance(v, sparse.SparseConstant)]
    assert len(constants) == 1


def test_hash_depends_on_format_shape_and_elements():
    a = sp.csr_matrix(np.arange(6.0).reshape(2, 3))
    others = [a.tocsc(), a.astype("float32"), 2 * a, sp.csr_matrix((2, 3)), sp.csr_matrix((2, 4))]
    hashes = [sparse.hash_from_sparse(m) for m in [a, *others]]
    assert len(set(hashes)) == len(hashes)
    assert sparse.hash_from_sparse(a.copy()) == hashes[0]


def test_shared_values_are_copied_unless_borrowed():
    matrix = sp.csc_matrix(np.eye(3))
    assert sparse.shared(matrix).get_value(borrow=True) is not matrix
    assert sparse.shared(matrix, borrow=True).get_value(borrow=True) is matrix
    s = theano.shared(matrix, name="s")
    theano.function([], [], updates=[(s, s * 2)])()
    np.testing.assert_array_equal(s.get_value().toarray(), 2 * np.eye(3))
    with pytest.raises(TypeError, match="Expected a sparse matrix"):
        sparse.shared(np.eye(3))


def test_variables_survive_pickling_and_copying():
    x = sparse.csr_matrix("x")
    for twin in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        assert twin.type == x.type and twin.name == "x"


def test_conversion_errors():
    with pytest.raises(TypeError, match="sparse.constant must be called on a scipy.sparse.spmatrix"):
        sparse.constant(np.eye(3))
    with pytest.raises(TypeError, match="Variable type field must be a SparseType"):
        sparse.as_sparse_variable(tensor.matrix())
    assert isinstance(sparse.as_sparse_or_tensor_variable(np.eye(2)).type, tensor.TensorType)
