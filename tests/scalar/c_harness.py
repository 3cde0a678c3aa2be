"""Compiles the C expressions of scalar ops, many at once, and runs them on arrays."""
from __future__ import annotations

import ctypes
import shutil
import subprocess
from dataclasses import dataclass

import numpy as np

from theano_compat.gof.utils import MethodNotDefined
from theano_compat.scalar import ctext, get_scalar_type

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

PRELUDE = "#include <stdint.h>\n#include <math.h>\n#include <complex.h>\n"


@dataclass(frozen=True)
class Case:
    """A scalar op on inputs of given dtypes."""

    op: object
    in_dtypes: tuple

    @property
    def out_dtype(self) -> str:
        """Dtype of the first output."""
        return self.op.make_node(*[get_scalar_type(d)() for d in self.in_dtypes]).outputs[0].type.dtype

    def expression(self) -> str | None:
        """The C expression over ``a0[i]`` and so on, or None."""
        names = [f"x{k}" for k in range(len(self.in_dtypes))]
        try:
            return self.op.c_expr(names, self.in_dtypes, self.out_dtype)
        except MethodNotDefined:
            return None


def storage_dtype(dtype: str) -> np.dtype:
    """The dtype of arrays in C: float16 travels as float32."""
    return np.dtype("float32" if dtype == "float16" else dtype)


class Library:
    """Functions for many cases in one shared library.

    Parameters
    ----------
    cases : sequence of Case
        All with an expression.
    folder : path
        Where the C file and the library go.
    flags : sequence of str
    """

    def __init__(self, cases, folder, flags=("-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function")):
        texts: dict = {}
        bodies = []
        for number, case in enumerate(cases):
            texts.update(dict.fromkeys(case.op.c_helpers(case.in_dtypes, case.out_dtype)))
            loads = "".join(
                f"    const {ctext.ctype(d)} x{k} = (({ctext.ctype(d)} *)in[{k}])[i]; (void)x{k};\n"
                for k, d in enumerate(case.in_dtypes)
            )
            bodies.append(
                f"void k{number}(long n, void **in, void *out) {{\n  for (long i = 0; i < n; ++i) {{\n{loads}"
                f"    (({ctext.ctype(case.out_dtype)} *)out)[i] = {case.expression()};\n  }}\n}}\n"
            )
        source = folder / "cases.c"
        source.write_text(PRELUDE + "\n".join(texts) + "\n" + "\n".join(bodies))
        target = folder / "cases.so"
        command = [COMPILER, "-std=gnu99", "-shared", "-fPIC", "-Wno-type-limits", *flags]
        subprocess.run([*command, "-o", str(target), str(source), "-lm"], check=True)
        self.library = ctypes.CDLL(str(target))
        self.numbers = {case: number for number, case in enumerate(cases)}

    def run(self, case: Case, *arrays):
        """Compute a case on equally long 1-d arrays."""
        arrays = [np.ascontiguousarray(a, storage_dtype(d)) for a, d in zip(arrays, case.in_dtypes)]
        out = np.empty(len(arrays[0]), storage_dtype(case.out_dtype))
        pointers = (ctypes.c_void_p * len(arrays))(*[a.ctypes.data for a in arrays])
        function = getattr(self.library, f"k{self.numbers[case]}")
        function(ctypes.c_long(len(out)), pointers, ctypes.c_void_p(out.ctypes.data))
        return out
