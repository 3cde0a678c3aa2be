"""The old 2-D convolution op, kept for programs that name it; new ones use ``nnet.conv2d``."""
from __future__ import annotations

import warnings

import numpy as np

from theano_compat.gof import Apply, Variable
from theano_compat.gof.op import OpenMPOp
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic import as_tensor_variable

from .abstract_conv import AbstractConv2d_gradInputs, AbstractConv2d_gradWeights, get_conv_output_shape, get_conv_shape_1axis
from .conv_numpy import Geometry, correlate, flip

imported_scipy_signal = True

__all__ = ["ConvOp", "conv2d", "imported_scipy_signal"]

_ATTRIBUTES = ("imshp", "kshp", "nkern", "bsize", "dx", "dy", "out_mode", "unroll_batch", "unroll_kern", "unroll_patch",
               "imshp_logical", "kshp_logical", "kshp_logical_top_aligned")


def conv2d(input, filters, image_shape=None, filter_shape=None, border_mode="valid", subsample=(1, 1), **kargs):
    """Convolve a batch of images with filters (deprecated: use ``theano.tensor.nnet.conv2d``).

    Parameters
    ----------
    input : 4-d tensor, shape (batch, channels, rows, columns)
    filters : 4-d tensor, shape (filters, channels, rows, columns)
    image_shape, filter_shape : tuple of int or None, optional
    border_mode : {"valid", "full"}
    subsample : (int, int)
    **kargs
        Arguments of `ConvOp`; those that tuned its code have no effect.

    Returns
    -------
    4-d tensor, shape (batch, filters, output rows, output columns)
    """
    warnings.warn("theano.tensor.nnet.conv.conv2d is deprecated. Use theano.tensor.nnet.conv2d instead.", stacklevel=2)
    image_shape = _constant_shape(image_shape, "image_shape")
    filter_shape = _constant_shape(filter_shape, "filter_shape")
    if image_shape and filter_shape and None not in (image_shape[1], filter_shape[1]):
        if image_shape[1] != filter_shape[1]:
            raise AssertionError(f"image_shape {image_shape} and filter_shape {filter_shape} differ in the number of "
                             "channels")
    bsize, imshp = (image_shape[0], image_shape[1:]) if image_shape else (None, None)
    nkern, kshp = (filter_shape[0], filter_shape[2:]) if filter_shape else (None, None)
    op = ConvOp(output_mode=border_mode, dx=subsample[0], dy=subsample[1], imshp=imshp, kshp=kshp, nkern=nkern,
                bsize=bsize, **kargs)
    return op(input, filters)


def _constant_shape(shape, name):
    if shape is None:
        return None
    if isinstance(shape, Variable):
        shape = [T.get_scalar_constant_value(shape[i]) for i in range(4)]
    if len(shape) != 4:
        raise ValueError(f"{name} should have 4 elements, got {len(shape)}")
    return tuple(None if n is None else int(T.get_scalar_constant_value(as_tensor_variable(n))) for n in shape)


class ConvOp(OpenMPOp):
    """Convolution of images ``(batch, channels, rows, columns)`` with filters ``(filters, channels, rows, columns)``.

    Parameters
    ----------
    imshp : tuple of int or None
        (channels, rows, columns) of the images, as far as known.
    kshp : tuple of int or None
        (rows, columns) of the filters, as far as known.
    nkern, bsize : int, optional
        Number of filters and of images.
    dx, dy : int
        Strides along rows and columns.
    output_mode : {"valid", "full"}
    imshp_logical, kshp_logical : tuple of int, optional
        Shapes to which images and filters are spread with zeros first.
    kshp_logical_top_aligned : bool
        Whether spread filters begin at the top left, or end at the bottom right.
    unroll_batch, unroll_kern, unroll_patch, verbose, version, direction_hint, openmp
        Accepted for compatibility, without effect.
    """

    __attrnames = _ATTRIBUTES

    def __init__(self, imshp=None, kshp=None, nkern=None, bsize=None, dx=1, dy=1, output_mode="valid",
                 unroll_batch=None, unroll_kern=None, unroll_patch=None, imshp_logical=None, kshp_logical=None,
                 kshp_logical_top_aligned=True, verbose=0, version=-1, direction_hint="forward", openmp=None):
        OpenMPOp.__init__(self, openmp=openmp)
        if output_mode not in ("valid", "full"):
            raise NotImplementedError(f"output_mode {output_mode} is not implemented, use valid or full")
        if int(dx) != dx or int(dy) != dy:
            raise TypeError(f"ConvOp.__init__ param dx and dy must be integers, got {dx}, {dy}")
        self.imshp = _triple(imshp)
        self.kshp = (None, None) if kshp is None else tuple(kshp)
        self.nkern, self.bsize = nkern, bsize
        self.dx, self.dy = int(dx), int(dy)
        self.out_mode = output_mode
        self.unroll_batch, self.unroll_kern = unroll_batch, unroll_kern
        self.unroll_patch = True if unroll_patch is None and unroll_batch is None and unroll_kern is None else unroll_patch
        self.imshp_logical = self.imshp if imshp_logical is None else _triple(imshp_logical)
        self.kshp_logical = self.kshp if kshp_logical is None else tuple(kshp_logical)
        self.kshp_logical_top_aligned = kshp_logical_top_aligned
        self.verbose, self.version, self.direction_hint = verbose, version, direction_hint
        self.outshp = self.fulloutshp = None
        if self.has_all_shape(self.imshp_logical, self.kshp_logical):
            self.outshp = self.getOutputShape(self.imshp_logical[1:], self.kshp_logical, (self.dx, self.dy), output_mode)
            self.fulloutshp = self.getOutputShape(self.imshp_logical[1:], self.kshp_logical, (1, 1), output_mode)
        self._hash = hash((type(self),) + tuple(getattr(self, name) for name in _ATTRIBUTES))

    def __eq__(self, other):
        return type(self) is type(other) and all(getattr(self, n) == getattr(other, n) for n in _ATTRIBUTES)

    def __hash__(self):
        return self._hash

    def __str__(self):
        return "ConvOp{" + ",".join(str((name, getattr(self, name))) for name in _ATTRIBUTES) + "}"

    @staticmethod
    def has_all_shape(imshp, kshp, nkern=1, bsize=1):
        """True where no length is missing."""
        return (nkern is not None and bsize is not None and imshp is not None and kshp is not None
                and None not in imshp and None not in kshp)

    @staticmethod
    def getOutputShape(inshp, kshp, stride=(1, 1), mode="valid"):
        """Spatial shape of the output (rows, columns) from those of image and filters.

        Parameters
        ----------
        inshp, kshp : (int, int)
        stride : (int, int)
        mode : {"valid", "full"}

        Returns
        -------
        tuple of int
        """
        return tuple(get_conv_shape_1axis(n, k, mode, s) for n, k, s in zip(inshp, kshp, stride))

    def is_upsampling(self) -> bool:
        """True where images or filters are spread with zeros first."""
        return self.imshp_logical != self.imshp or self.kshp_logical != self.kshp

    def use_blas(self):
        """False: this op has no code of its own; the engine lowers it to products of patches."""
        return False

    def flops(self, inputs, outputs):
        """Multiplications and additions of one evaluation, from the shapes of inputs and outputs."""
        images, kerns = inputs
        return int(np.prod(outputs[0])) * 2 * int(np.prod(kerns[1:]))

    def make_node(self, inputs, kerns):
        inputs, kerns = as_tensor_variable(inputs), as_tensor_variable(kerns)
        if inputs.type.ndim != 4:
            raise TypeError(f"ConvOp (make_node) requires input be a 4D tensor; received \"{inputs}\" "
                            f"({inputs.type.ndim} dims)")
        if kerns.type.ndim != 4:
            raise TypeError("make_node requires 4D tensor of kernels")
        if inputs.type.dtype != kerns.type.dtype:
            raise NotImplementedError("The image and the kernel must have the same type."
                                      f"inputs({inputs.dtype}), kerns({kerns.dtype})")
        one = [self.outshp is not None and n == 1 for n in (self.outshp or (None, None))]
        pattern = [inputs.broadcastable[0], kerns.broadcastable[0]] + one
        return Apply(self, [inputs, kerns], [T.TensorType(dtype=inputs.type.dtype, broadcastable=pattern)()])

    def infer_shape(self, node, input_shapes):
        imshp, kshp = list(input_shapes[0]), list(input_shapes[1])
        for known, shape, offset in ((self.imshp_logical, imshp, 1), (self.kshp_logical, kshp, 2)):
            for i, n in enumerate(known):
                if n is not None:
                    shape[offset + i] = n
        return [get_conv_output_shape(tuple(imshp), tuple(kshp), self.out_mode, (self.dx, self.dy))]

    def _spread(self, array, logical, aligned_top=True):
        """`array` with zeros between its rows and columns, up to the spatial shape `logical`."""
        if tuple(array.shape[2:]) == tuple(logical):
            return array
        out = np.zeros(array.shape[:2] + tuple(logical), dtype=array.dtype)
        steps = [int(np.ceil(n / m)) for n, m in zip(logical, array.shape[2:])]
        starts = [0 if aligned_top else n - ((m - 1) * s + 1) for n, m, s in zip(logical, array.shape[2:], steps)]
        out[:, :, starts[0]::steps[0], starts[1]::steps[1]] = array
        return out

    def perform(self, node, inp, out):
        img, kerns = inp
        told = (((self.bsize, *self.imshp), img.shape, "images"),
                ((self.nkern, kerns.shape[1], *self.kshp), kerns.shape, "kernels"))
        for known, given, name in told:
            if any(n is not None and n != m for n, m in zip(known, given)):
                raise ValueError(f"The {name} have the shape {given}, but ConvOp was told {known}")
        if img.shape[1] != kerns.shape[1]:
            raise ValueError(f"the image has {img.shape[1]} channels, the filters have {kerns.shape[1]}")
        if None not in self.imshp_logical[1:]:
            img = self._spread(img, self.imshp_logical[1:])
        if None not in self.kshp_logical:
            kerns = self._spread(kerns, self.kshp_logical, self.kshp_logical_top_aligned)
        taps = kerns.shape[2:]
        pad = tuple((k - 1, k - 1) if self.out_mode == "full" else (0, 0) for k in taps)
        out[0][0] = correlate(img, flip(kerns, 2), Geometry(pad, (self.dx, self.dy), (1, 1)))

    def R_op(self, inputs, eval_points):
        terms = []
        if eval_points[0] is not None:
            terms.append(self.make_node(eval_points[0], inputs[1]).outputs[0])
        if eval_points[1] is not None:
            terms.append(self.make_node(inputs[0], eval_points[1]).outputs[0])
        return [sum(terms[1:], terms[0]) if terms else None]

    def grad(self, inp, grads):
        inputs, kerns = inp
        (gz,) = grads
        if self.is_upsampling():
            raise NotImplementedError("todo: gradient of ConvOp with logical shapes")
        settings = dict(border_mode=self.out_mode, subsample=(self.dx, self.dy), filter_flip=True)
        g_inputs = AbstractConv2d_gradInputs(**settings)(kerns, gz, inputs.shape[-2:])
        g_kerns = AbstractConv2d_gradWeights(**settings)(inputs, gz, kerns.shape[-2:])
        return [T.patternbroadcast(g_inputs, inputs.broadcastable), T.patternbroadcast(g_kerns, kerns.broadcastable)]


def _triple(imshp):
    if imshp is None:
        return (None, None, None)
    imshp = tuple(imshp)
    return ((1,) + imshp if len(imshp) == 2 else imshp)
