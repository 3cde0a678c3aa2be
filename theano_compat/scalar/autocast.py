"""How a plain Python number finds its dtype when it enters a graph."""
from __future__ import annotations

import numpy as np

from theano_compat import config


class NumpyAutocaster:
    """Pick the smallest of some dtypes that holds a number exactly.

    Parameters
    ----------
    dtypes : sequence of str
        The candidates, narrowest first.

    Notes
    -----
    With ``config.cast_policy='custom'`` a float becomes ``floatX`` where that is narrower than float64
    and among the candidates; otherwise the first candidate that loses nothing is taken (float16 only
    where floatX is float16), or else the widest. With ``'numpy+floatX'`` NumPy's own dtype is taken, but
    no float wider than floatX.
    """

    def __init__(self, dtypes):
        self.dtypes = tuple(dtypes)

    def __call__(self, x):
        """Give `x` as an array of the chosen dtype.

        Parameters
        ----------
        x : number, or sequence or array of numbers

        Returns
        -------
        numpy.ndarray
        """
        if config.cast_policy == "numpy":
            return np.asarray(x)
        with np.errstate(all="ignore"):
            if config.cast_policy == "numpy+floatX":
                found = np.asarray(x)
                narrow = found.dtype == "float64" and config.floatX != "float64"
                return found.astype(config.floatX) if narrow else found
            return self._smallest(x)

    def _smallest(self, x):
        floating = isinstance(x, float) or getattr(x, "dtype", None) == "float64"
        if floating and config.floatX != "float64" and config.floatX in self.dtypes:
            return np.asarray(x).astype(config.floatX)
        candidate = None
        exact = np.asarray(x)  # a plain float would be compared in the candidate's own precision
        for dtype in self.dtypes:
            if dtype == "float16" and config.floatX != "float16" and len(self.dtypes) > 1:
                continue
            candidate = exact.astype(dtype)
            if np.all(candidate == exact):
                return candidate
        # A float is rounded to the widest candidate; a whole number that fits none keeps NumPy's dtype.
        return exact if candidate is None or exact.dtype.kind in "uO" else candidate


autocast_int = NumpyAutocaster(("int8", "int16", "int32", "int64"))
autocast_float = NumpyAutocaster(("float16", "float32", "float64"))


class autocast_float_as:
    """Context in which plain floats become one of the given dtypes.

    Parameters
    ----------
    *dtypes : str
        The candidates, narrowest first.

    Notes
    -----
    Only ``config.cast_policy='custom'`` uses candidates, so any other policy is refused.

    Examples
    --------
    >>> from theano_compat.scalar import autocast_float_as, constant
    >>> with autocast_float_as('float32'):
    ...     constant(1.1).dtype
    'float32'
    """

    def __init__(self, *dtypes):
        self.dtypes = dtypes
        if config.cast_policy != "custom":
            raise AssertionError("autocast_float_as needs config.cast_policy='custom'")

    def __enter__(self):
        self.old_dtypes = autocast_float.dtypes
        autocast_float.dtypes = self.dtypes

    def __exit__(self, *exc_info):
        autocast_float.dtypes = self.old_dtypes


def convert(x, dtype=None):
    """Make an array of `x`, choosing a dtype as `NumpyAutocaster` describes.

    Parameters
    ----------
    x : number, NumPy scalar, array or nested sequence
    dtype : str, optional
        Take this dtype instead of choosing one.

    Returns
    -------
    numpy.ndarray
    """
    if dtype is not None:
        return np.asarray(x, dtype=config.floatX if dtype == "floatX" else dtype)
    if isinstance(x, (np.ndarray, np.generic)):
        return np.asarray(x)
    if isinstance(x, int):
        try:
            return autocast_int(x)
        except OverflowError:
            return np.asarray(x)
    if isinstance(x, float):
        return autocast_float(x)
    return np.asarray(x)
