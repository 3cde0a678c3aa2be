"""Indexing of sparse matrices, and the gradients of it."""

from __future__ import annotations

import numpy as np

from theano_compat import tensor
from theano_compat.gof import Apply, Constant, Op, Variable
from theano_compat.gradient import grad_undefined
from theano_compat.sparse.type import SparseType
from theano_compat.sparse.variables import as_sparse_variable, integer_types

__all__ = [
    "GetItem2Lists", "GetItem2ListsGrad", "GetItem2d", "GetItemList", "GetItemListGrad", "GetItemScalar", "get_item_2d",
    "get_item_2lists", "get_item_2lists_grad", "get_item_list", "get_item_list_grad", "get_item_scalar",
]  # fmt: skip


def _index_vectors(*indices):
    vectors = [tensor.as_tensor_variable(index) for index in indices]
    for vector in vectors:
        assert vector.type.ndim == 1, "an index list has one dimension"
        assert vector.type.dtype in tensor.integer_dtypes, "an index list is made of integers"
    return vectors


def _stored_at(x, rows, columns, values):
    """The matrix like `x` that has `values` at places; values of equal places are summed."""
    import scipy.sparse

    rows, columns = (np.where(i < 0, i + n, i) for i, n in zip((rows, columns), x.shape))
    return SparseType.format_cls[x.format](scipy.sparse.coo_matrix((values, (rows, columns)), shape=x.shape, dtype=x.dtype))


class GetItemList(Op):
    """Rows of a csr or csc matrix by a list of integers."""

    __props__ = ()

    def make_node(self, x, index):
        """The node for a sparse matrix and an integer vector."""
        x = as_sparse_variable(x)
        assert x.format in ("csr", "csc")
        return Apply(self, [x, *_index_vectors(index)], [x.type()])

    def perform(self, node, inp, outputs):
        x, rows = inp
        outputs[0][0] = x[rows]

    def grad(self, inputs, g_outputs):
        x, rows = inputs
        return [get_item_list_grad(x, rows, g_outputs[0]), grad_undefined(self, 1, rows, "No gradient for this input")]

    def infer_shape(self, node, shapes):
        return [(shapes[1][0], shapes[0][1])]

    def __str__(self):
        return self.__class__.__name__


class GetItemListGrad(Op):
    """The gradient of `GetItemList`: rows added at their places in an empty matrix."""

    __props__ = ()

    def make_node(self, x, index, gz):
        """The node for the matrix, the index and the sparse gradient of the rows."""
        x, gz = as_sparse_variable(x), as_sparse_variable(gz)
        assert x.format in ("csr", "csc") and gz.format in ("csr", "csc")
        return Apply(self, [x, *_index_vectors(index), gz], [x.type()])

    def perform(self, node, inp, outputs):
        x, rows, gz = inp
        gz = gz.tocoo()
        outputs[0][0] = _stored_at(x, np.asarray(rows)[gz.row], gz.col, gz.data)

    def infer_shape(self, node, shapes):
        return [shapes[0]]

    def __str__(self):
        return self.__class__.__name__


class GetItem2Lists(Op):
    """The elements of a sparse matrix at (rows[i], columns[i]), a vector."""

    __props__ = ()

    def make_node(self, x, ind1, ind2):
        """The node for a sparse matrix and two integer vectors."""
        x = as_sparse_variable(x)
        assert x.format in ("csr", "csc")
        return Apply(self, [x, *_index_vectors(ind1, ind2)], [tensor.vector(dtype=x.dtype)])

    def perform(self, node, inp, outputs):
        x, rows, columns = inp
        outputs[0][0] = np.asarray(x[rows, columns], dtype=x.dtype).ravel()

    def grad(self, inputs, g_outputs):
        x, rows, columns = inputs
        return [
            get_item_2lists_grad(x, rows, columns, g_outputs[0]),
            grad_undefined(self, 1, rows, "No gradient for this input"),
            grad_undefined(self, 2, columns, "No gradient for this input"),
        ]

    def infer_shape(self, node, shapes):
        return [shapes[1]]


class GetItem2ListsGrad(Op):
    """The gradient of `GetItem2Lists`: elements added at their places in an empty matrix."""

    __props__ = ()

    def make_node(self, x, ind1, ind2, gz):
        """The node for the matrix, the two indices and the gradient, a vector."""
        x, gz = as_sparse_variable(x), tensor.as_tensor_variable(gz)
        assert x.format in ("csr", "csc")
        return Apply(self, [x, *_index_vectors(ind1, ind2), gz], [x.type()])

    def perform(self, node, inp, outputs):
        outputs[0][0] = _stored_at(*inp)

    def infer_shape(self, node, shapes):
        return [shapes[0]]


def _slice_bound(bound):
    """A bound of a slice as a variable: a scalar, or a constant that holds None."""
    if bound is None or isinstance(bound, Constant) and bound.data is None:
        return tensor.NoneConst
    if isinstance(bound, integer_types):
        return tensor.as_tensor_variable(bound)
    if isinstance(bound, Variable) and getattr(bound, "ndim", None) == 0:
        if bound.dtype not in tensor.discrete_dtypes:
            raise ValueError("Invalid index. Slices must be integers, not ", bound.type)
        return tensor.as_tensor_variable(bound)
    raise ValueError(f"Invalid index to build a slice of a sparse matrix: {bound!r}")


class GetItem2d(Op):
    """A block of a sparse matrix by one or two slices."""

    __props__ = ()

    def make_node(self, x, index):
        """The node for a csr or csc matrix and a tuple of at most two slices."""
        x = as_sparse_variable(x)
        assert x.format in ("csr", "csc")
        index = tuple(index) if isinstance(index, (tuple, list)) else (index,)
        assert len(index) in (1, 2), "a sparse matrix has two dimensions"
        bounds: list[Variable] = []
        for part in (*index, *[slice(None)] * (2 - len(index))):
            if isinstance(part, Variable) and isinstance(part.type, type(tensor.type_other.slicetype)):
                if part.owner is None:
                    raise NotImplementedError(f"Impossible to use a slice with no owner as an index of a sparse matrix: {part}")
                bounds += part.owner.inputs
            elif isinstance(part, slice):
                bounds += map(_slice_bound, (part.start, part.stop, part.step))
            elif isinstance(part, integer_types) or isinstance(part, Variable) and getattr(part, "ndim", None) == 0:
                raise NotImplementedError("Theano has no sparse vectorUse X[a:b, c:d], X[a:b, c:c+1] or X[a:b] instead.")
            else:
                raise ValueError(f"Advanced indexing is not implemented for sparse matrices. Argument not supported: {part}")
        return Apply(self, [x, *bounds], [x.type()])

    def perform(self, node, inputs, outputs):
        x, *bounds = inputs
        bounds = [None if bound is None else int(bound) for bound in bounds]
        outputs[0][0] = SparseType.format_cls[x.format](x[slice(*bounds[:3]), slice(*bounds[3:])])


class GetItemScalar(Op):
    """One element of a sparse matrix, a scalar."""

    __props__ = ()

    def make_node(self, x, index):
        """The node for a csr or csc matrix and a pair of integers."""
        x = as_sparse_variable(x)
        assert x.format in ("csr", "csc")
        assert len(index) == 2
        for part in index:
            if isinstance(part, slice):
                raise Exception("GetItemScalar called with a slice as index!")
            if not isinstance(part, integer_types) and getattr(part, "ndim", None) != 0:
                raise NotImplementedError(f"GetItemScalar takes integers, not {part!r}")
        return Apply(self, [x, *map(tensor.as_tensor_variable, index)], [tensor.scalar(dtype=x.dtype)])

    def perform(self, node, inputs, outputs):
        x, row, column = inputs
        outputs[0][0] = np.asarray(x[int(row), int(column)], dtype=x.dtype)

    def grad(self, inputs, g_outputs):
        x, row, column = inputs
        places = [tensor.shape_padleft(i) for i in (row, column)]
        gx = get_item_2lists_grad(x, *places, tensor.shape_padleft(g_outputs[0]))
        return [gx, *(grad_undefined(self, k, i, "No gradient for this input") for k, i in ((1, row), (2, column)))]

    def infer_shape(self, node, shapes):
        return [()]

    def __str__(self):
        return self.__class__.__name__


get_item_list, get_item_list_grad = GetItemList(), GetItemListGrad()
get_item_2lists, get_item_2lists_grad = GetItem2Lists(), GetItem2ListsGrad()
get_item_2d, get_item_scalar = GetItem2d(), GetItemScalar()
