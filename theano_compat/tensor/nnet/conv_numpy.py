"""Convolution on NumPy arrays in any number of spatial axes: patches in a matrix, then products.

All three directions share one geometry: image ``(batch, channels, *spatial)``, filters
``(filters, channels // groups, *window)`` and output ``(batch, filters, *positions)``; unshared filters have the
positions after the first axis. Filters are not flipped here (this is correlation).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Patches are built for as many images at a time as fit here.
_PATCH_BYTES = 32 << 20


@dataclass(frozen=True)
class Geometry:
    """Padding, stride and dilation per spatial axis, and the grouping of the channels.

    Parameters
    ----------
    pad : tuple of (int, int)
        Zeros before and after, per axis.
    stride, dilation : tuple of int
    groups : int
    unshared : bool
        Every position has filters of its own.
    """

    pad: tuple
    stride: tuple
    dilation: tuple
    groups: int = 1
    unshared: bool = False

    @property
    def ndim(self) -> int:
        return len(self.stride)

    def window(self, kernel_shape) -> tuple:
        """Size of the window of a filter of that many taps, holes included."""
        return tuple((k - 1) * d + 1 for k, d in zip(kernel_shape, self.dilation))

    def positions(self, image_shape, kernel_shape) -> tuple:
        """Spatial shape of the output (may be negative where the filter does not fit)."""
        return tuple((n + lo + hi - w) // s + 1 for n, (lo, hi), w, s in
                     zip(image_shape, self.pad, self.window(kernel_shape), self.stride))


def _padded(img, pad):
    if not any(lo or hi for lo, hi in pad):
        return img
    return np.pad(img, [(0, 0), (0, 0)] + [tuple(p) for p in pad])


def _patches(padded, kernel_shape, positions, geometry):
    """View ``(batch, channels, *window taps, *positions)`` of a padded image."""
    spatial = padded.strides[2:]
    shape = padded.shape[:2] + tuple(kernel_shape) + tuple(positions)
    strides = (padded.strides[:2] + tuple(st * d for st, d in zip(spatial, geometry.dilation))
               + tuple(st * s for st, s in zip(spatial, geometry.stride)))
    return np.lib.stride_tricks.as_strided(padded, shape, strides, writeable=False)


def _batches(batch, bytes_per_image):
    step = max(1, _PATCH_BYTES // max(1, bytes_per_image))
    return [slice(start, min(start + step, batch)) for start in range(0, batch, step)]


def _columns(patches, chunk, groups, taps, n_positions):
    """Patches of some images as matrices ``(batch, groups, channels of a group x taps, positions)``."""
    part = patches[chunk]
    return part.reshape(part.shape[0], groups, (part.shape[1] // groups) * taps, n_positions)


def correlate(img, kern, geometry: Geometry):
    """Correlate images with filters.

    Parameters
    ----------
    img : array (batch, channels, *spatial)
    kern : array (filters, channels // groups, *window), or unshared (filters, *positions, channels // groups, *window)
    geometry : Geometry

    Returns
    -------
    array (batch, filters, *positions)
    """
    g = geometry
    taps_shape = kern.shape[-g.ndim:]
    positions = g.positions(img.shape[2:], taps_shape)
    batch, filters = img.shape[0], kern.shape[0]
    dtype = np.result_type(img, kern)
    out = np.zeros((batch, filters) + positions, dtype=dtype)
    if out.size == 0 or img.shape[1] == 0 or 0 in taps_shape:
        return out
    padded = _padded(img, g.pad)
    patches = _patches(padded, taps_shape, positions, g)
    taps, n_pos = int(np.prod(taps_shape)), int(np.prod(positions))
    per_group = filters // g.groups
    if g.unshared:
        weights = kern.reshape(g.groups, per_group, n_pos, -1).transpose(0, 2, 1, 3)
    else:
        weights = kern.reshape(g.groups, per_group, -1)
    for chunk in _batches(batch, img.shape[1] * taps * n_pos * img.itemsize):
        columns = _columns(patches, chunk, g.groups, taps, n_pos)
        if g.unshared:
            # For each group and position: (filters, taps) @ (taps, batch).
            result = np.matmul(weights, columns.transpose(1, 3, 2, 0)).transpose(3, 0, 2, 1)
        else:
            result = np.matmul(weights, columns)
        out[chunk] = result.reshape((columns.shape[0], filters) + positions)
    return out


def weights_gradient(img, top, taps_shape, geometry: Geometry):
    """Gradient of a correlation with respect to its filters.

    Parameters
    ----------
    img : array (batch, channels, *spatial)
    top : array (batch, filters, *positions)
        Gradient of the output.
    taps_shape : tuple of int
        Spatial shape of the filters.
    geometry : Geometry

    Returns
    -------
    array shaped as the filters
    """
    g = geometry
    batch, channels = img.shape[:2]
    filters, positions = top.shape[1], top.shape[2:]
    taps, n_pos = int(np.prod(taps_shape)), int(np.prod(positions))
    per_group, channels_of_group = filters // g.groups, channels // g.groups
    dtype = np.result_type(img, top)
    shape = (filters,) + (positions if g.unshared else ()) + (channels_of_group,) + tuple(taps_shape)
    if 0 in shape or batch == 0 or n_pos == 0:
        return np.zeros(shape, dtype=dtype)
    patches = _patches(_padded(img, g.pad), taps_shape, positions, g)
    rows = channels_of_group * taps
    total = np.zeros((g.groups, n_pos, per_group, rows) if g.unshared else (g.groups, per_group, rows), dtype=dtype)
    for chunk in _batches(batch, channels * taps * n_pos * img.itemsize):
        columns = _columns(patches, chunk, g.groups, taps, n_pos)
        tops = top[chunk].reshape(-1, g.groups, per_group, n_pos)
        if g.unshared:
            total += np.matmul(tops.transpose(1, 3, 2, 0), columns.transpose(1, 3, 0, 2))
        else:
            total += np.matmul(tops, columns.transpose(0, 1, 3, 2)).sum(axis=0, dtype=dtype)
    if g.unshared:
        total = total.transpose(0, 2, 1, 3)
    return np.ascontiguousarray(total).reshape(shape)


def inputs_gradient(kern, top, image_shape, geometry: Geometry):
    """Gradient of a correlation with respect to its images.

    Parameters
    ----------
    kern : array shaped as the filters
    top : array (batch, filters, *positions)
        Gradient of the output.
    image_shape : tuple of int
        Spatial shape of the images.
    geometry : Geometry

    Returns
    -------
    array (batch, channels, *spatial)
    """
    g = geometry
    batch, filters = top.shape[:2]
    positions, taps_shape = top.shape[2:], kern.shape[-g.ndim:]
    channels_of_group = kern.shape[-g.ndim - 1]
    channels = channels_of_group * g.groups
    taps, n_pos = int(np.prod(taps_shape)), int(np.prod(positions))
    per_group = filters // g.groups
    dtype = np.result_type(kern, top)
    padded_shape = tuple(n + lo + hi for n, (lo, hi) in zip(image_shape, g.pad))
    padded = np.zeros((batch, channels) + padded_shape, dtype=dtype)
    if padded.size and n_pos and taps and filters:
        if g.unshared:
            weights = kern.reshape(g.groups, per_group, n_pos, -1).transpose(0, 2, 3, 1)
        else:
            weights = kern.reshape(g.groups, per_group, -1).transpose(0, 2, 1)
        for chunk in _batches(batch, channels * taps * n_pos * padded.itemsize):
            tops = top[chunk].reshape(-1, g.groups, per_group, n_pos)
            if g.unshared:
                columns = np.matmul(weights, tops.transpose(1, 3, 2, 0)).transpose(3, 0, 2, 1)
            else:
                columns = np.matmul(weights, tops)
            columns = columns.reshape((tops.shape[0], channels) + tuple(taps_shape) + tuple(positions))
            # One strided addition per tap of the filter.
            for tap in np.ndindex(*taps_shape):
                region = tuple(slice(t * d, t * d + (p - 1) * s + 1, s)
                               for t, d, p, s in zip(tap, g.dilation, positions, g.stride))
                padded[(chunk, slice(None)) + region] += columns[(slice(None), slice(None)) + tap]
    if not any(lo or hi for lo, hi in g.pad):
        return padded
    inner = tuple(slice(lo, lo + n) for n, (lo, _) in zip(image_shape, g.pad))
    return np.ascontiguousarray(padded[(slice(None), slice(None)) + inner])


def flip(kern, ndim: int):
    """View of filters turned round in their last `ndim` axes."""
    return kern[(Ellipsis,) + (slice(None, None, -1),) * ndim]
