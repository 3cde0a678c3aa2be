"""The vector functions in plain C: within 4 units in the last place of NumPy's longer types, special values as the C standard has them."""

import ctypes

import numpy as np
import pytest

from theano_compat.codegen import cache, polymath, toolchain, vectormath

pytestmark = pytest.mark.skipif(toolchain.compiler() is None, reason="no C compiler on this machine")

CASES = [(name, dtype) for name, dtypes in polymath.FUNCTIONS.items() for dtype in dtypes]
HEADERS = "#include <stdint.h>\n#include <string.h>\n#include <math.h>\n"


@pytest.fixture(scope="module")
def library():
    loops = []
    for name, dtype in CASES:
        ctype, suffix = ("double", "") if dtype == "float64" else ("float", "f")
        loops.append(
            f"void loop_{name}_{dtype}(int64_t n, const {ctype} *restrict x, {ctype} *restrict y)\n"
            f'{{\n_Pragma("omp simd")\nfor (int64_t i = 0; i < n; i++) y[i] = {name}{suffix}(x[i]);\n}}'
        )
    return cache.build(HEADERS + polymath.definitions(CASES) + "\n".join(loops))


def apply(library, name, x):
    x = np.ascontiguousarray(x)
    y = np.full_like(x, 77)
    loop = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(library.address(f"loop_{name}_{x.dtype}"))
    loop(x.size, x.ctypes.data, y.ctypes.data)
    return y


def points(dtype):
    """Arguments of every size and sign, near 0, near 1, and over the whole range of exponents."""
    rng, info = np.random.default_rng(3), np.finfo(dtype)
    magnitudes = np.exp(rng.uniform(np.log(float(info.tiny)) - 10, np.log(float(info.max)), 20000))
    parts = [rng.standard_normal(5000) * scale for scale in (1e-6, 1e-3, 0.1, 1, 10, 100)]
    parts += [magnitudes, -magnitudes, rng.uniform(-750, 712, 20000), 1 + rng.standard_normal(5000) * 1e-4, np.arange(-50, 50) * np.log(2) / 2]
    return np.concatenate(parts).astype(dtype)


@pytest.mark.parametrize("name, dtype", CASES)
def test_error_is_below_four_units_in_the_last_place(library, name, dtype):
    wide = np.float64 if dtype == "float32" else np.longdouble
    if np.finfo(wide).eps > np.finfo(dtype).eps / 8:
        pytest.skip("NumPy has no longer type here")
    with np.errstate(all="ignore"):
        x = points(dtype)
        exact = getattr(np, name)(x.astype(wide))
        near = exact.astype(dtype)
        found = apply(library, name, x)
        finite = np.isfinite(near)
        assert np.array_equal(found[~finite], near[~finite], equal_nan=True)
        error = np.abs(found[finite].astype(wide) - exact[finite]) / np.spacing(np.abs(near[finite])).astype(wide)
    assert error.max() < 4, x[finite][error.argmax()]
    assert np.isfinite(found[finite]).all()


@pytest.mark.parametrize("name, dtype", CASES)
def test_special_values(library, name, dtype):
    info = np.finfo(dtype)
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, -2, info.max, -info.max, info.tiny, -info.tiny, info.smallest_subnormal], dtype)
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x)
    found = apply(library, name, x)
    np.testing.assert_allclose(found, wanted, rtol=4 * info.eps, atol=0)
    zeros = wanted == 0
    assert np.array_equal(np.signbit(found[zeros]), np.signbit(wanted[zeros]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_subnormal_results_and_arguments(library, dtype):
    info = np.finfo(dtype)
    x = (np.log(float(info.tiny)) - np.arange(0, np.log(2) * info.nmant, 0.37)).astype(dtype)
    wide = np.exp(x.astype(np.longdouble)).astype(dtype)
    assert (np.abs(apply(library, "exp", x) - wide) <= 2 * info.smallest_subnormal).all()
    tiny = (np.arange(1, 200) * info.smallest_subnormal).astype(dtype)
    np.testing.assert_allclose(apply(library, "log", tiny), np.log(tiny.astype(np.longdouble)).astype(dtype), rtol=4 * info.eps)
    for name in ("tanh", "expm1", "log1p"):
        assert np.array_equal(apply(library, name, tiny), tiny)


def test_own_functions_stand_in_where_the_library_has_none(monkeypatch):
    monkeypatch.setattr(vectormath, "available", lambda name, dtype: name == "exp")
    text = vectormath.prelude([("exp", "float64"), ("tanh", "float64"), ("sin", "float64")])
    assert "#define tanh(x)" in text and "#define sin" not in text
    assert ("#define exp(x)" in text) == (toolchain.compiler().kind != "gcc")


def test_the_library_can_be_left_out(monkeypatch):
    monkeypatch.setenv("THEANO_COMPAT_NO_LIBMVEC", "1")
    vectormath._libmvec.cache_clear(), vectormath.available.cache_clear()
    try:
        assert not vectormath.available("exp", "float64")
    finally:
        monkeypatch.undo()
        vectormath._libmvec.cache_clear(), vectormath.available.cache_clear()
