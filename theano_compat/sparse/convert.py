"""Casts, and conversion between sparse and dense."""

from __future__ import annotations

import numpy as np

from theano_compat import config, tensor
from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.sparse.type import SparseType, issparse
from theano_compat.sparse.variables import (
    _is_sparse_variable,
    as_sparse_or_tensor_variable,
    as_sparse_variable,
    complex_dtypes,
    discrete_dtypes,
)

__all__ = [
    "Cast", "ConstructSparseFromList", "DenseFromSparse", "SparseFromDense", "bcast", "cast", "ccast",
    "construct_sparse_from_list", "csc_from_dense", "csr_from_dense", "dcast", "dense_from_sparse", "fcast", "icast",
    "lcast", "sp_ones_like", "sp_zeros_like", "sparse_grad", "wcast", "zcast",
]  # fmt: skip


class Cast(Op):
    """A sparse matrix with its elements converted to `out_type`."""

    __props__ = ("out_type",)

    def __init__(self, out_type):
        self.out_type = out_type

    def make_node(self, x):
        """The node for one sparse matrix."""
        x = as_sparse_variable(x)
        assert x.format in ("csr", "csc")
        return Apply(self, [x], [SparseType(dtype=self.out_type, format=x.format)()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0].astype(self.out_type)

    def grad(self, inputs, outputs_gradients):
        (x,), (gz,) = inputs, outputs_gradients
        if gz.dtype in complex_dtypes:
            raise NotImplementedError("grad not implemented for complex types")
        if x.dtype in discrete_dtypes or self.out_type in discrete_dtypes:
            zeros = sp_zeros_like(x)
            return [Cast(config.floatX)(zeros) if x.dtype in discrete_dtypes else zeros]
        return [Cast(x.dtype)(gz)]

    def infer_shape(self, node, ins_shapes):
        return ins_shapes

    def __str__(self):
        return f"{self.__class__.__name__}({self.out_type})"


bcast, wcast, icast, lcast = Cast("int8"), Cast("int16"), Cast("int32"), Cast("int64")
fcast, dcast, ccast, zcast = Cast("float32"), Cast("float64"), Cast("complex64"), Cast("complex128")


def cast(variable, dtype):
    """`variable` with its elements converted to `dtype`.

    Parameters
    ----------
    variable : SparseVariable
        The matrix.
    dtype : str
        The new type of its elements.
    """
    return Cast(dtype)(variable)


class DenseFromSparse(Op):
    """A sparse matrix as a dense one.

    Parameters
    ----------
    structured : bool
        Whether the gradient has elements only where the matrix has stored ones.
    """

    __props__ = ()

    def __init__(self, structured=True):
        self.sparse_grad = structured

    def __str__(self):
        return f"{self.__class__.__name__}{{structured_grad={self.sparse_grad}}}"

    def make_node(self, x):
        """The node for one sparse matrix."""
        x = as_sparse_variable(x)
        return Apply(self, [x], [tensor.TensorType(dtype=x.type.dtype, broadcastable=(False, False))()])

    def perform(self, node, inputs, outputs):
        (x,) = inputs
        outputs[0][0] = np.asarray(x.toarray() if issparse(x) else x)

    def grad(self, inputs, gout):
        (x,), (gz,) = inputs, gout
        if not self.sparse_grad:
            return [SparseFromDense(x.type.format)(gz)]
        ones = sp_ones_like(x)
        if gz.dtype != ones.dtype:  # the product of two dtypes is that of the wider
            wide = tensor.scal.upcast(gz.dtype, ones.dtype)
            ones, gz = ones.astype(wide), gz.astype(wide)
        return [ones * gz]

    def infer_shape(self, node, shapes):
        return [shapes[0]]


dense_from_sparse = DenseFromSparse()


class SparseFromDense(Op):
    """A dense matrix (or vector or scalar, as one row) as a sparse one of the given format."""

    __props__ = ()

    def __init__(self, format):
        self.format = format

    def __eq__(self, other):
        return type(self) is type(other) and self.format == other.format

    def __hash__(self):
        return hash((type(self), self.format))

    def __str__(self):
        return f"{self.__class__.__name__}{{{self.format}}}"

    def make_node(self, x):
        """The node for a tensor of at most two dimensions."""
        x = tensor.as_tensor_variable(x)
        if x.ndim > 2:
            raise TypeError(
                f"Theano does not have sparse tensor types with more than 2 dimensions, but {x}.ndim = {x.ndim}"
            )
        if x.ndim < 2:
            x = x.dimshuffle(*["x"] * (2 - x.ndim), *range(x.ndim))
        return Apply(self, [x], [SparseType(dtype=x.type.dtype, format=self.format)()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = SparseType.format_cls[self.format](inputs[0])

    def grad(self, inputs, gout):
        (x,), (gz,) = inputs, gout
        gx = dense_from_sparse(gz) if _is_sparse_variable(gz) else gz
        return [tensor.patternbroadcast(gx, x.broadcastable)]

    def infer_shape(self, node, shapes):
        return [shapes[0]]


csr_from_dense = SparseFromDense("csr")
csc_from_dense = SparseFromDense("csc")


def sp_ones_like(x):
    """A sparse matrix with ones where `x` has stored elements.

    Parameters
    ----------
    x : SparseVariable
        The matrix whose places are taken.
    """
    from theano_compat.sparse.csm import CSM, csm_properties

    data, indices, indptr, shape = csm_properties(x)
    return CSM(format=x.format)(tensor.ones_like(data), indices, indptr, shape)


def sp_zeros_like(x):
    """A sparse matrix of the shape, format and dtype of `x` with nothing stored."""
    from theano_compat.sparse.csm import CSM, csm_properties

    _, _, indptr, shape = csm_properties(x)
    return CSM(format=x.format)(
        np.array([], dtype=x.type.dtype), np.array([], dtype="int32"), tensor.zeros_like(indptr), shape
    )


class ConstructSparseFromList(Op):
    """The csc matrix whose row ``ilist[i]`` is the sum of the rows ``values[i]``; other rows are empty.

    Notes
    -----
    The gradient of ``x[ilist]`` marked by `theano_compat.sparse_grad`.
    """

    __props__ = ()

    def make_node(self, x, values, ilist):
        """The node.

        Parameters
        ----------
        x : matrix
            Gives the shape.
        values : matrix
            The rows.
        ilist : integer vector
            Where they go.
        """
        x = as_sparse_or_tensor_variable(x)
        values, ilist = tensor.as_tensor_variable(values), tensor.as_tensor_variable(ilist)
        if ilist.type.dtype not in tensor.integer_dtypes:
            raise TypeError("index must be integers")
        if ilist.type.ndim != 1:
            raise TypeError("index must be vector")
        if x.type.ndim != 2:
            raise TypeError(f"cannot create a sparse matrix with {x.type.ndim} dimensions")
        if values.type.ndim != 2:
            raise TypeError(f"cannot create a sparse matrix from values with {values.type.ndim} ndim")
        return Apply(self, [x.shape, values, ilist], [SparseType(dtype=values.type.dtype, format="csc")()])

    def perform(self, node, inp, out_):
        shape, values, ilist = inp
        rows, columns = values.shape
        assert rows == len(ilist)
        n_rows = int(shape[0])
        ilist = np.where(ilist < 0, ilist + n_rows, ilist)
        indptr = np.arange(columns + 1) * rows
        out_[0][0] = SparseType.format_cls["csc"](
            (values.T.ravel(), np.tile(ilist, columns), indptr), shape=(n_rows, int(shape[1])), dtype=values.dtype
        )

    def infer_shape(self, node, ishapes):
        shape = node.inputs[0]
        return [(shape[0], shape[1])]

    def R_op(self, inputs, eval_points):
        if eval_points[1] is None:
            return [None]
        x_shape, _, ilist = inputs
        return [self._from_shape(x_shape, eval_points[1], ilist)]

    def _from_shape(self, shape, values, ilist):
        return Apply(self, [shape, values, ilist], [SparseType(dtype=values.type.dtype, format="csc")()]).outputs[0]

    def connection_pattern(self, node):
        return [[False], [True], [False]]

    def grad(self, inputs, grads):
        _, _, ilist = inputs
        (gz,) = grads
        dense = dense_from_sparse(gz) if _is_sparse_variable(gz) else gz
        return [DisconnectedType()(), tensor.advanced_subtensor1(dense, ilist), DisconnectedType()()]


construct_sparse_from_list = ConstructSparseFromList()


def sparse_grad(var):
    """`var`, which has to be ``x[integer vector]`` of a matrix, with a gradient to `x` that is a sparse matrix.

    Parameters
    ----------
    var : TensorVariable
        The output of an `AdvancedSubtensor1`.

    Returns
    -------
    TensorVariable
        The same rows, whose gradient stores only the rows that were taken.
    """
    assert isinstance(var.owner.op, tensor.AdvancedSubtensor1)
    return var.owner.op.__class__(sparse_grad=True)(*var.owner.inputs)
