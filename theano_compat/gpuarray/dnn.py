"""cuDNN, which is never there: the questions that programs ask before they use it."""

from __future__ import annotations

from theano_compat.gpuarray import _NO_GPU


def dnn_present() -> bool:
    """Tell whether cuDNN can be used; :attr:`msg` says why not."""
    return False


def dnn_available(context_name) -> bool:
    """Tell whether cuDNN can be used in a GPU context; :attr:`msg` says why not."""
    return False


dnn_present.msg = dnn_available.msg = _NO_GPU


def version(raises: bool = True) -> int:
    """Return cuDNN's version, or -1 where errors are not wanted.

    Raises
    ------
    RuntimeError
        As there is no cuDNN.
    """
    if raises:
        raise RuntimeError(f"We can't determine the cudnn version as it is not available: {_NO_GPU}")
    return -1


def __getattr__(name: str):
    raise AttributeError(f"theano.gpuarray.dnn.{name}: {_NO_GPU}")
