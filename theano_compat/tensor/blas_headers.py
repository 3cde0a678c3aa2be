"""Historic module: C declarations of BLAS for user ops written for Theano."""

from __future__ import annotations

from theano_compat import config

__all__ = [
    "blas_header_text",
    "blas_header_version",
    "cblas_header_text",
    "config",
    "detect_macos_sdot_bug",
    "mkl_threads_text",
    "openblas_threads_text",
]

_REALS = (("s", "float"), ("d", "double"))

#: Fortran routines: name without the type letter -> parameters, ``T`` standing for the type.
_ROUTINES = {
    "scal": "const int*, const T*, T*, const int*",
    "axpy": "const int*, const T*, const T*, const int*, T*, const int*",
    "copy": "const int*, const T*, const int*, T*, const int*",
    "swap": "const int*, T*, const int*, T*, const int*",
    "gemv": (
        "char*, const int*, const int*, const T*, const T*, const int*,"
        " const T*, const int*, const T*, T*, const int*"
    ),
    "ger": (
        "const int*, const int*, const T*, const T*, const int*,"
        " const T*, const int*, T*, const int*"
    ),
    "gemm": (
        "char*, char*, const int*, const int*, const int*, const T*,"
        " const T*, const int*, const T*, const int*, const T*, T*, const int*"
    ),
}


def blas_header_text() -> str:
    """Give C declarations of the Fortran BLAS routines that Theano's ops used."""
    lines = ["#ifdef __cplusplus", 'extern "C" {', "#endif"]
    for letter, ctype in _REALS:
        lines += [
            f"void {letter}{name}_({parameters.replace('T*', ctype + '*')});"
            for name, parameters in _ROUTINES.items()
        ]
        lines.append(
            f"{ctype} {letter}dot_(const int*, const {ctype}*, const int*,"
            f" const {ctype}*, const int*);"
        )
    lines += ["#ifdef __cplusplus", "}", "#endif", ""]
    return "\n".join(lines)


def blas_header_version() -> tuple:
    """Give the version of :func:`blas_header_text`, as part of a C cache version."""
    return (1,)


def cblas_header_text() -> str:
    """Give the C line that declares CBLAS."""
    return "#include <cblas.h>\n"


def mkl_threads_text() -> str:
    """Give the C declaration that sets the number of MKL's threads."""
    return "void MKL_Set_Num_Threads(int);\n#define mkl_set_num_threads MKL_Set_Num_Threads\n"


def openblas_threads_text() -> str:
    """Give the C declaration that sets the number of OpenBLAS's threads."""
    return "void openblas_set_num_threads(int);\nint openblas_get_num_threads(void);\n"


def detect_macos_sdot_bug() -> bool:
    """Tell whether ``sdot`` returns garbage, as it did on some macOS releases before 10.10."""
    return False
