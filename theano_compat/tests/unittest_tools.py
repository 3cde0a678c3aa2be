"""Seeded random states, gradient checks, comparisons and shape checks for tests of ops."""

from __future__ import annotations

import functools
import logging
import re
import sys
import unittest
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from io import StringIO
from typing import Any
from unittest import SkipTest  # noqa: F401

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import config

try:
    from parameterized import parameterized
except ImportError:  # only Theano's own tests ask for it
    parameterized = None

_logger = logging.getLogger("theano.tests.unittest_tools")

__all__ = [
    "AttemptManyTimes", "InferShapeTester", "MockRandomState", "T_OpContractMixin", "TestOptimizationMixin", "WrongValue",
    "assertFailure_fast", "assert_allclose", "fetch_seed", "seed_rng", "str_diagnostic", "verify_grad",
]


def attr(*args, **kwargs):
    """Mark a test with attributes; test runners of today have other ways, so it does nothing."""
    return lambda test: test


def custom_name_func(testcase_func: Any, param_num: int, param: Any) -> str:
    """The name of a parameterized test: that of the function, with the parameters after it, letters, digits and underscores only."""
    parameters = "_".join(map(str, param.args))
    return f"{testcase_func.__name__}_{re.sub('[^a-zA-Z0-9_]+', '_', parameters)}"


def fetch_seed(pseed: Any = None) -> int | None:
    """The seed of the tests: the parameter, else the flag ``unittests.rseed``; ``'random'`` gives None."""
    seed = config.unittests.rseed if pseed is None else pseed
    if seed == "random" or seed is None:
        return None
    try:
        return int(float(seed))
    except ValueError:
        print(f"Error: config.unittests.rseed contains invalid seed {seed}, using None instead", file=sys.stderr)
        return None


def seed_rng(pseed: Any = None) -> int | None:
    """Seed NumPy's global random state, and return the seed."""
    seed = fetch_seed(pseed)
    if pseed is not None and seed != pseed:
        print(
            f"Warning: using seed given by config.unittests.rseed={seed} instead of seed {pseed} given as parameter",
            file=sys.stderr,
        )
    np.random.seed(seed)
    return seed


def verify_grad(op: Callable[..., Any], pt: Sequence[Any], n_tests: int = 2, rng: Any = None, *args: Any, **kwargs: Any) -> None:
    """:func:`theano.gradient.verify_grad` with a seeded random state unless one is given."""
    if rng is None:
        # The module itself serves as a state, once it is seeded.
        seed_rng()
    T.verify_grad(op, pt, n_tests, np.random if rng is None else rng, *args, **kwargs)


verify_grad.E_grad = T.verify_grad.E_grad  # type: ignore[attr-defined]


class MockRandomState:
    """A random state that always draws the same number.

    Parameters
    ----------
    val : float
        The number.
    """

    def __init__(self, val: Any):
        self.val = val

    def rand(self, *shape: int) -> np.ndarray:
        """Floats of this shape."""
        return np.zeros(shape, dtype="float64") + self.val

    def randint(self, minval: int, maxval: int | None = None, size: Any = 1) -> np.ndarray:
        """Integers of this shape."""
        return np.zeros(size, dtype="int64") + self.val


class TestOptimizationMixin:
    """Assertions on the nodes of a compiled function."""

    def _count(self, matches: Callable[[Any], bool], f: Any) -> int:
        return sum(bool(matches(node.op)) for node in f.maker.fgraph.toposort())

    def _check_count(self, found: int, f: Any, op: Any, low: int, high: int) -> None:
        if not low <= found <= high:
            toposort = f.maker.fgraph.toposort()
            self.fail(  # type: ignore[attr-defined]
                f"graph should contain {op} between {low} and {high} times but contains it {found} times: {toposort}"
            )

    def assertFunctionContains(self, f: Any, op: Any, min: int = 1, max: int = sys.maxsize) -> None:  # noqa: A002
        """`f` has between `min` and `max` nodes of this op."""
        self._check_count(self._count(lambda o: o == op, f), f, op, min, max)

    def assertFunctionContains0(self, f: Any, op: Any) -> None:
        """`f` has no node of this op."""
        self.assertFunctionContains(f, op, min=0, max=0)

    def assertFunctionContains1(self, f: Any, op: Any) -> None:
        """`f` has one node of this op."""
        self.assertFunctionContains(f, op, min=1, max=1)

    def assertFunctionContainsN(self, f: Any, op: Any, N: int) -> None:
        """`f` has `N` nodes of this op."""
        self.assertFunctionContains(f, op, min=N, max=N)

    def assertFunctionContainsClass(self, f: Any, op: type, min: int = 1, max: int = sys.maxsize) -> None:  # noqa: A002
        """`f` has between `min` and `max` nodes whose op is of this class."""
        self._check_count(self._count(lambda o: isinstance(o, op), f), f, op, min, max)

    def assertFunctionContainsClassN(self, f: Any, op: type, N: int) -> None:
        """`f` has `N` nodes whose op is of this class."""
        self.assertFunctionContainsClass(f, op, min=N, max=N)

    def SkipTest(self, msg: str = "Skip this test") -> None:
        """Skip the running test."""
        raise unittest.SkipTest(msg)


class T_OpContractMixin:
    """Tests of equality, hash and name, for the ops in ``self.ops``; ``self.other_op`` differs from all of them."""

    ops: Sequence[Any]
    other_op: Any = theano.Op()

    def copy(self, x: Any) -> Any:
        return copy(x)

    def deepcopy(self, x: Any) -> Any:
        return deepcopy(x)

    def clone(self, op: Any) -> Any:
        """Another op that is to be equal to `op`."""
        raise NotImplementedError("return new instance like `op`")

    def test_eq(self) -> None:
        for i, op in enumerate(self.ops):
            for twin in (op, self.copy(op), self.deepcopy(op), self.clone(op)):
                assert op == twin
            assert op != self.other_op
            assert not any(op == other for j, other in enumerate(self.ops) if j != i)

    def test_hash(self) -> None:
        for i, op in enumerate(self.ops):
            for twin in (op, self.copy(op), self.deepcopy(op), self.clone(op)):
                assert hash(op) == hash(twin)
            assert hash(op) != hash(self.other_op)
            assert not any(hash(op) == hash(other) for j, other in enumerate(self.ops) if j != i)

    def test_name(self) -> None:
        for op in self.ops:
            texts = [str(op), str(self.copy(op)), str(self.deepcopy(op)), str(self.clone(op))]
            assert len(set(texts)) == 1
            assert texts[0] != str(self.other_op)


class InferShapeTester(unittest.TestCase):
    """Base class of tests that shapes can be had without computing the values."""

    def setUp(self) -> None:
        seed_rng()
        mode = theano.compile.get_default_mode().including("canonicalize")
        # The rewrites that make shapes independent of values.
        self.mode = mode.including("ShapeOpt") if hasattr(mode, "including") else mode

    def _compile_and_check(
        self,
        inputs: list[Any],
        outputs: list[Any],
        numeric_inputs: list[Any],
        cls: Any,
        excluding: Any = None,
        warn: bool = True,
        check_topo: bool = True,
    ) -> None:
        """Compare shapes with shapes of values, and check that no op of class `cls` is needed for them.

        Parameters
        ----------
        inputs, outputs : list of Variable
            The expressions.
        numeric_inputs : list of ndarray
            Values; extents should all be different.
        cls : type or tuple of type
            The ops in question.
        excluding : list of str, optional
            Rewrites to leave out.
        warn : bool
            Warn of square values.
        check_topo : bool
            Check that the ops are gone.
        """
        mode = self.mode.excluding(*excluding) if excluding else self.mode
        if warn:
            for variable, value in zip(inputs, numeric_inputs):
                shape = getattr(value, "shape", ())
                if len(shape) > 1 and len(set(shape)) != len(shape) and not all(variable.broadcastable):
                    _logger.warning(
                        "While testing shape inference for %r, we received an input with a shape that has some "
                        "repeated values: %r, like a square matrix. This makes it impossible to check if the values "
                        "for these dimensions have been correctly used, or if they have been mixed up.",
                        cls,
                        shape,
                    )
                    break
        values = theano.function(inputs, outputs, mode=mode)(*numeric_inputs)
        shapes_function = theano.function(inputs, [o.shape for o in outputs], mode=mode)
        shapes = shapes_function(*numeric_inputs)
        if check_topo:
            classes = cls if isinstance(cls, tuple) else (cls,)
            topo = shapes_function.maker.fgraph.toposort()
            left = [node for node in topo if isinstance(node.op, classes)]
            assert not left, f"needed for the shape: {left}"
        for value, shape in zip(values, shapes):
            assert np.all(np.shape(value) == np.asarray(shape)), f"{np.shape(value)} inferred as {shape}"


def str_diagnostic(expected: Any, value: Any, rtol: float | None, atol: float | None) -> str:
    """How two arrays differ, as several lines."""
    text = StringIO()
    for label, array in (("expected", expected), ("value   ", value)):
        try:
            array = np.asarray(array)
            print(f"  {label} : shape, dtype, strides, min, max, n_inf, n_nan:", end=" ", file=text)
            print(
                array.shape, array.dtype, array.strides, array.min(), array.max(), np.isinf(array).sum(),
                np.isnan(array).sum(), file=text,
            )
        except (TypeError, ValueError):
            print(f"  {label} : {array!r}", file=text)
    try:
        expected_array, value_array = np.asarray(expected), np.asarray(value)
        absolute = np.abs(expected_array - value_array)
        relative = absolute / np.maximum(np.abs(expected_array), np.abs(value_array))
        for name, errors in (("Abs Diff", absolute), ("Rel Diff", relative)):
            for label, function in (("Max", np.nanmax), ("Mean", np.nanmean), ("Median", np.nanmedian), ("Std", np.nanstd)):
                print(f"  {label} {name}:  {function(errors)}", file=text)
    except (TypeError, ValueError):
        pass
    print("  rtol, atol:", rtol, atol, file=text)
    return text.getvalue()


class WrongValue(Exception):
    """A value that is not the expected one.

    Parameters
    ----------
    expected_val, val : ndarray
        What was wanted and what came.
    rtol, atol : float
        What was tolerated.
    """

    def __init__(self, expected_val: Any, val: Any, rtol: float | None, atol: float | None):
        super().__init__(expected_val, val, rtol, atol)
        self.val1, self.val2 = expected_val, val
        self.rtol, self.atol = rtol, atol

    def __str__(self) -> str:
        return "WrongValue\n" + str_diagnostic(self.val1, self.val2, self.rtol, self.atol)


def assert_allclose(expected: Any, value: Any, rtol: float | None = None, atol: float | None = None) -> None:
    """Raise :class:`WrongValue` unless two arrays agree up to rounding for their dtypes."""
    if not T.basic._allclose(np.asarray(expected), np.asarray(value), rtol, atol):
        raise WrongValue(expected, value, rtol, atol)


class AttemptManyTimes:
    """Decorator for tests that may fail by chance: the seed changes from one attempt to the next.

    Parameters
    ----------
    n_attempts : int
        How often to try.
    n_req_successes : int
        How many of the attempts have to pass.
    """

    def __init__(self, n_attempts: int, n_req_successes: int = 1):
        assert n_attempts >= n_req_successes
        self.n_attempts, self.n_req_successes = n_attempts, n_req_successes

    def __call__(self, fct: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fct)
        def attempt(*args: Any, **kwargs: Any) -> None:
            original = config.unittests.rseed
            passed = 0
            try:
                for turn in range(self.n_attempts):
                    try:
                        fct(*args, **kwargs)
                        passed += 1
                        if passed == self.n_req_successes:
                            return
                    except Exception:
                        if self.n_attempts - turn - 1 < self.n_req_successes - passed:
                            raise
                    seed = config.unittests.rseed
                    config.unittests.rseed = str(int(seed) + 1) if str(seed).isdigit() else seed
            finally:
                config.unittests.rseed = original

        return attempt


def assertFailure_fast(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: under fast compilation the test is expected to fail."""
    if config.cycle_detection != "fast":
        return f

    @functools.wraps(f)
    def expect_failure(*args: Any, **kwargs: Any) -> None:
        try:
            f(*args, **kwargs)
        except Exception:
            return
        raise AssertionError(f"{f.__name__} was expected to fail")

    return expect_failure
