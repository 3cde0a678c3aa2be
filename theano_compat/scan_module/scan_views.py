"""Loops of common kinds: :func:`map`, :func:`reduce`, :func:`foldl` and :func:`foldr`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano_compat.scan_module.scan import scan

__all__ = ["foldl", "foldr", "map", "reduce"]


def map(
    fn: Callable, sequences: Any, non_sequences: Any = None, truncate_gradient: int = -1, go_backwards: bool = False,
    mode: Any = None, name: str | None = None,
) -> tuple:  # fmt: skip
    """Apply a function to the rows of sequences.

    Parameters
    ----------
    fn, sequences, non_sequences, truncate_gradient, go_backwards, mode, name
        As for :func:`theano_compat.scan`.

    Returns
    -------
    tuple
        The results of all steps, and the updates.
    """
    return scan(
        fn=fn, sequences=sequences, outputs_info=[], non_sequences=non_sequences, truncate_gradient=truncate_gradient,
        go_backwards=go_backwards, mode=mode, name=name,
    )  # fmt: skip


def reduce(
    fn: Callable, sequences: Any, outputs_info: Any, non_sequences: Any = None, go_backwards: bool = False, mode: Any = None,
    name: str | None = None,
) -> tuple:  # fmt: skip
    """Apply a function of a row and the result so far to all rows of sequences.

    Parameters
    ----------
    fn, sequences, outputs_info, non_sequences, go_backwards, mode, name
        As for :func:`theano_compat.scan`.

    Returns
    -------
    tuple
        The last result or list of results, and the updates.
    """
    results, updates = scan(
        fn=fn, sequences=sequences, outputs_info=outputs_info, non_sequences=non_sequences, go_backwards=go_backwards,
        truncate_gradient=-1, mode=mode, name=name,
    )  # fmt: skip
    return ([r[-1] for r in results] if isinstance(results, (list, tuple)) else results[-1]), updates


def foldl(fn: Callable, sequences: Any, outputs_info: Any, non_sequences: Any = None, mode: Any = None, name: str | None = None) -> tuple:
    """:func:`reduce` from the first row to the last."""
    return reduce(fn, sequences, outputs_info, non_sequences=non_sequences, go_backwards=False, mode=mode, name=name)


def foldr(fn: Callable, sequences: Any, outputs_info: Any, non_sequences: Any = None, mode: Any = None, name: str | None = None) -> tuple:
    """:func:`reduce` from the last row to the first."""
    return reduce(fn, sequences, outputs_info, non_sequences=non_sequences, go_backwards=True, mode=mode, name=name)
