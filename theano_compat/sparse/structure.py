"""Ops on the structure of a matrix: transpose, sorting, zeros, scaling, diagonals, sums, stacking."""

from __future__ import annotations

import numpy as np

from theano_compat import config, tensor
from theano_compat.gof import Apply, Op
from theano_compat.sparse.convert import SparseFromDense, dense_from_sparse, sp_ones_like
from theano_compat.sparse.type import SparseType
from theano_compat.sparse.variables import _is_sparse_variable, as_sparse_variable

__all__ = [
    "ColScaleCSC", "Diag", "EnsureSortedIndices", "HStack", "Neg", "Remove0", "RowScaleCSC", "SpSum", "SquareDiagonal",
    "Transpose", "VStack", "clean", "col_scale", "diag", "ensure_sorted_indices", "hstack", "neg", "remove0",
    "row_scale", "sp_sum", "square_diagonal", "transpose", "vstack",
]  # fmt: skip


class _SparseToSparse(Op):
    """An op of one csr or csc matrix whose result has the same type and shape."""

    __props__ = ()

    def make_node(self, x):
        """The node for one sparse matrix."""
        x = as_sparse_variable(x)
        assert x.format in ("csr", "csc")
        return Apply(self, [x], [x.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0]]


class Transpose(Op):
    """The transposed matrix, a view: csr becomes csc and the other way round."""

    __props__ = ()
    view_map = {0: [0]}
    format_map = {"csr": "csc", "csc": "csr", "bsr": "bsr"}

    def __str__(self):
        return "Sparse" + self.__class__.__name__

    def make_node(self, x):
        """The node for one sparse matrix."""
        x = as_sparse_variable(x)
        return Apply(self, [x], [SparseType(dtype=x.type.dtype, format=self.format_map[x.type.format])()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0].transpose()

    def grad(self, inputs, gout):
        return [transpose(gout[0])]

    def infer_shape(self, node, shapes):
        return [shapes[0][::-1]]


class Neg(_SparseToSparse):
    """The matrix with the sign of its elements changed."""

    def __str__(self):
        return "Sparse" + self.__class__.__name__

    def perform(self, node, inputs, outputs):
        outputs[0][0] = -inputs[0]

    def grad(self, inputs, gout):
        return [neg(gout[0])]


class EnsureSortedIndices(_SparseToSparse):
    """The same matrix with the indices of each row (csr) or column (csc) in order.

    Parameters
    ----------
    inplace : bool
        Sort in the input itself.
    """

    __props__ = ("inplace",)

    def __init__(self, inplace):
        self.inplace = inplace
        if inplace:
            self.view_map = {0: [0]}

    def perform(self, node, inputs, outputs):
        (x,) = inputs
        if self.inplace:
            x.sort_indices()
        outputs[0][0] = x if self.inplace else x.sorted_indices()

    def grad(self, inputs, output_grad):
        return [output_grad[0]]

    def __str__(self):
        return f"{self.__class__.__name__}{{{'inplace' if self.inplace else 'no_inplace'}}}"


class Remove0(_SparseToSparse):
    """The same matrix without stored zeros.

    Parameters
    ----------
    inplace : bool
        Remove them in the input itself.
    """

    __props__ = ("inplace",)

    def __init__(self, inplace=False):
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}

    def perform(self, node, inputs, outputs):
        result = inputs[0] if self.inplace else inputs[0].copy()
        result.eliminate_zeros()
        outputs[0][0] = result

    def grad(self, inputs, gout):
        return [gout[0]]

    def __str__(self):
        return f"{self.__class__.__name__}{{{'inplace' if self.inplace else ''}}}"


transpose, neg, remove0, ensure_sorted_indices = Transpose(), Neg(), Remove0(), EnsureSortedIndices(inplace=False)


def clean(x):
    """`x` without stored zeros and with sorted indices."""
    return ensure_sorted_indices(remove0(x))


class _ScaleCSC(Op):
    """Products of the rows or the columns of a csc matrix and the elements of a vector."""

    __props__ = ()

    def make_node(self, x, s):
        """The node for a csc matrix and a vector."""
        x, s = as_sparse_variable(x), tensor.as_tensor_variable(s)
        if x.format != "csc":
            raise ValueError("x was not a csc matrix")
        assert s.ndim == 1
        return Apply(self, [x, s], [x.type()])

    def infer_shape(self, node, ins_shapes):
        return [ins_shapes[0]]

    def _scale(self, x, factors):
        result = x.copy()
        result.data = (result.data * factors).astype(result.data.dtype, copy=False)
        return result


class ColScaleCSC(_ScaleCSC):
    """A csc matrix with column ``j`` multiplied by ``s[j]``."""

    def perform(self, node, inputs, outputs):
        x, s = inputs
        assert x.shape[1] == s.shape[0], "one factor per column"
        outputs[0][0] = self._scale(x, np.repeat(s, np.diff(x.indptr)))

    def grad(self, inputs, gout):
        (x, s), (gz,) = inputs, gout
        return [col_scale(gz, s), sp_sum(x * gz, axis=0)]


class RowScaleCSC(_ScaleCSC):
    """A csc matrix with row ``i`` multiplied by ``s[i]``."""

    def perform(self, node, inputs, outputs):
        x, s = inputs
        assert x.shape[0] == s.shape[0], "one factor per row"
        outputs[0][0] = self._scale(x, s[x.indices])

    def grad(self, inputs, gout):
        (x, s), (gz,) = inputs, gout
        return [row_scale(gz, s), sp_sum(x * gz, axis=1)]


def col_scale(x, s):
    """`x` with column ``j`` multiplied by ``s[j]``.

    Parameters
    ----------
    x : SparseVariable
        A csr or csc matrix.
    s : vector
        One factor per column.

    Raises
    ------
    NotImplementedError
        `x` has another format.
    """
    if x.format == "csc":
        return ColScaleCSC()(x, s)
    if x.format == "csr":
        return RowScaleCSC()(x.T, s).T
    raise NotImplementedError()


def row_scale(x, s):
    """`x` with row ``i`` multiplied by ``s[i]`` (see `col_scale`)."""
    return col_scale(x.T, s).T


class Diag(Op):
    """The diagonal of a square matrix, a vector."""

    __props__ = ()

    def make_node(self, x):
        """The node for one sparse matrix."""
        x = as_sparse_variable(x)
        return Apply(self, [x], [tensor.tensor(broadcastable=(False,), dtype=x.dtype)])

    def perform(self, node, inputs, outputs):
        (x,) = inputs
        if x.shape[0] != x.shape[1]:
            raise ValueError("Diag only apply on square matrix")
        outputs[0][0] = x.diagonal()

    def grad(self, inputs, gout):
        (x,), (gz,) = inputs, gout
        square = square_diagonal(gz)
        return [square if x.format == "csc" else square.T]

    def infer_shape(self, nodes, shapes):
        return [(tensor.minimum(*shapes[0]),)]


class SquareDiagonal(Op):
    """The square csc matrix with a vector on its diagonal."""

    __props__ = ()

    def make_node(self, diag):
        """The node for one vector."""
        diag = tensor.as_tensor_variable(diag)
        if diag.type.ndim != 1:
            raise TypeError("data argument must be a vector", diag.type)
        return Apply(self, [diag], [SparseType(dtype=diag.dtype, format="csc")()])

    def perform(self, node, inputs, outputs):
        (diagonal,) = inputs
        n = len(diagonal)
        ends = np.arange(n + 1, dtype="int32")
        outputs[0][0] = SparseType.format_cls["csc"]((diagonal.copy(), ends[:n], ends), (n, n))

    def grad(self, inputs, gout):
        return [diag(gout[0])]

    def infer_shape(self, nodes, shapes):
        return [(shapes[0][0], shapes[0][0])]


diag, square_diagonal = Diag(), SquareDiagonal()


class SpSum(Op):
    """Sums of a sparse matrix: all (axis ``None``), of columns (0), of rows (1).

    Parameters
    ----------
    axis : {None, 0, 1}
        What is summed over.
    sparse_grad : bool
        Whether the gradient has elements only where the matrix has stored ones.
    """

    __props__ = ("axis",)

    def __init__(self, axis=None, sparse_grad=True):
        if axis not in (None, 0, 1):
            raise ValueError("Illegal value for self.axis.")
        self.axis, self.structured, self.sparse_grad = axis, sparse_grad, sparse_grad

    def make_node(self, x):
        """The node for one sparse matrix."""
        x = as_sparse_variable(x)
        assert x.format in ("csr", "csc")
        return Apply(self, [x], [tensor.TensorType(broadcastable=() if self.axis is None else (False,), dtype=x.dtype)()])

    def perform(self, node, inputs, outputs):
        (x,) = inputs
        total = x.sum() if self.axis is None else np.asarray(x.sum(axis=self.axis)).ravel()
        outputs[0][0] = np.asarray(total, dtype=node.outputs[0].dtype)

    def grad(self, inputs, gout):
        (x,), (gz,) = inputs, gout
        if x.dtype not in tensor.continuous_dtypes:
            return [x.zeros_like().astype(config.floatX)]
        if self.structured:
            if self.axis is None:
                return [gz * sp_ones_like(x)]
            return [(col_scale if self.axis == 0 else row_scale)(sp_ones_like(x), gz)]
        dense = dense_from_sparse(x)
        if _is_sparse_variable(gz):
            gz = dense_from_sparse(gz)
        if self.axis is not None:
            gz = gz.dimshuffle(*(("x", 0) if self.axis == 0 else (0, "x")))
        return [SparseFromDense(x.format)(tensor.second(dense, gz))]

    def infer_shape(self, node, shapes):
        return [() if self.axis is None else (shapes[0][1 - self.axis],)]

    def __str__(self):
        return f"{self.__class__.__name__}{{axis={self.axis}}}"


def sp_sum(x, axis=None, sparse_grad=False):
    """Sum of a sparse matrix over an axis, or of all elements.

    Parameters
    ----------
    x : SparseVariable
        The matrix.
    axis : {None, 0, 1}
        What is summed over.
    sparse_grad : bool
        Whether the gradient has elements only where the matrix has stored ones.
    """
    return SpSum(axis, sparse_grad)(x)


class HStack(Op):
    """Sparse matrices side by side.

    Parameters
    ----------
    format : {'csr', 'csc'}, optional
        Of the result, csc by default.
    dtype : str
        Of the result.
    """

    __props__ = ("format", "dtype")
    axis = 1

    def __init__(self, format=None, dtype=None):
        self.format = "csc" if format is None else format
        if dtype is None:
            raise ValueError("The output dtype must be specified.")
        self.dtype = dtype

    def make_node(self, *mat):
        """The node for one or more sparse matrices."""
        if not mat:
            raise ValueError("Cannot join an empty list of sparses.")
        blocks = [as_sparse_variable(x) for x in mat]
        return Apply(self, blocks, [SparseType(dtype=self.dtype, format=self.format)()])

    def perform(self, node, block, outputs):
        import scipy.sparse

        stack = scipy.sparse.hstack if self.axis == 1 else scipy.sparse.vstack
        joined = stack([b.astype(self.dtype) for b in block], format=self.format, dtype=self.dtype)
        outputs[0][0] = SparseType.format_cls[self.format](joined)

    def grad(self, inputs, gout):
        (gz,) = gout
        if _is_sparse_variable(gz):
            gz = dense_from_sparse(gz)
        sizes = tensor.stack([x.shape[self.axis] for x in inputs])
        parts = tensor.Split(len(inputs))(gz, self.axis, sizes)
        parts = parts if isinstance(parts, (list, tuple)) else [parts]
        return [
            SparseFromDense(x.format)(part.astype(x.dtype)) if x.dtype in tensor.continuous_dtypes
            else x.zeros_like().astype(config.floatX)
            for x, part in zip(inputs, parts)
        ]  # fmt: skip

    def infer_shape(self, node, ins_shapes):
        total = sum((shape[self.axis] for shape in ins_shapes[1:]), ins_shapes[0][self.axis])
        other = ins_shapes[0][1 - self.axis]
        return [(other, total) if self.axis == 1 else (total, other)]

    def __str__(self):
        return f"{self.__class__.__name__}({self.format},{self.dtype})"


class VStack(HStack):
    """Sparse matrices one below the other (see `HStack`)."""

    axis = 0


def _stack(op_class, blocks, format, dtype):
    blocks = [as_sparse_variable(block) for block in blocks]
    if dtype is None:
        dtype = tensor.scal.upcast(*[block.dtype for block in blocks])
    return op_class(format=format, dtype=dtype)(*blocks)


def hstack(blocks, format=None, dtype=None):
    """Sparse matrices side by side.

    Parameters
    ----------
    blocks : list of SparseVariable
        With equal numbers of rows.
    format : {'csr', 'csc'}, optional
        Of the result, csc by default.
    dtype : str, optional
        Of the result, the common one by default.
    """
    return _stack(HStack, blocks, format, dtype)


def vstack(blocks, format=None, dtype=None):
    """Sparse matrices one below the other (see `hstack`)."""
    return _stack(VStack, blocks, format, dtype)
