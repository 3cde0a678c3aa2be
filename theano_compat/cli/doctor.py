"""``python -m theano_compat doctor``: what was found on this machine, and how to mend the rest."""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Finding:
    """One line of the report; ``advice`` says how to mend it where ``good`` is False."""

    what: str
    good: bool
    found: str
    advice: str = ""


def check_python() -> Finding:
    """Report Python, NumPy and SciPy."""
    import importlib.metadata as metadata

    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "scipy"))
    return Finding("Python", sys.version_info >= (3, 10), f"{platform.python_version()} on {platform.machine()}, {versions}", "theano_compat needs Python 3.10 or later")


def check_compiler() -> Finding:
    """Compile and load a little function."""
    from theano_compat import config
    from theano_compat.codegen import toolchain
    from theano_compat.codegen.cache import Library

    compiler = toolchain.compiler()
    if compiler is None:
        reason = "switched off: the flag cxx is empty" if config.cxx == "" else toolchain.ADVICE
        return Finding("C compiler", False, reason, "set cxx, or install gcc or clang, or: pip install ziglang")
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "probe.so")
        start = time.perf_counter()
        try:
            compiler.build("int tc_probe(void) { return 7; }", path)
            Library(path, was_cached=False).address("tc_probe")
        except (toolchain.CompileError, OSError, AttributeError) as error:
            return Finding("C compiler", False, f"{' '.join(compiler.command)} does not work: {error}", "set the flag cxx to another compiler; see gcc.cxxflags for its options")
        took = time.perf_counter() - start
    return Finding("C compiler", True, f"{' '.join(compiler.command)} ({compiler.kind}), builds and loads in {1000 * took:.0f} ms")


def check_vector_math() -> Finding:
    """Report which functions of math.h have vector variants."""
    from theano_compat.codegen import polymath, toolchain, vectormath

    names = ("exp", "log", "pow", "sin", "cos", "tanh", "log1p", "expm1", "erf")
    present = [n for n in names if vectormath.available(n, "float64") and vectormath.available(n, "float32")]
    compiler = toolchain.compiler()
    if compiler is not None and compiler.kind != "gcc":
        own = ", ".join(sorted(polymath.FUNCTIONS))
        return Finding("vector functions", True, f"{own} by own polynomials ({compiler.kind} does not call libmvec by its declarations)", "gcc has more of them: cxx=gcc")
    missing = [n for n in names if n not in present and n not in polymath.FUNCTIONS]
    advice = "glibc 2.35 or later has all of them; the others are computed element by element"
    return Finding("vector functions", not missing, f"{', '.join(present) or 'none'}" + (f"; not {', '.join(missing)}" if missing else ""), advice)


def check_extension() -> Finding:
    """Report whether calls take the short way."""
    from theano_compat.codegen import runtime

    advice = "install Python's headers (python3-dev on Debian) and a compiler; calls take some microseconds more without it"
    good = runtime.fast_call_type() is not None
    return Finding("call extension", good, "built and loaded" if good else "not there, calls go through ctypes", advice)


def check_blas() -> Finding:
    """Report where products of matrices are computed, and how fast."""
    import numpy as np

    from theano_compat.codegen import blas_pointers

    try:
        table = blas_pointers.table()
    except (OSError, ImportError) as error:
        return Finding("BLAS", False, str(error), "leave blas.ldflags empty; pip install --upgrade scipy")
    dgemm = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(table["dgemm"])
    n = ctypes.byref((ctypes.c_int64 if blas_pointers.integer_bits() == 64 else ctypes.c_int32)(512))
    one, a, c = ctypes.byref(ctypes.c_double(1)), np.ones((512, 512)).ctypes, np.zeros((512, 512)).ctypes
    spent = []
    for _ in range(2):
        start = time.perf_counter()
        dgemm(b"N", b"N", n, n, n, one, a.data, n, a.data, n, one, c.data, n)
        spent.append(time.perf_counter() - start)
    speed = 2 * 512**3 / min(spent) / 1e9
    return Finding("BLAS", True, f"of {blas_pointers.origin()}, {len(table)} routines, {blas_pointers.integer_bits()}-bit integers; dgemm: {speed:.0f} GFLOP/s")


def check_cache() -> Finding:
    """Report whether compiled code can be kept."""
    from theano_compat.codegen import cache

    folder = cache.folder()
    try:
        cache._make_private_folder(folder)
        descriptor, name = tempfile.mkstemp(dir=folder)
        os.close(descriptor)
        os.unlink(name)
    except OSError as error:
        return Finding("cache", False, f"{folder} cannot be used: {error}", "set base_compiledir to a folder of your own; until then every process compiles for itself")
    files = list(cache.entries())
    return Finding("cache", True, f"{folder}, {len(files)} entries, {sum(f.stat().st_size for f in files) / 1e6:.1f} MB")


def check_gpu() -> Finding:
    """Report the GPU that the driver shows."""
    import ctypes.util

    from theano_compat import config

    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else ctypes.util.find_library("cuda") or "libcuda.so.1")
    except OSError:
        wanted = config.device != "cpu"
        return Finding("GPU", not wanted, "no NVIDIA driver (libcuda) was found" + ("" if wanted else "; device=cpu does not need one"), "install the NVIDIA driver, or set device=cpu")
    count = ctypes.c_int()
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return Finding("GPU", status == 0, f"the driver shows {count.value} device(s)" if status == 0 else f"the driver answers error {status}", "see nvidia-smi")


CHECKS: tuple[Callable[[], Finding], ...] = (check_python, check_compiler, check_vector_math, check_extension, check_blas, check_cache, check_gpu)


def main(argv: list[str]) -> int:
    """Print the report; the exit status is 1 if something needs mending."""
    argparse.ArgumentParser(prog="python -m theano_compat doctor", description="Say what was found on this machine and how to mend the rest.").parse_args(argv)
    status = 0
    for check in CHECKS:
        finding = check()
        print(f"{'ok ' if finding.good else 'BAD'}  {finding.what:17} {finding.found}")
        if not finding.good:
            status = 1
            if finding.advice and finding.advice not in finding.found:
                print(f"     {'':17} to mend it: {finding.advice}")
    return status
