"""Old name of `pool`: every public name of it, with ``max_pool_2d`` for ``pool_2d`` with maxima."""
from __future__ import annotations

import warnings

from .pool import *  # noqa: F401,F403
from .pool import Pool, pool_2d

warnings.warn("downsample module has been moved to the theano.tensor.signal.pool module.", stacklevel=2)


class DownsampleFactorMax(Pool):
    """Old name of `Pool`, whose window, stride and padding were set when it was made.

    Parameters
    ----------
    ds : (int, int)
        Window.
    ignore_border : bool
    st, padding : (int, int), optional
        Stride and padding.
    mode : {"max", "sum", "average_inc_pad", "average_exc_pad"}
    """

    def __init__(self, ds, ignore_border=False, st=None, padding=(0, 0), mode="max"):
        Pool.__init__(self, ignore_border, mode)
        self.ds, self.st, self.padding = tuple(ds), tuple(st or ds), tuple(padding)

    def __call__(self, x, **kwargs):
        return Pool(self.ignore_border, self.mode)(x, self.ds, self.st, self.padding, **kwargs)


def max_pool_2d(input, ds, ignore_border=None, st=None, padding=(0, 0), mode="max"):
    """Pool windows of the last two axes (old name and arguments of `pool.pool_2d`)."""
    return pool_2d(input, ws=ds, ignore_border=ignore_border, stride=st, pad=padding, mode=mode)
