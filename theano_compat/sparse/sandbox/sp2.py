"""Random sparse matrices, drawn from NumPy's global generator."""

from __future__ import annotations

import numpy as np

from theano_compat import tensor
from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType, grad_undefined
from theano_compat.sparse.basic import (
    CSC,
    CSR,
    Cast,
    Remove0,
    SparseType,
    add_s_s,
    add_s_s_data,
    as_sparse_variable,
    bcast,
    ccast,
    csm_properties,
    dcast,
    discrete_dtypes,
    fcast,
    float_dtypes,
    icast,
    lcast,
    mul_s_d,
    mul_s_s,
    mul_s_v,
    neg,
    remove0,
    sampling_dot,
    structured_add_s_v,
    wcast,
    zcast,
)  # fmt: skip
from theano_compat.sparse.opt import (
    local_mul_s_d,
    local_mul_s_v,
    local_sampling_dot_csr,
    local_structured_add_s_v,
    mul_s_d_csc,
    mul_s_d_csr,
    mul_s_v_csr,
    sampling_dot_csr,
    structured_add_s_v_csr,
)  # fmt: skip

eliminate_zeros = remove0

__all__ = [
    "Binomial", "CSC", "CSR", "Cast", "Multinomial", "Poisson", "Remove0", "add_s_s", "add_s_s_data", "bcast", "ccast",
    "csc_dbinomial", "csc_fbinomial", "csm_properties", "csr_dbinomial", "csr_fbinomial", "dcast", "discrete_dtypes",
    "eliminate_zeros", "fcast", "float_dtypes", "icast", "lcast", "local_mul_s_d", "local_mul_s_v",
    "local_sampling_dot_csr", "local_structured_add_s_v", "mul_s_d", "mul_s_d_csc", "mul_s_d_csr", "mul_s_s", "mul_s_v",
    "mul_s_v_csr", "multinomial", "neg", "poisson", "remove0", "sampling_dot", "sampling_dot_csr", "structured_add_s_v",
    "structured_add_s_v_csr", "wcast", "zcast",
]  # fmt: skip


class Poisson(Op):
    """A matrix of Poisson draws: each stored element of the input is the mean of one."""

    __props__ = ()

    def make_node(self, x):
        """The node for one sparse matrix of means."""
        x = as_sparse_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        (x,) = inputs
        assert x.format in ("csr", "csc")
        drawn = x.copy()
        drawn.data = np.asarray(np.random.poisson(drawn.data), dtype=x.dtype)
        drawn.eliminate_zeros()
        outputs[0][0] = drawn

    def grad(self, inputs, outputs_gradients):
        return [grad_undefined(self, 0, inputs[0], "No gradient exists for class Poisson's argument, which is the mean of a draw")]

    def infer_shape(self, node, ins_shapes):
        return ins_shapes


poisson = Poisson()


class Binomial(Op):
    """A sparse matrix of counts: ``n * p`` per element on average, thrown at random places.

    Parameters
    ----------
    format : {'csr', 'csc'}
        Of the result.
    dtype : str
        Of the result.
    """

    __props__ = ("format", "dtype")

    def __init__(self, format, dtype):
        self.format, self.dtype = format, dtype

    def make_node(self, n, p, shape):
        """The node for the number of trials, the probability and the shape, an integer vector."""
        n, p, shape = map(tensor.as_tensor_variable, (n, p, shape))
        assert n.dtype in discrete_dtypes and p.dtype in float_dtypes and shape.dtype in discrete_dtypes
        return Apply(self, [n, p, shape], [SparseType(dtype=self.dtype, format=self.format)()])

    def perform(self, node, inputs, outputs):
        import scipy.sparse

        n, p, shape = inputs
        rows, columns = (int(extent) for extent in shape)
        count = int(np.random.binomial(int(n), float(p), size=rows * columns).sum()) if rows * columns else 0
        places = np.random.randint(0, max(rows, 1), size=count), np.random.randint(0, max(columns, 1), size=count)
        drawn = scipy.sparse.coo_matrix((np.ones(count, dtype=self.dtype), places), shape=(rows, columns))
        outputs[0][0] = SparseType.format_cls[self.format](drawn, dtype=self.dtype)

    def connection_pattern(self, node):
        return [[True], [True], [False]]

    def grad(self, inputs, gout):
        why = "No gradient exists for the parameters of a draw"
        return [grad_undefined(self, 0, inputs[0], why), grad_undefined(self, 1, inputs[1], why), DisconnectedType()()]

    def infer_shape(self, node, ins_shapes):
        shape = node.inputs[2]
        return [(shape[0], shape[1])]


csr_fbinomial, csc_fbinomial = Binomial("csr", "float32"), Binomial("csc", "float32")
csr_dbinomial, csc_dbinomial = Binomial("csr", "float64"), Binomial("csc", "float64")


class Multinomial(Op):
    """Counts of ``n`` draws (a scalar, or one number per row) by the probabilities in the rows of a csr matrix."""

    __props__ = ()

    def make_node(self, n, p):
        """The node for the number of draws and the probabilities."""
        n, p = tensor.as_tensor_variable(n), as_sparse_variable(p)
        assert n.dtype in discrete_dtypes and n.ndim < 2 and p.format in ("csr", "csc")
        return Apply(self, [n, p], [p.type()])

    def perform(self, node, inputs, outputs):
        n, p = inputs
        if p.format != "csr":
            raise NotImplementedError("the probabilities have to be a csr matrix")
        drawn = p.copy()
        numbers = np.broadcast_to(n, p.shape[:1])
        for row, (start, stop) in enumerate(zip(p.indptr[:-1], p.indptr[1:])):
            # the last probability is what is missing to 1
            drawn.data[start:stop] = np.random.multinomial(int(numbers[row]), p.data[start:stop].astype("float64")) if stop > start else 0
        outputs[0][0] = drawn

    def grad(self, inputs, outputs_gradients):
        why = "No gradient exists for the parameters of a draw"
        return [grad_undefined(self, k, v, why) for k, v in enumerate(inputs)]

    def infer_shape(self, node, ins_shapes):
        return [ins_shapes[1]]


multinomial = Multinomial()
