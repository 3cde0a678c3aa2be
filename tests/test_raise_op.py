"""An op that raises."""

import pytest

import theano_compat
import theano_compat.tensor as T
from theano_compat.raise_op import Raise


def test_raises_what_was_asked_for_when_it_runs():
    x = T.scalar()
    f = theano_compat.function([x], Raise("no further", exc=KeyError)(x), mode="FAST_COMPILE")
    with pytest.raises(KeyError, match="no further"):
        f(1.0)


def test_equal_by_value():
    assert Raise("a") == Raise("a") != Raise("b")
    assert Raise("a", ValueError) != Raise("a", KeyError)
