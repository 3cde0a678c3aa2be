"""Scalar types, promotion, and how plain numbers find their dtype."""
from __future__ import annotations

import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.scalar as scal
from theano_compat.configparser import change_flags


@pytest.mark.parametrize(
    ("number", "dtype"),
    [
        (1, "int8"), (True, "int8"), (200, "int16"), (-200, "int16"), (70000, "int32"), (2**40, "int64"), (2**63, "uint64"),
        (1.5, "float32"), (1.1, "float64"), (0.1, "float64"), (1e300, "float64"), (2049.0, "float32"), (float("inf"), "float32"),
        (float("nan"), "float64"), (1 + 2j, "complex128"), (np.float32(2), "float32"), (np.int16(4), "int16"),
        (np.float64(1.1), "float64"), (np.bool_(True), "bool"), (np.array(3), "int64"),
    ],
)  # fmt: skip
def test_constants_take_the_smallest_exact_dtype(number, dtype):
    constant = scal.constant(number)
    assert constant.dtype == dtype
    assert type(constant.data) is np.dtype(dtype).type
    np.testing.assert_equal(constant.data, number)


@pytest.mark.parametrize(("floatX", "number", "dtype"), [("float32", 1.1, "float32"), ("float16", 1.1, "float16"), ("float32", 3, "int8")])
def test_plain_floats_are_floatx_where_that_is_narrow(floatX, number, dtype):
    with change_flags(floatX=floatX):
        assert scal.constant(number).dtype == dtype


def test_numpy_floatx_policy_takes_numpys_dtype_but_no_wider_float():
    with change_flags(cast_policy="numpy+floatX", floatX="float32"):
        assert scal.constant(1).dtype == "int64"
        assert scal.constant(1.1).dtype == "float32"
        assert scal.upcast("int64", "float32") == "float32"
    assert scal.upcast("int64", "float32") == "float64"


def test_autocast_float_as_holds_inside_only():
    with scal.autocast_float_as("float32"):
        assert scal.constant(1.1).dtype == "float32"
    assert scal.constant(1.1).dtype == "float64"


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        (scal.float32, "a", "Could not convert <class 'str'> (value=a) to float32"),
        (scal.float32, 1.1, "Could not convert <class 'float'> (value=1.1) to float32"),
        (scal.int8, 1.5, "Could not convert <class 'float'> (value=1.5) to int8"),
        (scal.int8, 300, "Could not convert <class 'int'> (value=300) to int8"),
    ],
)
def test_values_that_would_change_are_refused(type_, value, message):
    with pytest.raises(TypeError) as error:
        type_.filter(value)
    assert error.value.args[0] == message


def test_strict_filter_wants_the_very_dtype():
    with pytest.raises(TypeError, match="float32 expected a .*float32.*, got 1.1 of type"):
        scal.float32.filter(np.float64(1.1), strict=True)
    assert scal.float32.filter(np.float32(2), strict=True) == 2
    assert scal.float32.filter(1.1, allow_downcast=True) == np.float32(1.1)
    assert scal.float64.filter(1.1) == 1.1


def test_types_of_one_dtype_are_equal_and_survive_pickling():
    assert scal.Scalar("float32") == scal.float32 != scal.float64
    assert hash(scal.Scalar("float32")) == hash(scal.float32)
    copy = pickle.loads(pickle.dumps(scal.int8))
    assert copy == scal.int8 and repr(copy) == "Scalar(int8)"
    with pytest.raises(TypeError, match="Unsupported dtype for Scalar: foo"):
        scal.get_scalar_type("foo")


def test_literals_read_back_exactly():
    for value in (0.1, 1e-310, -0.0, 1 / 3, 1e308, 70.0):
        text = scal.float64.c_literal(value)
        assert np.float64(text) == value and np.signbit(np.float64(text)) == np.signbit(value)
        single = np.float32(value) if abs(value) < 1e38 else np.float32(1)
        assert np.float32(scal.float32.c_literal(single).rstrip("f")) == single
    assert scal.float64.c_literal(np.inf) == "INFINITY" and scal.float32.c_literal(np.nan) == "NAN"


def test_operators_build_the_ops():
    x, y, i = scal.float64("x"), scal.float64("y"), scal.int8("i")
    for variable, op in (
        (x + y, scal.add), (x - y, scal.sub), (x * y, scal.mul), (x / y, scal.true_div), (x // y, scal.int_div),
        (x % y, scal.mod), (x**y, scal.pow), (-x, scal.neg), (abs(x), scal.abs_), (x < y, scal.lt), (x >= y, scal.ge),
        (i & i, scal.and_), (i | i, scal.or_), (i ^ i, scal.xor), (~i, scal.invert), (2 / x, scal.true_div), (2 - x, scal.sub),
        (2**x, scal.pow), (2 // x, scal.int_div), (2 % x, scal.mod), (x.astype("int8"), scal.convert_to_int8),
    ):  # fmt: skip
        assert variable.owner.op == op
    assert x.astype("float64") is x


def test_integer_division_follows_the_configuration():
    i = scal.int8("i")
    with change_flags(int_division="int"), pytest.warns(DeprecationWarning, match="please use x // y"):
        assert (i / i).owner.op == scal.int_div
    with change_flags(int_division="floatX"):
        assert (i / i).owner.op == scal.true_div
    with change_flags(int_division="raise"), pytest.raises(scal.IntegerDivisionError):
        i / i


def test_complex_numbers_have_no_remainder():
    with pytest.raises(scal.ComplexError, match="does not support the mod operator"):
        scal.complex64("c") % 2


@pytest.mark.parametrize(
    ("op", "dtypes", "wanted"),
    [
        (scal.add, ("int8", "uint8"), "int16"), (scal.add, ("int64", "uint64"), "float64"), (scal.exp, ("int8",), "float32"),
        (scal.exp, ("int32",), "float64"), (scal.exp, ("float16",), "float16"), (scal.exp, ("complex64",), "complex64"),
        (scal.true_div, ("int8", "int32"), "float64"), (scal.true_div, ("int8", "float32"), "float32"),
        (scal.pow, ("bool", "bool"), "int8"), (scal.abs_, ("complex64",), "float32"), (scal.angle, ("int8",), "float64"),
        (scal.complex, ("int8", "float32"), "complex64"), (scal.complex, ("int32", "float32"), "complex128"),
        (scal.second, ("float64", "int8"), "int8"), (scal.switch, ("bool", "int8", "float32"), "float32"),
        (scal.eq, ("complex64", "int8"), "bool"), (scal.arctan2, ("float16", "int8"), "float32"),
        (scal.chi2sf, ("float32", "float32"), "float64"), (scal.conj, ("bool",), "int8"), (scal.sqr, ("uint8",), "uint8"),
    ],
)  # fmt: skip
def test_output_dtypes(op, dtypes, wanted):
    assert op(*[scal.get_scalar_type(d)() for d in dtypes]).dtype == wanted


@pytest.mark.parametrize(
    ("op", "dtypes", "message"),
    [
        (scal.neg, ("bool",), "bool input not supported"), (scal.sub, ("bool", "bool"), "bool output not supported"),
        (scal.ceil, ("complex64",), "complex argument not supported"), (scal.round_half_to_even, ("int8",), "only float type"),
        (scal.and_, ("float32", "int8"), "input to a BitOp must have type"), (scal.sub, ("float32",), "Wrong number of inputs for sub"),
        (scal.clip, ("complex64",) * 3, "complex type are not supported"), (scal.or_, ("bool", "int8"), "input to a BitOp"),
    ],
)  # fmt: skip
def test_refused_inputs(op, dtypes, message):
    with pytest.raises(TypeError, match=message):
        op(*[scal.get_scalar_type(d)() for d in dtypes])


def test_ops_compare_by_class_and_output_rule():
    assert scal.Add(scal.upcast_out) == scal.add and hash(scal.Add(scal.upcast_out)) == hash(scal.add)
    assert scal.Add(scal.transfer_type(0)) == scal.Add(scal.transfer_type(0)) != scal.add
    assert str(scal.Add(scal.transfer_type(0))) == "Add" and str(scal.add) == "add" and str(scal.eq) == "EQ"
    assert scal.Cast(scal.float64) == scal.convert_to_float64 != scal.convert_to_float32
    assert str(scal.convert_to_int8) == "Cast{int8}"
    assert scal.inopenrange != scal.inclosedrange


def test_a_users_scalar_op_says_which_c_text_it_has():
    class Double(scal.UnaryScalarOp):
        def impl(self, x):
            return 2 * x

        def c_code(self, node, name, inputs, outputs, sub):
            return f"{outputs[0]} = 2 * {inputs[0]};"

    class Special(scal.Exp):
        def c_code(self, node, name, inputs, outputs, sub):
            return f"{outputs[0]} = 1;"

    assert Double(scal.same_out).c_form() == "code"
    assert Special(scal.upgrade_to_float).c_form() == "code"
    assert scal.exp.c_form() == "expr"
    assert scal.jv.supports_c_code([scal.float64(), scal.float64()], [scal.float64()]) is False
    x = scal.float64("x")
    assert scal.exp.c_code(scal.exp.make_node(x), "n", ["a"], ["z"], {}) == "z = exp(a);"


def test_scalar_functions_run():
    x, y = scal.float64("x"), scal.float64("y")
    function = theano.function([x, y], [x + y, x**y, scal.maximum(x, y)], mode=theano.Mode("py", None))
    assert function(2.0, 3.0) == [5.0, 8.0, 3.0]
