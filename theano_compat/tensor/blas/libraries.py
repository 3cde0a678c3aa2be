"""What BLAS the user asks for and what is there."""

from __future__ import annotations

import functools
import importlib.util
import shlex

import numpy as np

from theano_compat import config

#: Whether SciPy, whose BLAS the compiled engine calls, is installed.
have_fblas: bool = importlib.util.find_spec("scipy") is not None

_KINDS = {"-L": "libs_dir", "-l": "libs", "-I": "include_dir"}


def ldflags(libs=True, flags=False, libs_dir=False, include_dir=False) -> list[str]:
    """Split the flag ``blas.ldflags`` into the kinds of words that are asked for.

    Parameters
    ----------
    libs
        Library names, without ``-l``.
    flags
        Words that are neither libraries nor folders.
    libs_dir, include_dir
        Folders, without ``-L`` and ``-I``.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        A word does not begin with ``-``.
    """
    wanted = {"libs": libs, "flags": flags, "libs_dir": libs_dir, "include_dir": include_dir}
    found = []
    for word in shlex.split(config.blas.ldflags or ""):
        if not word.startswith("-"):
            raise ValueError(f'invalid token "{word}" in ldflags_str: "{config.blas.ldflags}"')
        kind = _KINDS.get(word[:2], "flags")
        if wanted[kind]:
            found.append(word if kind == "flags" else word[2:])
    return found


@functools.lru_cache(maxsize=1)
def check_init_y() -> bool:
    """Tell whether SciPy's ``gemv`` reads its result vector even where beta is zero."""
    if not have_fblas:
        return False
    from scipy.linalg.blas import dgemv

    y = np.full(2, np.nan)
    result = dgemv(1.0, np.ones((2, 2)), np.ones(2), beta=0.0, y=y)
    return bool(np.isnan(result).any())
