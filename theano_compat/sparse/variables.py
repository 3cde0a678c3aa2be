"""Sparse variables, constants and their operators; conversion of values to them."""

from __future__ import annotations

import numpy as np

from theano_compat import tensor
from theano_compat.gof import Apply, Constant, Variable
from theano_compat.sparse.type import SparseType, issparse
from theano_compat.sparse.utils import hash_from_sparse

__all__ = [
    "SparseConstant", "SparseConstantSignature", "SparseVariable", "_is_dense", "_is_dense_variable", "_is_sparse",
    "_is_sparse_variable", "_sparse_py_operators", "all_dtypes", "as_sparse", "as_sparse_or_tensor_variable",
    "as_sparse_variable", "bsr_dmatrix", "bsr_fmatrix", "bsr_matrix", "complex_dtypes", "constant", "continuous_dtypes",
    "csc_dmatrix", "csc_fmatrix", "csc_matrix", "csr_dmatrix", "csr_fmatrix", "csr_matrix", "discrete_dtypes",
    "float_dtypes", "int_dtypes", "integer_dtypes", "integer_types", "matrix", "sparse_formats", "uint_dtypes",
]  # fmt: skip

sparse_formats = ["csc", "csr"]
integer_types = (int, np.integer)


def _dtypes(*kinds: str) -> list[str]:
    return [name for name in sorted(SparseType.dtype_set) if name.rstrip("0123456789") in kinds]


all_dtypes = SparseType.dtype_set
int_dtypes = _dtypes("int")
uint_dtypes = _dtypes("uint")
integer_dtypes = int_dtypes + uint_dtypes
discrete_dtypes = int_dtypes + uint_dtypes
float_dtypes = _dtypes("float")
complex_dtypes = _dtypes("complex")
continuous_dtypes = complex_dtypes + float_dtypes


def _is_sparse(x) -> bool:
    """Tell whether a value is a SciPy sparse matrix.

    Raises
    ------
    NotImplementedError
        It is no array either.
    """
    if not (issparse(x) or isinstance(x, (np.ndarray, np.generic))):
        raise NotImplementedError(f"this function should only be called on sparse.scipy.sparse.spmatrix or numpy.ndarray, not, {x}")
    return issparse(x)


def _is_dense(x) -> bool:
    """Tell whether a value is an array (see `_is_sparse`)."""
    return not _is_sparse(x)


def _is_sparse_variable(x) -> bool:
    """Tell whether a variable is sparse.

    Raises
    ------
    NotImplementedError
        It is neither a sparse nor a tensor variable.
    """
    type_ = getattr(x, "type", None)
    if isinstance(type_, SparseType):
        return True
    if isinstance(type_, tensor.TensorType) or getattr(type_, "ndim", None) is not None:
        return False
    raise NotImplementedError(
        f"this function should only be called on *variables* (of type sparse.SparseType or tensor.TensorType, for instance), not {x}"
    )


def _is_dense_variable(x) -> bool:
    """Tell whether a variable is a tensor (see `_is_sparse_variable`)."""
    return not _is_sparse_variable(x)


def _is_0d_integer(index) -> bool:
    if isinstance(index, integer_types):
        return True
    return isinstance(index, Variable) and getattr(index, "ndim", None) == 0 and index.dtype in tensor.integer_dtypes


class _sparse_py_operators:
    """Python's operators on sparse variables; each calls a function of `theano_compat.sparse`."""

    __array_priority__ = 1000  # NumPy's arrays leave operators to this class
    __array_ufunc__ = None

    T = property(lambda self: _ops().transpose(self), doc="The transposed matrix; csr becomes csc and the other way round.")
    shape = property(lambda self: tensor.shape(_ops().dense_from_sparse(self)), doc="The two extents, an int64 vector.")
    ndim = property(lambda self: self.type.ndim)
    dtype = property(lambda self: self.type.dtype)
    #: The number of stored elements, not the product of the shape.
    size = property(lambda self: _ops().csm_properties(self)[0].shape[0])

    def astype(self, dtype):
        """This matrix with elements of another dtype."""
        return _ops().cast(self, dtype)

    def __neg__(self):
        return _ops().neg(self)

    def __add__(self, other):
        return _ops().add(self, other)

    def __radd__(self, other):
        return _ops().add(other, self)

    def __sub__(self, other):
        return _ops().sub(self, other)

    def __rsub__(self, other):
        return _ops().sub(other, self)

    def __mul__(self, other):
        return _ops().mul(self, other)

    def __rmul__(self, other):
        return _ops().mul(self, other)

    def __lt__(self, other):
        return _ops().lt(self, other)

    def __le__(self, other):
        return _ops().le(self, other)

    def __gt__(self, other):
        return _ops().gt(self, other)

    def __ge__(self, other):
        return _ops().ge(self, other)

    def __dot__(self, other):
        return _ops().structured_dot(self, other)

    def __rdot__(self, other):
        return _ops().structured_dot(other, self)

    def toarray(self):
        """This matrix as a dense one."""
        return _ops().dense_from_sparse(self)

    def zeros_like(self):
        """A matrix of this shape with nothing stored."""
        return _ops().sp_zeros_like(self)

    def __getitem__(self, args):
        ops = _ops()
        args = args if isinstance(args, tuple) else (args,)
        if len(args) == 2:
            if all(_is_0d_integer(index) for index in args):
                return ops.get_item_scalar(self, args)
            if all(isinstance(index, (list, np.ndarray)) for index in args):
                return ops.get_item_2lists(self, args[0], args[1])
        elif len(args) == 1 and isinstance(args[0], (list, np.ndarray)):
            return ops.get_item_list(self, args[0])
        return ops.get_item_2d(self, args)


def _ops():
    from theano_compat.sparse import basic

    return basic


class SparseVariable(_sparse_py_operators, Variable):
    """A symbolic sparse matrix."""

    dtype = property(lambda self: self.type.dtype)
    format = property(lambda self: self.type.format)

    def __str__(self) -> str:
        return f"{self.__class__.__name__}{{{self.format},{self.dtype}}}"

    __repr__ = __str__


class SparseConstantSignature(tuple):
    """(type, matrix) of a constant, equal for equal matrices so that equal constants merge."""

    def __eq__(self, other):
        if not isinstance(other, SparseConstantSignature):
            return False
        (mine, a), (theirs, b) = self, other
        if mine != theirs or a.shape != b.shape or a.nnz != b.nnz:
            return False
        return all(np.array_equal(getattr(a, part), getattr(b, part)) for part in ("indptr", "indices", "data"))

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        type_, matrix = self
        return hash((type_, matrix.shape, matrix.nnz))

    def theano_hash(self) -> str:
        """A text that is the same in every process for the same matrix."""
        return hash_from_sparse(self[1])


class SparseConstant(Constant, _sparse_py_operators):
    """A sparse matrix that is part of a graph."""

    dtype = property(lambda self: self.type.dtype)
    format = property(lambda self: self.type.format)

    def signature(self):
        """What constants are compared by."""
        assert self.data is not None
        return SparseConstantSignature((self.type, self.data))

    def __str__(self) -> str:
        return f"{self.__class__.__name__}{{{self.format},{self.dtype},shape={self.data.shape},nnz={self.data.nnz}}}"

    __repr__ = __str__


SparseType.Variable = SparseVariable
SparseType.Constant = SparseConstant


def constant(x, name=None):
    """A constant with the value of a SciPy sparse matrix.

    Raises
    ------
    TypeError
        `x` is no sparse matrix.
    """
    if not issparse(x):
        raise TypeError("sparse.constant must be called on a scipy.sparse.spmatrix")
    try:
        return SparseConstant(SparseType(format=x.format, dtype=x.dtype), x.copy(), name=name)
    except TypeError as error:
        raise TypeError(f"Could not convert {x} to SparseType", type(x)) from error


def as_sparse_variable(x, name=None):
    """`x` as a sparse variable.

    Parameters
    ----------
    x : SparseVariable, Apply or scipy.sparse matrix
        What to convert; matrices become constants.
    name : str, optional
        Name of a new constant.

    Raises
    ------
    TypeError
        `x` is a variable of another type or no matrix.
    """
    if isinstance(x, Apply):
        if len(x.outputs) != 1:
            raise ValueError("It is ambiguous which output of a multi-output Op has to be fetched.", x)
        x = x.outputs[0]
    if isinstance(x, Variable):
        if not isinstance(x.type, SparseType):
            raise TypeError("Variable type field must be a SparseType.", x, x.type)
        return x
    try:
        return constant(x, name=name)
    except TypeError as error:
        raise TypeError(f"Cannot convert {x} to SparseType", type(x)) from error


as_sparse = as_sparse_variable


def as_sparse_or_tensor_variable(x, name=None):
    """`x` as a sparse variable if it can be one, else as a tensor variable."""
    try:
        return as_sparse_variable(x, name)
    except (ValueError, TypeError):
        return tensor.as_tensor_variable(x, name)


def matrix(format, name=None, dtype=None):
    """A symbolic sparse matrix.

    Parameters
    ----------
    format : {'csr', 'csc', 'bsr'}
        How it is stored.
    name : str, optional
        Its name.
    dtype : str, optional
        Type of its elements, ``config.floatX`` by default.
    """
    from theano_compat import config

    return SparseType(format=format, dtype=config.floatX if dtype is None else dtype)(name)


def csc_matrix(name=None, dtype=None):
    """A symbolic matrix stored by columns."""
    return matrix("csc", name, dtype)


def csr_matrix(name=None, dtype=None):
    """A symbolic matrix stored by rows."""
    return matrix("csr", name, dtype)


def bsr_matrix(name=None, dtype=None):
    """A symbolic matrix stored by blocks."""
    return matrix("bsr", name, dtype)


csc_dmatrix, csc_fmatrix = SparseType("csc", "float64"), SparseType("csc", "float32")
csr_dmatrix, csr_fmatrix = SparseType("csr", "float64"), SparseType("csr", "float32")
bsr_dmatrix, bsr_fmatrix = SparseType("bsr", "float64"), SparseType("bsr", "float32")
