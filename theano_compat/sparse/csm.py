"""Sparse matrices from their arrays and back: data, indices, indptr, shape."""

from __future__ import annotations

import numpy as np

from theano_compat import tensor
from theano_compat.gof import Apply, Op, Variable
from theano_compat.gradient import DisconnectedType
from theano_compat.sparse.type import SparseType
from theano_compat.sparse.variables import as_sparse_variable

__all__ = [
    "CSC", "CSM", "CSMGrad", "CSMProperties", "CSR", "csm_data", "csm_grad", "csm_indices", "csm_indptr",
    "csm_properties", "csm_shape",
]  # fmt: skip


def _no_kmap(kmap) -> None:
    if kmap is not None:
        raise Exception("Do not use kmap, it is removed")


def major_indices(indptr: np.ndarray) -> np.ndarray:
    """The row (csr) or column (csc) of each stored element."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def coordinates(format: str, indices: np.ndarray, indptr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns) of the stored elements, in the order in which they are stored."""
    major = major_indices(indptr)
    return (major, indices) if format == "csr" else (indices, major)


class CSMProperties(Op):
    """The arrays of a sparse matrix: data, and as int32 vectors indices, indptr and shape.

    Notes
    -----
    The gradient is structured: it has elements where the matrix has stored ones.
    """

    __props__ = ()
    view_map = {0: [0], 1: [0], 2: [0]}
    kmap = None

    def __init__(self, kmap=None):
        _no_kmap(kmap)

    def make_node(self, csm):
        """The node for one sparse matrix."""
        csm = as_sparse_variable(csm)
        assert csm.format in ("csr", "csc")
        data = tensor.TensorType(dtype=csm.type.dtype, broadcastable=(False,))()
        return Apply(self, [csm], [data, tensor.ivector(), tensor.ivector(), tensor.ivector()])

    def perform(self, node, inputs, out):
        (csm,) = inputs
        out[0][0] = csm.data
        for storage, values in zip(out[1:], (csm.indices, csm.indptr, csm.shape)):
            storage[0] = np.asarray(values, dtype="int32")

    def grad(self, inputs, g):
        (csm,) = inputs
        if isinstance(g[0].type, DisconnectedType):
            return [csm.zeros_like()]  # indices and shape are integers
        _, indices, indptr, shape = csm_properties(csm)
        return [CSM(csm.format)(g[0], indices, indptr, shape)]


csm_properties = CSMProperties()


def csm_data(csm):
    """The stored elements of a sparse matrix, a vector."""
    return csm_properties(csm)[0]


def csm_indices(csm):
    """The column (csr) or row (csc) of each stored element, an int32 vector."""
    return csm_properties(csm)[1]


def csm_indptr(csm):
    """Where each row (csr) or column (csc) starts among the stored elements, an int32 vector."""
    return csm_properties(csm)[2]


def csm_shape(csm):
    """The shape of a sparse matrix, an int32 vector."""
    return csm_properties(csm)[3]


def _index_vector(values):
    """Vector of indices as a variable, int32 if it is a value."""
    if isinstance(values, Variable):
        return values
    values = np.asarray(values)
    narrow = values.astype("int32")
    assert (narrow == values).all()
    return tensor.as_tensor_variable(narrow)


class CSM(Op):
    """A sparse matrix from its arrays.

    Parameters
    ----------
    format : {'csr', 'csc'}
        How the arrays are to be read.

    Notes
    -----
    Indices need not be sorted. The gradient is with respect to the data alone, in their order.
    """

    __props__ = ("format",)
    view_map = {0: [0]}
    kmap = None

    def __init__(self, format, kmap=None):
        if format not in ("csr", "csc"):
            raise ValueError("format must be one of: 'csr', 'csc'", format)
        _no_kmap(kmap)
        self.format = format

    def make_node(self, data, indices, indptr, shape):
        """The node for (data, indices, indptr, shape): vectors, the last three of integers."""
        data = tensor.as_tensor_variable(data)
        indices, indptr, shape = (tensor.as_tensor_variable(_index_vector(v)) for v in (indices, indptr, shape))
        if data.type.ndim != 1:
            raise TypeError("data argument must be a vector; ", data.type)
        for what, vector in (("indices", indices), ("indices", indptr)):
            if vector.type.ndim != 1 or vector.type.dtype not in tensor.discrete_dtypes:
                raise TypeError(f"{what} must be vector of integers", vector, vector.type)
        if shape.type.ndim != 1 or shape.type.dtype not in tensor.discrete_dtypes:
            raise TypeError("n_rows must be integer type", shape, shape.type)
        return Apply(self, [data, indices, indptr, shape], [SparseType(dtype=data.type.dtype, format=self.format)()])

    def perform(self, node, inputs, outputs):
        data, indices, indptr, shape = inputs
        if len(shape) != 2:
            raise ValueError("Shape should be an array of length 2")
        if data.shape != indices.shape:
            raise ValueError(f"Data (shape {data.shape}) must have the same number of elements as the indices (shape {indices.shape})")
        cls = SparseType.format_cls[self.format]
        outputs[0][0] = cls((data, indices.copy(), indptr.copy()), tuple(int(n) for n in shape), copy=False)

    def connection_pattern(self, node):
        return [[True], [False], [False], [False]]

    def grad(self, inputs, gout):
        data, indices, indptr, shape = inputs
        (gz,) = gout
        gradient = CSMGrad()(data, indices, indptr, shape, *csm_properties(gz))
        return [gradient, DisconnectedType()(), DisconnectedType()(), DisconnectedType()()]

    def infer_shape(self, node, shapes):
        shape = node.inputs[3]
        return [(shape[0], shape[1])]


CSC = CSM("csc")
CSR = CSM("csr")


def gather_stored(indices, indptr, g_data, g_indices, g_indptr, n_minor: int) -> np.ndarray:
    """The elements of one compressed matrix at the stored places of another, 0 where it has none.

    Parameters
    ----------
    indices, indptr : int vectors
        The places wanted.
    g_data, g_indices, g_indptr : vectors
        The matrix to read; equal places are summed.
    n_minor : int
        Number of columns (csr) or rows (csc).
    """
    if np.array_equal(indptr, g_indptr) and np.array_equal(indices, g_indices):
        return g_data.copy()  # one for one, also where a place is stored twice
    result = np.zeros(len(indices), dtype=g_data.dtype)
    if not len(g_data):
        return result
    wanted = major_indices(indptr) * np.int64(n_minor) + indices
    found, place = np.unique(major_indices(g_indptr) * np.int64(n_minor) + g_indices, return_inverse=True)
    sums = np.zeros(len(found), dtype=g_data.dtype)
    np.add.at(sums, place.ravel(), g_data)
    at = np.minimum(np.searchsorted(found, wanted), len(found) - 1)
    hit = found[at] == wanted
    result[hit] = sums[at[hit]]
    return result


class CSMGrad(Op):
    """The gradient of `CSM` to its data: elements of the output's gradient at the stored places.

    Notes
    -----
    The gradient may have its elements in another order, and fewer or more of them than the matrix.
    """

    __props__ = ()
    kmap = None

    def __init__(self, kmap=None):
        _no_kmap(kmap)

    def make_node(self, x_data, x_indices, x_indptr, x_shape, g_data, g_indices, g_indptr, g_shape):
        """The node for the arrays of the matrix and of the gradient."""
        return Apply(
            self, [x_data, x_indices, x_indptr, x_shape, g_data, g_indices, g_indptr, g_shape], [g_data.type()]
        )

    def perform(self, node, inputs, outputs):
        _, indices, indptr, x_shape, g_data, g_indices, g_indptr, _ = inputs
        n_minor = int(max(x_shape)) + 1  # csr or csc: a bound of both serves for the keys
        outputs[0][0] = gather_stored(indices, indptr, g_data, g_indices, g_indptr, n_minor)

    def infer_shape(self, node, shapes):
        return [shapes[1]]


csm_grad = CSMGrad
