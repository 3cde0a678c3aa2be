"""Calls of compiled functions with all that users pass: the short way and the general one give the same, and nothing leaks."""

import gc
import os
import weakref

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import config


@pytest.fixture(scope="module")
def double():
    x = T.matrix("x", dtype="float64")
    return theano.function([x], x * 2)


@pytest.fixture(scope="module")
def plus_one():
    return {d: theano.function([x], x + np.asarray(1, d)) for d in ("float64", "float32", "int8", "int64") for x in [T.scalar(dtype=d)]}


VALUE = np.arange(12.0).reshape(3, 4)


def misaligned():
    memory = np.zeros(VALUE.nbytes + 1, "uint8")
    array = memory[1:].view("float64").reshape(3, 4)
    array[...] = VALUE
    return array


class Subclass(np.ndarray):
    pass


def read_only():
    array = VALUE.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "make",
    [
        lambda: VALUE.copy(),
        lambda: np.asfortranarray(VALUE),
        lambda: np.repeat(np.repeat(VALUE, 2, 0), 3, 1)[::2, ::3],
        lambda: VALUE[::-1, ::-1].copy()[::-1, ::-1],
        lambda: VALUE.T.copy().T,
        read_only,
        lambda: VALUE.astype(">f8"),
        lambda: VALUE.astype("float32"),
        lambda: VALUE.astype("int8"),
        lambda: VALUE.copy().view(Subclass),
        lambda: VALUE.tolist(),
    ],
)
def test_any_layout_of_an_argument(double, make):
    value = make()
    before = np.array(value)
    result = double(value)
    assert type(result) is np.ndarray and result.dtype == "float64"
    assert np.array_equal(result, VALUE * 2)
    assert np.array_equal(np.array(value), before)


def test_misaligned_arguments_are_refused_as_theano_does(double):
    with pytest.raises(TypeError, match="aligned"):
        double(misaligned())


def test_memory_mapped_argument(double, tmp_path):
    VALUE.tofile(tmp_path / "a")
    assert np.array_equal(double(np.memmap(tmp_path / "a", "float64", "r", shape=(3, 4))), VALUE * 2)


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 0), (1, 1)])
def test_empty_and_single(double, shape):
    assert double(np.ones(shape)).shape == shape


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((2, 2, 2)), np.ones((2, 2), "complex128"), np.array([["a"]])])
def test_wrong_arguments_are_refused_and_the_function_works_after(double, bad):
    with pytest.raises(TypeError):
        double(bad)
    assert double(VALUE)[2, 3] == 22


@pytest.mark.parametrize("value", [1.5, 1, True, np.float64(2), np.float32(2), np.int8(3), np.array(4.0), -0.0, np.inf, 10**15, 2**53])
def test_numbers_for_float64(plus_one, value):
    result = plus_one["float64"](value)
    assert isinstance(result, np.ndarray) and result.shape == () and result == float(value) + 1


def test_nan_stays_nan(plus_one):
    assert np.isnan(plus_one["float64"](float("nan"))) and np.isnan(plus_one["float32"](np.float32("nan")))


def test_numbers_that_do_not_fit_are_refused(plus_one):
    for value in (128, -129, 10**30, 1.5, np.int64(300)):
        with pytest.raises((TypeError, OverflowError)):
            plus_one["int8"](value)
    with pytest.raises((TypeError, OverflowError)):
        plus_one["int64"](2**63)
    with pytest.raises(TypeError):
        plus_one["float32"](np.float64(0.1))
    assert plus_one["int8"](127) == -128 and plus_one["int64"](2**62) == 2**62 + 1


def test_python_float_for_float32_follows_floatx():
    with config.change_flags(floatX="float32"):
        x = T.scalar(dtype="float32")
        assert theano.function([x], x * 1)(0.1) == np.float32(0.1)


def test_results_outlive_the_function():
    x = T.vector(dtype="float64")
    f = theano.function([x], [x + 1, (x + 2).reshape((2, 2)), x.sum()])
    results = f(np.arange(4.0))
    alive = weakref.ref(f)
    del f
    gc.collect()
    assert alive() is None
    assert results[0].tolist() == [1, 2, 3, 4] and results[1].tolist() == [[2, 3], [4, 5]] and results[2] == 6
    results[0][0] = 9


def test_results_are_not_views_of_arguments():
    x = T.matrix(dtype="float64")
    f = theano.function([x], [x, x.T, x[0], x[::-1].reshape((4, 3))])
    value = VALUE.copy()
    for result in f(value):
        assert not np.shares_memory(result, value)
        result[...] = -1
    assert np.array_equal(value, VALUE)


def test_results_of_two_calls_are_different_arrays(double):
    first = double(VALUE)
    double(VALUE + 1)
    assert np.array_equal(first, VALUE * 2)


def test_updates_in_place_leave_copies_alone():
    s = theano.shared(np.zeros(5))
    f = theano.function([], s.sum(), updates=[(s, s + 1)])
    copy, start = s.get_value(), s.get_value(borrow=True)
    results = [float(f()) for _ in range(3)]
    assert results == [0, 5, 10] and copy.tolist() == [0] * 5 and s.get_value().tolist() == [3] * 5
    assert start.shape == (5,)


def test_read_only_shared_value_is_updated_by_a_copy():
    s = theano.shared(read_only(), borrow=True)
    f = theano.function([], [], updates=[(s, s + 1)])
    f(), f()
    assert np.array_equal(s.get_value(), VALUE + 2)


def test_failed_call_changes_nothing_and_frees_its_lock():
    x, s = T.vector(dtype="float64"), theano.shared(np.zeros(3))
    f = theano.function([x], updates=[(s, s + x)])
    with pytest.raises(ValueError):
        f(np.ones(4))
    assert s.get_value().tolist() == [0, 0, 0]
    f(np.ones(3))
    assert s.get_value().tolist() == [1, 1, 1]


def test_scalar_results_are_numpy_scalars():
    x = T.scalar(dtype="float64")
    assert isinstance(theano.function([x], T.scalar_from_tensor(x + 1))(1.5), np.floating)


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_memory_stays_bounded_over_many_calls():
    x, s = T.vector(dtype="float64"), theano.shared(np.zeros(100))
    f = theano.function([x], [x * 2, x.sum(), x[:3] + 1], updates=[(s, s + x)])
    value, wrong = np.ones(100), np.ones(7)

    def work(n):
        for i in range(n):
            f(value)
            if i % 100 == 0:
                with pytest.raises(ValueError):
                    f(wrong)

    work(2000)
    gc.collect()
    before = resident()
    work(30000)
    gc.collect()
    assert resident() - before < 4 << 20


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_memory_stays_bounded_over_many_compilations():
    def work(numbers):
        for k in numbers:
            x = T.vector(dtype="float64")
            assert theano.function([x], x * float(k % 5) + 1)(np.ones(2)).shape == (2,)
        gc.collect()
        return resident()

    before = work(range(100))
    assert work(range(400)) - before < 30 << 20
