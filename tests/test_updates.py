"""OrderedUpdates."""

import copy
import pickle

import numpy as np
import pytest

import theano_compat
from theano_compat.updates import OrderedUpdates


def test_keys_must_be_shared_variables():
    with pytest.raises(TypeError, match="OrderedUpdates keys must inherit from SharedVariable"):
        OrderedUpdates({"a": 1})
    updates = OrderedUpdates()
    with pytest.raises(TypeError, match="OrderedUpdates keys must inherit from SharedVariable"):
        updates["a"] = 1


def test_order_is_kept():
    shared = [theano_compat.shared(np.float64(k), name=str(k)) for k in range(10)]
    updates = OrderedUpdates((s, s + 1) for s in shared)
    assert list(updates) == shared


def test_two_updates_of_one_variable_collide():
    a, b = theano_compat.shared(1.0), theano_compat.shared(2.0)
    first = a + 1
    updates = OrderedUpdates([(a, first)])
    with pytest.raises(KeyError, match="Collision"):
        updates.update([(a, a + 2)])
    updates.update([(a, first), (b, b + 1)])
    assert list(updates) == [a, b]
    with pytest.raises(KeyError, match="Collision"):
        OrderedUpdates([(a, a)]) + OrderedUpdates([(a, a + 1)])


def test_sums_and_copies():
    a, b = theano_compat.shared(1.0), theano_compat.shared(2.0)
    both = OrderedUpdates([(a, a + 1)]) + [(b, b + 1)]
    assert isinstance(both, OrderedUpdates) and list(both) == [a, b]
    assert list([(b, b + 1)] + OrderedUpdates([(a, a + 1)])) == [b, a]
    assert list(copy.copy(both).items()) == list(both.items())
    assert len(pickle.loads(pickle.dumps(both))) == 2


def test_function_takes_them():
    a = theano_compat.shared(1.0)
    f = theano_compat.function([], updates=OrderedUpdates([(a, a * 2)]), mode="FAST_COMPILE")
    f()
    assert a.get_value() == 2.0
