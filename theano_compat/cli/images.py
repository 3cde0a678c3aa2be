"""The image functions that SciPy had in ``scipy.misc``, over Pillow."""

from __future__ import annotations

import numpy as np


def _pillow():
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("this program reads or writes pictures by scipy.misc, which needs Pillow: pip install pillow") from None
    return Image


def bytescale(data, cmin=None, cmax=None, high=255, low=0):
    """Scale an array to ``uint8`` so that ``cmin`` gives ``low`` and ``cmax`` gives ``high``."""
    data = np.asarray(data)
    if data.dtype == np.uint8:
        return data
    cmin = data.min() if cmin is None else cmin
    cmax = data.max() if cmax is None else cmax
    span = float(cmax - cmin) or 1.0
    return (np.clip((data - cmin) * ((high - low) / span) + low, low, high) + 0.5).astype(np.uint8)


def toimage(arr, high=255, low=0, cmin=None, cmax=None, pal=None, mode=None, channel_axis=None):
    """Make a Pillow image of an array of shape (rows, columns) or with 3 or 4 channels on some axis."""
    arr = np.asarray(arr)
    if arr.ndim == 3:
        axis = channel_axis if channel_axis is not None else next(i for i, n in enumerate(arr.shape) if n in (3, 4))
        arr = np.moveaxis(arr, axis, -1)
    return _pillow().fromarray(bytescale(arr, cmin, cmax, high, low), mode) if mode else _pillow().fromarray(bytescale(arr, cmin, cmax, high, low))


def fromimage(im, flatten=False, mode=None):
    """Return a Pillow image as an array."""
    if mode is not None:
        im = im.convert(mode)
    return np.asarray(im.convert("F") if flatten else im)


def imread(name, flatten=False, mode=None):
    """Read a picture as an array of shape (rows, columns[, channels])."""
    with _pillow().open(name) as im:
        return np.array(fromimage(im, flatten, mode))


def imsave(name, arr, format=None):
    """Write an array as a picture, scaled to its smallest and largest value."""
    toimage(arr, channel_axis=2 if np.ndim(arr) == 3 else None).save(name, format)


def imresize(arr, size, interp="bilinear", mode=None):
    """Resize a picture; ``size`` is a percentage (int), a fraction (float) or (rows, columns)."""
    im = toimage(arr, mode=mode)
    if isinstance(size, (int, np.integer)):
        target = tuple(int(n * size / 100.0) for n in im.size)
    elif isinstance(size, (float, np.floating)):
        target = tuple(int(n * size) for n in im.size)
    else:
        target = (size[1], size[0])
    method = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}[interp]
    return np.asarray(im.resize(target, resample=method))


def imrotate(arr, angle, interp="bilinear"):
    """Rotate a picture by an angle in degrees."""
    return np.asarray(toimage(arr).rotate(angle, resample={"nearest": 0, "bilinear": 2, "bicubic": 3, "cubic": 3}[interp]))


def imshow(arr):
    """Show a picture in the viewer that Pillow finds."""
    toimage(arr).show()
