"""The arrays that all frameworks get for the cases of loops.py."""

from functools import partial

import numpy as np

#: The symbols that the LSTM reads and predicts.
VOCABULARY = 100


def make_data(case, dtype, **sizes):
    """Return name -> array for one case, the same in every process.

    Parameters
    ----------
    case : str
    dtype : str
        Of all arrays of floats.
    **sizes
        What the case needs of ``steps``, ``n`` (length of a vector), ``hidden``, ``batch``, ``every`` (steps between checkpoints).

    Returns
    -------
    dict
        Among it the learning rate, ``rate``: small enough to go on for ever, large enough for a wrong gradient to show in the parameters.
    """
    makers = {"power": power, "recurrence": recurrence, "rnn": partial(recurrent, gates=1), "gru": partial(recurrent, gates=3), "lstm": lstm}
    data = makers[case.split()[0]](np.random.RandomState(0), **sizes)
    return {name: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value for name, value in data.items()}


def power(rng, steps, n):
    """A ``(n,)`` near 1, and the exponent."""
    return {"A": 1 + 1e-4 * rng.randn(n), "k": steps}


def recurrence(rng, steps, n):
    """``a``, ``b`` ``(steps, n)`` and ``h0`` ``(n,)``; products of `a` stay below 1."""
    return {"a": rng.uniform(0.5, 0.99, (steps, n)), "b": rng.randn(steps, n), "h0": rng.randn(n)}


def recurrent(rng, steps, hidden, batch, gates):
    """Inputs ``x`` ``(steps, batch, hidden)``, targets ``y`` ``(steps, batch)``, a first state, the cell, and what reads its state."""
    data = {"rate": 0.05, "x": rng.randn(steps, batch, hidden), "y": rng.randn(steps, batch), "h0": np.zeros((batch, hidden))}
    return {**data, **cell(rng, hidden, gates), "v": rng.randn(hidden) / np.sqrt(hidden)}


def cell(rng, hidden, gates):
    """``W``, ``U`` ``(hidden, gates * hidden)`` for the input and the state, and ``b``."""
    W, U = (rng.uniform(-1, 1, (hidden, gates * hidden)) / np.sqrt(hidden) for _ in range(2))
    return {"W": W, "U": U, "b": np.zeros(gates * hidden)}


def lstm(rng, steps, hidden, batch, every=0):
    """Symbols ``x`` and ``y`` ``(steps, batch)`` (int32), first states, embedding ``E``, cell, and the layer of scores ``V``, ``d``."""
    x, y = (rng.randint(0, VOCABULARY, (steps, batch)).astype("int32") for _ in range(2))
    scores = {"V": rng.uniform(-1, 1, (hidden, VOCABULARY)) / np.sqrt(hidden), "d": np.zeros(VOCABULARY)}
    embedding = 0.1 * rng.randn(VOCABULARY, hidden)  # rounding of large parameters would hide how far they move
    zeros = np.zeros((batch, hidden))
    return {"rate": 0.5, "x": x, "y": y, "h0": zeros, "c0": zeros, "E": embedding, **cell(rng, hidden, 4), **scores, "every": every}
