"""Historical home of the lock on the folder of compiled code.

The cache needs no lock: entries appear whole, by a rename. For scripts that take the lock around work of their own, the functions here
still keep processes apart, by a folder that only one of them can create.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import threading
import time
from contextlib import contextmanager

import numpy as np

from theano_compat import config

PY3 = True
hostname = socket.gethostname()
notset = object()
random = np.random.RandomState(np.random.SeedSequence().entropy % (2**32))

_state = {"depth": 0, "enabled": True, "unlocker": None}
_state_lock = threading.RLock()


class Unlocker:
    """Gives a lock back.

    Parameters
    ----------
    tmp_dir : str
        The folder that is the lock.
    """

    def __init__(self, tmp_dir: str):
        self.tmp_dir = tmp_dir

    def unlock(self, force: bool = False) -> None:
        """Remove the lock if it is this process's, or anybody's with ``force``."""
        if force or _owner(self.tmp_dir) == _identity():
            shutil.rmtree(self.tmp_dir, ignore_errors=True)


def _identity() -> str:
    return f"{os.getpid()}_{hostname}"


def _owner(folder: str) -> str | None:
    """Return who holds the lock, or None."""
    try:
        with open(os.path.join(folder, "lock"), encoding="utf-8") as f:
            return f.read().strip()
    except OSError:
        return None


def refresh_lock(lock_file: str) -> str:
    """Write this process's name into a lock, which renews its age, and return the name."""
    with open(lock_file, "w", encoding="utf-8") as f:
        f.write(_identity())
    return _identity()


def lock(tmp_dir: str, timeout=notset, min_wait=None, max_wait=None, verbosity: int = 1) -> None:
    """Take a lock, wait while another process has it.

    Parameters
    ----------
    tmp_dir : str
        The folder that is the lock.
    timeout : float, optional
        After so many seconds without a sign of life from the owner, take it anyway; default ``config.compile.timeout``, None: never.
    min_wait, max_wait : float, optional
        Bounds of the pauses between attempts, in seconds.
    verbosity : int
        Print who is waited for.
    """
    timeout = config.compile.timeout if timeout is notset else timeout
    min_wait = config.compile.wait if min_wait is None else min_wait
    max_wait = min_wait * 2 if max_wait is None else max_wait
    lock_file = os.path.join(tmp_dir, "lock")
    told = False
    while True:
        try:
            os.makedirs(os.path.dirname(tmp_dir) or ".", exist_ok=True)
            os.mkdir(tmp_dir)
            refresh_lock(lock_file)
            return
        except FileExistsError:
            pass
        try:
            age = time.time() - os.stat(lock_file if os.path.exists(lock_file) else tmp_dir).st_mtime
        except OSError:
            continue
        owner = _owner(tmp_dir)
        if (timeout is not None and age > timeout) or _is_dead(owner):
            shutil.rmtree(tmp_dir, ignore_errors=True)
            continue
        if verbosity and not told:
            told = True
            print(f"Waiting for existing lock by process '{owner}' (I am process '{_identity()}'); to release it, delete {tmp_dir}")
        time.sleep(random.uniform(min_wait, max_wait))


def _is_dead(owner: str | None) -> bool:
    """Whether the owner is a process of this machine that has ended."""
    if owner is None or "_" not in owner:
        return False
    pid, _, host = owner.partition("_")
    if host != hostname or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def force_unlock() -> None:
    """Remove the lock of the folder of compiled code, whoever has it."""
    Unlocker(os.path.join(config.compiledir, "lock_dir")).unlock(force=True)
    with _state_lock:
        _state["depth"] = 0


def set_lock_status(use_lock: bool) -> None:
    """Switch locks on or off."""
    _state["enabled"] = use_lock


def get_lock(lock_dir: str | None = None, **kw) -> None:
    """Take the lock of the folder of compiled code (or of another); it may be taken several times by one process."""
    folder = os.path.join(config.compiledir if lock_dir is None else lock_dir, "lock_dir")
    with _state_lock:
        if _state["enabled"] and _state["depth"] == 0:
            lock(folder, **kw)
            unlocker = _state["unlocker"] = Unlocker(folder)
            atexit.register(unlocker.unlock)
        _state["depth"] += 1


def release_lock() -> None:
    """Give the lock back, once for each time that it was taken."""
    with _state_lock:
        if _state["depth"] <= 0:
            raise AssertionError("the lock is not held")
        _state["depth"] -= 1
        if _state["depth"] == 0 and _state["unlocker"] is not None:
            atexit.unregister(_state["unlocker"].unlock)
            _state["unlocker"].unlock()
            _state["unlocker"] = None


@contextmanager
def lock_ctx(lock_dir: str | None = None, keep_lock: bool = False, **kw):
    """Hold the lock for the body of a ``with`` statement (and after it, with ``keep_lock``)."""
    get_lock(lock_dir=lock_dir, **kw)
    try:
        yield
    finally:
        if not keep_lock:
            release_lock()
