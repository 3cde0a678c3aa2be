"""Arrays from shapes and ranges: alloc, zeros, ones, eye, tri, arange."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Constant, Op, Variable
from theano_compat.gradient import DisconnectedType, grad_undefined
from theano_compat.printing import FunctionPrinter, pprint
from theano_compat.tensor.basic import elementwise as ew
from theano_compat.tensor.basic.casting import cast
from theano_compat.tensor.basic.conversion import (
    NotScalarConstantError,
    as_tensor_variable,
    constant,
    discrete_dtypes,
    get_scalar_constant_value,
    int_dtypes,
    uint_dtypes,
)
from theano_compat.tensor.basic.extents import Extent, larger
from theano_compat.tensor.type import TensorType, values_eq_approx_always_true
from theano_compat.tensor.var import TensorVariable


def alloc_validate_shape(shape):
    """Return the lengths as variables, and which of them are known to be one.

    Raises
    ------
    TypeError
        If a length is no integer of no dimensions.
    """
    lengths, pattern = [as_tensor_variable(length) for length in shape], []
    for i, length in enumerate(lengths):

        def describe(length=length):
            if length.owner is None:
                return f" for apply node: {length}"
            from theano_compat.printing import min_informative_str

            return f" for apply node: {min_informative_str(length)}"

        if length.type.dtype not in discrete_dtypes or length.type.dtype == "bool":
            raise TypeError(f"Shape arguments to Alloc must be integers, but argument {i} is not{describe()}")
        if length.ndim != 0:
            raise TypeError(
                "Each shape dimension to Alloc must be a scalar, ",
                f"but dimension {i} have {length.ndim} dimensions{describe()}",
            )
        try:
            pattern.append(get_scalar_constant_value(length) == 1)
        except NotScalarConstantError:
            pattern.append(False)
    return lengths, tuple(bool(known) for known in pattern)


class Alloc(Op):
    """An array of a given shape, filled with a value that is broadcast to it."""

    __props__ = ()

    def validate_shape(self, shape):
        """See `alloc_validate_shape`."""
        return alloc_validate_shape(shape)

    def make_node(self, value, *shape):
        """Take the value (of any rank up to the result's) and one integer scalar a dimension."""
        value = as_tensor_variable(value)
        lengths, pattern = alloc_validate_shape(shape)
        if value.ndim > len(lengths):
            raise TypeError(
                "The Alloc value to use has more dimensions than the specified dimensions", value.ndim, len(lengths)
            )
        return Apply(self, [value, *lengths], [TensorType(value.dtype, pattern)()])

    def __call__(self, val, *shapes, **kwargs):
        """Return the filled array; `val` itself if it belongs to a function being rewritten and has its type."""
        ret = super().__call__(val, *shapes, **kwargs)
        if hasattr(val, "fgraph") and val.type == getattr(ret, "type", None):
            return val
        return ret

    def perform(self, node, inputs, out_, params=None):
        """Fill the array, in the memory of the last call if it fits."""
        value, shape = inputs[0], tuple(int(length) for length in inputs[1:])
        out = out_[0][0]
        if out is None or out.shape != shape:
            out_[0][0] = out = np.empty(shape, dtype=value.dtype)
        out[...] = value

    def infer_shape(self, node, input_shapes):
        """Return the lengths themselves."""
        return [node.inputs[1:]]

    def connection_pattern(self, node):
        """Only the value is connected: the elements do not depend on the shape."""
        return [[True]] + [[False]] * (len(node.inputs) - 1)

    def grad(self, inputs, grads):
        """Sum the gradient over the dimensions along which the value was repeated."""
        x, gz = inputs[0], grads[0]
        added = gz.ndim - x.ndim
        axes = [
            *range(added),
            *(i + added for i, one in enumerate(x.broadcastable) if one and not gz.broadcastable[i + added]),
        ]
        gx = gz.sum(axis=axes) if axes else gz
        if len(axes) > added:
            kept = iter(range(gx.ndim))
            gx = gx.dimshuffle(["x" if i + added in axes else next(kept) for i in range(x.ndim)])
        return [gx] + [DisconnectedType()() for _ in inputs[1:]]

    def R_op(self, inputs, eval_points):
        """Fill with the direction of the value."""
        return [None] if eval_points[0] is None else self(eval_points[0], *inputs[1:], return_list=True)

    def do_constant_folding(self, node):
        """Fold only if the array is not the start of something that is then written into."""
        from theano_compat.tensor import blas, subtensor

        writers = (
            subtensor.IncSubtensor, subtensor.AdvancedIncSubtensor1, subtensor.AdvancedIncSubtensor, blas.Gemv, blas.Ger
        )  # fmt: skip
        clients = getattr(node.outputs[0], "clients", [])
        if not clients:
            return False
        return not any(
            client == "output" or (index == 0 and isinstance(client.op, writers)) for client, index in clients
        )


alloc = Alloc()
pprint.assign(alloc, FunctionPrinter("alloc"))


class AllocEmpty(Op):
    """An array of a given shape whose contents do not matter, since they are overwritten."""

    __props__ = ("dtype",)

    def __init__(self, dtype):
        assert isinstance(dtype, str), dtype
        self.dtype = dtype.lower()

    @property
    def typecode(self):
        """NumPy's number of the dtype."""
        return np.dtype(self.dtype).num

    def validate_shape(self, shape):
        """See `alloc_validate_shape`."""
        return alloc_validate_shape(shape)

    def make_node(self, *shape):
        """Take one integer scalar a dimension."""
        lengths, pattern = alloc_validate_shape(shape)
        output = TensorType(self.dtype, pattern)()
        # whatever lies there is right: no debugging mode may compare or judge it
        output.tag.values_eq_approx = values_eq_approx_always_true
        output.type.filter_checks_isfinite = False
        output.tag.nan_guard_mode_check = False
        return Apply(self, lengths, [output])

    def perform(self, node, inputs, out_, params=None):
        """Reserve the memory, or keep that of the last call if it fits."""
        shape = tuple(int(length) for length in inputs)
        if out_[0][0] is None or out_[0][0].shape != shape:
            out_[0][0] = np.empty(shape, dtype=self.dtype)

    def debug_perform(self, node, inputs, out_, params=None):
        """Fill the array with a value that nobody expects, so that reading it is noticed."""
        self.perform(node, inputs, out_)
        out_[0][0].fill(-123456789 if self.dtype.startswith(("int", "float", "complex")) else 1)

    def infer_shape(self, node, input_shapes):
        """Return the lengths themselves."""
        return [node.inputs]

    def connection_pattern(self, node):
        """Nothing is connected."""
        return [[False] for _ in node.inputs]

    def grad(self, inputs, grads):
        """Return disconnected gradients."""
        return [DisconnectedType()() for _ in inputs]

    def R_op(self, inputs, eval_points):
        """Return zeros: the result does not depend on the inputs."""
        return [zeros(inputs, self.dtype)]

    def do_constant_folding(self, node):
        """Never: a constant would have to be copied at each call."""
        return False


def _filled(shape, value, dtype):
    if not isinstance(shape, (list, tuple, TensorVariable)) or getattr(shape, "ndim", 1) == 0:
        shape = [shape]
    return alloc(np.array(value, dtype=config.floatX if dtype is None else dtype), *shape)


def zeros(shape, dtype=None):
    """Return zeros of a given shape (a length, or a sequence or vector of lengths), ``config.floatX`` by default."""
    return _filled(shape, 0, config.floatX if dtype in (None, "floatX") else dtype)


def ones(shape, dtype=None):
    """Return ones of a given shape (a length, or a sequence or vector of lengths), ``config.floatX`` by default."""
    return _filled(shape, 1, config.floatX if dtype in (None, "floatX") else dtype)


def _filled_like(model, value, dtype, opt):
    if not isinstance(model, Variable):
        model = as_tensor_variable(model)
    filler = constant(value, dtype=model.type.dtype if dtype is None else dtype)
    return filler if opt and filler.type == model.type else ew.fill(model, filler)


def zeros_like(model, dtype=None, opt=False):
    """Return zeros of the shape of `model`.

    Parameters
    ----------
    model : tensor_like
    dtype : str, optional
        That of `model` by default.
    opt : bool
        Return a plain constant if the type allows it: for rewrites.
    """
    return _filled_like(model, 0.0, dtype, opt)


def ones_like(model, dtype=None, opt=False):
    """Return ones of the shape of `model`; see `zeros_like`."""
    return _filled_like(model, 1.0, dtype, opt)


class _Triangular(Op):
    """What `Eye` and `Tri` share: a matrix given by two lengths and the offset of a diagonal."""

    __props__ = ("dtype",)

    def __init__(self, dtype=None):
        self.dtype = config.floatX if dtype is None else dtype

    def make_node(self, n, m, k):
        """Take the numbers of rows and of columns, and the offset of the diagonal."""
        inputs = [as_tensor_variable(v) for v in (n, m, k)]
        assert all(v.ndim == 0 for v in inputs)
        return Apply(self, inputs, [TensorType(self.dtype, (False, False))()])

    def infer_shape(self, node, in_shapes):
        """Return the first two inputs."""
        return [list(node.inputs[:2])]

    def grad(self, inp, grads):
        """The result is no continuous function of the inputs."""
        return [grad_undefined(self, i, x) for i, x in enumerate(inp)]

    def R_op(self, inputs, eval_points):
        """Nothing moves with the lengths."""
        return [None]


def _whole(values):
    """Return values as Python integers; None, which functions accept for any input, stays."""
    return [None if value is None else int(value) for value in values]


class Eye(_Triangular):
    """Ones on a diagonal, zeros elsewhere."""

    def perform(self, node, inp, out_):
        """Store the matrix."""
        out_[0][0] = np.eye(*_whole(inp), dtype=self.dtype)


class Tri(_Triangular):
    """Ones on and below a diagonal, zeros elsewhere."""

    def make_node(self, N, M, k):
        """Take the numbers of rows and of columns, and the offset of the diagonal."""
        return super().make_node(N, M, k)

    def perform(self, node, inp, out_):
        """Store the matrix."""
        out_[0][0] = np.tri(*_whole(inp), dtype=self.dtype)


def eye(n, m=None, k=0, dtype=None):
    """Return an `n` by `m` matrix with ones on the diagonal of offset `k`; square by default."""
    return Eye(config.floatX if dtype is None else dtype)(n, n if m is None else m, k)


def tri(N, M=None, k=0, dtype=None):
    """Return an `N` by `M` matrix with ones on and below the diagonal of offset `k`; square by default."""
    return Tri(config.floatX if dtype is None else dtype)(N, N if M is None else M, k)


def identity_like(x):
    """Return the identity matrix with the shape and dtype of the matrix `x`."""
    return eye(x.shape[0], x.shape[1], k=0, dtype=x.dtype)


def tril(m, k=0):
    """Return the matrix `m` with zeros above the diagonal of offset `k`."""
    return m * tri(m.shape[0], m.shape[1], k=k, dtype=m.dtype)


def triu(m, k=0):
    """Return the matrix `m` with zeros below the diagonal of offset `k`."""
    below = tri(m.shape[0], m.shape[1], k=k - 1, dtype=m.dtype)
    # the plain 1 has dtype int8, which would widen unsigned integers
    return m * ((constant(1, dtype=m.dtype) if m.dtype.startswith("uint") else 1) - below)


class ARange(Op):
    """Evenly spaced numbers from a start up to, but without, a stop."""

    __props__ = ("dtype",)

    def __init__(self, dtype):
        self.dtype = dtype

    def make_node(self, start, stop, step):
        """Take three scalars."""
        inputs = [as_tensor_variable(v) for v in (start, stop, step)]
        assert all(v.ndim == 0 for v in inputs)
        return Apply(self, inputs, [TensorType(self.dtype, (False,))()])

    def perform(self, node, inp, out_):
        """Store the vector."""
        start, stop, step = (np.asarray(v).item() for v in inp)
        out_[0][0] = np.arange(start, stop, step, dtype=self.dtype)

    def infer_shape(self, node, i_shapes):
        """Return ``max(ceil((stop - start) / step), 0)`` in its simplest form."""

        def is_constant(value, number):
            try:
                return get_scalar_constant_value(value) == number
            except NotScalarConstantError:
                return False

        def widened(value):
            # int8 constants must not overflow in the difference
            if value.dtype in ("float16", "float32", "float64"):
                return value
            return cast(value, "int64")

        start, stop, step = node.inputs
        if is_constant(step, 1):
            if is_constant(start, 0):
                length = cast(ew.ceil(stop) if stop.dtype not in discrete_dtypes else stop, "int64")
            else:
                length = widened(stop) - widened(start)
                length = cast(length if length.dtype in discrete_dtypes else ew.ceil(length), "int64")
        else:
            length = cast(ew.ceil(cast(widened(stop) - widened(start), "float64") / step), "int64")
        return [(larger(Extent.of(length), Extent(0)).as_tensor(),)]

    def connection_pattern(self, node):
        """The elements depend on start and step; the stop only decides how many there are."""
        return [[True], [False], [True]]

    def L_op(self, inputs, outputs, grads):
        """Start gets the sum of the gradient, step its sum weighted by the position."""
        start, _, step = inputs
        (gz,) = grads
        if self.dtype in discrete_dtypes:
            return [start.zeros_like(dtype=config.floatX), DisconnectedType()(), step.zeros_like(dtype=config.floatX)]
        positions = arange(outputs[0].shape[0], dtype=self.dtype)
        return [gz.sum(), DisconnectedType()(), (gz * positions).sum()]

    def R_op(self, inputs, eval_points):
        """Not defined, as in the original."""
        return [None]


_arange = {}


def arange(start, stop=None, step=1, dtype=None):
    """Return evenly spaced numbers in the half-open interval from `start` to `stop`.

    Parameters
    ----------
    start, stop, step : scalar tensor_like
        With one argument only, it is the stop, and the start is 0.
    dtype : str, optional
        By default int64 for integers, else that of the arguments; `config.cast_policy` may widen it as
        NumPy would.

    Returns
    -------
    TensorVariable
        A vector.
    """
    if stop is None:
        start, stop = 0, start
    start, stop, step = (as_tensor_variable(v) for v in (start, stop, step))
    if dtype is None:
        dtype = _arange_dtype(start, stop, step)
    if dtype not in _arange:
        _arange[dtype] = ARange(dtype)
    return _arange[dtype](start, stop, step)


def _arange_dtype(start, stop, step):
    dtypes = [v.type.dtype for v in (start, stop, step)]
    dtype = scal.upcast(*dtypes)
    # there is nothing to gain from small integers here, and much to lose by overflow
    if dtype in int_dtypes:
        dtype = "int64"
    elif dtype in uint_dtypes:
        dtype = "uint64"
    if config.cast_policy in ("numpy", "numpy+floatX"):
        numpy_dtype = np.result_type(*(np.dtype(d) for d in dtypes)).name
        numpy_dtype = "int64" if numpy_dtype in int_dtypes else numpy_dtype
        if dtype != numpy_dtype:
            keeps_single = (
                config.cast_policy == "numpy+floatX"
                and config.floatX == "float32"
                and numpy_dtype == "float64"
                and "float64" not in dtypes
            )
            dtype = "float32" if keeps_single else numpy_dtype
    return dtype


__all__ = [
    "ARange", "Alloc", "AllocEmpty", "Constant", "Eye", "Tri", "_arange", "alloc", "alloc_validate_shape", "arange",
    "eye", "identity_like", "ones", "ones_like", "tri", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip
