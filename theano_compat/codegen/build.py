"""From C text to callable addresses: vector math in front, compiler or cache, outside routines bound."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable, Sequence

from theano_compat.codegen import cache
from theano_compat.codegen.abi import Program
from theano_compat.codegen.cache import Library

__all__ = ["Loaded", "compiler_available", "load", "prelude"]

#: C functions of math.h with variants that handle many elements at once, where the machine has them.
VECTOR_FUNCTIONS = (
    "exp exp2 expm1 log log2 log10 log1p pow sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc cbrt "
    "hypot atan2"
).split()
_call = re.compile(r"\b(" + "|".join(VECTOR_FUNCTIONS) + r")(f?)\(")


def calls_vector_function(text: str) -> bool:
    """Tell whether a C text calls a function that may have a vector variant."""
    return _call.search(text) is not None


def prelude(text: str) -> str:
    """Return the declarations that let the compiler vectorise the math functions that `text` calls."""
    from theano_compat.codegen import vectormath

    names = {match.groups() for match in _call.finditer(text)}
    return vectormath.prelude(sorted((name, "float32" if single else "float64") for name, single in names))


def compiler_available() -> bool:
    """Tell whether C can be compiled here; when not, everything runs through NumPy."""
    from theano_compat.codegen import toolchain

    return toolchain.compiler() is not None


class Loaded:
    """A loaded program: one address per segment; unloads with the last reference.

    Attributes
    ----------
    segments : list of int
        Addresses of the segment functions.
    path : str
        The shared object.
    source : str
        The C text.
    """

    def __init__(self, program: Program, library: Library) -> None:
        self.source = program.source
        self.library = library
        self.path = library.path
        if program.externals:
            addresses = [external_address(name) for name in program.externals]
            self._table = (ctypes.c_void_p * len(addresses))(*addresses)
            bind = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.library.address("tc_bind"))
            bind(ctypes.addressof(self._table))
        self.segments = [self.library.address(segment.symbol) for segment in program.segments]

    def keep_source(self) -> str | None:
        """Write the C text beside the shared object, for reading and debugging; return where, None if that cannot be."""
        path = self.path.rsplit(".", 1)[0] + ".c"
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600), "w") as file:
                file.write(self.source)
        except OSError:
            return None
        return path


def external_address(name: str) -> int:
    """Return the address of an outside routine by its Fortran-style name (``dgemm``)."""
    from theano_compat.codegen import blas_pointers, pool, products

    if name == "pool":
        return pool.address()
    if name.startswith("products_"):
        return products.address(name.removeprefix("products_"))
    if name == "blas_threads":
        return blas_pointers.threads_address()
    return blas_pointers.table()[name]


def load(program: Program) -> Loaded:
    """Build (or fetch from the cache) and load a program."""
    return Loaded(program, cache.build(program.source))


def blas_integer_bits() -> int:
    """Return the size of the integers that the BLAS takes."""
    from theano_compat.codegen import blas_pointers

    return blas_pointers.integer_bits()


def has_externals(names: Sequence[str]) -> bool:
    """Tell whether all outside routines in `names` are there."""
    from theano_compat.codegen import blas_pointers

    table: dict[str, int] = blas_pointers.table()
    return all(name in table for name in names)


Prelude = Callable[[str], str]
