"""The flags that hold while a function is compiled."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from theano_compat import config

__all__ = ["compiling"]

_lock = threading.Lock()
_depth = 0
_before: tuple = ()


def _after_fork() -> None:
    # The threads that were compiling do not live in the child.
    global _lock, _depth
    _lock = threading.Lock()
    if _depth:
        _depth = 0
        config.compute_test_value, config.traceback.limit = _before


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def compiling() -> Iterator[None]:
    """Let ``compute_test_value_opt`` and ``traceback.compile_limit`` hold in place of what they stand in for.

    Notes
    -----
    Flags are the process's. Where several threads compile at once, the first one in changes them and the last one out puts them back: whoever came second would
    otherwise keep the first one's for good.
    """
    global _depth, _before
    with _lock:
        if _depth == 0:
            _before = config.compute_test_value, config.traceback.limit
            config.compute_test_value = config.compute_test_value_opt
            config.traceback.limit = config.traceback.compile_limit
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                config.compute_test_value, config.traceback.limit = _before
