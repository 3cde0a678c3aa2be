"""How compiled segments are called: ``plan.c`` as an extension, or :mod:`theano_compat.codegen.call` where that cannot be built.

The extension is compiled once by the same compiler and kept in the same cache as everything else; :func:`start` lets it be built beside a function's own code.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from pathlib import Path

import numpy as np

from theano_compat.codegen import abi, cache, toolchain
from theano_compat.codegen.abi import ArraySpec, SegmentSpec
from theano_compat.codegen.call import SegmentCall
from theano_compat.codegen.errors import SegmentError

__all__ = ["array_spec", "extension_types", "fast_call_type", "segment_call", "start"]

#: The names of Python are found when the extension is loaded.
_LINKING = ("-undefined", "dynamic_lookup") if sys.platform == "darwin" else ()

_types: tuple | None = None
_tried = False
_library = None  # never unloaded: objects of its types may live until the end
_building: threading.Thread | None = None
_lock = threading.RLock()


def _source() -> str:
    # The versions stand in the text so that they stand in the key of the cache.
    versions = f"/* Python {sys.version_info[:2]} {sys.implementation.cache_tag} {getattr(sys, 'abiflags', '')}, NumPy {np.__version__} */\n"
    return versions + abi.header("abi") + Path(__file__).with_name("plan.c").read_text(encoding="utf-8")


def _headers() -> tuple[str, str]:
    """Return the folders of the headers of Python and of NumPy."""
    import sysconfig  # the tables behind it take longer to read than the extension, once it is built, takes to load

    folder = sysconfig.get_paths()["include"]
    if not Path(folder, "Python.h").exists():
        raise toolchain.CompileError(f"{folder} has no Python.h")
    return folder, np.get_include()


def _build() -> None:
    global _types, _tried, _library
    with _lock:
        if _tried:
            return
        _tried = True
        if os.environ.get("THEANO_COMPAT_NO_EXTENSION"):
            return
        try:
            _library = cache.build(_source(), extra_flags=_LINKING, include=_headers)
        except toolchain.CompileError:
            return
        _types = ctypes.PYFUNCTYPE(ctypes.py_object)(_library.address("tc_runtime"))()


def _after_fork() -> None:
    # The thread that was building does not live in the child.
    global _building, _tried, _lock
    _lock = threading.RLock()
    if _types is None:
        _building, _tried = None, False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def start() -> None:
    """Begin to build the extension in another thread, if it is not there yet."""
    global _building
    if not _tried and _building is None and toolchain.compiler() is not None:
        _building = threading.Thread(target=_build, daemon=True)
        _building.start()


def _ready() -> tuple | None:
    if _building is not None:
        _building.join()
    _build()
    return _types


def array_spec(spec: ArraySpec, written: bool = False) -> tuple:
    """Return a specification in the form that the extension reads."""
    ones = sum(1 << d for d, one in enumerate(spec.broadcastable) if one)
    return (np.dtype(spec.dtype).num, spec.ndim, ones, spec.scalar, written)


def segment_call(spec: SegmentSpec, address: int, keep=None):
    """Return a callable for a segment: a list of values in, a list of results out; it raises `SegmentError`.

    Parameters
    ----------
    spec : SegmentSpec
    address : int
        Of the C function.
    keep : object
        Kept alive with it (the loaded library).
    """
    types = _ready()
    if types is None:
        return SegmentCall(spec, address, keep)

    def fail(record):
        raise SegmentError(spec, record)

    inputs = [array_spec(s, k in spec.written) for k, s in enumerate(spec.inputs)]
    return types[0](address, spec.n_slots, inputs, [array_spec(s) for s in spec.outputs], keep, fail)


def fast_call_type():
    """Return the type FastCall, None where the extension cannot be built."""
    types = _ready()
    return None if types is None else types[1]


def extension_types() -> tuple:
    """Return the extension's types, an empty tuple where it cannot be built."""
    return _ready() or ()
