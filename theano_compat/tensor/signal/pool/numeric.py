"""Pooling on NumPy arrays in any number of axes: one strided operation per element of the window."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def output_length(length, window, stride, pad, ignore_border):
    """Number of windows along one axis of a NumPy array."""
    if ignore_border:
        return max(0, (length + 2 * pad - window) // stride + 1)
    if stride >= window:
        return (length - 1) // stride + 1
    return max(0, (length - 1 - window + stride) // stride) + 1


@dataclass(frozen=True)
class Windows:
    """Where the windows of a pooling lie in the last axes of an array.

    Parameters
    ----------
    image : tuple of int
        Lengths of the pooled axes.
    window, stride, pad : tuple of int
    output : tuple of int
        Number of windows per axis.
    """

    image: tuple
    window: tuple
    stride: tuple
    pad: tuple
    output: tuple

    @classmethod
    def of(cls, shape, window, stride, pad, ignore_border):
        window, stride, pad = (tuple(int(v) for v in values) for values in (window, stride, pad))
        image = tuple(shape[len(shape) - len(window):])
        output = tuple(output_length(n, w, s, p, ignore_border) for n, w, s, p in zip(image, window, stride, pad))
        return cls(image, window, stride, pad, output)

    def offsets(self):
        """Yield for each element of the window: which windows have it inside the image, and where it lies there."""
        for tap in np.ndindex(*self.window):
            outs, ins = [], []
            for t, n, s, p, o in zip(tap, self.image, self.stride, self.pad, self.output):
                first = max(0, -((t - p) // s))
                last = min(o - 1, (n - 1 - t + p) // s)
                if last < first:
                    break
                outs.append(slice(first, last + 1))
                start = first * s + t - p
                ins.append(slice(start, start + (last - first) * s + 1, s))
            else:
                yield (Ellipsis,) + tuple(outs), (Ellipsis,) + tuple(ins)

    def counts(self, include_padding, dtype):
        """Number of elements in each window, as an array that broadcasts over the leading axes."""
        total = np.ones((1,) * len(self.image), dtype=dtype)
        for axis, (n, w, s, p, o) in enumerate(zip(self.image, self.window, self.stride, self.pad, self.output)):
            start = np.arange(o) * s - p
            stop = np.minimum(start + w, n + p if include_padding else n)
            if not include_padding:
                start = np.maximum(start, 0)
            shape = [1] * len(self.image)
            shape[axis] = o
            total = total * np.maximum(stop - start, 1).reshape(shape)
        return total.astype(dtype)


def lowest(dtype):
    """What is below every value of a dtype."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


def pool(x, windows: Windows, mode: str):
    """Pool an array.

    Parameters
    ----------
    x : array (..., *image)
    windows : Windows
    mode : {"max", "sum", "average_inc_pad", "average_exc_pad"}

    Returns
    -------
    array (..., *output)
    """
    lead = x.shape[:x.ndim - len(windows.image)]
    if mode == "max":
        out = np.full(lead + windows.output, lowest(x.dtype), dtype=x.dtype)
        for where, source in windows.offsets():
            np.maximum(out[where], x[source], out=out[where])
        return out
    wide = np.float32 if x.dtype == np.float16 else x.dtype
    out = np.zeros(lead + windows.output, dtype=wide)
    for where, source in windows.offsets():
        out[where] += x[source]
    if mode != "sum":
        counts = windows.counts(mode == "average_inc_pad", wide)
        out = out / counts if out.dtype.kind == "f" else out // counts
    return out.astype(x.dtype, copy=False)


def max_gradient(x, maxout, gz, windows: Windows):
    """Gradient of max pooling: each window's gradient goes to all elements that equal its maximum."""
    gx = np.zeros(x.shape, dtype=np.result_type(gz))
    for where, source in windows.offsets():
        gx[source] += np.where(x[source] == maxout[where], gz[where], 0)
    return gx


def average_gradient(gz, shape, windows: Windows, mode: str):
    """Gradient of sum and average pooling of an array of that shape."""
    if mode != "sum":
        gz = gz / windows.counts(mode == "average_inc_pad", gz.dtype)
    gx = np.zeros(shape, dtype=gz.dtype)
    for where, source in windows.offsets():
        gx[source] += gz[where]
    return gx


def max_gradient_gradient(x, maxout, ggx, windows: Windows):
    """Transpose of `max_gradient`: per window the sum of `ggx` over the elements that equal the maximum."""
    out = np.zeros(maxout.shape, dtype=ggx.dtype)
    for where, source in windows.offsets():
        out[where] += np.where(x[source] == maxout[where], ggx[source], 0)
    return out


def max_direction(x, direction, windows: Windows):
    """Directional derivative of max pooling: the direction at the first maximum of each window."""
    lead = x.shape[:x.ndim - len(windows.image)]
    best = np.full(lead + windows.output, lowest(x.dtype), dtype=x.dtype)
    out = np.zeros(best.shape, dtype=direction.dtype)
    untouched = np.ones(best.shape, dtype=bool)
    for where, source in windows.offsets():
        better = untouched[where] | (x[source] > best[where])
        best[where] = np.where(better, x[source], best[where])
        out[where] = np.where(better, direction[source], out[where])
        untouched[where] = False
    return out
