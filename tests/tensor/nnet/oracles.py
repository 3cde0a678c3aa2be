"""Convolution, pooling and crossentropy by plain loops and SciPy: nothing of the package is used here."""
from __future__ import annotations

import itertools

import numpy as np
from scipy.special import logsumexp


def pads(border_mode, window):
    """Zeros before and after each axis."""
    if border_mode == "valid":
        return [(0, 0)] * len(window)
    if border_mode == "half":
        return [(w // 2, w // 2) for w in window]
    if border_mode == "full":
        return [(w - 1, w - 1) for w in window]
    if isinstance(border_mode, int):
        return [(border_mode, border_mode)] * len(window)
    return [m if isinstance(m, tuple) else (m, m) for m in border_mode]


def convolve(x, w, border_mode="valid", subsample=None, dilation=None, groups=1, flip=True):
    """Convolution of images with filters in any number of axes, one output element at a time."""
    nd = x.ndim - 2
    subsample = subsample or (1,) * nd
    dilation = dilation or (1,) * nd
    if flip:
        w = w[(slice(None), slice(None)) + (slice(None, None, -1),) * nd]
    taps = w.shape[2:]
    window = [(k - 1) * d + 1 for k, d in zip(taps, dilation)]
    pad = pads(border_mode, window)
    x = np.pad(x, [(0, 0), (0, 0), *pad])
    positions = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], window, subsample)]
    out = np.zeros((x.shape[0], w.shape[0], *positions))
    of_group, filters = w.shape[1], w.shape[0] // groups
    for o in range(w.shape[0]):
        channels = slice((o // filters) * of_group, (o // filters + 1) * of_group)
        for place in itertools.product(*map(range, positions)):
            region = tuple(slice(p * s, p * s + k, d) for p, s, k, d in zip(place, subsample, window, dilation))
            patch = x[(slice(None), channels) + region]
            out[(slice(None), o) + place] = (patch * w[o]).reshape(len(x), -1).sum(axis=1)
    return out


def windows_of(n, window, stride, pad, ignore_border):
    """Ranges (start, stop) of the windows along one axis, in the coordinates of the padded axis."""
    length = n + 2 * pad
    starts = []
    start = 0
    while True:
        if ignore_border and start + window > length:
            break
        if not ignore_border and start >= length:
            break
        # a window that adds nothing beyond the one before is left out
        if not ignore_border and starts and start < length and starts[-1] + window >= length and stride < window:
            break
        starts.append(start)
        start += stride
    return [(s, min(s + window, length)) for s in starts]


def pool(x, ws, ignore_border=True, stride=None, pad=None, mode="max"):
    """Pooling of the last axes, one window at a time."""
    nd = len(ws)
    stride, pad = stride or ws, pad or (0,) * nd
    ranges = [windows_of(n, w, s, p, ignore_border) for n, w, s, p in zip(x.shape[-nd:], ws, stride, pad)]
    out = np.zeros((*x.shape[:-nd], *map(len, ranges)))
    for place in itertools.product(*(range(len(r)) for r in ranges)):
        spans = [r[p] for r, p in zip(ranges, place)]
        inside = tuple(slice(max(a - p, 0), min(b - p, n)) for (a, b), p, n in zip(spans, pad, x.shape[-nd:]))
        values = x[(Ellipsis, *inside)].reshape(*x.shape[:-nd], -1)
        if mode == "max":
            result = values.max(axis=-1)
        else:
            result = values.sum(axis=-1)
            if mode == "average_exc_pad":
                result = result / values.shape[-1]
            elif mode == "average_inc_pad":
                result = result / np.prod([b - a for a, b in spans])
        out[(Ellipsis, *place)] = result
    return out


def softmax(x):
    """Softmax of rows."""
    return np.exp(x - logsumexp(x, axis=1, keepdims=True))


def log_softmax(x):
    """Logarithm of the softmax of rows."""
    return x - logsumexp(x, axis=1, keepdims=True)


def nll(x, y):
    """Negative log-likelihood of classes `y` under the softmax of rows."""
    return -log_softmax(x)[np.arange(len(y)), np.asarray(y, dtype=int)]
