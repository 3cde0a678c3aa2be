"""A C file put together: what stands before the functions, in what order."""

from __future__ import annotations

from theano_compat.codegen import build
from theano_compat.codegen.abi import header

__all__ = ["SourceFile"]


class SourceFile:
    """The parts of one C file.

    Attributes
    ----------
    kernels : dict of str to str
        Text, with ``@`` for the name, to the name of each function that others call.
    helpers : dict
        Texts that stand before the kernels, in order.
    headers : dict
        Names of files of ``csrc`` to put in.
    externals : dict
        Names of outside routines, in the order of their addresses in ``tc_bind``'s table.
    segments : list of str
        The functions that are called from outside.
    """

    def __init__(self) -> None:
        self.kernels: dict[str, str] = {}
        self.helpers: dict[str, None] = {}
        self.headers: dict[str, None] = {}
        self.externals: dict[str, None] = {}
        self.segments: list[str] = []

    def text(self, prelude=None) -> str:
        """Return the whole file.

        Parameters
        ----------
        prelude : callable, optional
            From the text so far to what must stand before the helpers (vector math).
        """
        kernels = [text.replace("@", name, 1) for text, name in self.kernels.items()]
        body = "\n\n".join([*self.helpers, *kernels, *self.segments])
        parts = [header("abi")]
        if "_Complex" in body or "complex" in body:
            # clang with glibc has no CMPLX of its own
            parts.append("#include <complex.h>\n#undef I\n#ifndef CMPLX\n#define CMPLX(x, y) __builtin_complex((double)(x), (double)(y))\n#define CMPLXF(x, y) __builtin_complex((float)(x), (float)(y))\n#endif")
        parts.append(header("core"))
        headers = dict.fromkeys(self.headers)
        if any(word in body for word in ("tc_h2f", "tc_f2h", "tc_round16")):
            headers["half"] = None
        if self.externals:
            parts.append(self._binding())
        parts.append(header("pool"))
        if "blas" in headers:
            parts.append(f"#define TC_BLAS_INT int{build.blas_integer_bits()}_t")
        for name in sorted(headers, key=_HEADER_ORDER.index):
            parts.append(header(name))
        if prelude is not None:
            parts.append(prelude(body + "".join(parts[1:])))
        return "\n".join(part for part in [*parts, body] if part) + "\n"

    def _binding(self) -> str:
        lines = [f"#define TC_X_{name} {k}" for k, name in enumerate(self.externals)]
        lines.append(f"static void *tc_table[{len(self.externals)}];")
        lines.append("void tc_bind(void *const *table)\n{\n    memcpy(tc_table, table, sizeof tc_table);\n}")
        return "\n".join(lines)


_HEADER_ORDER = ["watch", "half", "nest", "copy", "threads", "blas", "index", "sort", "extremum", "mrg"]
