"""Real Theano and this package in one process: both import, compile, and give the same numbers. Skipped where Theano is not installed."""

import os

import numpy as np
import pytest

import theano_compat


@pytest.fixture(scope="module")
def both():
    with pytest.MonkeyPatch.context() as patch:
        # Real Theano's alone, and gone for the other tests: it reads them while it is imported.
        patch.setenv("THEANO_FLAGS", os.environ.get("THEANO_FLAGS", "cxx=,blas.ldflags="))
        theano = pytest.importorskip("theano", exc_type=ImportError)
    if not os.path.dirname(theano.__file__).endswith("theano"):
        pytest.skip("theano means this package here")
    return theano, theano_compat


def test_both_are_there_and_are_not_the_same(both):
    theano, ours = both
    assert theano is not ours
    assert theano.tensor.TensorType is not ours.tensor.TensorType
    assert type(theano.tensor.vector()).__module__.startswith("theano.")
    assert type(ours.tensor.vector()).__module__.startswith("theano_compat.")


@pytest.mark.parametrize("case", ["elementwise", "gradient", "softmax", "random"])
def test_same_numbers(both, case):
    value = np.random.RandomState(1).randn(4, 5)
    results = []
    for package in both:
        tensor = package.tensor
        x = tensor.matrix(dtype="float64")
        if case == "elementwise":
            y = tensor.exp(x) + tensor.tanh(x).sum(axis=0)
        elif case == "gradient":
            y = package.grad((tensor.dot(x, x.T) ** 2).sum(), x)
        elif case == "softmax":
            y = tensor.nnet.softmax(x)
        else:
            y = x + tensor.shared_randomstreams.RandomStreams(5).uniform((4, 5))
        results.append(package.function([x], y)(value))
    assert results[0].dtype == results[1].dtype
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12)


def test_variables_of_one_are_refused_by_the_other(both):
    theano, ours = both
    with pytest.raises(Exception):
        ours.function([theano.tensor.vector()], ours.tensor.vector())
