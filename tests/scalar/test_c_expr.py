"""The C expression of every scalar op gives what NumPy gives, for every dtype that it takes."""
from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy
from c_harness import COMPILER, Case, Library, storage_dtype

import theano_compat.scalar as scal
from theano_compat.tensor.elemwise_ops.evaluate import kernel_for

OLD_SCIPY = tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 13)

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")

DTYPES = [t.dtype for t in scal.all_types]
PAIRS = [
    *[(d, d) for d in DTYPES],
    *itertools.permutations(("bool", "int8", "uint16", "int64", "uint64", "float32", "float64"), 2),
    ("float16", "float32"),
    ("int16", "float16"),
    ("complex64", "float64"),
    ("int32", "complex64"),
]
TRIPLES = [*[(d, d, d) for d in DTYPES], ("bool", "int8", "float32"), ("float64", "uint8", "int64"), ("int8", "float64", "float32")]

FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, -7.0, 0.1, 1e-3, 20.0, -20.0, np.inf, -np.inf, np.nan]

#: Ops without C text for any real dtype; they run in Python.
NO_C = {"jv", "iv"}

#: Relative error allowed, in units of the output's precision.
LOOSE = {"gammainc": 1e4, "gammaincc": 1e4, "gammau": 1e4, "gammal": 1e4, "chi2sf": 1e4, "j0": 100, "j1": 100,
         "gammaln": 1e3, "psi": 1e3, "erfcx": 500, "pow": 20, "tri_gamma": 20, "i0": 20, "i1": 20, "erfc": 500}  # fmt: skip

#: Inputs at which SciPy and C99 differ by definition.
UNDEFINED = {
    "gammaln": lambda x: np.isneginf(x),
    "i0": np.isinf,
    "i1": np.isinf,
    "j0": np.isinf,
    "j1": np.isinf,
    "tri_gamma": np.isneginf,
    "gamma": lambda x: np.isneginf(x) | ((x < 0) & (x == np.floor(x))),
    "psi": lambda x: np.isneginf(x),
}


def ops() -> dict:
    """Every scalar op of the package by name."""
    names = {}
    for name in dir(scal):
        op = getattr(scal, name)
        if isinstance(op, scal.ScalarOp) and name not in ("floor_div",):
            names[name] = op
    return names


def dtype_choices(op):
    if op.nin == 1:
        return [(d,) for d in DTYPES]
    return TRIPLES if op.nin == 3 else PAIRS


def make_cases():
    cases = []
    for name, op in ops().items():
        for dtypes in dtype_choices(op):
            case = Case(op, dtypes)
            try:
                expression = case.expression()
            except TypeError:
                continue  # the op does not take these dtypes
            if expression is not None:
                cases.append((name, case))
    return cases


def values(dtype: str) -> np.ndarray:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.array([False, True])
    if kind in "iu":
        info = np.iinfo(dtype)
        found = [0, 1, 2, 3, 7, 100, info.max, info.max - 1] + ([-1, -2, -3, -7, info.min, info.min + 1] if kind == "i" else [])
        return np.array(found, dtype)
    if kind == "c":
        parts = [0.5, -1.25, 2.0, 0.0]
        return np.array([complex(a, b) for a in parts for b in parts], dtype)
    return np.array(FLOATS, dtype)


def inputs_for(dtypes):
    grids = np.meshgrid(*[np.arange(len(values(d))) for d in dtypes], indexing="ij")
    return [values(d)[g.ravel()] for d, g in zip(dtypes, grids)]


CASES = make_cases()


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library([case for _, case in CASES], tmp_path_factory.mktemp("c"), flags=("-O1", "-Wall", "-Wno-unused-function"))


@pytest.mark.parametrize("name", sorted(ops()))
def test_c_expression_agrees_with_numpy(name, library):
    mine = [case for case_name, case in CASES if case_name == name]
    if name in NO_C:
        assert not mine
        return
    assert mine, f"{name} has no C expression for any dtype"
    for case in mine:
        arrays = inputs_for(case.in_dtypes)
        with np.errstate(all="ignore"):
            want = np.broadcast_to(kernel_for(case.op, case.in_dtypes, (case.out_dtype,))(*arrays)[0], arrays[0].shape)
        keep = defined(name, case, arrays)
        got = library.run(case, *arrays)[keep]
        want = want[keep]
        assert got.dtype == storage_dtype(case.out_dtype)
        compare(got.astype(want.dtype), want, name, f"{name}{case.in_dtypes}: {case.expression()}", [a[keep] for a in arrays])


def defined(name, case, arrays):
    """Tell where both NumPy and C define the value."""
    keep = np.ones(len(arrays[0]), bool)
    if name in UNDEFINED and np.dtype(case.in_dtypes[0]).kind == "f":
        keep &= ~UNDEFINED[name](arrays[0])
    if name in ("j0", "j1"):
        with np.errstate(all="ignore"):
            keep &= ~(np.abs(arrays[0].astype("float64")) > 1e6)
    if OLD_SCIPY and name in ("chi2sf", "gamma", "gammainc", "gammaincc", "gammal", "gammau"):
        # Before 1.13 SciPy had other ideas of NaN and of the poles.
        numbers = [a.astype("float64") for a in arrays]
        keep &= ~np.any([np.isnan(a) | (a <= 0) for a in numbers], axis=0)
    if name.startswith("convert_to_"):
        keep &= fits(arrays[0], case.out_dtype)
    return keep


def fits(x, dtype):
    """Tell which values are in the range of an integer dtype: the others' conversions are up to the machine."""
    if np.dtype(dtype).kind not in "iu" or x.dtype.kind not in "fc":
        return np.ones(len(x), bool)
    info = np.iinfo(dtype)
    with np.errstate(all="ignore"):
        whole = np.trunc(x.real.astype("float64"))
        return np.isfinite(whole) & (whole >= info.min) & (whole <= info.max)


def compare(got, want, name, message, arrays):
    if want.dtype.kind in "biu":
        wrong = got != want
    else:
        eps = {"float16": 1e-3, "float32": 1.2e-7, "complex64": 1.2e-7}.get(want.dtype.name, 2.3e-16)
        precise = got.astype("complex128") if want.dtype.kind == "c" else got.astype("float64")
        wrong = ~np.isclose(precise, want, rtol=eps * 8 * LOOSE.get(name, 1), atol=eps * 4, equal_nan=True)
    if want.dtype.kind == "c":
        # C and NumPy make different infinities and NaNs of complex numbers.
        wrong &= np.isfinite(want)
    first = np.flatnonzero(wrong)[:4]
    detail = [([a[i] for a in arrays], got[i], want[i]) for i in first]
    assert not wrong.any(), f"{message}\n(inputs, got, want): {detail}"


def test_integer_division_by_zero_is_zero_and_does_not_trap(library):
    for op in (scal.int_div, scal.mod):
        for dtype in ("int8", "int32", "int64", "uint32"):
            got = library.run(Case(op, (dtype, dtype)), np.array([5, 0], dtype), np.array([0, 0], dtype))
            assert got.tolist() == [0, 0]
