"""Correlation of volumes with filters by patches and matrix products (3-D)."""
from __future__ import annotations

import numpy as np

from theano_compat.scalar import int64

from .corr_base import CorrND, Forward, GradInputs, GradWeights

integer_types = (int, np.integer)

__all__ = ["BaseCorr3dMM", "Corr3dMM", "Corr3dMM_gradInputs", "Corr3dMM_gradWeights", "int64", "integer_types"]


class BaseCorr3dMM(CorrND):
    """Base of the 3-D correlation ops.

    Parameters
    ----------
    border_mode : "valid", "full", "half", int, or tuple of three int
    subsample, filter_dilation : tuple of three int
    openmp : bool, optional
    num_groups : int
    """

    __props__ = ("border_mode", "subsample", "filter_dilation", "num_groups")
    convdim = 3
    label = "Corr3dMM"

    def __init__(self, border_mode="valid", subsample=(1, 1, 1), filter_dilation=(1, 1, 1), openmp=None, num_groups=1):
        self._setup(border_mode, subsample, filter_dilation, num_groups, openmp)

    def _checked_border_mode(self, border_mode):
        def is_length(v):
            return isinstance(v, integer_types) and not isinstance(v, bool) and v >= 0

        if isinstance(border_mode, integer_types) and not isinstance(border_mode, bool):
            if border_mode < 0:
                raise ValueError(f"invalid border_mode {border_mode}, which must be a non-negative integer")
            return (int(border_mode),) * 3
        if isinstance(border_mode, tuple):
            if len(border_mode) != 3 or not all(map(is_length, border_mode)):
                raise ValueError(f"invalid border_mode {border_mode}, which must be a tuple of three non-negative "
                                 "integers")
            return tuple(int(m) for m in border_mode)
        if border_mode not in ("valid", "full", "half"):
            raise ValueError(f'invalid border_mode {border_mode}, which must be either "valid", "full", "half", an '
                             "integer or a tuple of three integers")
        return border_mode

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.__dict__.setdefault("num_groups", 1)

    def __str__(self):
        return (f"{self.__class__.__name__}{{{self.border_mode}, {self.subsample}, {self.filter_dilation}, "
                f"{self.num_groups}}}")

    def _settings(self):
        return dict(border_mode=self.border_mode, subsample=self.subsample, filter_dilation=self.filter_dilation,
                    num_groups=self.num_groups)

    pad = property(lambda self: tuple(pair[0] for pair in self._pads()),
                   doc="Padding per axis; -1 stands for half, -2 for full.")
    padH = property(lambda self: self.pad[0], doc="Padding of the first axis.")
    padW = property(lambda self: self.pad[1], doc="Padding of the second axis.")
    padD = property(lambda self: self.pad[2], doc="Padding of the third axis.")
    dH = property(lambda self: self.subsample[0], doc="Stride along the first axis.")
    dW = property(lambda self: self.subsample[1], doc="Stride along the second axis.")
    dD = property(lambda self: self.subsample[2], doc="Stride along the third axis.")
    dilH = property(lambda self: self.filter_dilation[0], doc="Dilation along the first axis.")
    dilW = property(lambda self: self.filter_dilation[1], doc="Dilation along the second axis.")
    dilD = property(lambda self: self.filter_dilation[2], doc="Dilation along the third axis.")


class Corr3dMM(Forward, BaseCorr3dMM):
    """Correlation of volumes ``(batch, channels, *three axes)`` with filters, which are not turned round."""


class Corr3dMM_gradWeights(GradWeights, BaseCorr3dMM):
    """Gradient of `Corr3dMM` with respect to its filters."""


class Corr3dMM_gradInputs(GradInputs, BaseCorr3dMM):
    """Gradient of `Corr3dMM` with respect to its volumes."""


for _cls in (Corr3dMM, Corr3dMM_gradWeights, Corr3dMM_gradInputs):
    _cls.forward_class = Corr3dMM
    _cls.grad_weights_class = Corr3dMM_gradWeights
    _cls.grad_inputs_class = Corr3dMM_gradInputs
