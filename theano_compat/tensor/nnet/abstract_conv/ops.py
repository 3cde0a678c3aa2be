"""The abstract convolutions: forward and both gradients, in two and three dimensions.

They say what is to be computed. Rewrites (see ``nnet.opt``) replace them by an implementation; where none is chosen,
`perform` computes them with NumPy.
"""
from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op, Variable
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as T

from ..conv_numpy import Geometry, correlate, flip, inputs_gradient, weights_gradient
from .shapes import _bad_mode, assert_shape, border_mode_to_pad, get_conv_gradinputs_shape, get_conv_gradweights_shape, get_conv_output_shape


def _checked_border_mode(border_mode, convdim):
    """The border mode as a string or a tuple with an entry per axis."""
    if isinstance(border_mode, (int, np.integer)) and not isinstance(border_mode, bool):
        if border_mode < 0:
            raise ValueError(f"invalid border_mode {border_mode}, which must be a non-negative integer")
        return (int(border_mode),) * convdim
    if isinstance(border_mode, (tuple, list)):
        border_mode = tuple(tuple(m) if isinstance(m, list) else m for m in border_mode)
        if len(border_mode) != convdim:
            raise ValueError(f"invalid border_mode {border_mode}, which must be a tuple of length {convdim}")

        def is_length(v):
            return isinstance(v, (int, np.integer)) and v >= 0

        for m in border_mode:
            if not (is_length(m) or (isinstance(m, tuple) and len(m) == 2 and all(map(is_length, m)))):
                raise ValueError(f"invalid border mode {border_mode}. The tuple can only contain integers  or pairs of "
                                 "integers")
            if isinstance(m, tuple) and convdim != 2:
                raise NotImplementedError(f"Asymmetric padding not implemented for {convdim}D")
        return border_mode
    if border_mode not in ("valid", "full", "half"):
        raise _bad_mode(border_mode, convdim)
    return border_mode


def _checked_shape(shape, name, length):
    """A hint on a shape as a tuple with an entry (constant or None) per axis."""
    if shape is None:
        return (None,) * length
    shape = tuple(shape)
    for n in shape:
        if n is not None:
            try:
                T.get_scalar_constant_value(n, only_process_constants=True)
            except (T.NotScalarConstantError, TypeError, ValueError) as exc:
                raise ValueError(f"{name} should be None or a tuple of constant int values").with_traceback(
                    exc.__traceback__) from None
    return shape


class BaseAbstractConv(Op):
    """What the abstract convolutions have in common.

    Parameters
    ----------
    convdim : int
        Number of spatial axes, 2 or 3.
    imshp, kshp : tuple of int or None, optional
        What is known of the shapes of the image and of the filters.
    border_mode : "valid", "full", "half", int, or tuple of int (in 2-D also of pairs)
        Padding by: nothing; one less than the window; half the window; so many zeros.
    subsample : tuple of int
        Distance of neighbouring windows.
    filter_flip : bool
        Whether the filters are turned round, which makes it a convolution, else a correlation.
    filter_dilation : tuple of int
        Distance of neighbouring taps of a filter.
    num_groups : int
        Number of groups of channels that are convolved separately.
    unshared : bool
        Whether each position has filters of its own (2-D).
    """

    check_broadcast = False
    __props__ = ("convdim", "border_mode", "subsample", "filter_flip", "imshp", "kshp", "filter_dilation", "num_groups",
                 "unshared")

    def __init__(self, convdim, imshp=None, kshp=None, border_mode="valid", subsample=None, filter_flip=True,
                 filter_dilation=None, num_groups=1, unshared=False):
        if convdim not in (2, 3):
            raise ValueError(f"convolution dimension {convdim} is not supported")
        self.convdim = convdim
        self.border_mode = _checked_border_mode(border_mode, convdim)
        self.imshp = _checked_shape(imshp, "imshp", 2 + convdim)
        self.kshp = _checked_shape(kshp, "kshp", 2 + (2 * convdim if unshared else convdim))
        self.filter_flip = filter_flip
        self.subsample = self._per_axis(subsample, "subsample")
        self.filter_dilation = self._per_axis(filter_dilation, "filter_dilation")
        if num_groups < 1:
            raise ValueError("num_groups must have value greater than zero")
        self.num_groups = num_groups
        if unshared and convdim != 2:
            raise NotImplementedError(f"Unshared convolution not implemented for {convdim}D")
        self.unshared = unshared

    def _per_axis(self, values, name):
        if values is None:
            return (1,) * self.convdim
        if len(values) != self.convdim:
            raise ValueError(f"{name} must have {self.convdim} elements")
        return tuple(values)

    def __setstate__(self, state):
        # Objects pickled before groups and unshared filters existed.
        self.__dict__.update(state)
        for name, default in (("num_groups", 1), ("unshared", False), ("filter_dilation", (1,) * self.convdim)):
            self.__dict__.setdefault(name, default)

    def do_constant_folding(self, node):
        # The abstract ops wait for an implementation; folding one would run NumPy at compile time.
        return False

    def flops(self, inp, outp):
        """Multiplications and additions of one evaluation, from the shapes of inputs and outputs."""
        image, kernel = inp
        output = outp[0]
        per_output = 2 * int(np.prod(kernel[-self.convdim:])) * kernel[-self.convdim - 1]
        return int(np.prod(output)) * per_output

    def _settings(self):
        """Keyword arguments that make the same convolution in another direction."""
        return dict(border_mode=self.border_mode, subsample=self.subsample, filter_flip=self.filter_flip,
                    filter_dilation=self.filter_dilation, num_groups=self.num_groups, unshared=self.unshared,
                    imshp=self.imshp, kshp=self.kshp)

    def _geometry(self, kernel_shape):
        """Numeric geometry for filters of that spatial shape."""
        window = tuple((k - 1) * d + 1 for k, d in zip(kernel_shape, self.filter_dilation))
        return Geometry(border_mode_to_pad(self.border_mode, self.convdim, window), self.subsample,
                        self.filter_dilation, self.num_groups, self.unshared)

    def _oriented(self, kern):
        return flip(kern, self.convdim) if self.filter_flip else kern

    def conv(self, img, kern, mode="valid", dilation=1, num_groups=1, unshared=False, direction="forward"):
        """Convolve NumPy arrays (the filters are turned round) without stride.

        Parameters
        ----------
        img : array (batch, channels, *spatial)
        kern : array of filters
        mode : {"valid", "full"}
        dilation : int or tuple of int
        num_groups : int
        unshared : bool
        direction : {"forward"}
            Accepted for compatibility; the gradients have functions of their own.

        Returns
        -------
        array (batch, filters, *positions)
        """
        if mode not in ("valid", "full"):
            raise ValueError(f'invalid mode {mode}, which must be either "valid" or "full"')
        if isinstance(dilation, (int, np.integer)):
            dilation = (dilation,) * self.convdim
        if len(dilation) != self.convdim:
            raise ValueError(f"invalid dilation {dilation}, expected {self.convdim} values")
        window = tuple((k - 1) * d + 1 for k, d in zip(kern.shape[-self.convdim:], dilation))
        geometry = Geometry(border_mode_to_pad(mode, self.convdim, window), (1,) * self.convdim, tuple(dilation),
                            num_groups, unshared)
        return correlate(img, flip(kern, self.convdim), geometry)

    def unshared2d(self, inp, kern, out_shape, direction="forward"):
        """Correlate NumPy arrays with filters of their own for each position, without stride.

        Parameters
        ----------
        inp : array (batch, channels, rows, columns)
        kern : array (filters, *positions, channels, *window)
        out_shape : tuple of int
            Spatial shape of the output.
        direction : {"forward"}

        Returns
        -------
        array (batch, filters, *out_shape)
        """
        if self.convdim != 2:
            raise NotImplementedError(f"Unshared convolution not implemented for {self.convdim}D")
        out = correlate(inp, kern, Geometry(((0, 0), (0, 0)), (1, 1), (1, 1), self.num_groups, True))
        if out.shape[2:] != tuple(out_shape):
            raise ValueError(f"the output has shape {out.shape[2:]}, not {tuple(out_shape)}")
        return out

    # --- what make_node of the three directions shares ---

    def _tensor(self, v, like=None):
        v = v if isinstance(v, Variable) else T.as_tensor_variable(v)
        if like is not None:
            v = like.type.clone(dtype=v.dtype, broadcastable=v.broadcastable).filter_variable(v)
        return v

    def _check_ndim(self, v, name, ndim, suffix=""):
        if v.type.ndim != ndim:
            raise TypeError(f"{name} must be {ndim}D tensor{suffix}")

    def _check_kern(self, kern):
        if self.unshared:
            self._check_ndim(kern, "kern", 2 + 2 * self.convdim, " for unshared convolution")
        else:
            self._check_ndim(kern, "kern", 2 + self.convdim)

    def _check_arrays(self, **arrays):
        for name, value in arrays.items():
            wanted = 2 + (2 * self.convdim if self.unshared and name == "kern" else self.convdim)
            if value.ndim != wanted:
                raise TypeError(f"{name} must be {wanted}D tensor")

    def _check_stack(self, channels, kernel_channels):
        if channels != kernel_channels * self.num_groups:
            raise ValueError(f"images and kernel must have the same stack size: the image has {channels} channels, the "
                             f"filters take {kernel_channels} in each of {self.num_groups} group(s)")

    def _hints(self, hint, values):
        """A shape with its known entries (constants) in place."""
        return [values[i] if n is None else T.get_scalar_constant_value(n) for i, n in enumerate(hint)]


class AbstractConv(BaseAbstractConv):
    """Convolution of images ``(batch, channels, *spatial)`` with filters ``(filters, channels // groups, *window)``."""

    def make_node(self, img, kern):
        img = self._tensor(img)
        kern = self._tensor(kern, like=img) if isinstance(img.type, T.TensorType) else self._tensor(kern)
        self._check_ndim(img, "img", 2 + self.convdim)
        self._check_kern(kern)
        img = assert_shape(img, self.imshp, "AbstractConv shape mismatch: shape of image does not match given imshp.")
        kern = assert_shape(kern, self.kshp,
                            "AbstractConv shape mismatch: shape of filters does not match given kshp.")
        pattern = [img.broadcastable[0], kern.broadcastable[0]] + [False] * self.convdim
        return Apply(self, [img, kern], [img.type.clone(broadcastable=pattern)()])

    def perform(self, node, inp, out_):
        img, kern = (np.asarray(v) for v in inp)
        self._check_arrays(img=img, kern=kern)
        self._check_stack(img.shape[1], kern.shape[-self.convdim - 1])
        if kern.shape[0] % self.num_groups:
            raise ValueError("the number of filters must be divisible by the number of groups")
        geometry = self._geometry(kern.shape[-self.convdim:])
        positions = geometry.positions(img.shape[2:], kern.shape[-self.convdim:])
        if min(positions) <= 0:
            raise ValueError(f"The convolution would produce an invalid shape: image {img.shape}, filters {kern.shape} "
                             f"give {positions}")
        if self.unshared and kern.shape[1:1 + self.convdim] != positions:
            raise ValueError(f"Number of locations in the filters {kern.shape[1:1 + self.convdim]} does not match the "
                             f"output's {positions}")
        out_[0][0] = correlate(img, self._oriented(kern), geometry).astype(node.outputs[0].dtype, copy=False)

    def R_op(self, inputs, eval_points):
        terms = []
        if eval_points[0] is not None:
            terms.append(self.make_node(eval_points[0], inputs[1]).outputs[0])
        if eval_points[1] is not None:
            terms.append(self.make_node(inputs[0], eval_points[1]).outputs[0])
        if not terms:
            return [None]
        return [terms[0] if len(terms) == 1 else terms[0] + terms[1]]

    def infer_shape(self, node, input_shapes):
        imshp = self._hints(self.imshp, input_shapes[0])
        kshp = self._hints(self.kshp, input_shapes[1])
        return [get_conv_output_shape(imshp, kshp, self.border_mode, self.subsample, self.filter_dilation)]

    def grad(self, inp, grads):
        bottom, weights = inp
        (top,) = grads
        grad_inputs, grad_weights = _GRADIENTS[self.convdim]
        # The shapes were checked on the way forward.
        d_bottom = grad_inputs(**_direction_kwargs(self))(
            weights, top, bottom.shape[-self.convdim:], add_assert_shape=False)
        d_weights = grad_weights(**_direction_kwargs(self))(
            bottom, top, weights.shape[-self.convdim:], add_assert_shape=False)
        return _like(d_bottom, bottom), _like(d_weights, weights)


class AbstractConv_gradWeights(BaseAbstractConv):
    """Gradient of `AbstractConv` with respect to its filters, from image, output gradient and filter window."""

    def make_node(self, img, topgrad, shape, add_assert_shape=True):
        img = self._tensor(img)
        topgrad = self._tensor(topgrad, like=img)
        self._check_ndim(img, "img", 2 + self.convdim)
        self._check_ndim(topgrad, "topgrad", 2 + self.convdim)
        if add_assert_shape:
            img = assert_shape(img, self.imshp,
                               "AbstractConv_gradWeights shape mismatch: shape of image does not match given imshp.")
        shape = T.as_tensor_variable(shape)
        free = [False] * self.convdim
        if self.unshared:
            pattern = [topgrad.broadcastable[1]] + free + [img.broadcastable[1]] + free
        else:
            pattern = [topgrad.broadcastable[1], img.broadcastable[1]] + free
        output = T.TensorType(img.type.dtype, pattern)() if len(pattern) != img.ndim else \
            img.type.clone(broadcastable=pattern)()
        return Apply(self, [img, topgrad, shape], [output])

    def perform(self, node, inp, out_):
        img, topgrad, shape = (np.asarray(v) for v in inp)
        self._check_arrays(img=img, topgrad=topgrad)
        taps = tuple(int(n) for n in shape)
        geometry = self._geometry(taps)
        positions = geometry.positions(img.shape[2:], taps)
        if img.shape[1] % self.num_groups or topgrad.shape[1] % self.num_groups:
            raise ValueError("channels and filters must be divisible by the number of groups")
        if topgrad.shape[0] != img.shape[0] or topgrad.shape[2:] != positions:
            raise ValueError(f"invalid shape for gradWeights: images {img.shape} and filters of {taps} give an output "
                             f"of {positions}, but the given topgrad has shape {topgrad.shape}")
        result = weights_gradient(img, topgrad, taps, geometry)
        out_[0][0] = np.ascontiguousarray(self._oriented(result).astype(node.outputs[0].dtype, copy=False))

    def grad(self, inp, grads):
        bottom, top = inp[:2]
        (weights,) = grads
        grad_inputs, _ = _GRADIENTS[self.convdim]
        d_bottom = grad_inputs(**_direction_kwargs(self))(weights, top, bottom.shape[-self.convdim:])
        d_top = _FORWARD[self.convdim](**_direction_kwargs(self))(bottom, weights)
        return _like(d_bottom, bottom), _like(d_top, top), DisconnectedType()()

    def connection_pattern(self, node):
        return [[1], [1], [0]]

    def infer_shape(self, node, input_shapes):
        imshp = self._hints(self.imshp, input_shapes[0])
        topshp = input_shapes[1]
        given = node.inputs[2]
        known = get_conv_gradweights_shape(imshp, topshp, self.border_mode, self.subsample, self.filter_dilation,
                                           self.num_groups, self.unshared)
        kshp = list(known[:-self.convdim]) + [given[i] for i in range(self.convdim)]
        return [self._hints(self.kshp, kshp)]


class AbstractConv_gradInputs(BaseAbstractConv):
    """Gradient of `AbstractConv` with respect to its image, from filters, output gradient and image size."""

    def make_node(self, kern, topgrad, shape, add_assert_shape=True):
        kern = self._tensor(kern)
        topgrad = self._tensor(topgrad)
        if isinstance(kern.type, T.TensorType):
            topgrad = kern.type.clone(dtype=topgrad.dtype, broadcastable=topgrad.broadcastable).filter_variable(topgrad)
        self._check_kern(kern)
        self._check_ndim(topgrad, "topgrad", 2 + self.convdim)
        if add_assert_shape:
            kern = assert_shape(kern, self.kshp,
                                "AbstractConv_gradInputs shape mismatch: shape of filters does not match given kshp.")
        shape = T.as_tensor_variable(shape)
        channels = False if self.num_groups > 1 else kern.type.broadcastable[-self.convdim - 1]
        pattern = [topgrad.type.broadcastable[0], channels] + [False] * self.convdim
        output = T.TensorType(kern.type.dtype, pattern)() if len(pattern) != kern.ndim else \
            kern.type.clone(broadcastable=pattern)()
        return Apply(self, [kern, topgrad, shape], [output])

    def perform(self, node, inp, out_):
        kern, topgrad, shape = (np.asarray(v) for v in inp)
        self._check_arrays(kern=kern, topgrad=topgrad)
        image = tuple(int(n) for n in shape)
        taps = kern.shape[-self.convdim:]
        geometry = self._geometry(taps)
        imshp = (topgrad.shape[0], kern.shape[-self.convdim - 1] * self.num_groups) + image
        expected = (topgrad.shape[0], kern.shape[0]) + geometry.positions(image, taps)
        if topgrad.shape != expected:
            raise ValueError(f"invalid input_shape for gradInputs: the given input_shape would produce an output of "
                             f"shape {expected}, but the given topgrad has shape {topgrad.shape}")
        result = inputs_gradient(self._oriented(kern), topgrad, image, geometry)
        assert result.shape == imshp
        out_[0][0] = result.astype(node.outputs[0].dtype, copy=False)

    def grad(self, inp, grads):
        weights, top = inp[:2]
        (bottom,) = grads
        _, grad_weights = _GRADIENTS[self.convdim]
        d_weights = grad_weights(**_direction_kwargs(self))(bottom, top, weights.shape[-self.convdim:])
        d_top = _FORWARD[self.convdim](**_direction_kwargs(self))(bottom, weights)
        return _like(d_weights, weights), _like(d_top, top), DisconnectedType()()

    def connection_pattern(self, node):
        return [[1], [1], [0]]

    def infer_shape(self, node, input_shapes):
        kshp = self._hints(self.kshp, input_shapes[0])
        given = node.inputs[2]
        known = get_conv_gradinputs_shape(kshp, input_shapes[1], self.border_mode, self.subsample,
                                          self.filter_dilation, self.num_groups)
        imshp = list(known[:2]) + [given[i] for i in range(self.convdim)]
        return [self._hints(self.imshp, imshp)]


def _like(gradient, variable):
    """A gradient with the type of the variable that it belongs to."""
    gradient = T.patternbroadcast(gradient, variable.broadcastable)
    return variable.type.filter_variable(gradient)


def _direction_kwargs(op):
    """Arguments for the constructor of another direction (3-D has no unshared filters)."""
    settings = op._settings()
    if op.convdim != 2:
        settings.pop("unshared")
    return settings


def _init_2d(cls):
    def __init__(self, imshp=None, kshp=None, border_mode="valid", subsample=(1, 1), filter_flip=True,
                 filter_dilation=(1, 1), num_groups=1, unshared=False):
        super(cls, self).__init__(2, imshp, kshp, border_mode, subsample, filter_flip, filter_dilation, num_groups,
                                  unshared)

    cls.__init__ = __init__
    return cls


def _init_3d(cls):
    def __init__(self, imshp=None, kshp=None, border_mode="valid", subsample=(1, 1, 1), filter_flip=True,
                 filter_dilation=(1, 1, 1), num_groups=1):
        super(cls, self).__init__(3, imshp, kshp, border_mode, subsample, filter_flip, filter_dilation, num_groups)

    cls.__init__ = __init__
    return cls


@_init_2d
class AbstractConv2d(AbstractConv):
    """Convolution in two dimensions."""


@_init_2d
class AbstractConv2d_gradWeights(AbstractConv_gradWeights):
    """Gradient of a convolution in two dimensions with respect to its filters."""


@_init_2d
class AbstractConv2d_gradInputs(AbstractConv_gradInputs):
    """Gradient of a convolution in two dimensions with respect to its image."""


@_init_3d
class AbstractConv3d(AbstractConv):
    """Convolution in three dimensions."""


@_init_3d
class AbstractConv3d_gradWeights(AbstractConv_gradWeights):
    """Gradient of a convolution in three dimensions with respect to its filters."""


@_init_3d
class AbstractConv3d_gradInputs(AbstractConv_gradInputs):
    """Gradient of a convolution in three dimensions with respect to its image."""


_FORWARD = {2: AbstractConv2d, 3: AbstractConv3d}
_GRADIENTS = {2: (AbstractConv2d_gradInputs, AbstractConv2d_gradWeights),
              3: (AbstractConv3d_gradInputs, AbstractConv3d_gradWeights)}
