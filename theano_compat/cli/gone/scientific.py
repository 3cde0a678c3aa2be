"""Names of NumPy, SciPy, matplotlib and scikit-learn that are gone, and where what they named is now."""

from __future__ import annotations

import importlib
import types
from typing import Any

from theano_compat.cli.gone.advice import gone

#: Names that ``from numpy import *`` did not give.
BUILTIN_TYPES = {"float": float, "int": int, "bool": bool, "object": object, "str": str, "complex": complex, "long": int, "unicode": str}

NUMPY: dict[str, Any] = {
    **{name: (lambda t=t: t) for name, t in BUILTIN_TYPES.items()},
    "math": lambda: importlib.import_module("math"),
    **{name: f"numpy.exceptions:{name}" for name in ("AxisError", "ComplexWarning", "RankWarning", "VisibleDeprecationWarning")},
    **{"bool8": "numpy:bool_", "int0": "numpy:intp", "uint0": "numpy:uintp", "object0": "numpy:object_", "cfloat": "numpy:complex128", "singlecomplex": "numpy:complex64"},
    **{"longfloat": "numpy:longdouble", "longcomplex": "numpy:clongdouble", "clongfloat": "numpy:clongdouble", "chararray": "numpy.char:chararray"},
    "alen": "builtins:len",
    "loads": "pickle:loads",
    "float_": "numpy:float64",
    "complex_": "numpy:complex128",
    "unicode_": "numpy:str_",
    "string_": "numpy:bytes_",
    "typeDict": "numpy:sctypeDict",
    "Inf": "numpy:inf",
    "Infinity": "numpy:inf",
    "infty": "numpy:inf",
    "PINF": "numpy:inf",
    "NINF": lambda: -float("inf"),
    "NaN": "numpy:nan",
    "NAN": "numpy:nan",
    "PZERO": lambda: 0.0,
    "NZERO": lambda: -0.0,
    "product": "numpy:prod",
    "cumproduct": "numpy:cumprod",
    "sometrue": "numpy:any",
    "alltrue": "numpy:all",
    "rank": "numpy:ndim",
    "row_stack": "numpy:vstack",
    "in1d": "numpy:isin",
    "trapz": "numpy:trapezoid",
    "round_": "numpy:round",
    "asscalar": lambda: lambda a: a.item(),
    "msort": lambda: lambda a: importlib.import_module("numpy").sort(a, axis=0),
    "find_common_type": lambda: lambda arrays, scalars: importlib.import_module("numpy").result_type(*arrays, *scalars),
    "cast": lambda: _NumpyCast(),
    "mat": "numpy:asmatrix",
    "asfarray": lambda: _asfarray,
    "source": lambda: importlib.import_module("inspect").getsource,
    "fastCopyAndTranspose": lambda: lambda a: a.T.copy(),
    "deprecate": lambda: lambda *args, **kwargs: args[0] if args and callable(args[0]) else (lambda f: f),
    "byte_bounds": "numpy.lib.array_utils:byte_bounds",
    "issubsctype": "numpy:issubdtype",
    "maximum_sctype": lambda: _maximum_sctype,
    "MAXDIMS": lambda: 64,
    "obj2sctype": lambda: lambda rep, default=None: importlib.import_module("numpy").dtype(rep).type,
}


class _NumpyCast(dict):
    """``numpy.cast[dtype](x)``."""

    def __missing__(self, dtype):
        import numpy

        return lambda x: numpy.asarray(x).astype(dtype)


def _asfarray(a, dtype=None):
    import numpy

    kind = numpy.dtype(dtype if dtype is not None else float)
    return numpy.asarray(a, dtype=kind if kind.kind in "fc" else float)


def _maximum_sctype(t):
    import numpy

    return {"i": numpy.int64, "u": numpy.uint64, "f": numpy.longdouble, "c": numpy.clongdouble}.get(numpy.dtype(t).kind, numpy.dtype(t).type)


def _numpy_random_integers(low, high=None, size=None):
    import numpy

    return numpy.random.randint(1, low + 1, size) if high is None else numpy.random.randint(low, high + 1, size)


def _from_numpy(*names: str) -> dict[str, Any]:
    return {name: f"numpy:{name}" for name in names}


_SCIPY = {
    **_from_numpy(
        "array", "asarray", "zeros", "ones", "empty", "eye", "identity", "arange", "linspace", "logspace", "dot", "exp", "log10", "sin", "cos", "tan", "mean", "median",
        "std", "var", "sum", "prod", "cumsum", "cumprod", "max", "min", "argmax", "argmin", "argsort", "sort", "where", "nonzero", "concatenate", "vstack", "hstack", "reshape", "transpose",
        "pi", "inf", "nan", "isnan", "isinf", "floor", "ceil", "sign", "absolute", "abs", "maximum", "minimum", "float32", "float64", "int32", "int64", "uint8", "polyfit", "polyval", "outer", "cov",
        "corrcoef", "diag", "tile", "repeat", "unique", "meshgrid", "histogram", "interp", "ndarray", "newaxis", "allclose", "random", "loadtxt", "savetxt", "tanh", "power", "clip", "real", "imag", "conj", "angle", "rot90", "ravel",
    ),
    "rand": "numpy.random:rand",
    "randn": "numpy.random:randn",
    "log": "numpy.lib.scimath:log",
    "sqrt": "numpy.lib.scimath:sqrt",
    "factorial": "scipy.special:factorial",
    "comb": "scipy.special:comb",
}  # fmt: skip


def _derivative(func, x0, dx=1.0, n=1, args=(), order=3):
    if n not in (1, 2) or order != 3:
        gone("scipy.misc.derivative beyond the three-point formulas", "use numdifftools")
    ahead, behind = func(x0 + dx, *args), func(x0 - dx, *args)
    return (ahead - behind) / (2 * dx) if n == 1 else (ahead - 2 * func(x0, *args) + behind) / dx**2


def _itemfreq(a):
    import numpy

    return numpy.array(numpy.unique(a, return_counts=True)).T


class _Tester:
    """Libraries make one when they are imported (``test = Tester().test``); there is nothing behind it that could run."""

    def __init__(self, *args, **kwargs):
        pass

    def test(self, *args, **kwargs):
        gone("numpy.testing.Tester", "use pytest")

    bench = test


def _test_decorators():
    import unittest

    def skipif(condition, msg=None):
        return lambda f: unittest.skipIf(condition() if callable(condition) else condition, msg or "skipped")(f)

    return types.SimpleNamespace(slow=lambda f: f, skipif=skipif, knownfailureif=skipif, setastest=lambda tf=True: lambda f: f, deprecated=lambda conditional=True: lambda f: f)


def _scipy_kron(a, b):
    import numpy

    outer = numpy.multiply.outer(a, b)
    m, n, p, q, *rest = outer.shape
    return outer.swapaxes(1, 2).reshape(m * p, n * q, *rest)


def _sph_harm(m, n, theta, phi):
    from scipy import special

    return special.sph_harm_y(n, m, phi, theta)


ATTRIBUTES: dict[str, dict[str, Any]] = {
    "numpy": NUMPY,
    "numpy.testing": {
        "dec": lambda: _test_decorators(),
        "rand": "numpy.random:rand",
        "Tester": lambda: _Tester,
    },
    "numpy.linalg": {"linalg": lambda: importlib.import_module("numpy.linalg")},
    "numpy.random": {"random_integers": lambda: _numpy_random_integers},
    "scipy": _SCIPY,
    "scipy.signal": {
        **{w: f"scipy.signal.windows:{w}" for w in "hann hamming blackman bartlett gaussian kaiser boxcar triang parzen bohman nuttall flattop tukey general_gaussian chebwin".split()},
        "hanning": "scipy.signal.windows:hann",
    },
    "scipy.integrate": {"simps": "scipy.integrate:simpson", "trapz": "scipy.integrate:trapezoid", "cumtrapz": "scipy.integrate:cumulative_trapezoid"},
    "scipy.linalg": {"pinv2": "scipy.linalg:pinv", "kron": lambda: _scipy_kron, "tri": "numpy:tri", "tril": "numpy:tril", "triu": "numpy:triu"},
    "scipy.sparse": {"base": lambda: importlib.import_module("scipy.sparse")},
    "scipy.special": {"errprint": lambda: lambda *a: 0, "sph_harm": lambda: _sph_harm},
    "scipy.stats": {"chisqprob": "scipy.stats:chi2.sf", "itemfreq": lambda: _itemfreq, "ss": lambda: lambda a, axis=0: (importlib.import_module("numpy").asarray(a) ** 2).sum(axis)},
    "matplotlib.mlab": {"normpdf": "scipy.stats:norm.pdf", "PCA": lambda: gone("matplotlib.mlab.PCA", "use sklearn.decomposition.PCA")},
    "sklearn.externals": {"joblib": lambda: importlib.import_module("joblib"), "six": lambda: importlib.import_module("six")},
}  # fmt: skip

MODULES: dict[str, Any] = {
    "scipy.misc": {
        **{n: (lambda n=n: getattr(importlib.import_module("theano_compat.cli.images"), n)) for n in ("imread", "imsave", "imresize", "imrotate", "imshow", "toimage", "fromimage", "bytescale")},
        "logsumexp": "scipy.special:logsumexp", "factorial": "scipy.special:factorial", "factorial2": "scipy.special:factorial2", "comb": "scipy.special:comb",
        "face": "scipy.datasets:face", "ascent": "scipy.datasets:ascent", "lena": "scipy.datasets:ascent", "derivative": lambda: _derivative, "central_diff_weights": lambda: gone("scipy.misc.central_diff_weights", "use findiff"),
    },
    "scipy.misc.pilutil": "scipy.misc",
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.externals": {"joblib": lambda: importlib.import_module("joblib"), "six": lambda: importlib.import_module("six")},
    "sklearn.externals.joblib": "joblib",
    "sklearn.datasets.base": "sklearn.datasets",
    "numpy.linalg.linalg": "numpy.linalg",
    "numpy.core.umath_tests": {"inner1d": lambda: lambda a, b: (importlib.import_module("numpy").asarray(a) * b).sum(-1)},
}  # fmt: skip

ATTRIBUTES["scipy.misc"] = MODULES["scipy.misc"]  # some SciPy releases have it, empty
