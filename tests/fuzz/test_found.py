"""What random graphs have brought to light; each case once differed between the compiled function and `perform`."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.fuzz.checks import REWRITES_ONLY


def both(inputs, output, *values):
    """Return what the rewritten graph and the untouched one give."""
    plain = theano.function(inputs, output, mode=theano.Mode("py", None))(*values)
    rewritten = theano.function(inputs, output, mode=REWRITES_ONLY)(*values)
    assert np.asarray(plain).dtype == np.asarray(rewritten).dtype
    return rewritten, plain


def vector(dtype, values):
    return T.vector("x", dtype=dtype), np.asarray(values, dtype)


def test_gradients_through_a_clip_used_twice_add_up():
    x = T.dvector("x")
    clipped = T.clip(x, -1, 2)
    gradient = T.grad(T.sum(clipped * 1.0) + T.sum((-2 - (x - clipped)) * 1.0), x)
    rewritten, plain = both([x], gradient, np.array([2.5, 1.0, 0.0]))
    np.testing.assert_array_equal(rewritten, plain)
    np.testing.assert_array_equal(plain, [-1.0, 1.0, 1.0])


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_zero_minus_unsigned_is_negative_in_the_wider_dtype(dtype):
    x, value = vector(dtype, [0, 1, 200])
    rewritten, plain = both([x], T.sub(T.constant(np.int8(0)), x), value)
    np.testing.assert_array_equal(rewritten, plain)
    np.testing.assert_array_equal(plain, [0, -1, -200])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32"])
def test_sum_of_a_negative_wraps_round_before_it_is_summed(dtype):
    x, value = vector(dtype, [np.iinfo(dtype).min, 1, np.iinfo(dtype).max])
    rewritten, plain = both([x], T.sum(-x), value)
    assert rewritten == plain


def test_product_of_narrow_integers_over_a_float_does_not_wrap_round():
    a, b = T.vector("a", dtype="int8"), T.vector("b", dtype="int8")
    c = T.dvector("c")
    rewritten, plain = both([a, b, c], a * (b / c), np.int8([100]), np.int8([100]), np.array([2.0]))
    np.testing.assert_allclose(rewritten, plain)
    np.testing.assert_allclose(plain, [5000.0])


def test_switches_of_different_dtypes_merge_in_the_wider_one():
    condition = T.lvector("c")
    chosen = T.switch(condition, T.lt(condition, 0), condition)
    rewritten, plain = both([condition], T.and_(chosen, chosen) + T.and_(chosen, chosen), np.array([-80, 0]))
    np.testing.assert_array_equal(rewritten, plain)


def test_absolute_value_of_a_narrow_integer_in_a_float_product():
    x, value = vector("int8", [-128, 3])
    rewritten, plain = both([x], T.abs_(x * 1.0), value)
    np.testing.assert_array_equal(rewritten, plain)


def test_scalar_factor_keeps_the_precision_of_the_sum():
    a, x = T.dscalar("a"), T.fvector("x")
    value = np.float32([1e8, 1.0, 1.0])
    rewritten, plain = both([a, x], T.sum(a * x), 1.0, value)
    assert rewritten == plain == 100000002.0


def test_negated_unsigned_is_rewritten_without_an_error():
    x, value = vector("uint8", [0, 1, 255])
    with theano.config.change_flags(on_opt_error="raise"):
        rewritten, plain = both([x], -x * 3, value)
    np.testing.assert_array_equal(rewritten, plain)
    np.testing.assert_array_equal(plain, [0, 765, 3])


@pytest.mark.parametrize("index", [slice(None, 5, -1), slice(0, 5, -1), slice(0, 1, -2)])
def test_slice_that_goes_down_may_drop_the_one_element_of_a_row(index):
    x = T.drow("x")
    part = x[index]
    value = np.ones((1, 4))[index]
    assert part.broadcastable[0] <= (value.shape[0] == 1)
    assert theano.function([x], part, mode="FAST_COMPILE")(np.ones((1, 4))).shape == value.shape


def test_gradient_of_a_dimshuffle_behind_an_op_that_forgets_the_pattern():
    x = T.dscalar("x")
    wide = x.dimshuffle("x", "x")
    gradient = T.grad(T.sum(T.concatenate([T.extra_ops.cumsum(wide, 0), wide])), x)
    assert theano.function([x], gradient, mode="FAST_COMPILE")(3.0) == 2.0


def test_real_factor_of_a_complex_product_has_the_real_part_as_its_gradient():
    x, w = T.dvector("x"), T.zvector("w")
    gradient = T.grad(T.dot(2 * x, w).real, x)
    np.testing.assert_allclose(
        theano.function([x, w], gradient, mode="FAST_COMPILE")([1.0, 2.0], np.array([1 + 2j, 3 - 1j])), [2.0, 6.0]
    )


@pytest.mark.parametrize("round_", [T.ceil, T.floor])
def test_rounded_integers_have_a_zero_gradient(round_):
    x = T.dvector("x")
    gradient = T.grad(T.sum(round_(T.cast(x, "int16")) * x), x)
    np.testing.assert_array_equal(theano.function([x], gradient, mode="FAST_COMPILE")([1.5, -2.5]), [1.0, -2.0])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_extent_of_minus_one_given_at_run_time(dtype):
    x = T.dmatrix("x")
    rows, columns = T.scalar("rows", dtype=dtype), T.scalar("columns", dtype=dtype)
    f = theano.function([x, rows, columns], x.reshape((rows, columns)))
    value = np.arange(6.0).reshape(2, 3)
    for wanted in [(-1, 3), (3, -1), (1, 6)]:
        np.testing.assert_array_equal(f(value, *wanted), value.reshape(wanted))
    for wrong in [(-1, -1), (-2, -3), (-1, 4), (-1, 0)]:
        with pytest.raises(ValueError):
            f(value, *wrong)
    with pytest.raises(ValueError):
        f(np.zeros((0, 3)), 0, -1)


def test_crossentropy_of_too_few_classes_is_an_error_without_rewrites_too():
    x, y = T.dmatrix("x"), T.lvector("y")
    f = theano.function([x, y], T.nnet.categorical_crossentropy(x, y), mode=theano.Mode("py", None))
    with pytest.raises(ValueError, match="1 classes were given for 2 rows"):
        f(np.full((2, 3), 1 / 3), [1])


@pytest.mark.parametrize("inside", [False, True])
def test_crossentropy_indexed_by_the_rows_of_the_scores_is_stable(inside):
    x, y = T.dmatrix("x"), T.lvector("y")
    p = T.nnet.softmax(x)
    rows = T.arange(x.shape[0])
    cost = -T.mean(T.log(p[rows, y]) if inside else T.log(p)[rows, y])
    value, gradient = theano.function([x, y], [cost, T.grad(cost, x)], mode=REWRITES_ONLY)([[1000.0, 0.0], [0.0, 0.0]], [1, 0])
    np.testing.assert_allclose(value, (1000 + np.log(2)) / 2)
    np.testing.assert_allclose(gradient, [[0.5, -0.5], [-0.25, 0.25]])
