"""Addresses of BLAS routines, from NumPy's and SciPy's own copies: nothing for the user to configure.

NumPy's wheels bring an OpenBLAS that is in memory anyway; its routines are found by the names that it exports (those of 64-bit integers). Where NumPy has another
library, SciPy's is taken: it exports its routines as capsules of ``scipy.linalg.cython_blas``, each named with its C signature. The extension module is loaded
by itself, which takes a fifth of the time of importing ``scipy.linalg``. With the flag ``blas.ldflags`` the routines of that library are taken instead.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.machinery
import importlib.util
import os
import shlex
import sys
from types import ModuleType
from typing import NamedTuple

import numpy as np

from theano_compat import config

__all__ = ["integer_bits", "origin", "table", "threads_address"]

#: What the engine calls.
ROUTINES = tuple(f"{t}{r}" for t in "sd" for r in ("gemm", "gemv", "ger", "dot", "axpy", "scal", "trsm", "syrk")) + tuple(
    f"{t}{r}" for t in "cz" for r in ("gemm", "gemv", "geru")
)


def _extension(name: str) -> ModuleType:
    """Return one of SciPy's extension modules, without the package around it where that works."""
    full = f"scipy.linalg.{name}"
    if full in sys.modules:
        return sys.modules[full]
    if "scipy.linalg" not in sys.modules:
        found = importlib.util.find_spec("scipy")
        if found is not None and found.submodule_search_locations:
            place = os.path.join(found.submodule_search_locations[0], "linalg")
            for suffix in importlib.machinery.EXTENSION_SUFFIXES:
                path = os.path.join(place, name + suffix)
                if not os.path.isfile(path):
                    continue
                try:
                    loader = importlib.machinery.ExtensionFileLoader(full, path)
                    spec = importlib.util.spec_from_file_location(full, path, loader=loader)
                    module = importlib.util.module_from_spec(spec)
                    loader.exec_module(module)
                except ImportError:
                    break
                # Left in sys.modules, so that a later import of scipy.linalg finds this one and does not load it twice.
                sys.modules[full] = module
                return module
    return importlib.import_module(full)


def _capsules(module: ModuleType) -> dict[str, tuple[int, str]]:
    api = ctypes.pythonapi
    get_name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))
    get_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", api))
    found = {}
    for name, capsule in module.__pyx_capi__.items():
        signature = get_name(capsule)
        found[name] = (get_pointer(capsule, signature), signature.decode())
    return found


class _Blas(NamedTuple):
    """A library: whose it is, addresses by routine, the size of its integers, and a handle that finds its other symbols."""

    origin: str
    routines: dict[str, int]
    bits: int
    handle: ctypes.CDLL | None


def _numpys() -> _Blas | None:
    """Return the OpenBLAS of NumPy's wheels, None where NumPy has another library."""
    try:
        # Symbols of the libraries that an extension depends on are found through it.
        handle = ctypes.CDLL(np.linalg._umath_linalg.__file__)
    except (AttributeError, OSError):
        return None
    for prefix in ("scipy_", ""):
        symbols = {routine: f"{prefix}{routine}_64_" for routine in ROUTINES}
        if all(hasattr(handle, symbol) for symbol in symbols.values()):
            return _Blas("NumPy", {routine: _address(handle, symbol) for routine, symbol in symbols.items()}, 64, handle)
    return None


def _scipys() -> _Blas:
    extension = _extension("cython_blas")
    capsules = _capsules(extension)
    signature = capsules["dgemm"][1]
    bits = 32 if "int *" in signature and "int64" not in signature and "long" not in signature else 64
    try:
        handle = ctypes.CDLL(extension.__file__)
    except (OSError, AttributeError, TypeError):
        handle = None
    return _Blas("SciPy", {name: address for name, (address, _) in capsules.items()}, bits, handle)


def _address(handle: ctypes.CDLL, symbol: str) -> int:
    address = ctypes.cast(getattr(handle, symbol), ctypes.c_void_p).value
    assert address is not None
    return address


@functools.lru_cache(maxsize=4)
def _blas(ldflags: str) -> _Blas:
    if ldflags:
        # The user's library was loaded for all to see.
        return _Blas(f"blas.ldflags={ldflags}", _user_library(ldflags), 32, ctypes.CDLL(None))
    return _numpys() or _scipys()


def _user_library(ldflags: str) -> dict[str, int]:
    """Return the routines of the library that ``blas.ldflags`` names.

    Raises
    ------
    OSError
        If it cannot be loaded or has no BLAS; the message says what was tried.
    """
    words = shlex.split(ldflags)
    folders = [w[2:] for w in words if w.startswith("-L")]
    names = [w[2:] for w in words if w.startswith("-l") and w not in ("-lm", "-lpthread", "-lgfortran", "-ldl")]
    tried, found = [], {}
    for name in names:
        for path in [*(os.path.join(f, f"lib{name}.so") for f in folders), f"lib{name}.so", f"lib{name}.so.0", f"lib{name}.so.3", f"lib{name}.dylib"]:
            try:
                library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
            except OSError:
                tried.append(path)
                continue
            for routine in ROUTINES:
                if routine not in found and hasattr(library, routine + "_"):
                    found[routine] = _address(library, routine + "_")
            break
    if "dgemm" not in found:
        raise OSError(f"blas.ldflags={ldflags!r} names no library with dgemm (tried {', '.join(tried) or 'nothing'}); leave the flag empty for the BLAS that NumPy or SciPy brings")
    return found


def table() -> dict[str, int]:
    """Return routine name (``"dgemm"``) -> address of the function with Fortran's calling convention."""
    return _blas(config.blas.ldflags).routines


def integer_bits() -> int:
    """Return the size of BLAS's integers, 32 or 64."""
    return _blas(config.blas.ldflags).bits


def origin() -> str:
    """Return whose the BLAS is: ``"NumPy"``, ``"SciPy"``, or the flag that names it."""
    return _blas(config.blas.ldflags).origin


class _Threads(ctypes.Structure):
    """What generated code shares about the library's threads (``tc_threads`` of ``csrc/threads.h``)."""

    _fields_ = [("lock", ctypes.c_int32), ("depth", ctypes.c_int32), ("before", ctypes.c_int32), ("get", ctypes.c_void_p), ("set", ctypes.c_void_p)]


@functools.lru_cache(maxsize=1)
def _threads() -> _Threads:
    """Return the one record of this process; without functions in it where the library is no OpenBLAS."""
    record, library = _Threads(), _blas(config.blas.ldflags).handle
    for prefix in ("scipy_openblas", "openblas"):
        for suffix in ("", "64_"):
            try:
                get, set_ = (getattr(library, f"{prefix}_{verb}_num_threads{suffix}") for verb in ("get", "set"))
            except AttributeError:
                continue
            record.get, record.set = (ctypes.cast(f, ctypes.c_void_p).value for f in (get, set_))
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=functools.partial(_free_threads, record, set_))
            return record
    return record


def _free_threads(record: _Threads, set_) -> None:
    """In a forked child nobody is inside any more."""
    if record.depth > 0:
        set_(ctypes.c_int(record.before))
    record.lock = record.depth = 0


def threads_address() -> int:
    """Return the address of the record by which generated code asks the library for one thread."""
    return ctypes.addressof(_threads())
