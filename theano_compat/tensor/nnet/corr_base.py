"""Correlation by patches and matrix products: what the 2-D and 3-D ops have in common.

The ops correspond to `abstract_conv` with ``filter_flip=False``; rewrites turn the filters round beforehand where needed.
"""
from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply
from theano_compat.gof.op import OpenMPOp
from theano_compat.gradient import DisconnectedType
from theano_compat.scalar import upcast
from theano_compat.tensor.basic import as_tensor_variable
from theano_compat.tensor.type import TensorType

from .abstract_conv.shapes import get_conv_output_shape
from .conv_numpy import Geometry, correlate, inputs_gradient, weights_gradient

#: How string border modes stand in the numeric padding of the ops.
HALF, FULL = -1, -2


class CorrND(OpenMPOp):
    """Base of the correlation ops.

    Parameters
    ----------
    border_mode : "valid", "full", "half", or tuple
    subsample, filter_dilation : tuple of int
    num_groups : int
    unshared : bool
    openmp : bool, optional
    """

    check_broadcast = False
    convdim = 2
    label = "CorrMM"
    unshared = False
    #: Which of forward, backprop weights and backprop inputs a concrete op computes.
    direction: str | None = None

    def _setup(self, border_mode, subsample, filter_dilation, num_groups, openmp):
        OpenMPOp.__init__(self, openmp=openmp)
        self.border_mode = self._checked_border_mode(border_mode)
        words = {2: "two", 3: "three"}[self.convdim]
        for name, values in (("subsample", subsample), ("filter_dilation", filter_dilation)):
            if len(values) != self.convdim:
                raise ValueError(f"{name} must have {words} elements")
        self.subsample = tuple(subsample)
        self.filter_dilation = tuple(filter_dilation)
        self.num_groups = num_groups
        if not num_groups >= 1:
            raise ValueError("Number of groups should be greater than 0")

    def _settings(self):
        raise NotImplementedError

    @staticmethod
    def as_common_dtype(in1, in2):
        """Cast two tensors to the dtype that holds both."""
        dtype = upcast(in1.dtype, in2.dtype)
        return in1.astype(dtype), in2.astype(dtype)

    def _pads(self):
        """Padding per axis as pairs; string modes as `HALF` or `FULL`."""
        code = {"half": HALF, "full": FULL, "valid": 0}.get(self.border_mode) if isinstance(self.border_mode, str) else None
        if code is not None:
            return ((code, code),) * self.convdim
        return tuple(m if isinstance(m, tuple) else (m, m) for m in self.border_mode)

    def _geometry(self, taps):
        window = [(k - 1) * d + 1 for k, d in zip(taps, self.filter_dilation)]
        strings = {HALF: lambda w: w // 2, FULL: lambda w: w - 1}
        pad = tuple(tuple(strings[side](w) if side in strings else side for side in pair)
                    for pair, w in zip(self._pads(), window))
        return Geometry(pad, self.subsample, self.filter_dilation, self.num_groups, self.unshared)

    def _check_ndim(self, v, name, ndim):
        if v.type.ndim != ndim:
            raise TypeError(f"{name} must be {ndim}D tensor")

    def _kern_ndim(self):
        return 2 + (2 if self.unshared else 1) * self.convdim

    def _inconsistent(self, bottom, weights, top, expected):
        raise ValueError(
            f"{self.label} shape inconsistency:\n  bottom shape: {_words(bottom)}\n  weight shape: {_words(weights)}\n"
            f"  top shape: {_words(top)} (expected {_words(expected)})\n")

    def _taps_known(self):
        """Whether image and output tell the filters' window."""
        return all(s == 1 for s in self.subsample) and all(p != HALF for pair in self._pads() for p in pair)

    def flops(self, inputs, outputs):
        """Multiplications and additions of one evaluation, from the shapes of inputs and outputs."""
        images, kerns = inputs
        return int(np.prod(outputs[0])) * 2 * int(np.prod(kerns[-self.convdim - 1:]))


def _words(shape, join=" "):
    return join.join(str(n) for n in shape)


class Forward(CorrND):
    """Mixin with the forward direction."""

    direction = "forward"

    def make_node(self, img, kern):
        img, kern = self.as_common_dtype(as_tensor_variable(img), as_tensor_variable(kern))
        self._check_ndim(img, "img", 2 + self.convdim)
        self._check_ndim(kern, "kern", self._kern_ndim())
        pattern = [img.type.broadcastable[0], kern.type.broadcastable[0]] + [False] * self.convdim
        return Apply(self, [img, kern], [TensorType(img.type.dtype, pattern)()])

    def perform(self, node, inp, out_, params=None):
        img, kern = inp
        if img.shape[1] != kern.shape[-self.convdim - 1] * self.num_groups:
            raise ValueError(f"{self.label} images and kernel must have the same stack size\n")
        if kern.shape[0] % self.num_groups:
            raise ValueError(f"{self.label} the number of filters must be divisible by the number of groups\n")
        geometry = self._geometry(kern.shape[-self.convdim:])
        positions = geometry.positions(img.shape[2:], kern.shape[-self.convdim:])
        if min(positions) <= 0:
            top = (img.shape[0], kern.shape[0]) + positions
            raise ValueError(f"{self.label}: impossible output shape\n  bottom shape: {_words(img.shape, ' x ')}\n"
                             f"  weights shape: {_words(kern.shape, ' x ')}\n  top shape: {_words(top, ' x ')}\n")
        if self.unshared and kern.shape[1:1 + self.convdim] != positions:
            raise ValueError(f"{self.label}: the filters are for {kern.shape[1:1 + self.convdim]} positions, the output "
                             f"has {positions}")
        out_[0][0] = correlate(img, kern, geometry).astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, input_shape):
        imshp, kshp = input_shape
        return [get_conv_output_shape(imshp, kshp, self.border_mode, self.subsample, self.filter_dilation)]

    def grad(self, inp, grads):
        bottom, weights = inp
        (top,) = grads
        d_bottom = self.grad_inputs_class(**self._settings())(weights, top, bottom.shape[-self.convdim:])
        d_weights = self.grad_weights_class(**self._settings())(bottom, top, weights.shape[-self.convdim:])
        return d_bottom, d_weights


def _lengths(shape, convdim):
    return [as_tensor_variable(shape[i]).astype("int64") for i in range(convdim)]


class GradWeights(CorrND):
    """Mixin with the gradient for the filters."""

    direction = "backprop weights"

    def make_node(self, img, topgrad, shape=None):
        img, topgrad = self.as_common_dtype(as_tensor_variable(img), as_tensor_variable(topgrad))
        self._check_ndim(img, "img", 2 + self.convdim)
        self._check_ndim(topgrad, "topgrad", 2 + self.convdim)
        if self._taps_known():
            lengths = []
        elif shape is None:
            ones = ", ".join(["1"] * self.convdim)
            raise ValueError(f'shape must be given if subsample != ({ones}) or border_mode == "half"')
        else:
            lengths = _lengths(shape, self.convdim)
        free = [False] * self.convdim
        pattern = [topgrad.type.broadcastable[1]] + (free if self.unshared else []) + [img.type.broadcastable[1]] + free
        return Apply(self, [img, topgrad] + lengths, [TensorType(img.type.dtype, pattern)()])

    def _taps(self, bottom, top, given):
        """Spatial shape of the filters, from the inputs' shapes where it is not given."""
        if given:
            return tuple(given)
        taps = []
        for n, t, (lo, hi), d in zip(bottom, top, self._pads(), self.filter_dilation):
            window = t - n + 1 if lo == FULL else n + lo + hi - t + 1
            taps.append(window if d == 1 else (window - 1) // d + 1)
        return tuple(taps)

    def perform(self, node, inp, out_, params=None):
        img, topgrad = inp[:2]
        taps = self._taps(img.shape[2:], topgrad.shape[2:], [int(n) for n in inp[2:]])
        geometry = self._geometry(taps)
        expected = (img.shape[0], topgrad.shape[1]) + geometry.positions(img.shape[2:], taps)
        if img.shape[1] % self.num_groups or topgrad.shape[1] % self.num_groups:
            raise ValueError(f"{self.label} the number of channels and filters must be divisible by the number of groups\n")
        if topgrad.shape != expected:
            weights = (topgrad.shape[1], img.shape[1] // self.num_groups) + taps
            self._inconsistent(img.shape, weights, topgrad.shape, expected)
        out_[0][0] = weights_gradient(img, topgrad, taps, geometry).astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, input_shape):
        imshp, topshp = input_shape[:2]
        taps = self._taps(imshp[2:], topshp[2:], node.inputs[2:])
        channels = imshp[1] if self.num_groups == 1 else imshp[1] // self.num_groups
        positions = tuple(topshp[2:]) if self.unshared else ()
        return [(topshp[1],) + positions + (channels,) + taps]

    def grad(self, inp, grads):
        bottom, top = inp[:2]
        (weights,) = grads
        d_bottom = self.grad_inputs_class(**self._settings())(weights, top, bottom.shape[-self.convdim:])
        d_top = self.forward_class(**self._settings())(bottom, weights)
        return [d_bottom, d_top] + [DisconnectedType()() for _ in inp[2:]]

    def connection_pattern(self, node):
        return [[1], [1]] + [[0]] * (len(node.inputs) - 2)


class GradInputs(CorrND):
    """Mixin with the gradient for the images."""

    direction = "backprop inputs"

    def make_node(self, kern, topgrad, shape=None):
        kern, topgrad = self.as_common_dtype(as_tensor_variable(kern), as_tensor_variable(topgrad))
        self._check_ndim(kern, "kern", self._kern_ndim())
        self._check_ndim(topgrad, "topgrad", 2 + self.convdim)
        if shape is None:
            if any(s != 1 for s in self.subsample):
                ones = ", ".join(["1"] * self.convdim)
                raise ValueError(f"shape must be given if subsample != ({ones})")
            lengths = []
        else:
            lengths = _lengths(shape, self.convdim)
        channels = False if self.num_groups > 1 else kern.type.broadcastable[-self.convdim - 1]
        pattern = [topgrad.type.broadcastable[0], channels] + [False] * self.convdim
        return Apply(self, [kern, topgrad] + lengths, [TensorType(kern.type.dtype, pattern)()])

    def _image(self, taps, top, given):
        """Spatial shape of the images, from the inputs' shapes where it is not given."""
        if given:
            return tuple(given)
        image = []
        for k, t, (lo, hi), d in zip(taps, top, self._pads(), self.filter_dilation):
            window = k if d == 1 else (k - 1) * d + 1
            if lo == FULL:
                image.append(t - window + 1)
            elif lo == HALF:
                image.append(t + window - 1 - 2 * (window // 2))
            else:
                image.append(t + window - 1 - lo - hi)
        return tuple(image)

    def perform(self, node, inp, out_, params=None):
        kern, topgrad = inp[:2]
        taps = kern.shape[-self.convdim:]
        image = self._image(taps, topgrad.shape[2:], [int(n) for n in inp[2:]])
        geometry = self._geometry(taps)
        channels = kern.shape[-self.convdim - 1] * self.num_groups
        expected = (topgrad.shape[0], kern.shape[0]) + geometry.positions(image, taps)
        if topgrad.shape != expected or kern.shape[0] % self.num_groups:
            self._inconsistent((topgrad.shape[0], channels) + image, kern.shape, topgrad.shape, expected)
        out_[0][0] = inputs_gradient(kern, topgrad, image, geometry).astype(node.outputs[0].dtype, copy=False)

    def infer_shape(self, node, input_shape):
        kshp, topshp = input_shape[:2]
        channels = kshp[-self.convdim - 1]
        if self.num_groups != 1:
            channels = channels * self.num_groups
        image = self._image(kshp[-self.convdim:], topshp[2:], node.inputs[2:])
        return [(topshp[0], channels) + image]

    def grad(self, inp, grads):
        weights, top = inp[:2]
        (bottom,) = grads
        d_weights = self.grad_weights_class(**self._settings())(bottom, top, weights.shape[-self.convdim:])
        d_top = self.forward_class(**self._settings())(bottom, weights)
        return [d_weights, d_top] + [DisconnectedType()() for _ in inp[2:]]

    def connection_pattern(self, node):
        return [[1], [1]] + [[0]] * (len(node.inputs) - 2)
