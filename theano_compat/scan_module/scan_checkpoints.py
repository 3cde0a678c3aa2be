"""A loop whose gradient needs less memory: it keeps some states and computes the others again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from theano_compat import tensor
from theano_compat.gof import Variable
from theano_compat.scan_module.scan import scan

__all__ = ["scan_checkpoints"]


def scan_checkpoints(
    fn: Callable,
    sequences: Any = [],  # noqa: B006
    outputs_info: Any = None,
    non_sequences: Any = [],  # noqa: B006
    name: str = "checkpointscan_fn",
    n_steps: Any = None,
    save_every_N: int = 10,
    padding: bool = True,
) -> tuple:
    """Scan in blocks, of which only the last states are kept.

    Parameters
    ----------
    fn, sequences, outputs_info, non_sequences, name, n_steps
        As for :func:`theano_compat.scan`, but no taps, an initial state for every output, and no updates.
    save_every_N : int
        The number of steps in a block.
    padding : bool
        Fill the last block with zeros; else the length has to be a multiple of `save_every_N`.

    Returns
    -------
    tuple
        The outputs after each block, and the updates.

    Notes
    -----
    The gradient of T steps keeps about ``T / save_every_N + save_every_N`` states, not T, and runs each step once more.
    """
    sequences = _as_list(sequences)
    outputs_info = _as_list(outputs_info)
    non_sequences = _as_list(non_sequences)
    for element in outputs_info + sequences:
        if isinstance(element, dict) or element is None:
            raise RuntimeError("scan_checkpoints doesn't work with taps, and needs an initial state for every output.")
    if n_steps is None and not sequences:
        raise RuntimeError("scan_checkpoints needs sequences or n_steps")
    sequences = [tensor.as_tensor_variable(seq) for seq in sequences]
    if n_steps is None:
        n_steps = sequences[0].shape[0]
        for seq in sequences[1:]:
            n_steps = tensor.minimum(n_steps, seq.shape[0])
    every = tensor.as_tensor_variable(save_every_N)
    n_blocks = (n_steps + every - 1) // every
    if padding and sequences:
        sequences = [_padded(seq[:n_steps], n_blocks * every) for seq in sequences]
    blocks = [_in_blocks(seq, n_blocks, every) for seq in sequences]
    lengths = tensor.minimum(every, n_steps - tensor.arange(n_blocks) * every)

    def block(length: Variable, *arguments: Variable) -> list:
        rows, states = arguments[: len(blocks)], arguments[len(blocks) : len(blocks) + len(outputs_info)]
        results, updates = scan(
            fn, sequences=list(rows), outputs_info=list(states), non_sequences=list(arguments[len(blocks) + len(states) :]),
            n_steps=length, name=name + "_block", return_list=True,
        )  # fmt: skip
        if updates:
            raise RuntimeError("scan_checkpoints doesn't work with updates of shared variables.")
        return [r[-1] for r in results]

    return scan(
        block, sequences=[lengths, *blocks], outputs_info=outputs_info, non_sequences=non_sequences, n_steps=n_blocks, name=name,
        allow_gc=True,
    )  # fmt: skip


def _as_list(x: Any) -> list:
    if x is None:
        return []
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _padded(seq: Variable, length: Variable) -> Variable:
    """The sequence with zeros behind it."""
    shape = [seq.shape[i] for i in range(1, seq.ndim)]
    zeros = tensor.alloc(tensor.zeros((), dtype=seq.dtype), length - seq.shape[0], *shape)
    return tensor.join(0, seq, zeros)


def _in_blocks(seq: Variable, n_blocks: Variable, every: Variable) -> Variable:
    shape = [n_blocks, every] + [seq.shape[i] for i in range(1, seq.ndim)]
    return seq.reshape(shape, ndim=seq.ndim + 1)


