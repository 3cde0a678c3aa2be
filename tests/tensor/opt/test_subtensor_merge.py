"""Merging of two slices, against NumPy, over all kinds of slices, with known and with unknown numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.compile.mode import Mode
from theano_compat.tensor.opt import Subtensor

MODE = Mode("py", "fast_run")
v = T.lvector("v")
SLICES = [
    slice(None), slice(1, None), slice(None, 3), slice(2, 5, 2), slice(None, None, -1), slice(-2, None), slice(4, 0, -2),
    slice(None, -1), slice(7, 9), slice(-9, 2), slice(3, None, -1), slice(None, None, 3), slice(5, 2),
]  # fmt: skip


def subtensors(function):
    return sum(isinstance(node.op, Subtensor) for node in function.maker.fgraph.toposort())


def test_all_pairs_of_slices_with_known_numbers():
    pairs = list(itertools.product(SLICES, SLICES))
    function = theano.function([v], [v[a][b] for a, b in pairs], mode=MODE)
    for length in (0, 1, 5, 8):
        value = np.arange(length)
        for (a, b), found in zip(pairs, function(value)):
            np.testing.assert_array_equal(found, value[a][b], err_msg=f"{length} {a} {b}")
    for a, b in pairs[::11]:
        assert subtensors(theano.function([v], v[a][b], mode=MODE)) <= 1


def test_two_slices_of_unknown_numbers():
    numbers = T.lscalars("abcdef")
    a, b, c, d, e, f = numbers
    function = theano.function([v, *numbers], v[a:b:c][d:e:f], mode=MODE)
    assert subtensors(function) == 1
    rng = np.random.RandomState(3)
    for _ in range(400):
        length = rng.randint(0, 7)
        starts = rng.randint(-8, 8, size=6)
        steps = rng.choice([-3, -2, -1, 1, 2, 3], size=2)
        a_, b_, d_, e_ = (int(i) for i in starts[:4])
        c_, f_ = (int(i) for i in steps)
        value = np.arange(length)
        np.testing.assert_array_equal(
            function(value, a_, b_, c_, d_, e_, f_), value[a_:b_:c_][d_:e_:f_], err_msg=f"{length} {a_}:{b_}:{c_} {d_}:{e_}:{f_}"
        )


def test_an_element_of_a_slice_and_its_bounds():
    a, b, i = T.lscalars("abi")
    function = theano.function([v, a, b, i], v[a:b][i], mode=MODE)
    assert subtensors(function) == 1
    for length in (3, 6):
        value = np.arange(length) * 10
        for a_, b_, i_ in itertools.product(range(-4, 5), range(-4, 5), range(-4, 5)):
            taken = value[a_:b_]
            if -len(taken) <= i_ < len(taken):
                assert function(value, a_, b_, i_) == taken[i_]
            else:
                with pytest.raises(IndexError):
                    function(value, a_, b_, i_)


def test_plain_slices_merge_to_plain_slices():
    function = theano.function([v], v[1:][2:], mode=MODE)
    (index,) = [node for node in function.maker.fgraph.toposort() if isinstance(node.op, Subtensor)]
    assert [getattr(i, "data", None) for i in index.inputs[1:]] == [3]
    assert subtensors(theano.function([v], v[::-1][::-1], mode=MODE)) == 0


def test_matrices_merge_dimension_by_dimension():
    x, i = T.lmatrix("x"), T.lscalar("i")
    out = [x[1:, 0:][:, 1:], x[1:][i], x[i][1:], x[:, 1:][1:, i], x[1:3][:, ::-1][0]]
    function = theano.function([x, i], out, mode=MODE)
    value = np.arange(20).reshape(5, 4)
    for i_ in (-2, 0, 1):
        wanted = [
            value[1:, 0:][:, 1:], value[1:][i_], value[i_][1:], value[:, 1:][1:, i_], value[1:3][:, ::-1][0],
        ]  # fmt: skip
        for found, want in zip(function(value, i_), wanted):
            np.testing.assert_array_equal(found, want)
