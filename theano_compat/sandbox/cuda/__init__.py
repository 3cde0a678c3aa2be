"""The GPU backend of before Theano 1.0: it is not available, as on a machine without a GPU.

Theano 1.0 refuses the import. Programs of before 2017 import it unguarded and ask for ``cuda_available`` or ``cuda_enabled``; on a
machine without a GPU they went on, and do so here.
"""

from __future__ import annotations

cuda_available = False
cuda_enabled = False

_GONE = "Theano's old GPU back-end is gone since Theano 1.0; test theano.sandbox.cuda.cuda_available, which is False, before its use"


def use(device, *args, **kwargs):
    """Take a GPU.

    Raises
    ------
    NotImplementedError
        Always.
    """
    raise NotImplementedError(f"theano.sandbox.cuda.use({device!r}): {_GONE}")


def __getattr__(name: str):
    if name == "dnn":
        from importlib import import_module

        return import_module(f"{__name__}.dnn")
    raise AttributeError(f"theano.sandbox.cuda.{name}: {_GONE}")
