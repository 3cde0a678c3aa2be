"""The C compiler: which one, with which options, and how it is called.

The compiler is the flag ``cxx`` if the user set it, else the first of ``cc``, ``gcc``, ``clang``, ``g++`` and the ``ziglang`` wheel. An empty ``cxx`` means: no compiler.
Programs are called with argument lists, never through a shell, so that blanks and accents in paths do no harm.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import sys
import threading
from dataclasses import dataclass

from theano_compat import config
from theano_compat.configparser import _by_name

__all__ = ["CompileError", "Compiler", "compiler", "cpu_identity"]

#: What a missing compiler costs, and how to get one.
ADVICE = "no C compiler was found, so functions run through NumPy, more slowly; install gcc or clang, or: pip install ziglang"

#: -O1 with "#pragma omp simd" vectorises the loops that are marked, in half the time of -O3. Contraction would make results depend on the CPU.
OPTIONS = ("-std=gnu11", "-O1", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fno-strict-aliasing", "-fPIC", "-w")

#: Pipes instead of temporary files; and without what took a sixth of the time and made none of the benchmarks faster: known bits of integers, stores that
#: nothing reads in machine code (those in the tree go all the same), registers loop by loop.
GCC_OPTIONS = ("-pipe", "-fno-tree-bit-ccp", "-fno-dse", "-fira-region=one")


class CompileError(Exception):
    """The compiler refused generated code, or could not be run."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler.

    Attributes
    ----------
    command : tuple of str
        How it is started.
    kind : str
        ``"gcc"``, ``"clang"`` or ``"zig"``.
    identity : str
        Changes when the compiler does.
    """

    command: tuple[str, ...]
    kind: str
    identity: str

    def options(self, extra: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the options of a build, the user's ``gcc.cxxflags`` last."""
        native = () if platform.machine() in ("arm64", "aarch64") and self.kind != "gcc" else ("-march=native",)
        user = tuple(shlex.split(config.gcc.cxxflags))
        fast = ("-O0",) if config.cmodule.remove_gxx_opt else ()
        return (*OPTIONS, *native, *(GCC_OPTIONS if self.kind == "gcc" else ()), *extra, *fast, *user)

    def build(self, source: str, target: str, extra: tuple[str, ...] = ()) -> None:
        """Compile one C text into a shared object.

        Raises
        ------
        CompileError
            With the compiler's first messages.
        """
        import subprocess  # not needed where all is in the cache

        libraries = ["-lm"] if sys.platform != "win32" else []
        if self.kind == "gcc" and has_libmvec():
            libraries = ["-lmvec", *libraries]
        command = [*self.command, *self.options(extra), "-shared", "-x", "c", "-", "-o", target, *libraries]
        try:
            with _turn():
                done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=600)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CompileError(f"the compiler {self.command[0]} could not be run: {error}") from None
        if done.returncode:
            messages = done.stderr.decode(errors="replace").strip().splitlines()
            raise CompileError("\n".join([f"{self.command[0]} refused generated code (exit status {done.returncode}):", *messages[:20]]))
        if config.cmodule.compilation_warning and done.stderr:
            print(done.stderr.decode(errors="replace"), file=sys.stderr)


_turns: threading.Semaphore | None = None


def _turn() -> contextlib.AbstractContextManager:
    """Let threads other than the main one run so many compilers at a time that one CPU is left for that: it is what the user waits for."""
    global _turns
    if threading.current_thread() is threading.main_thread():
        return contextlib.nullcontext()
    from theano_compat.codegen.pool import available_cpus

    with _lock:
        if _turns is None:
            _turns = threading.Semaphore(max(1, available_cpus() - 1))
        return _turns


def _after_fork() -> None:
    # The threads that had a turn do not live in the child.
    global _turns, _lock
    _turns, _lock = None, threading.Lock()


_lock = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _kind(path: str) -> str:
    name = os.path.basename(path)
    if "clang" in name or (sys.platform == "darwin" and name in ("cc", "gcc", "g++", "c++")):
        return "clang"
    return "gcc"


def _identify(path: str) -> str:
    real = os.path.realpath(path)
    try:
        status = os.stat(real)
    except OSError:
        return real
    return f"{real}:{status.st_size}:{int(status.st_mtime)}"


def _make(words: list[str]) -> Compiler | None:
    if "ziglang" in words or os.path.basename(words[0]).startswith("zig"):
        return Compiler(tuple(words), "zig", _identify(words[0]) + " ".join(words))
    path = shutil.which(words[0])
    if path is None:
        return None
    return Compiler((path, *words[1:]), _kind(path), _identify(path))


@functools.lru_cache(maxsize=8)
def _find(cxx: str, is_default: bool) -> Compiler | None:
    if not cxx:
        return None
    if not is_default:
        return _make([cxx]) if os.path.isfile(cxx) else _make(shlex.split(cxx))
    for name in ("cc", "gcc", "clang", "g++"):
        if shutil.which(name):
            return _make([name])
    if importlib.util.find_spec("ziglang"):
        return _make([sys.executable, "-m", "ziglang", "cc"])
    return None


def compiler() -> Compiler | None:
    """Return the compiler to use, None if there is none (see `ADVICE`)."""
    return _find(config.cxx, _by_name["cxx"].is_default)


@functools.lru_cache(maxsize=1)
def has_libmvec() -> bool:
    """Tell whether the C library has vector variants of its functions (glibc on x86-64 and AArch64)."""
    import ctypes

    if os.environ.get("THEANO_COMPAT_NO_LIBMVEC"):
        return False
    try:
        ctypes.CDLL("libmvec.so.1")
    except OSError:
        return False
    return True


@functools.lru_cache(maxsize=1)
def cpu_identity() -> str:
    """Return a digest of the CPU's model and features: code for one CPU must not run on another that shares the folder."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            words = [line for line in file.read(16384).split("\n\n")[0].splitlines() if line.startswith(("model name", "flags", "Features", "CPU part", "cpu family", "model\t"))]
    except OSError:
        words = [platform.processor()]
    return hashlib.sha256("\n".join([platform.machine(), *words]).encode()).hexdigest()[:16]
