"""Pooling ops: forward, gradients, the gradient's gradient, and the directional derivative."""
from __future__ import annotations

from theano_compat.gof import Apply, EnumList, Variable
from theano_compat.gof.op import OpenMPOp
from theano_compat.gradient import DisconnectedType
from theano_compat.scalar import bool as bool_t  # noqa: F401  (a name of Theano's module)
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.type import TensorType

from . import numeric

MODES = ("max", "sum", "average_inc_pad", "average_exc_pad")

PoolingMode_t = EnumList(("POOLING_MAX", "max"), ("POOLING_SUM", "sum"),
                         ("POOLING_AVERAGE_COUNT_INCLUDE_PADDING", "average_inc_pad"),
                         ("POOLING_AVERAGE_COUNT_EXCLUDE_PADDING", "average_exc_pad"))


def _old_name(new, old, new_name, old_name, message=None):
    """The value of an argument that has an old name too."""
    if old is None:
        return new
    if new is not None:
        raise ValueError(f"You can't provide a tuple value to both '{new_name}' and '{old_name}'. Please provide a value "
                         f"only to '{new_name}'.")
    return old


def pooled_shape(imgshape, ws=None, ignore_border=False, stride=None, pad=None, ndim=2, ds=None, st=None,
                 padding=None):
    """Shape of the output of a pooling.

    Parameters
    ----------
    imgshape : tuple of int or symbolic int
        The last `ndim` lengths are pooled.
    ws : tuple of int or symbolic int
        Window.
    ignore_border : bool
        Leave out windows that reach over the end.
    stride : tuple, optional
        Distance of windows, by default the window.
    pad : tuple, optional
        Border of zeros.
    ndim : int
    ds, st, padding
        Old names of `ws`, `stride` and `pad`.

    Returns
    -------
    list of int or symbolic int
    """
    ws = _old_name(ws, ds, "ws", "ds")
    stride = _old_name(stride, st, "stride", "st")
    pad = _old_name(pad, padding, "pad", "padding")
    if ws is None:
        raise ValueError("You must provide a tuple value for the window size.")
    if ndim is None:
        ndim = 2
    if len(imgshape) < ndim:
        raise TypeError(f"imgshape must have at least {ndim} dimensions")
    if stride is None:
        stride = ws
    if pad is None:
        pad = (0,) * ndim

    def length(n, w, s, p):
        if not (isinstance(p, int) and p == 0):
            n = n + 2 * p
        if ignore_border:
            return _at_least(0, (n - w) // s + 1)
        if isinstance(w, Variable) or isinstance(s, Variable):
            return tensor.switch(tensor.ge(s, w), (n - 1) // s + 1, tensor.maximum(0, (n - 1 - w + s) // s) + 1)
        if s >= w:
            return (n - 1) // s + 1
        return _at_least(0, (n - 1 - w + s) // s) + 1

    lengths = [length(n, w, s, p) for n, w, s, p in zip(imgshape[-ndim:], ws, stride, pad)]
    return list(imgshape[:-ndim]) + lengths


def _at_least(low, v):
    if isinstance(v, Variable):
        return tensor.maximum(v, low)
    return max(low, v)


class _PoolOp(OpenMPOp):
    """What all pooling ops have in common.

    Parameters
    ----------
    ignore_border : bool
        Leave out windows that reach over the end.
    mode : {"max", "sum", "average_inc_pad", "average_exc_pad"}
    ndim : int
        Number of pooled axes (the last ones).
    openmp : bool, optional
    """

    __props__ = ("ignore_border", "mode", "ndim")
    #: Position of the window among the inputs; stride and padding follow.
    window_at = 1
    out_shape = staticmethod(pooled_shape)

    def _setup(self, ignore_border, mode, ndim, openmp=None):
        OpenMPOp.__init__(self, openmp=openmp)
        if mode not in MODES:
            raise ValueError("Pool mode parameter only support 'max', 'sum', 'average_inc_pad' and 'average_exc_pad'. "
                             f"Got {mode}")
        self.ndim = ndim
        self.ignore_border = ignore_border
        self.mode = mode

    def __setstate__(self, state):
        # Objects pickled when window, stride and padding were attributes.
        self.__dict__.update(state)
        self.__dict__.setdefault("ndim", 2)
        self.__dict__.setdefault("openmp", False)

    def _parameters(self, ws, stride, pad):
        """Window, stride and padding as symbolic integer vectors."""
        nd = self.ndim
        if ws is None:
            raise ValueError("You must provide a tuple value for the window size.")
        stride = ws if stride is None else stride
        pad = (0,) * nd if pad is None else pad
        if not self.ignore_border and isinstance(pad, (tuple, list)) and any(pad):
            raise NotImplementedError("padding works only with ignore_border=True")
        vectors = []
        for value in (ws, stride, pad):
            if isinstance(value, (tuple, list)) and len(value) != nd:
                raise ValueError(f"window, stride and padding must have {nd} elements, got {value}")
            vectors.append(tensor.as_tensor_variable(value))
        ws, stride, pad = vectors
        for v in vectors:
            if v.ndim != 1:
                raise AssertionError(f"window, stride and padding must be vectors, got {v.type}")
        if ws.dtype not in tensor.int_dtypes + tensor.uint_dtypes:
            raise TypeError("Pool downsample parameters must be ints.")
        if stride.dtype not in tensor.int_dtypes + tensor.uint_dtypes:
            raise TypeError("Stride parameters must be ints.")
        if pad.dtype not in tensor.int_dtypes + tensor.uint_dtypes:
            raise TypeError("Padding parameters must be ints.")
        return vectors

    def _check_ndim(self, x):
        if x.type.ndim < self.ndim:
            raise TypeError(f"the input has {x.type.ndim} dimensions, pooling needs {self.ndim}")

    def _windows(self, shape, inp):
        ws, stride, pad = inp[self.window_at:self.window_at + 3]
        for name, values in (("ws", ws), ("stride", stride), ("pad", pad)):
            if values.shape != (self.ndim,):
                raise ValueError(f"{name} must have {self.ndim} elements, got the shape {values.shape}")
        if min(stride) < 1 or min(ws) < 1:
            raise ValueError(f"window and stride must be positive, got {tuple(ws)} and {tuple(stride)}")
        if max(pad) != 0 and not self.ignore_border:
            raise NotImplementedError("padding works only with ignore_border=True")
        return numeric.Windows.of(shape, ws, stride, pad, self.ignore_border)

    def _pattern(self, x):
        return list(x.broadcastable[:x.ndim - self.ndim]) + [False] * self.ndim

    def connection_pattern(self, node):
        return [[1]] * self.window_at + [[0]] * 3

    def _disconnected(self):
        return [DisconnectedType()() for _ in range(3)]


class Pool(_PoolOp):
    """Pool windows of the last axes: inputs `x`, window `ws`, `stride` and `pad`."""

    def __init__(self, ignore_border=False, mode="max", ndim=2, openmp=None):
        self._setup(ignore_border, mode, ndim, openmp)

    def make_node(self, x, ws, stride=None, pad=None):
        x = tensor.as_tensor_variable(x)
        self._check_ndim(x)
        if all(isinstance(v, (tuple, list)) for v in (ws, pad)) and any(p >= w for p, w in zip(pad, ws)):
            # such a window would see nothing but the border
            raise NotImplementedError("padding must be smaller than strides")
        ws, stride, pad = self._parameters(ws, stride, pad)
        return Apply(self, [x, ws, stride, pad], [TensorType(x.dtype, self._pattern(x))()])

    def perform(self, node, inp, out, params=None):
        out[0][0] = numeric.pool(inp[0], self._windows(inp[0].shape, inp), self.mode)

    def infer_shape(self, node, in_shapes):
        _, ws, stride, pad = node.inputs
        nd = self.ndim
        return [pooled_shape(in_shapes[0], [ws[i] for i in range(nd)], self.ignore_border,
                             [stride[i] for i in range(nd)], [pad[i] for i in range(nd)], nd)]

    def L_op(self, inputs, outputs, grads):
        x, ws, stride, pad = inputs
        (gz,) = grads
        if self.mode == "max":
            gx = MaxPoolGrad(ndim=self.ndim, ignore_border=self.ignore_border, openmp=self.openmp)(
                x, outputs[0], gz, ws=ws, stride=stride, pad=pad)
        else:
            gx = AveragePoolGrad(ndim=self.ndim, ignore_border=self.ignore_border, mode=self.mode)(
                x, gz, ws=ws, stride=stride, pad=pad)
        return [gx] + self._disconnected()

    def R_op(self, inputs, eval_points):
        if self.mode != "max":
            # Linear: the derivative in a direction is the pooling of the direction.
            return [None if eval_points[0] is None else self(*([eval_points[0]] + inputs[1:]))]
        if eval_points[0] is None:
            return [None]
        return [MaxPoolRop(self.ignore_border, self.mode, self.ndim, self.openmp)(
            inputs[0], eval_points[0], *inputs[1:])]


class PoolGrad(_PoolOp):
    """Base of the gradients of pooling."""

    def __init__(self, ignore_border, mode="max", ndim=2, openmp=None):
        self._setup(ignore_border, mode, ndim, openmp)

    def infer_shape(self, node, in_shapes):
        return [in_shapes[0]]


class MaxPoolGrad(PoolGrad):
    """Gradient of max pooling: inputs `x`, its pooling `maxout`, the gradient `gz`, window, stride and padding.

    Where several elements of a window equal its maximum, each gets the gradient.
    """

    window_at = 3

    def __init__(self, ignore_border, ndim=2, openmp=None):
        PoolGrad.__init__(self, ignore_border, mode="max", ndim=ndim, openmp=openmp)

    def make_node(self, x, maxout, gz, ws, stride=None, pad=None):
        x, maxout, gz = (tensor.as_tensor_variable(v) for v in (x, maxout, gz))
        self._check_ndim(x)
        ws, stride, pad = self._parameters(ws, stride, pad)
        return Apply(self, [x, maxout, gz, ws, stride, pad], [x.type()])

    def perform(self, node, inp, out, params=None):
        x, maxout, gz = inp[:3]
        windows = self._windows(x.shape, inp)
        _check_shape(maxout, gz)
        out[0][0] = numeric.max_gradient(x, maxout, gz, windows).astype(node.outputs[0].dtype, copy=False)

    def grad(self, inp, grads):
        x, maxout, _, ws, stride, pad = inp
        (ggx,) = grads
        ggz = DownsampleFactorMaxGradGrad(ndim=self.ndim, ignore_border=self.ignore_border, openmp=self.openmp)(
            x, maxout, ggx, ws, stride, pad)
        return [tensor.zeros_like(x), tensor.zeros_like(maxout), ggz] + self._disconnected()


class AveragePoolGrad(PoolGrad):
    """Gradient of sum and average pooling: inputs `x`, the gradient `gz`, window, stride and padding."""

    window_at = 2

    def __init__(self, ignore_border, mode="average_inc_pad", ndim=2):
        if mode not in MODES[1:]:
            raise AssertionError(f"mode must be one of {MODES[1:]}, got {mode}")
        PoolGrad.__init__(self, ignore_border, mode, ndim)

    def make_node(self, x, gz, ws, stride=None, pad=None, dummy=None):
        x, gz = tensor.as_tensor_variable(x), tensor.as_tensor_variable(gz)
        self._check_ndim(x)
        ws, stride, pad = self._parameters(ws, stride, pad)
        return Apply(self, [x, gz, ws, stride, pad], [x.type()])

    def perform(self, node, inp, out, params=None):
        x, gz = inp[:2]
        result = numeric.average_gradient(gz, x.shape, self._windows(x.shape, inp), self.mode)
        out[0][0] = result.astype(node.outputs[0].dtype, copy=False)

    def grad(self, inp, grads):
        x, _, ws, stride, pad = inp
        (ggx,) = grads
        ggz = Pool(ignore_border=self.ignore_border, ndim=self.ndim, mode=self.mode)(ggx, ws, stride, pad)
        return [tensor.zeros_like(x), ggz] + self._disconnected()


class DownsampleFactorMaxGradGrad(_PoolOp):
    """Gradient of `MaxPoolGrad` with respect to its gradient: inputs `x`, `maxout`, `gz` shaped as `x`."""

    window_at = 3

    def __init__(self, ignore_border, mode="max", ndim=2, openmp=None):
        self._setup(ignore_border, mode, ndim, openmp)
        if mode != "max":
            raise AssertionError(f"mode must be 'max', got {mode}")

    def make_node(self, x, maxout, gz, ws, stride=None, pad=None):
        x, maxout, gz = (tensor.as_tensor_variable(v) for v in (x, maxout, gz))
        self._check_ndim(x)
        ws, stride, pad = self._parameters(ws, stride, pad)
        return Apply(self, [x, maxout, gz, ws, stride, pad], [maxout.type()])

    def perform(self, node, inp, out, params=None):
        x, maxout, ggx = inp[:3]
        result = numeric.max_gradient_gradient(x, maxout, ggx, self._windows(x.shape, inp))
        out[0][0] = result.astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, in_shapes):
        return [in_shapes[1]]

    def grad(self, inp, grads):
        x, maxout, _, ws, stride, pad = inp
        (gz,) = grads
        back = MaxPoolGrad(ignore_border=self.ignore_border, ndim=self.ndim, openmp=self.openmp)(
            x, maxout, gz, ws, stride, pad)
        return [tensor.zeros_like(x), tensor.zeros_like(maxout), back] + self._disconnected()


class MaxPoolRop(_PoolOp):
    """Derivative of max pooling in a direction: inputs `x`, the direction `eval_point`, window, stride and padding."""

    window_at = 2

    def __init__(self, ignore_border=False, mode="max", ndim=2, openmp=None):
        self._setup(ignore_border, mode, ndim, openmp)
        if mode != "max":
            raise AssertionError(f"mode must be 'max', got {mode}")

    def make_node(self, x, eval_point, ws, stride=None, pad=None):
        x, eval_point = tensor.as_tensor_variable(x), tensor.as_tensor_variable(eval_point)
        self._check_ndim(x)
        ws, stride, pad = self._parameters(ws, stride, pad)
        return Apply(self, [x, eval_point, ws, stride, pad], [TensorType(eval_point.dtype, self._pattern(x))()])

    def perform(self, node, inp, out, params=None):
        x, direction = inp[:2]
        out[0][0] = numeric.max_direction(x, direction, self._windows(x.shape, inp))

    def infer_shape(self, node, in_shapes):
        _, _, ws, stride, pad = node.inputs
        nd = self.ndim
        return [pooled_shape(in_shapes[0], [ws[i] for i in range(nd)], self.ignore_border,
                             [stride[i] for i in range(nd)], [pad[i] for i in range(nd)], nd)]


def _check_shape(maxout, gz):
    if maxout.shape != gz.shape:
        raise ValueError(f"the gradient has the shape {gz.shape}, the pooling {maxout.shape}")
