"""Shared variables of any type, and how their constructors are chosen."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.compile.sharedvalue import SharedVariable, shared, shared_constructor


def test_values_are_copied_unless_borrowed():
    data = np.zeros(3)
    kept, borrowed = shared(data), shared(data, borrow=True)
    data[0] = 1
    assert kept.get_value()[0] == 0 and borrowed.get_value()[0] == 1
    out = kept.get_value()
    out[1] = 5
    assert kept.get_value()[1] == 0
    kept.get_value(borrow=True)[1] = 7
    assert kept.get_value()[1] == 7
    new = np.ones(3)
    kept.set_value(new)
    new[:] = 9
    assert kept.get_value()[0] == 1


def test_generic_objects():
    w = shared({"a": [1]}, "w")
    assert type(w) is SharedVariable and w.type is theano.gof.generic
    w.get_value()["a"].append(2)
    assert w.get_value() == {"a": [1]}
    w.set_value(3)
    assert w.get_value() == 3
    with pytest.raises(TypeError, match="The generic 'SharedVariable' object is not subscriptable"):
        w[0]


def test_zero():
    w = shared(np.ones(3))
    inner = w.get_value(borrow=True)
    w.zero(borrow=True)
    assert np.array_equal(inner, np.zeros(3))
    w.set_value(np.ones(3))
    w.zero()
    assert np.array_equal(w.get_value(), np.zeros(3))


def test_what_shared_refuses():
    with pytest.raises(TypeError, match="Shared variable constructor needs numeric values and not symbolic variables."):
        shared(T.matrix())
    with pytest.raises(TypeError, match="No suitable SharedVariable constructor could be found"):
        shared(np.zeros(3), foo=3)
    with pytest.raises(TypeError, match="value and strict are ignored if you pass a container here"):
        SharedVariable("x", T.dvector, np.ones(2), None, container=shared(np.ones(2)).container)
    with pytest.raises(Exception, match="sharedvar.value does not exist anymore"):
        shared(1.0).value  # noqa: B018


def test_strict_and_downcast():
    w = SharedVariable("w", T.fvector, np.ones(2, "float32"), strict=True)
    with pytest.raises(TypeError):
        w.set_value(np.ones(2))
    v = SharedVariable("v", T.fvector, np.ones(2, "float32"), strict=False, allow_downcast=True)
    v.set_value(np.ones(2))
    assert v.get_value().dtype == "float32"


def test_clone_uses_the_same_container():
    w = shared(np.ones(2), "w")
    w.tag.note = "kept"
    twin = w.clone()
    assert twin is not w and twin.container is w.container and twin.tag.note == "kept"


def test_own_constructor_comes_first():
    class Celsius:
        degrees = 20.0

    @shared_constructor
    def celsius(value, name=None, strict=False, allow_downcast=None):
        if not isinstance(value, Celsius):
            raise TypeError("not mine")
        return SharedVariable(name, T.dscalar, value.degrees, strict, allow_downcast)

    try:
        assert shared(Celsius()).type == T.dscalar
        assert shared(1).type != T.dscalar
    finally:
        shared_constructor(celsius, remove=True)
    assert celsius not in shared.constructors
