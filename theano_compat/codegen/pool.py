"""The threads that compiled functions share: how many there may be, and the small library they live in.

The library (``csrc/pool.c``, ``csrc/split.c``) is built once and kept in the cache like everything else. Without it, or with one thread, functions run serially.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
from pathlib import Path

from theano_compat import config
from theano_compat.codegen import abi, cache, toolchain
from theano_compat.configparser import _by_name

__all__ = ["address", "available_cpus", "container_limit", "set_threads", "shared_jobs", "start", "started", "wanted_threads"]

_TEXTS = ("pool.c", "split.c")

_lock = threading.RLock()
_library: cache.Library | None = None  # never unloaded: threads run its code
_tried = False
_set_by_program: int | None = None


def _after_fork() -> None:
    global _lock, _tried
    _lock = threading.RLock()
    _tried = _library is not None  # a thread that was building does not live in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def source() -> str:
    """Return the C text of the library."""
    folder = Path(__file__).with_name("csrc")
    parts = [abi.header(name) for name in ("abi", "core", "pool", "nest")] + [(folder / name).read_text(encoding="utf-8") for name in _TEXTS]
    return "\n".join(parts)


def _load() -> cache.Library | None:
    global _library, _tried
    with _lock:
        if not _tried:
            _tried = True
            if sys.platform != "win32":
                try:
                    _library = cache.build(source(), extra_flags=("-pthread",))
                    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_library))  # not when modules are cleared at exit, either
                except toolchain.CompileError:
                    pass
        return _library


def start() -> None:
    """Begin to build the library in another thread, if it is not there yet."""
    if not _tried and toolchain.compiler() is not None:
        threading.Thread(target=_load, daemon=True).start()


def container_limit(groups: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> float:
    """Return how many CPUs' time the container may use (cgroups, either version), infinity where there is no limit."""
    found = math.inf
    try:
        for line in Path(groups).read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds == "":
                here = Path(root + path)
                for folder in (here, *here.parents):  # a limit of any group around this one holds
                    if (folder / "cpu.max").is_file():
                        allowed, period = (folder / "cpu.max").read_text().split()
                        if allowed != "max":
                            found = min(found, int(allowed) / int(period))
            elif "cpu" in kinds.split(","):
                quota = int(Path(root, "cpu", "cpu.cfs_quota_us").read_text())
                if quota > 0:
                    found = min(found, quota / int(Path(root, "cpu", "cpu.cfs_period_us").read_text()))
    except (OSError, ValueError):
        pass
    return found


def available_cpus() -> int:
    """Return how many CPUs this process may use: its affinity and its container's limit count."""
    try:
        count = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        count = os.cpu_count() or 1
    limit = container_limit()
    return max(1, min(count, math.ceil(limit)) if limit < count else count)


def _number_in(variable: str) -> int | None:
    """Return the (first) number that an environment variable holds."""
    try:
        number = int(os.environ.get(variable, "").split(",")[0])
    except ValueError:
        return None
    return number if number > 0 else None


def wanted_threads() -> tuple[int, int, int]:
    """Return how many threads may work, how many on products, and the least size of a loop that uses them (0: as its work says)."""
    if _set_by_program is not None:
        return _set_by_program, _set_by_program, 0
    refused = not config.openmp and not _by_name["openmp"].is_default
    threads = 1 if refused else _number_in("OMP_NUM_THREADS") or available_cpus()
    products = min(threads, _number_in("OPENBLAS_NUM_THREADS") or threads)
    return threads, products, config.openmp_elemwise_minsize if config.openmp else 0


def address() -> int:
    """Return the address of the record that generated code finds the threads by (``tc_pool``), 0 where there are none."""
    library = _load()
    if library is None:
        return 0
    set_ = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int64)(library.address("tc_pool_set"))
    return set_(*wanted_threads()) or 0


def set_threads(count: int | None) -> None:
    """Set how many threads compiled functions may use from now on.

    Parameters
    ----------
    count : int or None
        1 for none but the caller's own; None for what the flags, the environment and the machine say.

    Raises
    ------
    ValueError
        If the number is less than 1.
    """
    global _set_by_program
    if count is not None and count < 1:
        raise ValueError(f"the number of threads must be at least 1, got {count}")
    _set_by_program = count
    address()


def started() -> int:
    """Return how many threads there are now beside the program's own."""
    library = _load()
    return 0 if library is None else ctypes.CFUNCTYPE(ctypes.c_int)(library.address("tc_pool_started"))()


def shared_jobs() -> int:
    """Return how many pieces of work were shared among threads so far."""
    library = _load()
    return 0 if library is None else ctypes.CFUNCTYPE(ctypes.c_int64)(library.address("tc_pool_jobs"))()
