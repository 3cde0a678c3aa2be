"""Functions that Theano 1.0.5 compiled and pickled: they load, and go on as before.

``tests/data/functions_of_theano_1_0_5.pickle.xz`` was written by Theano 1.0.5 (without a C compiler, protocol 2): a dictionary with

* ``train``: a step of logistic regression, from inputs of 4 features to 3 classes, at rate 0.1, with weights that begin at 0 and are updated;
* ``loop``: the states ``s[t] = tanh(v[t] + s[t - 1])`` of a scan, compiled in mode FAST_COMPILE.
"""

import lzma
import pickle
from pathlib import Path

import numpy as np
import pytest

from theano_compat.misc.pkl_utils import CompatUnpickler

PICKLE = Path(__file__).parents[1] / "data" / "functions_of_theano_1_0_5.pickle.xz"


@pytest.fixture
def functions():
    with lzma.open(PICKLE) as file:
        return CompatUnpickler(file).load()


def steps(x, y, n, rate=0.1):
    """Costs and weights of `n` steps of logistic regression."""
    w, costs, rows = np.zeros((x.shape[1], 3)), [], np.arange(len(y))
    for _ in range(n):
        e = np.exp(x @ w)
        p = e / e.sum(1, keepdims=True)
        costs.append(-np.log(p[rows, y]).mean())
        p[rows, y] -= 1
        w = w - rate * x.T @ p / len(y)
    return costs, w


def test_a_function_with_updates_goes_on(functions):
    train = functions["train"]
    x, y = np.arange(12.0).reshape(3, 4), np.array([0, 1, 2], "int32")
    costs, weights = steps(x, y, 3)
    np.testing.assert_allclose([train(x, y) for _ in range(2)], costs[:2])
    again = pickle.loads(pickle.dumps(train))
    np.testing.assert_allclose(again(x, y), costs[2])
    np.testing.assert_allclose(again.get_shared()[0].get_value(), weights)


def test_a_loop_runs(functions):
    values = np.array([0.5, -1.0, 2.0])
    state, states = 0.0, []
    for value in values:
        state = np.tanh(value + state)
        states.append(state)
    np.testing.assert_allclose(functions["loop"](values), states)
