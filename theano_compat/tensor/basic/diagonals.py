"""Diagonals: taking one out of an array, and making an array around one."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.tensor.basic import elementwise as ew
from theano_compat.tensor.basic.conversion import as_tensor_variable
from theano_compat.tensor.type import TensorType

numpy_diagonal_return_view = True


class ExtractDiag(Op):
    """A diagonal of the planes of two dimensions; it becomes the last dimension.

    Parameters
    ----------
    offset : int
        How far above the main diagonal.
    axis1, axis2 : int
        The dimensions that span the planes; 0 and 1 if both are 0.
    view : bool
        Share the memory of the input.
    """

    __props__ = ("offset", "axis1", "axis2", "view")

    def __init__(self, offset=0, axis1=0, axis2=1, view=False):
        self.view = view
        if self.view and not numpy_diagonal_return_view:
            self.view = False
        if self.view:
            self.view_map = {0: [0]}
        self.offset, self.axis1, self.axis2 = offset, axis1, axis2

    def make_node(self, x):
        """Take an array of at least two dimensions."""
        x = as_tensor_variable(x)
        if x.ndim < 2:
            raise ValueError("ExtractDiag needs an input with 2 or more dimensions", x)
        return Apply(self, [x], [x.type.__class__(dtype=x.dtype, broadcastable=[False] * (x.ndim - 1))()])

    def perform(self, node, inputs, outputs):
        """Store the diagonal."""
        diagonal = inputs[0].diagonal(self.offset, self.axis1, self.axis2)
        outputs[0][0] = diagonal if self.view else diagonal.copy()

    def grad(self, inputs, gout):
        """Put the gradient back on the diagonal of zeros."""
        from theano_compat.tensor.subtensor import set_subtensor

        (x,), (gz,) = inputs, gout
        planes = AllocDiag(offset=self.offset, axis1=self.axis1, axis2=self.axis2)(gz)
        # the planes are square; cut them, and put them into the shape of x
        rows, columns = planes.shape[self.axis1], planes.shape[self.axis2]
        index = [slice(None)] * x.ndim
        index[self.axis1], index[self.axis2] = slice(0, x.shape[self.axis1]), slice(0, x.shape[self.axis2])
        planes = planes[tuple(index)]
        index[self.axis1], index[self.axis2] = slice(0, rows), slice(0, columns)
        return [set_subtensor(x.zeros_like()[tuple(index)], planes)]

    def R_op(self, inputs, eval_points):
        """Take the same diagonal of the direction."""
        return [None] if eval_points[0] is None else self(eval_points[0], return_list=True)

    def infer_shape(self, node, shapes):
        """Return the other lengths, then that of the diagonal."""
        (lengths,) = shapes
        ndim = node.inputs[0].ndim
        rows, columns = lengths[self.axis1 % ndim], lengths[self.axis2 % ndim]
        if self.offset > 0:
            length = ew.clip(columns - self.offset, 0, rows)
        else:
            length = ew.clip(rows + self.offset, 0, columns)
        others = [n for i, n in enumerate(lengths) if i not in (self.axis1 % ndim, self.axis2 % ndim)]
        return [(*others, length)]

    def __setstate__(self, state):
        self.__dict__.update(state)
        for name, default in (("offset", 0), ("axis1", 0), ("axis2", 1), ("view", False)):
            self.__dict__.setdefault(name, default)
        if self.view:
            self.view_map = {0: [0]}


class AllocDiag(Op):
    """Square planes of zeros with the last dimension of the input on a diagonal of each.

    Parameters
    ----------
    offset : int
        How far above the main diagonal.
    axis1, axis2 : int
        Which dimensions of the result span the planes.
    """

    __props__ = ("offset", "axis1", "axis2")

    def __init__(self, offset=0, axis1=0, axis2=1):
        self.offset, self.axis1, self.axis2 = offset, axis1, axis2

    def make_node(self, diag):
        """Take an array of at least one dimension."""
        diag = as_tensor_variable(diag)
        if diag.type.ndim < 1:
            raise ValueError("AllocDiag needs an input with 1 or more dimensions", diag.type)
        return Apply(self, [diag], [diag.type.__class__(dtype=diag.dtype, broadcastable=[False] * (diag.ndim + 1))()])

    def perform(self, node, inputs, outputs):
        """Store the planes."""
        (diag,) = inputs
        size = diag.shape[-1] + abs(self.offset)
        result = np.zeros((*diag.shape[:-1], size, size), dtype=diag.dtype)
        positions = np.arange(diag.shape[-1])
        result[..., positions + max(0, -self.offset), positions + max(0, self.offset)] = diag
        outputs[0][0] = np.moveaxis(result, (-2, -1), (self.axis1, self.axis2))

    def grad(self, inputs, gout):
        """Return the diagonal of the gradient."""
        return [diagonal(gout[0], offset=self.offset, axis1=self.axis1, axis2=self.axis2)]

    def R_op(self, inputs, eval_points):
        """Put the direction on a diagonal too."""
        return [None] if eval_points[0] is None else self(eval_points[0], return_list=True)

    def infer_shape(self, nodes, shapes):
        """Return the lengths with that of the diagonal, and the offset, twice."""
        (lengths,) = shapes
        ndim = len(lengths) + 1
        size = lengths[-1] + abs(self.offset)
        planes = {self.axis1 % ndim: size, self.axis2 % ndim: size}
        others = iter(lengths[:-1])
        return [tuple(planes[i] if i in planes else next(others) for i in range(ndim))]

    def __setstate__(self, state):
        self.__dict__.update(state)
        for name, default in (("offset", 0), ("axis1", 0), ("axis2", 1)):
            self.__dict__.setdefault(name, default)


def diagonal(a, offset=0, axis1=0, axis2=1):
    """Return the diagonal of `a` that lies `offset` above the main one, over two dimensions.

    Parameters
    ----------
    a : tensor_like
        Of at least two dimensions.

    Returns
    -------
    TensorVariable
        Of one dimension less; the diagonal is the last.
    """
    return ExtractDiag(offset, axis1, axis2)(a)


def diag(v, k=0):
    """Return the matrix with the vector `v` on its diagonal `k`, or the diagonal `k` of the matrix `v`."""
    v = as_tensor_variable(v)
    if v.ndim == 1:
        return AllocDiag(k)(v)
    if v.ndim >= 2:
        return diagonal(v, offset=k)
    raise ValueError("Input must has v.ndim >= 1.")


__all__ = ["AllocDiag", "ExtractDiag", "TensorType", "diag", "diagonal", "numpy_diagonal_return_view"]
