"""The same small program under every compiler that is there, without one, and with parts of the engine switched off."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PROGRAM = """
import warnings
warnings.simplefilter("ignore")
import numpy as np
import theano_compat as theano, theano_compat.tensor as T
x, s = T.matrix(dtype="float64"), theano.shared(np.zeros((5, 7)))
c = T.matrix(dtype="complex64")
f = theano.function([x], [T.nnet.softmax(x), T.tanh(x).sum() + T.exp(x).max(), T.dot(x, x.T), T.log1p(x * x), x[::2].mean(0)], updates=[(s, s + x)])
v = np.random.RandomState(0).randn(5, 7)
f(v)
a, b, d, e, g = f(v)
exponentials = np.exp(v)
for found, wanted in [
    (a, exponentials / exponentials.sum(1, keepdims=True)), (b, np.tanh(v).sum() + exponentials.max()), (d, v @ v.T), (e, np.log1p(v * v)), (g, v[::2].mean(0)),
    (s.get_value(), 2 * v), (theano.function([c], c * c)(v.astype("complex64") * 1j), -(v * v)),
]:
    np.testing.assert_allclose(found, wanted, rtol=1e-5 if found.dtype == "complex64" else 1e-12, atol=1e-13)
try:
    f(np.ones((2, 2)))
except ValueError as error:
    assert "mis-match" in str(error)
else:
    raise AssertionError("a wrong shape was taken")
print("right")
"""

WAYS = {
    "no compiler": ("cxx=", {}),
    "no extension": ("", {"THEANO_COMPAT_NO_EXTENSION": "1"}),
    "no libmvec": ("", {"THEANO_COMPAT_NO_LIBMVEC": "1"}),
    "gcc": ("cxx=gcc", {}),
    "g++": ("cxx=g++", {}),
    "clang": ("cxx=clang", {}),
    "ziglang": (f"cxx={sys.executable} -m ziglang cc", {}),
    "plain x86-64": ("gcc.cxxflags=-march=x86-64", {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_program(way, tmp_path):
    flags, variables = WAYS[way]
    if way in ("gcc", "g++", "clang") and not shutil.which(way):
        pytest.skip(f"no {way}")
    if way == "ziglang" and not importlib.util.find_spec("ziglang"):
        pytest.skip("no ziglang")
    if way == "plain x86-64" and os.uname().machine != "x86_64":
        pytest.skip("another kind of processor")
    if way in ("no libmvec", "no extension", "plain x86-64") and not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("no compiler")
    environment = dict(os.environ, PYTHONPATH=str(ROOT), THEANO_FLAGS=",".join(filter(None, [f"base_compiledir={tmp_path}", flags])), **variables)
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=300)
    assert done.stdout.strip().endswith("right"), done.stderr[-3000:]
