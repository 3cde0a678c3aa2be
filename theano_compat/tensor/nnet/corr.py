"""Correlation of images with filters by patches and matrix products (2-D)."""
from __future__ import annotations

import numpy as np

from theano_compat.scalar import int8, int64

from .corr_base import CorrND, Forward, GradInputs, GradWeights

integer_types = (int, np.integer)

__all__ = ["BaseCorrMM", "CorrMM", "CorrMM_gradInputs", "CorrMM_gradWeights", "int64", "int8", "integer_types"]


def _is_length(v):
    return isinstance(v, integer_types) and not isinstance(v, bool) and v >= 0


class BaseCorrMM(CorrND):
    """Base of the 2-D correlation ops.

    Parameters
    ----------
    border_mode : "valid", "full", "half", int, or (rows, columns) of int or (before, after)
    subsample, filter_dilation : (int, int)
    num_groups : int
    unshared : bool
    openmp : bool, optional
    """

    __props__ = ("border_mode", "subsample", "filter_dilation", "num_groups", "unshared")

    def __init__(self, border_mode="valid", subsample=(1, 1), filter_dilation=(1, 1), num_groups=1, unshared=False,
                 openmp=None):
        self._setup(border_mode, subsample, filter_dilation, num_groups, openmp)
        self.unshared = unshared

    def _checked_border_mode(self, border_mode):
        if isinstance(border_mode, integer_types) and not isinstance(border_mode, bool):
            if border_mode < 0:
                raise ValueError(f"invalid border_mode {border_mode}, which must be a non-negative integer")
            return ((int(border_mode),) * 2,) * 2
        if isinstance(border_mode, tuple):
            if len(border_mode) != 2:
                raise ValueError(f"invalid border_mode {border_mode} which must be a tuple of length 2")
            pairs = []
            for m in border_mode:
                pair = m if isinstance(m, tuple) else (m, m)
                if len(pair) != 2 or not all(map(_is_length, pair)):
                    raise ValueError(f"invalid border mode {border_mode}. The tuple can only contain integers or tuples "
                                     "of length 2")
                pairs.append(tuple(int(side) for side in pair))
            return tuple(pairs)
        if border_mode not in ("valid", "full", "half"):
            raise ValueError(f'invalid border_mode {border_mode}, which must be either "valid", "full", "half", an '
                             "integer or a tuple of two integers or a pair of integers")
        return border_mode

    def __setstate__(self, state):
        # Objects pickled before groups, unshared filters and asymmetric padding existed.
        self.__dict__.update(state)
        self.__dict__.setdefault("num_groups", 1)
        self.__dict__.setdefault("unshared", False)
        self.__dict__.setdefault("filter_dilation", (1, 1))
        if isinstance(self.border_mode, tuple):
            self.border_mode = tuple(m if isinstance(m, tuple) else (m, m) for m in self.border_mode)

    def __str__(self):
        return (f"{self.__class__.__name__}{{{self.border_mode}, {self.subsample}, {self.filter_dilation}, "
                f"{self.num_groups} {self.unshared}}}")

    def _settings(self):
        return dict(border_mode=self.border_mode, subsample=self.subsample, filter_dilation=self.filter_dilation,
                    num_groups=self.num_groups, unshared=self.unshared)

    pad = property(CorrND._pads, doc="Padding of rows and columns as pairs; -1 stands for half, -2 for full.")
    padH_l = property(lambda self: self.pad[0][0], doc="Padding above.")
    padH_r = property(lambda self: self.pad[0][1], doc="Padding below.")
    padW_l = property(lambda self: self.pad[1][0], doc="Padding on the left.")
    padW_r = property(lambda self: self.pad[1][1], doc="Padding on the right.")
    dH = property(lambda self: self.subsample[0], doc="Stride along the rows.")
    dW = property(lambda self: self.subsample[1], doc="Stride along the columns.")
    dilH = property(lambda self: self.filter_dilation[0], doc="Dilation along the rows.")
    dilW = property(lambda self: self.filter_dilation[1], doc="Dilation along the columns.")


class CorrMM(Forward, BaseCorrMM):
    """Correlation of images ``(batch, channels, rows, columns)`` with filters, which are not turned round."""


class CorrMM_gradWeights(GradWeights, BaseCorrMM):
    """Gradient of `CorrMM` with respect to its filters.

    The window of the filters must be given where the shapes of images and output do not tell it (with a stride, or
    half padding).
    """


class CorrMM_gradInputs(GradInputs, BaseCorrMM):
    """Gradient of `CorrMM` with respect to its images, whose size must be given where there is a stride."""


for _cls in (CorrMM, CorrMM_gradWeights, CorrMM_gradInputs):
    _cls.forward_class = CorrMM
    _cls.grad_weights_class = CorrMM_gradWeights
    _cls.grad_inputs_class = CorrMM_gradInputs
