"""The GPU backend, of which there is what programs ask before they use it: that there is none yet.

The answers are those of Theano 1.0.5 on a machine without a GPU.
"""

from __future__ import annotations

from theano_compat.version import version as _version

#: the library of Theano's backend, None where it cannot be imported
pygpu = None
#: whether it could be used
pygpu_activated = False
#: whether a GPU was taken by ``pygpu`` before
theano_gpu_is_already_active = False

_NO_GPU = f"theano_compat {_version} has no GPU backend yet; run on the CPU (device=cpu), after a test of theano.gpuarray.pygpu_activated"


class ContextNotDefined(ValueError):
    """There is no GPU context of this name."""


def get_context(name):
    """Return a GPU context: there is none.

    Raises
    ------
    ContextNotDefined
        Always.
    """
    raise ContextNotDefined(f"context name {name} not defined: {_NO_GPU}")


def use(device, *args, **kwargs):
    """Take a GPU.

    Raises
    ------
    NotImplementedError
        Always; it is a RuntimeError, which Theano raises.
    """
    raise NotImplementedError(f"theano.gpuarray.use({device!r}): {_NO_GPU}")


def __getattr__(name: str):
    if name == "dnn":
        from importlib import import_module

        return import_module(f"{__name__}.dnn")
    raise AttributeError(f"theano.gpuarray.{name}: {_NO_GPU}")
