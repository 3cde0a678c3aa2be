"""Reductions: sums, products, extrema and their positions, mean and variance, any and all."""

from __future__ import annotations

import builtins

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Apply, Constant, Op, Variable
from theano_compat.gradient import DisconnectedType
from theano_compat.printing import FunctionPrinter, pprint
from theano_compat.tensor import elemwise
from theano_compat.tensor.basic import elementwise as ew
from theano_compat.tensor.basic.casting import cast
from theano_compat.tensor.basic.conversion import as_tensor_variable, constant, discrete_dtypes, uint_dtypes
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.var import TensorConstant

# the names below hide Python's
python_all, python_any, python_sum = builtins.all, builtins.any, builtins.sum


def _axis_list(x, axis, complain=None):
    """Return `axis` (None, an integer, a sequence of integers or a constant) as a list of dimensions >= 0."""
    ndim = x.type.ndim
    if isinstance(axis, Variable):
        if isinstance(axis, Constant) and axis.data is None:
            axis = None
        elif isinstance(axis, TensorConstant):
            axis = axis.data
        else:
            raise TypeError(f"Computation needs a constant axis. Got {axis}")
    if axis is None:
        return list(range(ndim))
    axes = [int(axis)] if isinstance(axis, (int, np.integer, str)) else np.ravel(np.asarray(axis)).tolist()
    checked = []
    for given in axes:
        if not isinstance(given, int):
            raise TypeError(f"Computation needs integer axes. Got {axis}")
        if not -ndim <= given < ndim:
            text = complain or "Computation needs a valid axis number for {ndim}-D tensor. Got {axis}"
            raise ValueError(text.format(ndim=ndim, axis=given))
        checked.append(given % ndim)
    return checked


def check_and_normalize_axes(x, axis):
    """Return the dimensions that `axis` names, each counted from the front, in order; all of them for None.

    Parameters
    ----------
    x : TensorVariable
    axis : None, int, sequence of int, or a constant of these

    Raises
    ------
    TypeError
        If the dimensions are not known while the graph is built.
    ValueError
        If `x` has no such dimension.
    """
    return sorted(set(_axis_list(x, axis)))


def makeKeepDims(x, y, axis):
    """Return the reduction `y` of `x` over `axis` with the reduced dimensions put back with length one."""
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    reduced = _axis_list(x, axis)
    kept = iter(range(y.type.ndim))
    return elemwise.DimShuffle(
        y.type.broadcastable, ["x" if i in reduced else next(kept) for i in range(x.type.ndim)]
    )(y)


# --- extrema ------------------------------------------------------------------------------------------


def _without(items, axes):
    return [item for i, item in enumerate(items) if i not in axes]


def _reduced_last(x, axes):
    """Return the array `x` with the dimensions `axes` moved to the end and made one."""
    kept = _without(range(x.ndim), axes)
    size = int(np.prod([x.shape[i] for i in axes], dtype="int64"))
    return np.transpose(x, (*kept, *axes)).reshape((*(x.shape[i] for i in kept), size))


def _argmax_values(x, axes):
    if x.ndim == 0 or not axes:
        return np.zeros(x.shape, dtype="int64")
    return np.asarray(np.argmax(_reduced_last(x, axes), axis=-1), dtype="int64")


class _OverAxes(Op):
    """An op over given dimensions."""

    __props__ = ("axis",)

    def __init__(self, axis):
        self.axis = tuple(axis)

    def infer_shape(self, node, shapes):
        """Return the lengths of the other dimensions, for each output."""
        return [tuple(_without(shapes[0], self.axis)) for _ in node.outputs]


class MaxAndArgmax(_OverAxes):
    """The greatest element over some dimensions, and its position among them (the first of several)."""

    nin = 2
    nout = 2
    E_axis = "invalid axis"

    def __init__(self, axis):
        assert isinstance(axis, (list, tuple))
        super().__init__(axis)

    def make_node(self, x):
        """Take the array."""
        x = as_tensor_variable(x)
        pattern = _without(x.type.broadcastable, self.axis)
        outputs = [TensorType(x.type.dtype, pattern)(name="max"), TensorType("int64", pattern)(name="argmax")]
        return Apply(self, [x], outputs)

    def perform(self, node, inp, outs, params=None):
        """Store both."""
        x, axes = np.asarray(inp[0]), self.axis
        if builtins.any(x.shape[i] == 0 for i in axes):
            raise ValueError("MaxAndArgmax: no greatest element along a dimension of length 0", x.shape, axes)
        outs[0][0] = np.asarray(np.max(x, axis=axes) if axes else x, dtype=node.outputs[0].dtype)
        outs[1][0] = _argmax_values(x, axes)

    def grad(self, inp, grads):
        """Pass the gradient to every element that equals the maximum."""
        (x,), (g_max, g_index) = inp, grads
        if isinstance(g_max.type, DisconnectedType):
            if isinstance(g_index.type, DisconnectedType):
                return [DisconnectedType()()]
            return [x.zeros_like()]
        axes = list(self.axis)
        greatest = makeKeepDims(x, max(x, axes) if axes else x, axes)
        return [ew.eq(greatest, x) * makeKeepDims(x, g_max, axes)]

    def R_op(self, inputs, eval_points):
        """Pick the direction at the position of the maximum."""
        if eval_points[0] is None:
            return [None, None]
        from theano_compat.tensor.basic.creation import arange

        x, direction = inputs[0], eval_points[0]
        if not self.axis:
            return [direction, None]
        position = self(x)[1]
        kept = _without(range(x.ndim), self.axis)
        moved = direction.dimshuffle(*kept, *self.axis)
        lengths = [x.shape[i] for i in kept]
        rows = moved.reshape((position.size if kept else 1, -1), ndim=2)
        picked = rows[arange(rows.shape[0]), position.flatten()]
        return [picked.reshape(lengths, ndim=len(kept)) if kept else picked[0], None]


class Argmax(_OverAxes):
    """The position of the greatest element over some dimensions (all of them if `axis` is None)."""

    nin = 2
    nout = 1
    E_axis = "invalid axis"

    def __init__(self, axis):
        self.axis = None if axis is None else tuple(axis)

    def _axes(self, ndim):
        return tuple(range(ndim)) if self.axis is None else self.axis

    def make_node(self, x, axis=None):
        """Take the array."""
        x = as_tensor_variable(x)
        pattern = _without(x.type.broadcastable, self._axes(x.type.ndim))
        return Apply(self, [x], [TensorType("int64", pattern)(name="argmax")])

    def perform(self, node, inp, outs, params=None):
        """Store the position."""
        outs[0][0] = _argmax_values(np.asarray(inp[0]), self._axes(inp[0].ndim))

    def infer_shape(self, node, shapes):
        """Return the lengths of the other dimensions."""
        return [tuple(_without(shapes[0], self._axes(node.inputs[0].type.ndim)))]

    def grad(self, inp, grads):
        """Return zeros: the position is discrete."""
        return [inp[0].zeros_like()]


def max_and_argmax(a, axis=None, keepdims=False):
    """Return the greatest element over `axis` and its position.

    Parameters
    ----------
    a : tensor_like
    axis : int or sequence of int, optional
        All dimensions by default. Over several, the position counts through them in C order.
    keepdims : bool
        Keep the reduced dimensions with length one.

    Returns
    -------
    list of two TensorVariables
        The maximum (of the dtype of `a`) and the position (int64).
    """
    a = as_tensor_variable(a)
    axes = check_and_normalize_axes(a, axis) or list(range(a.type.ndim))
    results = MaxAndArgmax(axes)(a)
    return [makeKeepDims(a, result, axes) for result in results] if keepdims else results


def max(x, axis=None, keepdims=False):
    """Return the greatest element over `axis` (all dimensions by default); NaN if there is one."""
    x = as_tensor_variable(x)
    axes = sorted(set(_axis_list(x, axis, "Not enough dimensions on x to reduce on axis {axis}")))
    greatest = max_and_argmax(x, axes)[0]
    return makeKeepDims(x, greatest, axes) if keepdims else greatest


def argmax(x, axis=None, keepdims=False):
    """Return the position (int64) of the greatest element over `axis` (all dimensions by default)."""
    return max_and_argmax(x, axis, keepdims)[1]


def _mirrored(x):
    """Return `x` with the order of its values reversed, and the function that reverses it back."""
    if x.dtype == "bool":
        return ew.invert
    if x.dtype in uint_dtypes:
        top = constant(np.iinfo(x.dtype).max, dtype=x.dtype)
        return lambda v: top - v
    return ew.neg


def min(x, axis=None, keepdims=False):
    """Return the least element over `axis` (all dimensions by default); NaN if there is one."""
    x = as_tensor_variable(x)
    mirror = _mirrored(x)
    return mirror(max(mirror(x), axis=axis, keepdims=keepdims))


def argmin(x, axis=None, keepdims=False):
    """Return the position (int64) of the least element over `axis` (all dimensions by default)."""
    x = as_tensor_variable(x)
    return argmax(_mirrored(x)(x), axis=axis, keepdims=keepdims)


def ptp(a, axis=None):
    """Return the difference between the greatest and the least element over `axis`."""
    a = as_tensor_variable(a)
    return max(a, axis) - min(a, axis)


# --- sums and what is made of them ----------------------------------------------------------------------


def sum(input, axis=None, dtype=None, keepdims=False, acc_dtype=None):
    """Return the sum over `axis`.

    Parameters
    ----------
    input : tensor_like
    axis : int or sequence of int, optional
        All dimensions by default.
    dtype : str, optional
        Of the result: by default int64 (uint64) for small (unsigned) integers, else that of `input`.
    keepdims : bool
        Keep the reduced dimensions with length one.
    acc_dtype : str, optional
        In which the sum is computed; float64 by default for float32.
    """
    input = as_tensor_variable(input)
    out = elemwise.Sum(axis=axis, dtype=dtype, acc_dtype=acc_dtype)(input)
    return makeKeepDims(input, out, axis) if keepdims else out


pprint.assign(elemwise.Sum(), FunctionPrinter("sum"))


def prod(input, axis=None, dtype=None, keepdims=False, acc_dtype=None, no_zeros_in_input=False):
    """Return the product over `axis`; see `sum`.

    `no_zeros_in_input` promises that no element is zero, which makes for a simpler gradient.
    """
    input = as_tensor_variable(input)
    out = elemwise.Prod(axis, dtype=dtype, acc_dtype=acc_dtype, no_zeros_in_input=no_zeros_in_input)(input)
    return makeKeepDims(input, out, axis) if keepdims else out


class _Average(scal.BinaryScalarOp):
    """What `Mean` has for a scalar op: not associative, so nobody may fold with it or take the op for a sum."""

    def impl(self, x, y):
        """Return the mean of two numbers."""
        return (x + y) / 2


_average = _Average(scal.float_out, name="mean")


class Mean(elemwise.CAReduce):
    """The mean over one or all dimensions as a single op (see ``mean(op=True)``); its results are float64."""

    def __init__(self, axis=None):
        super().__init__(_average, axis)
        assert self.axis is None or len(self.axis) == 1

    def __str__(self):
        return "Mean" if self.axis is None else f"Mean{{{', '.join(map(str, self.axis))}}}"

    def _output_dtype(self, idtype):
        return "float64"

    def perform(self, node, inp, out):
        """Store the mean."""
        axis = None if self.axis is None else self.axis[0]
        out[0][0] = np.asarray(np.mean(inp[0], dtype="float64", axis=axis))

    def L_op(self, inputs, outputs, grads):
        """Spread the gradient evenly over what it is the mean of."""
        (x,), (gz,) = inputs, grads
        axes = _axis_list(x, self.axis)
        lengths = [x.shape[i] for i in axes]
        share = makeKeepDims(x, gz, axes) / cast(ew.mul(*lengths) if len(lengths) > 1 else lengths[0], "float64")
        return [ew.second(x, share)]


def _axes_as_given(x, axis):
    """Return `axis` as a list, negative ones left as they are."""
    if axis is None:
        return list(range(x.ndim))
    if isinstance(axis, (int, np.integer)):
        return [int(axis)]
    if isinstance(axis, np.ndarray) and axis.ndim == 0:
        return [int(axis)]
    return [int(i) for i in axis]


def mean(input, axis=None, dtype=None, op=False, keepdims=False, acc_dtype=None):
    """Return the mean over `axis`.

    Parameters
    ----------
    input : tensor_like
    axis : int or sequence of int, optional
        All dimensions by default.
    dtype : str, optional
        In which the sum is returned before it is divided; the mean of integers is float64 in any case.
    op : bool
        Use the single op `Mean`, which takes no `dtype` and has float64 results.
    keepdims : bool
        Keep the reduced dimensions with length one.
    acc_dtype : str, optional
        In which the sum is computed.
    """
    input = as_tensor_variable(input)
    if op:
        if dtype not in (None, "float64"):
            raise NotImplementedError("The Mean op does not support the dtype argument, and will always use float64.")
        if acc_dtype not in (None, "float64"):
            raise NotImplementedError(
                "The Mean op does not support the acc_dtype argument, and will always use float64."
            )
        out = Mean(axis)(input)
        return makeKeepDims(input, out, axis) if keepdims else out
    half = dtype == "float16" or (dtype is None and input.dtype == "float16")
    sum_dtype = "float32" if dtype is None and half else dtype
    s = sum(input, axis=axis, dtype=sum_dtype, keepdims=keepdims, acc_dtype=acc_dtype)
    # the lengths in a float type that does not widen the result
    lengths = cast(input.shape, "float32" if s.dtype in ("float16", "float32", "complex64") else "float64")
    for i in _axes_as_given(input, axis):
        s = ew.true_div(s, lengths[i])
    if s.dtype in discrete_dtypes:
        s = cast(s, lengths.dtype)  # over no axis at all
    if half:
        s = cast(s, "float16")
    s.name = "mean"
    return s


def var(input, axis=None, ddof=0, keepdims=False, corrected=False):
    """Return the variance over `axis`, computed in two passes.

    Parameters
    ----------
    input : tensor_like
    axis : int or sequence of int, optional
        All dimensions by default.
    ddof : int
        The sum of squares is divided by the number of elements less this.
    keepdims : bool
        Keep the reduced dimensions with length one.
    corrected : bool
        Correct for the rounding of the mean.
    """
    if isinstance(ddof, (bool)):
        raise ValueError(
            "Parameter keepdims is now at index 3: (input, axis=None, ddof=0, keepdims=False, corrected=False)"
        )
    input = as_tensor_variable(input)
    axes = _axes_as_given(input, axis)
    centered = input - mean(input, axes, keepdims=True)
    squared = centered ** constant(2, dtype=centered.dtype)
    if ddof == 0:
        v = mean(squared, axes, keepdims=keepdims)
    else:
        lengths = input.shape - ddof
        v = sum(squared, axis=axes, keepdims=keepdims)
        for i in axes:
            v = ew.true_div(v, lengths[i])
    if corrected:
        if ddof == 0:
            error = mean(centered, axes, keepdims=keepdims) ** 2
        else:
            lengths = input.shape - ddof
            lengths_squared = input.shape * lengths
            error = sum(centered, axis=axes, keepdims=keepdims) ** 2
            for i in axes:
                error = ew.true_div(error, lengths_squared[i])
        v = v - error
    v.name = "var"
    return v


def std(input, axis=None, ddof=0, keepdims=False, corrected=False):
    """Return the standard deviation over `axis`: the square root of `var`."""
    if isinstance(ddof, (bool)):
        raise ValueError(
            "Parameter keepdims is now at index 3: (input, axis=None, ddof=0, keepdims=False, corrected=False)"
        )
    deviation = ew.sqrt(var(input, axis=axis, ddof=ddof, keepdims=keepdims, corrected=corrected))
    deviation.name = "std"
    return deviation


def all(x, axis=None, keepdims=False):
    """Return whether all elements over `axis` are true (not zero)."""
    x = as_tensor_variable(x)
    out = elemwise.All(axis)(x)
    return makeKeepDims(x, out, axis) if keepdims else out


def any(x, axis=None, keepdims=False):
    """Return whether any element over `axis` is true (not zero)."""
    x = as_tensor_variable(x)
    out = elemwise.Any(axis)(x)
    return makeKeepDims(x, out, axis) if keepdims else out


def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None):
    """Return the covariance matrix of variables.

    Parameters
    ----------
    m : tensor_like
        Observations, at most a matrix: one variable a row.
    y : tensor_like, optional
        More variables in the same layout.
    rowvar : bool
        Variables are rows (the default) or columns.
    bias : bool
        Divide by the number of observations, not by one less.
    ddof : int, optional
        Divide by the number of observations less this, whatever `bias` says.
    fweights, aweights : None
        Not supported.

    Returns
    -------
    TensorVariable
        Matrix of as many rows and columns as there are variables.
    """
    if fweights is not None or aweights is not None:
        raise NotImplementedError("fweights and aweights are not implemented")
    if not rowvar and m.shape[0] != 1:
        m = m.T
    if y is not None:
        from theano_compat.tensor.basic.joining import concatenate

        m = concatenate((m, y if rowvar or y.shape[0] == 1 else y.T), axis=0)
    if ddof is None:
        ddof = 0 if bias else 1
    centered = m - m.mean(axis=1, keepdims=True)
    norm = 1 / (m.shape[1] - ddof)
    from theano_compat.tensor.basic.products import dot

    transposed = centered.T.conj() if centered.dtype.startswith("complex") else centered.T
    return (dot(centered, transposed) * norm).squeeze()


__all__ = [
    "Argmax", "MaxAndArgmax", "Mean", "all", "any", "argmax", "argmin", "check_and_normalize_axes", "cov",
    "makeKeepDims", "max", "max_and_argmax", "mean", "min", "prod", "ptp", "python_all", "python_any", "std", "sum",
    "var",
]  # fmt: skip
