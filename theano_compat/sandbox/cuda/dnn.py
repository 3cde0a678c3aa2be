"""cuDNN under the old GPU backend: not available."""

from __future__ import annotations

from theano_compat.sandbox.cuda import _GONE


def dnn_available() -> bool:
    """Tell whether cuDNN can be used; :attr:`msg` says why not."""
    return False


dnn_available.msg = _GONE


def __getattr__(name: str):
    raise AttributeError(f"theano.sandbox.cuda.dnn.{name}: {_GONE}")
