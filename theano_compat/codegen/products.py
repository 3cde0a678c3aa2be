"""Matrix products as a small library of their own, one for each element type.

Its text (``csrc/blas.h``, ``skinny.in.h``, ``panel.in.h``, ``packed.in.h``) takes the compiler as long as a whole function of the user's does. So it is built
once, beside the first function that needs it, and kept in the cache like everything else; functions call it through a table (``products.in.h``).
"""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path

from theano_compat.codegen import build, toolchain
from theano_compat.codegen.abi import Program
from theano_compat.codegen.dtypes import COMPLEX, storage_type
from theano_compat.codegen.source_file import SourceFile

__all__ = ["LETTERS", "address", "available", "external", "interface", "source", "start"]

#: The BLAS's letter of an element type.
LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
_CSRC = Path(__file__).with_name("csrc")

_lock = threading.RLock()
_libraries: dict[str, build.Loaded] = {}  # never unloaded: others hold their addresses
_building: dict[str, threading.Thread] = {}


def _after_fork() -> None:
    # The threads that were building do not live in the child.
    global _lock
    _lock = threading.RLock()
    _building.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def available(dtype: str) -> bool:
    """Tell whether there is a library for an element type: whether the BLAS has it."""
    letter = LETTERS.get(dtype)
    return letter is not None and build.has_externals([f"{letter}gemm", f"{letter}gemv"])


def external(dtype: str) -> str:
    """Return the name of the table among outside routines."""
    return f"products_{dtype}"


@cache
def _text(name: str, dtype: str) -> str:
    return (_CSRC / f"{name}.in.h").read_text(encoding="utf-8").replace("@T@", storage_type(dtype)).replace("@N@", dtype)


@cache
def interface(dtype: str) -> str:
    """Return the C text by which generated code calls the library: ``tc_gemm_<dtype>(...)`` and the others."""
    table = f"((const tc_products_{dtype} *)tc_table[TC_X_{external(dtype)}])"
    lines = [f"#define tc_{name}_{dtype}(...) {table}->{name}(__VA_ARGS__)" for name in ("gemm", "gemv", "packed_bytes", "pack", "packed")]
    return "\n".join([_text("products", dtype), *lines])


@cache
def source(dtype: str) -> tuple[str, tuple[str, ...]]:
    """Return the C text of the library, and the outside routines that it calls."""
    ctype, letter = storage_type(dtype), LETTERS[dtype]
    file = SourceFile()
    file.externals.update(dict.fromkeys((f"{letter}gemm", f"{letter}gemv", "blas_threads", "pool")))
    file.headers.update(dict.fromkeys(("threads", "blas")))
    parts = [f"TC_PRODUCT({ctype}, {dtype})", f"TC_DENSE({ctype}, {dtype})"]
    if dtype in COMPLEX:
        parts += [f"#define tc_try_{kind}_{dtype}(...) 0" for kind in ("skinny", "panel")]
    else:
        parts += [_text(kind, dtype) for kind in ("skinny", "panel", "packed")]
    parts += [f"TC_GEMV({ctype}, {dtype}, TC_X_{letter}gemv)", f"TC_GEMM({ctype}, {dtype}, TC_X_{letter}gemm)", _text("products", dtype)]
    members = [f"tc_gemm_{dtype}", f"tc_gemv_{dtype}"]
    if dtype not in COMPLEX:
        members += [f"tc_packed_bytes_{dtype}", f"tc_pack_panels_{dtype}", f"tc_product_packed_{dtype}"]
    parts.append(f"const tc_products_{dtype} tc_products = {{{', '.join(members)}}};")
    file.helpers.update(dict.fromkeys(parts))
    return file.text(), tuple(file.externals)


def _load(dtype: str) -> build.Loaded:
    with _lock:
        if dtype not in _libraries:
            text, externals = source(dtype)
            _libraries[dtype] = build.load(Program(text, [], externals))
        return _libraries[dtype]


def start(dtype: str) -> None:
    """Begin to build a library in another thread, if it is not there yet."""
    if dtype in _libraries or dtype in _building or toolchain.compiler() is None:
        return

    def work() -> None:
        try:
            _load(dtype)
        except toolchain.CompileError:
            pass  # said when the function that needs it is loaded

    _building[dtype] = threading.Thread(target=work, daemon=True)
    _building[dtype].start()


def address(dtype: str) -> int:
    """Return the address of the table of functions."""
    thread = _building.get(dtype)
    if thread is not None and thread is not threading.current_thread():
        thread.join()
    return _load(dtype).library.address("tc_products")
