"""Pooling functions for users."""
from __future__ import annotations

import warnings

from theano_compat.tensor import basic as tensor

from .ops import Pool

_BORDER_WARNING = (
    "{}() will have the parameter ignore_border default value changed to True (currently False). To have consistent "
    "behavior with all Theano version, explicitly add the parameter ignore_border=True.")


def _renamed(value, old, default, name, old_name, conflict):
    """The value of an argument, taken from its old name (with a warning) where that was used."""
    if old in (None, default if name == "pad" else None):
        return value
    if value is not None and value != default:
        raise ValueError(conflict)
    warnings.warn(f"DEPRECATION: the '{old_name}' parameter is not going to exist anymore as it is going to be replaced "
                  f"by the parameter '{name}'.", stacklevel=4)
    return old


def _pool(who, ndim, input, ws, ignore_border, stride, pad, mode, ds, st, padding):
    zeros = (0,) * ndim
    ws = _renamed(ws, ds, None, "ws", "ds",
                  "You can't provide a tuple value to both 'ws' and 'ds'. Please provide a value only to 'ws'.")
    stride = _renamed(stride, st, None, "stride", "st", "You can't provide a tuple value to both 'st and 'stride'. "
                      "Please provide a value only to 'stride'.")
    pad = _renamed(pad, padding, zeros, "pad", "padding",
                   "You can't provide a tuple value to both 'padding' and pad.  Please provide a value only to pad.")
    if ws is None:
        raise ValueError("You must provide a tuple value for the window size.")
    if input.ndim < ndim:
        raise NotImplementedError(f"{who} requires a dimension >= {ndim}")
    if ignore_border is None:
        warnings.warn(_BORDER_WARNING.format(who), stacklevel=3)
        ignore_border = False
    return Pool(ignore_border, ndim=ndim, mode=mode)(input, ws, stride, pad)


def pool_2d(input, ws=None, ignore_border=None, stride=None, pad=(0, 0), mode="max", ds=None, st=None, padding=None):
    """Pool windows of the last two axes.

    Parameters
    ----------
    input : tensor of two or more dimensions
    ws : (int, int) or symbolic integer vector
        Rows and columns of a window.
    ignore_border : bool
        Leave out windows that reach over the end. The default is False, with a warning.
    stride : (int, int) or symbolic integer vector, optional
        Distance of windows; by default `ws`.
    pad : (int, int) or symbolic integer vector
        Border around the image, not part of any maximum; needs ``ignore_border=True``.
    mode : {"max", "sum", "average_inc_pad", "average_exc_pad"}
        Averages count the border, or not.
    ds, st, padding
        Old names of `ws`, `stride` and `pad`.

    Returns
    -------
    tensor
        Its last two lengths are the numbers of windows.
    """
    return _pool("pool_2d", 2, tensor.as_tensor_variable(input), ws, ignore_border, stride, pad, mode, ds, st, padding)


def pool_3d(input, ws=None, ignore_border=None, stride=None, pad=(0, 0, 0), mode="max", ds=None, st=None,
            padding=None):
    """Pool windows of the last three axes; parameters as for `pool_2d`, with three entries."""
    return _pool("pool_3d", 3, tensor.as_tensor_variable(input), ws, ignore_border, stride, pad, mode, ds, st, padding)


def max_pool_2d_same_size(input, patch_size):
    """Set to zero what is not the maximum of its patch.

    Parameters
    ----------
    input : 4-d tensor
    patch_size : (int, int)
        Rows and columns of a patch; what they do not cover becomes zero.

    Returns
    -------
    4-d tensor of the input's shape
    """
    from .ops import MaxPoolGrad

    output = Pool(True)(input, patch_size)
    return MaxPoolGrad(True)(input, output, output, patch_size)
