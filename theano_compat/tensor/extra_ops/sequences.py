"""Ops that walk along one dimension: cumulative sums, differences, counts, sorted search."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.gof import Apply, EnumList, Generic, Op, ParamsType
from theano_compat.gradient import DisconnectedType, grad_undefined
from theano_compat.scalar import int32 as int_t
from theano_compat.tensor import basic as tb


def _float_zeros(x):
    """Zeros of the shape of `x` in a floating dtype: the gradient of a step function."""
    if x.dtype in tb.discrete_dtypes:
        return x.zeros_like(dtype=config.floatX)
    return x.zeros_like()


class SearchsortedOp(Op):
    """Find where elements would have to be inserted into a sorted vector.

    Parameters
    ----------
    side : {'left', 'right'}
        Before or after equal elements.
    """

    params_type = Generic()
    __props__ = ("side",)

    def __init__(self, side="left"):
        if side not in ("left", "right"):
            raise ValueError(f"'{side}' is an invalid value for keyword 'side'")
        self.side = side

    def get_params(self, node):
        return self.side

    def make_node(self, x, v, sorter=None):
        x = tb.as_tensor_variable(x, ndim=1)
        v = tb.as_tensor_variable(v)
        inputs = [x, v]
        if sorter is not None:
            sorter = tb.as_tensor_variable(sorter, ndim=1)
            if sorter.type.dtype not in tb.int_dtypes:
                raise TypeError("sorter must be an integer vector", sorter.type)
            inputs.append(sorter)
        return Apply(self, inputs, [v.type.clone(dtype="int64")()])

    def perform(self, node, inputs, output_storage, params=None):
        x, v, *sorter = inputs
        found = np.searchsorted(x, v, side=self.side, sorter=sorter[0] if sorter else None)
        output_storage[0][0] = np.asarray(found, dtype=node.outputs[0].dtype)

    def infer_shape(self, node, shapes):
        return [shapes[1]]

    def grad(self, inputs, output_gradients):
        x, v, *sorter = inputs
        return [_float_zeros(x), _float_zeros(v)] + [DisconnectedType()() for _ in sorter]

    def connection_pattern(self, node):
        return [[True], [True]] + [[False] for _ in node.inputs[2:]]


def searchsorted(x, v, side="left", sorter=None):
    """Find where the elements of `v` would have to be inserted into `x` to keep it sorted.

    Parameters
    ----------
    x : vector
        Ascending, or made so by `sorter`.
    v : tensor
        Of any shape.
    side : {'left', 'right'}
        Before or after equal elements.
    sorter : integer vector, optional
        Indices that sort `x`, such as those of :func:`argsort`.

    Returns
    -------
    tensor variable
        ``int64`` indices in the shape of `v`.
    """
    return SearchsortedOp(side=side)(x, v, sorter)


class CumOp(Op):
    """Cumulative sum or product along an axis.

    Parameters
    ----------
    axis
        The dimension; None for the flattened input.
    mode : {'add', 'mul'}

    Notes
    -----
    The result has the dtype of the input.
    """

    __props__ = ("axis", "mode")
    check_input = False
    params_type = ParamsType(c_axis=int_t, mode=EnumList(("MODE_ADD", "add"), ("MODE_MUL", "mul")))

    def __init__(self, axis=None, mode="add"):
        if mode not in ("add", "mul"):
            raise ValueError(f'{type(self).__name__}: Unknown mode "{mode}"')
        self.axis = axis
        self.mode = mode

    @property
    def c_axis(self) -> int:
        """The axis as C code takes it: None is NumPy's constant for "all dimensions"."""
        return 32 if self.axis is None else self.axis

    def __str__(self):
        return f"{type(self).__name__}{{{self.axis}, {self.mode}}}"

    def make_node(self, x):
        x = tb.as_tensor_variable(x)
        out_type = x.type()
        if self.axis is None:
            out_type = tb.TensorType(dtype=x.dtype, broadcastable=(False,))()
        elif self.axis >= x.ndim or self.axis < -x.ndim:
            raise ValueError(f"axis(={self.axis}) out of bounds")
        return Apply(self, [x], [out_type])

    def perform(self, node, inputs, output_storage, params=None):
        (x,) = inputs
        function = np.cumsum if self.mode == "add" else np.cumprod
        output_storage[0][0] = function(x, axis=self.axis, dtype=x.dtype)

    def infer_shape(self, node, shapes):
        if self.axis is None:
            return [(tb.prod(shapes[0]),)]
        return shapes

    def grad(self, inputs, output_gradients):
        (x,) = inputs
        (gz,) = output_gradients
        if x.dtype in tb.discrete_dtypes:
            return [_float_zeros(x)]
        flat = self.axis is None
        axis = 0 if flat else self.axis % x.ndim
        rank = 1 if flat else x.ndim
        reverse = tuple(slice(None, None, -1 if k == axis else None) for k in range(rank))
        if self.mode == "mul":
            gz = gz * cumprod(x, self.axis)
        gx = cumsum(gz[reverse], self.axis)[reverse]
        if flat:
            gx = gx.reshape(x.shape, ndim=x.ndim)
        return [gx / x if self.mode == "mul" else gx]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return [None]
        if self.mode == "add":
            return [self(eval_points[0])]
        ratio = eval_points[0] / inputs[0]
        return [self(inputs[0]) * cumsum(ratio, self.axis)]


class CumsumOp(Op):
    """Old name of ``CumOp(axis, mode="add")``."""

    __props__ = ("axis",)

    def __new__(cls, axis=None):
        return CumOp(axis, mode="add")


class CumprodOp(Op):
    """Old name of ``CumOp(axis, mode="mul")``."""

    __props__ = ("axis",)

    def __new__(cls, axis=None):
        return CumOp(axis, mode="mul")


def cumsum(x, axis=None):
    """Cumulative sum along an axis, of the dtype of `x`.

    Parameters
    ----------
    x : tensor
    axis
        The dimension; None sums over the flattened tensor.
    """
    return CumOp(axis=axis, mode="add")(x)


def cumprod(x, axis=None):
    """Cumulative product along an axis, of the dtype of `x`.

    Parameters
    ----------
    x : tensor
    axis
        The dimension; None multiplies over the flattened tensor.
    """
    return CumOp(axis=axis, mode="mul")(x)


class DiffOp(Op):
    """Differences of neighbours along an axis, `n` times over."""

    __props__ = ("n", "axis")

    def __init__(self, n=1, axis=-1):
        self.n = n
        self.axis = axis

    def make_node(self, x):
        x = tb.as_tensor_variable(x)
        return Apply(self, [x], [tb.TensorType(x.dtype, [False] * x.ndim)()])

    def perform(self, node, inputs, output_storage):
        (x,) = inputs
        output_storage[0][0] = np.diff(x, n=self.n, axis=self.axis)

    def infer_shape(self, node, ins_shapes):
        shape = list(ins_shapes[0])
        axis = self.axis % len(shape)
        shape[axis] = tb.maximum(0, shape[axis] - self.n)
        return [shape]

    def grad(self, inputs, outputs_gradients):
        (x,) = inputs
        (gz,) = outputs_gradients
        if x.dtype in tb.discrete_dtypes:
            return [_float_zeros(x)]
        # The transpose of "take differences" is "surround by zeros, take negative differences".
        axis = self.axis % x.ndim
        shape = [gz.shape[k] for k in range(x.ndim)]
        shape[axis] = self.n
        margin = tb.alloc(np.asarray(0, dtype=gz.dtype), *shape)
        gx = DiffOp(self.n, axis)(tb.concatenate([margin, gz, margin], axis=axis))
        cut = tuple(slice(x.shape[axis]) if k == axis else slice(None) for k in range(x.ndim))
        gx = gx[cut] if self.n % 2 == 0 else -gx[cut]
        return [tb.patternbroadcast(gx, x.broadcastable)]

    def R_op(self, inputs, eval_points):
        return [None if eval_points[0] is None else self(eval_points[0])]


def diff(x, n=1, axis=-1):
    """Differences of neighbours along an axis: ``x[i + 1] - x[i]``.

    Parameters
    ----------
    x : tensor
    n
        How often the differences are taken.
    axis
        The dimension, which becomes shorter by `n`.
    """
    return DiffOp(n=n, axis=axis)(x)


def bincount(x, weights=None, minlength=None, assert_nonneg=False):
    """Count how often each value occurs in a vector of non-negative integers.

    Parameters
    ----------
    x : integer vector
    weights : vector, optional
        Added up in place of ones.
    minlength : int, optional
        Least length of the result.
    assert_nonneg
        Check at run time that no value is negative.

    Returns
    -------
    vector
        Of length ``max(x) + 1`` and the dtype of `x`, or of `weights`.

    Raises
    ------
    TypeError
        `x` is not a vector.
    """
    x = tb.as_tensor_variable(x)
    if x.ndim != 1:
        raise TypeError("Inputs must be of dimension 1.")
    if assert_nonneg:
        from theano_compat.tensor.opt import Assert

        x = Assert("Input to bincount has negative values!")(x, tb.all(x >= 0))
    length = tb.cast(x.max() + 1, "int64")
    if minlength is not None:
        length = tb.maximum(length, minlength)
    from theano_compat.tensor.subtensor import advanced_inc_subtensor1

    if weights is None:
        return advanced_inc_subtensor1(tb.zeros([length], dtype=x.dtype), 1, x)
    weights = tb.as_tensor_variable(weights)
    return advanced_inc_subtensor1(tb.zeros([length], dtype=weights.dtype), weights, x)


class Bartlett(Op):
    """The Bartlett (triangular) window of a given number of points."""

    __props__ = ()

    def make_node(self, M):
        M = tb.as_tensor_variable(M)
        if M.ndim != 0:
            raise TypeError(f"{type(self).__name__} only works on scalar input")
        if M.dtype not in tb.integer_dtypes:
            raise TypeError(f"{type(self).__name__} only works on integer input")
        return Apply(self, [M], [tb.dvector()])

    def perform(self, node, inputs, out_):
        out_[0][0] = np.bartlett(int(inputs[0]))

    def infer_shape(self, node, in_shapes):
        (points,) = node.inputs
        return [[tb.switch(tb.lt(points, 0), tb.cast(0, points.dtype), points)]]

    def grad(self, inputs, output_grads):
        return [grad_undefined(self, 0, inputs[0], "the number of points is an integer")]


bartlett_ = Bartlett()


def bartlett(M):
    """The Bartlett window: it rises linearly from 0 to 1 and falls back to 0.

    Parameters
    ----------
    M : integer scalar
        Number of points; none if it is negative.

    Returns
    -------
    float64 vector
    """
    return bartlett_(M)
