"""The recurrences of MRG31k3p in NumPy: one draw, many draws from many streams, jumps over any number of draws.

Reference: P. L'Ecuyer and R. Touzin, "Fast combined multiple recursive generators with multipliers of the form
a = ±2^q ±2^r", Proceedings of the 2000 Winter Simulation Conference. The generator combines the recurrences

    x[n] = (2^22 x[n-2] + (2^7 + 1) x[n-3])    mod 2^31 - 1
    y[n] = (2^15 y[n-1] + (2^15 + 1) y[n-3])   mod 2^31 - 21069

into x[n] - y[n] mod 2^31 - 1. A state is the six numbers x[n], x[n-1], x[n-2], y[n], y[n-1], y[n-2]. A matrix power moves
it on: streams start 2^134 numbers apart, substreams of one sample 2^72.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

M1 = np.asarray(np.int32(2**31 - 1))
M2 = np.asarray(np.int32(2**31 - 21069))
MASK12, MASK13, MASK2 = (np.int32(2**bits - 1) for bits in (9, 24, 16))
MULT2 = np.int32(21069)
NORM = 4.656612873077392578125e-10  # 2^-31

_A1 = ((0, 2**22, 2**7 + 1), (1, 0, 0), (0, 1, 0))
_A2 = ((2**15, 0, 2**15 + 1), (1, 0, 0), (0, 1, 0))


def _times(a: Sequence, b: Sequence, m: int) -> list:
    return [[sum(x * y for x, y in zip(row, column)) % m for column in zip(*b)] for row in a]


@functools.lru_cache(maxsize=64)
def jump(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrices that move the two halves of a state on by a number of draws: shapes (3, 3), int64."""
    powers = []
    for a, m in ((_A1, int(M1)), (_A2, int(M2))):
        power: Sequence = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        for bit in f"{steps:b}":
            power = _times(power, power, m)
            if bit == "1":
                power = _times(power, a, m)
        powers.append(np.array(power, dtype="int64"))
    return powers[0], powers[1]


A1p72, A2p72 = jump(2**72)
A1p134, A2p134 = jump(2**134)


def matVecModM(A: Any, s: Any, m: Any) -> np.ndarray:
    """The product of a matrix and a vector modulo `m`, as int32."""
    products = np.asarray(A, "int64") * np.asarray(s, "int64") % int(m)
    return (products.sum(1) % int(m)).astype("int32")


def multMatVect(v: np.ndarray, A: np.ndarray, m1: Any, B: np.ndarray, m2: Any) -> np.ndarray:
    """Multiply the two halves of a state by a matrix each.

    Parameters
    ----------
    v : ndarray
        Six numbers.
    A, B : ndarray
        Of shape (3, 3), for the first and for the last three numbers.
    m1, m2 : int
        The moduli.
    """
    return np.concatenate([matVecModM(A, v[:3], m1), matVecModM(B, v[3:], m2)])


def ff_2p134(rstate: Any) -> np.ndarray:
    """The state 2^134 numbers on."""
    return multMatVect(np.asarray(rstate), A1p134, M1, A2p134, M2)


def ff_2p72(rstate: Any) -> np.ndarray:
    """The state 2^72 numbers on."""
    return multMatVect(np.asarray(rstate), A1p72, M1, A2p72, M2)


def moved(states: np.ndarray, steps: int) -> np.ndarray:
    """States of shape (n, 6), int64, moved on by a number of draws."""
    halves = []
    for matrix, m, part in zip(jump(steps), (M1, M2), (states[:, :3], states[:, 3:])):
        halves.append((part[:, None] * matrix % int(m)).sum(2) % int(m))
    return np.concatenate(halves, axis=1)


def substreams(first: Any, n: int) -> np.ndarray:
    """`n` states, each 2^72 numbers after the one before: shape (n, 6), int32. Each round doubles their number."""
    states = np.array([first], "int64")
    distance = 2**72
    while len(states) < n:
        states = np.concatenate([states, moved(states[: n - len(states)], distance)])
        distance *= 2
    return states.astype("int32")


def _less(s: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Modulo m, for s < 2 m: where s - m wraps below zero it is the larger one."""
    return np.minimum(s, s - np.uint32(m))


def _high(s: np.ndarray, bits: int) -> np.ndarray:
    return (s.view("int32") >> np.int32(bits)).view("uint32")


def _turned(s: np.ndarray, bits: int) -> np.ndarray:
    """2^bits s modulo M1: what leaves at the top of 31 bits comes back at the bottom."""
    return ((s << np.uint32(bits)) & np.uint32(M1)) + _high(s, 31 - bits)


def _shifted(s: np.ndarray) -> np.ndarray:
    """2^15 s modulo M2 = 2^31 - 21069."""
    return _less(((s & np.uint32(MASK2)) << np.uint32(15)) + np.uint32(MULT2) * _high(s, 16), M2)


def advanced(states: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Draw once from each of some streams.

    Parameters
    ----------
    states : sequence of six ndarray
        The components of the states: shape (n,), uint32.

    Returns
    -------
    (ndarray, list of ndarray)
        What was drawn, 0 < z <= M1, shape (n,), uint32; the new components.
    """
    x1, x2, x3, y1, y2, y3 = states
    x = _less(_less(_turned(x2, 22) + _turned(x3, 7), M1) + x3, M1)
    y = _less(_less(_shifted(y3) + y3, M2) + _shifted(y1), M2)
    below = x - y - np.uint32(1)
    z = np.minimum(below, below + np.uint32(M1)) + np.uint32(1)
    return z, [x, x1, x2, y, y1, y2]


#: Fewer rounds than this are drawn one by one; of more, the later half is drawn beside the earlier one.
_FEW = 64
#: So many streams keep NumPy busy.
_MANY = 4096


def _rounds(states: list[np.ndarray], count: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Draw `count` times from each stream: shape (count, n), uint32; the new components."""
    n = len(states[0])
    apart = count > _FEW and n < _MANY
    alone = 3 + (count - 3) % 2 if apart else count  # three rounds bring any state into the range that a matrix needs
    drawn = np.empty((count, n), "uint32")
    for r in range(alone):
        drawn[r], states = advanced(states)
    if apart and n:
        half = (count - alone) // 2
        later = moved(np.stack(states, axis=1).astype("int64"), half).astype("uint32").T
        both, ends = _rounds([np.concatenate(pair) for pair in zip(states, later)], half)
        drawn[alone : alone + half], drawn[alone + half :] = both[:, :n], both[:, n:]
        states = [component[n:] for component in ends]
    return drawn, states


def draw(states: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw numbers from streams that take turns.

    Parameters
    ----------
    states : ndarray
        Shape (n_streams, 6), int32.
    n : int
        How many numbers: number i comes from stream ``i % n_streams``.

    Returns
    -------
    (ndarray, ndarray)
        The numbers, 0 < z <= M1: shape (n,), uint32; the new states.
    """
    states = np.ascontiguousarray(states)
    streams = len(states)
    rounds, more = divmod(n, streams) if n else (0, 0)
    drawn, components = _rounds([np.array(c) for c in states.view("uint32").T], rounds)
    last, ahead = advanced([c[:more] for c in components])
    new = np.stack(components, axis=1)
    new[:more] = np.stack(ahead, axis=1)
    return np.concatenate([drawn.ravel(), last]), new.view("int32")


def mrg_next_value(rstate: Any, new_rstate: Any, NORM: Any, mask: Any, offset: Any) -> Any:
    """Draw one number.

    Parameters
    ----------
    rstate : sequence of int
        A state of six numbers.
    new_rstate : ndarray
        Where the next state is put.
    NORM : float
        What the integer drawn is multiplied by.
    mask, offset : int
        What is cut from the integer, and then added.
    """
    drawn, states = draw(np.array([rstate], dtype="int32"), 1)
    new_rstate[...] = states[0]
    return ((int(drawn[0]) & int(mask)) + int(offset)) * NORM
