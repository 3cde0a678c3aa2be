"""Ops on the arrays of sparse matrices, which rewrites put in place of the ops on matrices."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat import tensor
from theano_compat.gof import Apply, Op
from theano_compat.sparse.csm import CSMGrad, coordinates
from theano_compat.sparse.products import sampled_products
from theano_compat.sparse.type import SparseType
from theano_compat.sparse.variables import as_sparse_variable

__all__ = [
    "AddSD_ccode", "CSMGradC", "MulSDCSC", "MulSDCSR", "MulSVCSR", "SamplingDotCSR", "StructuredAddSVCSR",
    "StructuredDotCSC", "StructuredDotCSR", "UsmmCscDense", "csm_grad_c", "mul_s_d_csc", "mul_s_d_csr", "mul_s_v_csr",
    "sampling_dot_csr", "sd_csc", "sd_csr", "structured_add_s_v_csr", "usmm_csc_dense", "usmm_csc_dense_inplace",
]  # fmt: skip


def _tensors(*values):
    return [tensor.as_tensor_variable(value) for value in values]


def _compressed(format: str, data, indices, indptr, shape):
    return SparseType.format_cls[format]((data, indices, indptr), shape=shape, copy=False)


class StructuredDotCSC(Op):
    """The dense product of a csc matrix, given by its arrays and its number of rows, and a dense matrix."""

    __props__ = ()

    def make_node(self, a_val, a_ind, a_ptr, a_nrows, b):
        """The node for data, indices, indptr and number of rows of the sparse factor, and the dense one."""
        inputs = _tensors(a_val, a_ind, a_ptr, a_nrows, b)
        dtype = scal.upcast(inputs[0].type.dtype, inputs[4].type.dtype)
        return Apply(self, inputs, [tensor.tensor(dtype, (False, inputs[4].type.broadcastable[1]))])

    def perform(self, node, inputs, outputs):
        data, indices, indptr, n_rows, b = inputs
        a = _compressed("csc", data, indices, indptr, (int(n_rows), b.shape[0]))
        outputs[0][0] = np.asarray(a @ b, dtype=node.outputs[0].dtype)

    def infer_shape(self, node, shapes):
        return [(node.inputs[3], shapes[4][1])]


class StructuredDotCSR(Op):
    """The dense product of a csr matrix, given by its arrays, and a dense matrix."""

    __props__ = ()

    def make_node(self, a_val, a_ind, a_ptr, b):
        """The node for data, indices and indptr of the sparse factor, and the dense one."""
        inputs = _tensors(a_val, a_ind, a_ptr, b)
        dtype = scal.upcast(inputs[0].type.dtype, inputs[3].type.dtype)
        return Apply(self, inputs, [tensor.tensor(dtype, (False, inputs[3].type.broadcastable[1]))])

    def perform(self, node, inputs, outputs):
        data, indices, indptr, b = inputs
        a = _compressed("csr", data, indices, indptr, (len(indptr) - 1, b.shape[0]))
        outputs[0][0] = np.asarray(a @ b, dtype=node.outputs[0].dtype)

    def infer_shape(self, node, shapes):
        return [(shapes[2][0] - 1, shapes[3][1])]


class UsmmCscDense(Op):
    """``z + alpha * dot(x, y)`` of a csc matrix `x`, given by its arrays, and dense `y` and `z`.

    Parameters
    ----------
    inplace : bool
        Add into `z` itself.
    """

    __props__ = ("inplace",)

    def __init__(self, inplace):
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [6]}

    def __str__(self):
        return f"{self.__class__.__name__}{{{'inplace' if self.inplace else 'no_inplace'}}}"

    def make_node(self, alpha, x_val, x_ind, x_ptr, x_nrows, y, z):
        """The node; everything is converted to the common dtype, and `alpha` to a matrix of one element."""
        alpha, x_val, x_ind, x_ptr, x_nrows, y, z = _tensors(alpha, x_val, x_ind, x_ptr, x_nrows, y, z)
        assert all(v.dtype in tensor.integer_dtypes for v in (x_ind, x_ptr, x_nrows))
        assert all(alpha.type.broadcastable) and x_val.ndim == x_ind.ndim == x_ptr.ndim == 1
        assert x_nrows.ndim == 0 and y.ndim == z.ndim == 2
        dtype = scal.upcast(alpha.dtype, x_val.dtype, y.dtype, z.dtype)
        if dtype not in ("float32", "float64"):
            raise NotImplementedError("only float types are supported in UsmmCscDense")
        if self.inplace:
            assert z.type.dtype == dtype
        alpha, x_val, y, z = (v if v.dtype == dtype else tensor.cast(v, dtype) for v in (alpha, x_val, y, z))
        if alpha.ndim < 2:
            alpha = alpha.dimshuffle(*["x"] * (2 - alpha.ndim), *range(alpha.ndim))
        out = tensor.tensor(dtype, (False, y.type.broadcastable[1]) if not self.inplace else z.type.broadcastable)
        return Apply(self, [alpha, x_val, x_ind, x_ptr, x_nrows, y, z], [out])

    def perform(self, node, inputs, outputs):
        alpha, data, indices, indptr, n_rows, y, z = inputs
        product = _compressed("csc", data, indices, indptr, (int(n_rows), y.shape[0])) @ y
        product *= alpha.reshape(())
        outputs[0][0] = np.add(z, product, out=z if self.inplace else product)

    def infer_shape(self, node, shapes):
        return [shapes[6]]


class CSMGradC(CSMGrad):
    """`CSMGrad` by another name."""


class _OnData(Op):
    """New data for a sparse matrix given by its arrays, from a dense operand."""

    __props__ = ()
    format = "csr"
    ndim = 2

    def make_node(self, a_data, a_indices, a_indptr, b):
        """The node for data, indices and indptr of the matrix, and the dense operand."""
        inputs = _tensors(a_data, a_indices, a_indptr, b)
        assert inputs[3].type.ndim == self.ndim
        return Apply(self, inputs, [tensor.tensor(scal.upcast(inputs[0].dtype, inputs[3].dtype), (False,))])

    def infer_shape(self, node, shapes):
        return [shapes[0]]


class _MulSD(_OnData):
    def perform(self, node, inputs, outputs):
        data, indices, indptr, b = inputs
        rows, columns = coordinates(self.format, indices, indptr)
        flags = node.inputs[3].type.broadcastable
        picked = b[0 if flags[0] else rows, 0 if flags[1] else columns]
        outputs[0][0] = np.multiply(data, picked).astype(node.outputs[0].dtype, copy=False)


class MulSDCSC(_MulSD):
    """The data of the elementwise product of a csc and a dense matrix."""

    format = "csc"


class MulSDCSR(_MulSD):
    """The data of the elementwise product of a csr and a dense matrix."""


class MulSVCSR(_OnData):
    """The data of a csr matrix with column ``j`` multiplied by ``b[j]``."""

    ndim = 1

    def perform(self, node, inputs, outputs):
        data, indices, _, b = inputs
        outputs[0][0] = data * b[indices]


class StructuredAddSVCSR(_OnData):
    """The data of a csr matrix with ``b[j]`` added to the stored elements of column ``j``."""

    ndim = 1

    def perform(self, node, inputs, outputs):
        data, indices, _, b = inputs
        outputs[0][0] = data + b[indices]


class SamplingDotCSR(Op):
    """The arrays of ``p * dot(x, y.T)`` for a csr matrix `p`, given by its arrays."""

    __props__ = ()

    def make_node(self, x, y, p_data, p_ind, p_ptr, p_ncols):
        """The node for two dense matrices, and data, indices, indptr and number of columns of the sparse one."""
        inputs = _tensors(x, y, p_data, p_ind, p_ptr, p_ncols)
        assert inputs[5].dtype in tensor.integer_dtypes
        dtype = scal.upcast(*[v.type.dtype for v in inputs[:3]])
        return Apply(self, inputs, [tensor.tensor(dtype=dtype, broadcastable=(False,)), inputs[3].type(), inputs[4].type()])

    def perform(self, node, inputs, outputs):
        x, y, data, indices, indptr, n_columns = inputs
        if (x.shape[0], y.shape[0]) != (len(indptr) - 1, int(n_columns)) or x.shape[1] != y.shape[1]:
            raise ValueError("shape mismatch in SamplingDotCSR.perform", (x.shape, y.shape))
        products = sampled_products(x, y, *coordinates("csr", indices, indptr))
        outputs[0][0] = (data * products).astype(node.outputs[0].dtype, copy=False)
        outputs[1][0], outputs[2][0] = indices.copy(), indptr.copy()

    def infer_shape(self, node, shapes):
        return shapes[2:5]


class AddSD_ccode(Op):
    """The sum of a sparse matrix, given by its arrays, and a dense one.

    Parameters
    ----------
    format : {'csr', 'csc'}
        Of the sparse matrix.
    inplace : bool
        Add into the dense matrix itself.
    """

    __props__ = ("format", "inplace")

    def __init__(self, format, inplace=False, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.format, self.inplace = format, inplace
        if inplace:
            self.destroy_map = {0: [3]}

    def __str__(self):
        return f"{self.__class__.__name__}{{{self.format}{',inplace' if self.inplace else ''}}}"

    def make_node(self, x, y):
        """The node for a sparse matrix of the op's format and a dense matrix."""
        from theano_compat.sparse.csm import csm_properties

        x, y = as_sparse_variable(x), tensor.as_tensor_variable(y)
        assert y.type.ndim == 2 and x.format == self.format
        dtype = scal.upcast(x.type.dtype, y.type.dtype)
        data, indices, indptr, _ = csm_properties(x)
        return Apply(self, [data, indices, indptr, y], [tensor.TensorType(dtype, y.type.broadcastable)()])

    def perform(self, node, inputs, outputs):
        data, indices, indptr, y = inputs
        total = y if self.inplace else np.array(y, dtype=node.outputs[0].dtype)
        minor = 1 if self.format == "csr" else 0
        assert total.shape[1 - minor] == len(indptr) - 1
        np.add.at(total, coordinates(self.format, indices, indptr), data)  # places may be stored more than once
        outputs[0][0] = total

    def infer_shape(self, node, shapes):
        return [shapes[3]]


sd_csc, sd_csr = StructuredDotCSC(), StructuredDotCSR()
usmm_csc_dense, usmm_csc_dense_inplace = UsmmCscDense(inplace=False), UsmmCscDense(inplace=True)
csm_grad_c = CSMGradC()
mul_s_d_csc, mul_s_d_csr, mul_s_v_csr = MulSDCSC(), MulSDCSR(), MulSVCSR()
structured_add_s_v_csr, sampling_dot_csr = StructuredAddSVCSR(), SamplingDotCSR()
