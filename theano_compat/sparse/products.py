"""Matrix products with sparse factors."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat import tensor
from theano_compat.gof import Apply, Op
from theano_compat.gradient import grad_not_implemented
from theano_compat.sparse.convert import SparseFromDense, dense_from_sparse
from theano_compat.sparse.csm import CSC, CSR, coordinates, csm_properties
from theano_compat.sparse.type import SparseType, issparse
from theano_compat.sparse.variables import (
    _is_dense_variable,
    _is_sparse_variable,
    as_sparse_or_tensor_variable,
    as_sparse_variable,
)

__all__ = [
    "Dot", "SamplingDot", "StructuredDot", "StructuredDotGradCSC", "StructuredDotGradCSR", "TrueDot", "Usmm", "_dot",
    "_structured_dot", "dot", "sampling_dot", "sdg_csc", "sdg_csr", "structured_dot", "structured_dot_grad", "true_dot",
    "usmm",
]  # fmt: skip

#: Elements of one block of gathered rows: bounds the memory of sampled products.
_BLOCK = 1 << 20


def sampled_products(x: np.ndarray, y: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """``x[rows[k]] . y[columns[k]]`` for each k, in blocks of bounded memory."""
    result = np.empty(len(rows), dtype=np.result_type(x, y))
    step = max(1, _BLOCK // max(1, x.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        np.einsum("ij,ij->i", x[rows[part]], y[columns[part]], out=result[part])
    return result


class TrueDot(Op):
    """The product of a sparse matrix and a sparse or dense one, as a sparse matrix.

    Parameters
    ----------
    grad_preserves_dense : bool
        Whether the gradient of a dense factor is dense.
    """

    __props__ = ()

    def __init__(self, grad_preserves_dense=True):
        self.grad_preserves_dense = grad_preserves_dense

    def __eq__(self, other):
        return type(self) is type(other) and self.grad_preserves_dense == other.grad_preserves_dense

    def __hash__(self):
        return hash((type(self), self.grad_preserves_dense))

    def __ne__(self, other):
        return not self == other

    def make_node(self, x, y):
        """The node for a sparse matrix and a sparse or dense one."""
        x, y = as_sparse_or_tensor_variable(x), as_sparse_or_tensor_variable(y)
        if not _is_sparse_variable(x):
            raise TypeError(x)
        assert y.ndim == 2
        dtype = scal.upcast(x.type.dtype, y.type.dtype)
        return Apply(self, [x, y], [SparseType(dtype=dtype, format=x.type.format)()])

    def perform(self, node, inp, out_):
        x, y = inp
        out = node.outputs[0].type
        out_[0][0] = SparseType.format_cls[out.format](x @ y, dtype=out.dtype)

    def grad(self, inputs, gout):
        (x, y), (gz,) = inputs, gout
        gx, gy = true_dot(gz, y.T), true_dot(x.T, gz)
        if _is_dense_variable(y) and self.grad_preserves_dense:
            gy = dense_from_sparse(gy)
        return [gx, gy]

    def infer_shape(self, node, shapes):
        return [(shapes[0][0], shapes[1][1])]


def true_dot(x, y, grad_preserves_dense=True):
    """The product of two matrices, at least one of them sparse, as a sparse matrix.

    Parameters
    ----------
    x, y : SparseVariable or matrix
        The factors.
    grad_preserves_dense : bool
        Whether the gradient of a dense factor is dense.
    """
    x, y = as_sparse_or_tensor_variable(x), as_sparse_or_tensor_variable(y)
    if not _is_sparse_variable(x) and not _is_sparse_variable(y):
        raise TypeError("true_dot needs at least one sparse factor")
    op = TrueDot(grad_preserves_dense)
    return op(x, y) if _is_sparse_variable(x) else op(y.T, x.T).T


class StructuredDot(Op):
    """The product of a sparse matrix and a dense (or sparse) one; the result is dense (or sparse).

    Notes
    -----
    The gradient of the sparse factor has elements only where it stores some.
    """

    __props__ = ()

    def make_node(self, a, b):
        """The node for a sparse matrix and a dense or sparse one."""
        a = as_sparse_variable(a)
        if a.format not in ("csr", "csc", "bsr"):
            raise NotImplementedError("non-csr/csc/bsr a")
        b = as_sparse_or_tensor_variable(b)
        dtype = scal.upcast(a.type.dtype, b.type.dtype)
        if b.type.ndim != 2:
            raise NotImplementedError("non-matrix b")
        if _is_sparse_variable(b):
            return Apply(self, [a, b], [SparseType(a.type.format, dtype)()])
        return Apply(self, [a, b], [tensor.tensor(dtype, (False, b.type.broadcastable[1]))])

    def perform(self, node, inputs, outputs):
        a, b = inputs
        if a.shape[1] != b.shape[0]:
            raise ValueError("shape mismatch in StructuredDot.perform", (a.shape, b.shape))
        product, out = a @ b, node.outputs[0].type
        if isinstance(out, SparseType):
            outputs[0][0] = SparseType.format_cls[out.format](product, dtype=out.dtype)
        else:
            outputs[0][0] = np.asarray(product, dtype=out.dtype)

    def grad(self, inputs, gout):
        (a, b), (gz,) = inputs, gout
        if _is_sparse_variable(b):
            ga = true_dot(gz, b.T)
            gb = true_dot(a.T, gz)
            return [_in_format(ga, a.format), _in_format(gb, b.format)]
        return [structured_dot_grad(a, b, gz), structured_dot(a.T, gz)]

    def infer_shape(self, node, shapes):
        return [(shapes[0][0], shapes[1][1])]


def _in_format(x, format):
    return x if x.format == format else SparseFromDense(format)(dense_from_sparse(x))


_structured_dot = StructuredDot()


def structured_dot(x, y):
    """The product of two matrices, at least one of them sparse; its gradient to the sparse one is structured.

    Parameters
    ----------
    x, y : SparseVariable or matrix
        The factors.

    Raises
    ------
    TypeError
        Neither is sparse.
    """
    x, y = as_sparse_or_tensor_variable(x), as_sparse_or_tensor_variable(y)
    if not _is_sparse_variable(x) and not _is_sparse_variable(y):
        raise TypeError("structured_dot requires at least one sparse argument")
    return _structured_dot(x, y) if _is_sparse_variable(x) else _structured_dot(y.T, x.T).T


class _StructuredDotGrad(Op):
    """The stored elements of the gradient of `StructuredDot` to its sparse factor, a vector."""

    __props__ = ()
    format = ""

    def make_node(self, a_indices, a_indptr, b, g_ab):
        """The node for the places of the sparse factor, the dense factor and the gradient of the product."""
        inputs = [tensor.as_tensor_variable(v) for v in (a_indices, a_indptr, b, g_ab)]
        return Apply(self, inputs, [tensor.tensor(inputs[3].dtype, (False,))])

    def perform(self, node, inputs, outputs):
        indices, indptr, b, g_ab = inputs
        rows, columns = coordinates(self.format, indices, indptr)
        outputs[0][0] = sampled_products(g_ab, b, rows, columns).astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, shapes):
        return [shapes[0]]


class StructuredDotGradCSC(_StructuredDotGrad):
    """The stored elements of the gradient of `StructuredDot` to a csc factor, a vector."""

    format = "csc"


class StructuredDotGradCSR(_StructuredDotGrad):
    """The stored elements of the gradient of `StructuredDot` to a csr factor, a vector."""

    format = "csr"


sdg_csc, sdg_csr = StructuredDotGradCSC(), StructuredDotGradCSR()


def structured_dot_grad(sparse_A, dense_B, ga):
    """The gradient of ``structured_dot(sparse_A, dense_B)`` to `sparse_A`, with elements where that stores some.

    Parameters
    ----------
    sparse_A : SparseVariable
        The csr or csc factor.
    dense_B : matrix
        The dense factor.
    ga : matrix
        The gradient of the product.
    """
    if sparse_A.type.format not in ("csc", "csr"):
        raise NotImplementedError()
    gradient, build = (sdg_csc, CSC) if sparse_A.type.format == "csc" else (sdg_csr, CSR)
    _, indices, indptr, shape = csm_properties(sparse_A)
    return build(gradient(indices, indptr, dense_B, ga), indices, indptr, shape)


class SamplingDot(Op):
    """``p * dot(x, y.T)``, computed only where the sparse `p` stores elements."""

    __props__ = ()

    def make_node(self, x, y, p):
        """The node for two dense matrices and a sparse one."""
        x, y, p = tensor.as_tensor_variable(x), tensor.as_tensor_variable(y), as_sparse_variable(p)
        assert p.format in ("csr", "csc")
        if x.ndim != 2 or y.ndim != 2:
            raise TypeError("sampling_dot takes two matrices")
        dtype = scal.upcast(x.type.dtype, y.type.dtype, p.type.dtype)
        return Apply(self, [x, y, p], [SparseType(dtype=dtype, format=p.type.format)()])

    def perform(self, node, inputs, outputs):
        x, y, p = inputs
        if (x.shape[0], y.shape[0]) != p.shape or x.shape[1] != y.shape[1]:
            raise ValueError("shape mismatch in SamplingDot.perform", (x.shape, y.shape, p.shape))
        products = sampled_products(x, y, *coordinates(p.format, p.indices, p.indptr))
        result = p.astype(node.outputs[0].dtype)
        result.data = (p.data * products).astype(node.outputs[0].dtype, copy=False)
        outputs[0][0] = result

    def grad(self, inputs, gout):
        (x, y, p), (gz,) = inputs, gout
        weights = p * gz
        return [dot(weights, y), dot(weights.T, x), grad_not_implemented(self, 2, p)]

    def infer_shape(self, node, ins_shapes):
        return [ins_shapes[2]]


sampling_dot = SamplingDot()


class Dot(Op):
    """The product of two matrices or of a matrix and a vector, at least one factor sparse, as a dense array.

    Notes
    -----
    The gradient is the usual one: it has elements where the sparse factor stores none.
    """

    __props__ = ()

    def __str__(self):
        return "Sparse" + self.__class__.__name__

    def make_node(self, x, y):
        """The node for two factors, at least one sparse."""
        x, y = as_sparse_or_tensor_variable(x), as_sparse_or_tensor_variable(y)
        sparse = _is_sparse_variable(x), _is_sparse_variable(y)
        if not any(sparse):
            raise TypeError("Dot needs at least one sparse factor")
        for factor, is_sparse in zip((x, y), sparse):
            if not is_sparse and factor.ndim not in (1, 2):
                raise TypeError(f"theano.sparse.Dot: input must be a vector or a matrix, not of {factor.ndim} dimensions")
        rows = () if x.ndim == 1 else ((False,) if sparse[0] else x.type.broadcastable[:1])
        columns = () if y.ndim == 1 else ((False,) if sparse[1] else y.type.broadcastable[1:])
        dtype = scal.upcast(x.type.dtype, y.type.dtype)
        return Apply(self, [x, y], [tensor.tensor(dtype=dtype, broadcastable=(*rows, *columns))])

    def perform(self, node, inputs, out):
        x, y = inputs
        product = x @ y if issparse(x) else (y.T @ x.T).T
        if issparse(product):
            product = product.toarray()
        out[0][0] = np.asarray(product, dtype=node.outputs[0].dtype)

    def grad(self, inputs, gout):
        (x, y), (gz,) = inputs, gout
        if y.ndim == 1:
            gx = tensor.outer(gz, y)
        else:
            gx = dot(gz, y.T) if _is_sparse_variable(y) else tensor.dot(gz, y.T)
        if x.ndim == 1:
            gy = tensor.outer(x, gz)
        else:
            gy = dot(x.T, gz) if _is_sparse_variable(x) else tensor.dot(x.T, gz)
        return [SparseFromDense(v.format)(g) if _is_sparse_variable(v) else g for v, g in ((x, gx), (y, gy))]

    def infer_shape(self, node, shapes):
        x, y = shapes
        return [(*x[:-1], *y[1:])]


_dot = Dot()


def dot(x, y):
    """The product of two matrices or of a matrix and a vector, at least one factor sparse, as a dense array.

    Parameters
    ----------
    x, y : SparseVariable, scipy.sparse matrix, matrix or vector
        The factors.

    Raises
    ------
    TypeError
        Neither is sparse.
    """
    x, y = (as_sparse_variable(v) if issparse(v) else as_sparse_or_tensor_variable(v) for v in (x, y))
    if not _is_sparse_variable(x) and not _is_sparse_variable(y):
        raise TypeError()
    return _dot(x, y)


class Usmm(Op):
    """``z + alpha * dot(x, y)`` with a sparse `x` or `y`, dense."""

    __props__ = ()

    def __str__(self):
        return "Usmm{no_inplace}"

    def make_node(self, alpha, x, y, z):
        """The node for a scalar, two factors of which one is sparse, and a dense matrix."""
        x, y = as_sparse_or_tensor_variable(x), as_sparse_or_tensor_variable(y)
        alpha, z = tensor.as_tensor_variable(alpha), tensor.as_tensor_variable(z)
        if not _is_sparse_variable(x) and not _is_sparse_variable(y):
            raise TypeError(x)
        assert all(alpha.type.broadcastable), "alpha has one element"
        assert x.ndim == y.ndim == z.ndim == 2
        dtype = scal.upcast(*[v.type.dtype for v in (alpha, x, y, z)])
        return Apply(self, [alpha, x, y, z], [tensor.tensor(dtype=dtype, broadcastable=(False, False))])

    def perform(self, node, inputs, outputs):
        alpha, x, y, z = inputs
        product = x @ y if issparse(x) else (y.T @ x.T).T
        product = product.toarray() if issparse(product) else product
        dtype = node.outputs[0].dtype
        outputs[0][0] = np.asarray(np.asarray(alpha).reshape(()) * product + z, dtype=dtype)

    def infer_shape(self, node, shapes):
        return [(shapes[1][0], shapes[2][1])]


usmm = Usmm()
