"""Vector variants of the mathematical functions, declared so that the compiler calls them in ``omp simd`` loops.

glibc's libmvec has them on x86-64 (exp, log, pow, sin, cos since 2.22, the rest since 2.35), with errors of at most 4 ulp and NaN, infinity and signed zero as they should be.
They are probed by their symbols. Where there are none (other systems, other compilers) the commonest functions come from :mod:`theano_compat.codegen.polymath`, in C that compilers
vectorise; what is not there either is called element by element. With the environment variable ``THEANO_COMPAT_NO_LIBMVEC`` the library is left out.
"""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Sequence

__all__ = ["available", "prelude"]

_TWO_ARGUMENTS = {"pow", "atan2", "hypot"}
#: instruction set letter in the symbol's name -> bytes of a vector register
_WIDTHS = {"b": 16, "c": 32, "d": 32, "e": 64}


@functools.lru_cache(maxsize=1)
def _libmvec():
    import ctypes

    if platform.machine() not in ("x86_64", "AMD64") or os.environ.get("THEANO_COMPAT_NO_LIBMVEC"):
        return None
    try:
        return ctypes.CDLL("libmvec.so.1")
    except OSError:
        return None


@functools.cache
def available(function: str, dtype: str) -> bool:
    """Tell whether a function of ``math.h`` has vector variants for all instruction sets that the compiler may choose.

    Parameters
    ----------
    function : str
        Name without the suffix ``f``: ``"tanh"``.
    dtype : str
        ``"float32"`` or ``"float64"``.
    """
    library = _libmvec()
    if library is None:
        return False
    size, suffix = (4, "f") if dtype == "float32" else (8, "")
    arguments = "vv" if function in _TWO_ARGUMENTS else "v"
    return all(hasattr(library, f"_ZGV{letter}N{width // size}{arguments}_{function}{suffix}") for letter, width in _WIDTHS.items())


def prelude(functions: Sequence[tuple[str, str]]) -> str:
    """Return declarations and definitions that let the compiler vectorise calls of some functions of ``math.h``.

    Parameters
    ----------
    functions : sequence of (str, str)
        Name without the suffix ``f``, and ``"float32"`` or ``"float64"``.
    """
    from theano_compat.codegen import toolchain

    compiler = toolchain.compiler()
    if compiler is None:
        return ""
    lines, others = [], []
    for name, dtype in functions:
        ctype, suffix = ("float", "f") if dtype == "float32" else ("double", "")
        if compiler.kind == "gcc" and available(name, dtype):  # clang knows no such attribute
            arguments = f"{ctype}, {ctype}" if name in _TWO_ARGUMENTS else ctype
            lines.append(f'__attribute__((simd("notinbranch"), const, nothrow, leaf)) {ctype} {name}{suffix}({arguments});')
        else:
            others.append((name, dtype))
    text = "\n".join(lines) + "\n" if lines else ""
    if others:
        from theano_compat.codegen import polymath  # computes its coefficients: only where the machine lacks a function

        text += polymath.definitions([function for function in others if polymath.available(*function)])
    return text
