"""Indexing the first dimension by one vector of integers."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op, ParamsType
from theano_compat.gradient import DisconnectedType
from theano_compat.scalar import bool as bool_t
from theano_compat.tensor import basic as tb
from theano_compat.tensor.subtensor.inc import _sum_grad_over_bcasted_dims, float_zeros_like
from theano_compat.tensor.subtensor.indices import INDEX_DTYPES, not_integers


def _check_row_index(x, ilist) -> None:
    if ilist.type.dtype not in INDEX_DTYPES:
        raise TypeError(f"index must be integers{not_integers(ilist)}")
    if ilist.type.ndim != 1:
        raise TypeError("index must be vector")
    if x.type.ndim == 0:
        raise TypeError("cannot index into a scalar")


class AdvancedSubtensor1(Op):
    """Take rows: ``x[ilist]`` for a vector of integers.

    Parameters
    ----------
    sparse_grad
        Give the gradient as a sparse matrix (2-d inputs only).

    Notes
    -----
    Output of shape ``(len(ilist),) + x.shape[1:]`` and the dtype of `x`, always fresh memory.
    """

    __props__ = ()
    _f16_ok = True
    check_input = False

    def __init__(self, sparse_grad=False):
        self.sparse_grad = sparse_grad

    def make_node(self, x, ilist):
        x, ilist = tb.as_tensor_variable(x), tb.as_tensor_variable(ilist)
        _check_row_index(x, ilist)
        pattern = ilist.broadcastable + x.broadcastable[1:]
        return Apply(self, [x, ilist], [tb.TensorType(dtype=x.dtype, broadcastable=pattern)()])

    def perform(self, node, inp, out_):
        x, i = inp
        (out,) = out_
        if i.dtype != np.intp:
            if i.dtype == np.uint64 and i.size and i.max() > np.iinfo(np.intp).max:
                raise IndexError(f"index {i.max()} is out of bounds for axis 0 with size {len(x)}")
            i = i.astype(np.intp)
        out[0] = x.take(i, axis=0)

    def connection_pattern(self, node):
        return [[True]] + [[False] for _ in node.inputs[1:]]

    def grad(self, inputs, grads):
        x, ilist = inputs
        (gz,) = grads
        if self.sparse_grad:
            if x.type.ndim != 2:
                raise TypeError(
                    "AdvancedSubtensor1: you can't take the sparse grad"
                    f" from a tensor with ndim != 2. ndim is {x.type.ndim}"
                )
            from theano_compat import sparse

            return [sparse.construct_sparse_from_list(x, gz, ilist), DisconnectedType()()]
        if x.dtype in tb.discrete_dtypes:
            gx = float_zeros_like(x)
        elif x.dtype in tb.complex_dtypes:
            raise NotImplementedError("No support for complex grad yet")
        else:
            gx = advanced_inc_subtensor1(x.zeros_like(), gz, ilist)
        return [gx, DisconnectedType()()]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        return self.make_node(eval_points[0], *inputs[1:]).outputs

    def infer_shape(self, node, ishapes):
        x, ilist = ishapes
        return [tuple(ilist) + tuple(x[1:])]


class AdvancedIncSubtensor1(Op):
    """Return `x` with the rows of `y` added to (or written into) ``x[ilist]``.

    Parameters
    ----------
    inplace
        Work on the input itself.
    set_instead_of_inc
        Write instead of adding.

    Notes
    -----
    A row that is named several times receives every one of its increments; of several values
    written to one row the last stays.
    """

    __props__ = ("inplace", "set_instead_of_inc")
    check_input = False
    params_type = ParamsType(inplace=bool_t, set_instead_of_inc=bool_t)

    def __init__(self, inplace=False, set_instead_of_inc=False):
        self.inplace = bool(inplace)
        self.set_instead_of_inc = bool(set_instead_of_inc)
        if inplace:
            self.destroy_map = {0: [0]}

    def clone_inplace(self):
        """Give the same op, working in place."""
        return type(self)(inplace=True, set_instead_of_inc=self.set_instead_of_inc)

    def __str__(self):
        place = "inplace" if self.inplace else "no_inplace"
        return f"{type(self).__name__}{{{place},{'set' if self.set_instead_of_inc else 'inc'}}}"

    def make_node(self, x, y, ilist):
        x, y, ilist = (tb.as_tensor_variable(v) for v in (x, y, ilist))
        _check_row_index(x, ilist)
        if y.type.ndim > x.type.ndim:
            word = "set" if self.set_instead_of_inc else "increment"
            raise TypeError(
                f"cannot {word} x subtensor with ndim={x.type.ndim} by y with ndim={y.type.ndim}"
                " to x subtensor with ndim=? "
            )
        return Apply(self, [x, y, ilist], [x.type()])

    def copy_of_x(self, x):
        """C expression of a fresh copy of the array named `x`."""
        return f"(PyArrayObject*)PyArray_FromAny(py_{x}, NULL, 0, 0, NPY_ARRAY_ENSURECOPY, NULL)"

    def perform(self, node, inp, out_, params=None):
        x, y, idx = inp
        if not self.inplace:
            x = x.copy()
        if idx.dtype == np.uint64:
            idx = idx.astype(np.intp)
        if self.set_instead_of_inc:
            x[idx] = y
        else:
            np.add.at(x, idx, y)
        out_[0][0] = x

    def infer_shape(self, node, ishapes):
        return [ishapes[0]]

    def R_op(self, inputs, eval_points):
        if None in eval_points[:2]:
            return [None]
        return self.make_node(eval_points[0], eval_points[1], *inputs[2:]).outputs

    def connection_pattern(self, node):
        return [[True], [True], [False]]

    def grad(self, inputs, grads):
        (g_output,) = grads
        x, y, index = inputs
        if x.dtype in tb.discrete_dtypes:
            gx, gy = float_zeros_like(x), float_zeros_like(y)
        elif x.dtype in tb.complex_dtypes:
            raise NotImplementedError("No support for complex grad yet")
        else:
            if self.set_instead_of_inc:
                gx = advanced_set_subtensor1(g_output, y.zeros_like(), index)
            else:
                gx = g_output
            gy = _sum_grad_over_bcasted_dims(y, advanced_subtensor1(g_output, index))
        return [gx, gy, DisconnectedType()()]


advanced_subtensor1 = AdvancedSubtensor1()
advanced_inc_subtensor1 = AdvancedIncSubtensor1()
advanced_set_subtensor1 = AdvancedIncSubtensor1(set_instead_of_inc=True)
