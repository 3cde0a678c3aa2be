"""Shared variables of arrays and numbers."""

import pickle

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from theano_compat.tensor.sharedvar import ScalarSharedVariable, TensorSharedVariable


@pytest.mark.parametrize(
    ("value", "cls", "kind"),
    [
        (np.zeros(3), TensorSharedVariable, T.dvector), (np.zeros((1, 2), "float32"), TensorSharedVariable, T.fmatrix),
        (3, ScalarSharedVariable, T.lscalar), (3.0, ScalarSharedVariable, T.dscalar), (np.float32(3), ScalarSharedVariable, T.fscalar),
        (1j, ScalarSharedVariable, T.zscalar), (np.array(3.0), TensorSharedVariable, T.dscalar),
        (True, ScalarSharedVariable, T.TensorType("bool", ())),
    ],
)  # fmt: skip
def test_constructor_picks_class_and_type(value, cls, kind):
    s = theano_compat.shared(value, name="s")
    assert type(s) is cls and s.type == kind and s.name == "s"
    np.testing.assert_array_equal(s.get_value(), value)


def test_pattern_can_be_given():
    s = theano_compat.shared(np.zeros((1, 2)), broadcastable=(True, False))
    assert s.broadcastable == (True, False)
    with pytest.raises(TypeError):
        s.set_value(np.zeros((2, 2)))


def test_values_are_copied_unless_borrowed():
    value = np.zeros(3)
    own, lent = theano_compat.shared(value), theano_compat.shared(value, borrow=True)
    value[0] = 1
    assert own.get_value()[0] == 0 and lent.get_value(borrow=True)[0] == 1
    assert own.get_value() is not own.get_value()
    assert lent.get_value(borrow=True) is value
    new = np.ones(3)
    own.set_value(new, borrow=True)
    assert own.get_value(borrow=True) is new
    own.set_value(new)
    assert own.get_value(borrow=True) is not new


def test_zero():
    s = theano_compat.shared(np.ones(3))
    stored = s.get_value(borrow=True)
    s.zero()
    assert (s.get_value() == 0).all() and (stored == 1).all()
    s.set_value(stored, borrow=True)
    s.zero(borrow=True)
    assert (stored == 0).all()


def test_wrong_values_are_refused():
    s = theano_compat.shared(np.zeros(3))
    with pytest.raises(TypeError, match="Wrong number of dimensions: expected 1, got 2"):
        s.set_value(np.zeros((2, 2)))
    with pytest.raises(TypeError, match="needs numeric values and not symbolic variables"):
        theano_compat.shared(T.dscalar())
    with pytest.raises(TypeError, match="No suitable SharedVariable constructor"):
        theano_compat.shared(np.zeros(3), target="nowhere")


def test_what_is_no_array_becomes_generic():
    assert theano_compat.shared([1, 2]).type == theano_compat.gof.generic
    assert theano_compat.shared("a").type == theano_compat.gof.generic


def test_operators_and_pickle():
    s = theano_compat.shared(np.arange(3.0))
    assert (s + 1).type == T.dvector and s[0].type == T.dscalar
    again = pickle.loads(pickle.dumps(s))
    np.testing.assert_array_equal(again.get_value(), s.get_value())
    assert type(again) is type(s)
