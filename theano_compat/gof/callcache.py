"""A cache of function results by argument values, kept in a file if wanted."""

from __future__ import annotations

import logging
import pickle

_logger = logging.getLogger(__name__)


class CallCache:
    """Remembers what functions returned.

    Parameters
    ----------
    filename : str, optional
        Where :meth:`persist` writes the cache; what is there is loaded. Use only files that you trust: they are pickles.
    """

    def __init__(self, filename: str | None = None):
        self.filename = filename
        self.cache: dict = {}
        if filename is not None:
            try:
                with open(filename, "rb") as f:
                    self.cache = pickle.load(f)
            except OSError:
                _logger.debug("no cache yet in %s", filename)

    def persist(self, filename: str | None = None) -> None:
        """Write the cache to a file, by default the one given at first."""
        with open(self.filename if filename is None else filename, "wb") as f:
            pickle.dump(self.cache, f)

    def call(self, fn, args=(), key=None):
        """Return ``fn(*args)``, from the cache if it was computed before.

        Parameters
        ----------
        fn : callable
        args : tuple
        key : hashable, optional
            What the result is kept by; default: the function and its arguments.
        """
        if key is None:
            key = (fn, tuple(args))
        if key not in self.cache:
            _logger.debug("cache miss: %s", len(self.cache))
            self.cache[key] = fn(*args)
        return self.cache[key]

    def __del__(self):
        try:
            if self.filename is not None:
                self.persist()
        except Exception as e:  # at the interpreter's exit, anything may be gone
            _logger.error("persist failed: %s %s", self.filename, e)
