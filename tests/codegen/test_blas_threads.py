"""The library's number of threads around products: one inside, the same as before afterwards, for many callers and in forked children."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.codegen import blas_pointers, pool


@pytest.fixture
def threads():
    """Set the library to two threads; yield the function that tells how many it has."""
    record = blas_pointers._threads()
    if not record.set:
        pytest.skip("the BLAS has no functions for its number of threads")
    get = ctypes.CFUNCTYPE(ctypes.c_int)(record.get)
    set_ = ctypes.CFUNCTYPE(None, ctypes.c_int)(record.set)
    before = get()
    set_(2)
    yield get
    set_(before)


def _convolution():
    x, w = T.tensor4("x", "float64"), T.tensor4("w", "float64")
    out = T.nnet.conv2d(x, w)
    return theano.function([x, w], [out, *T.grad((out**2).sum(), [x, w])])


def _products():
    x, w = T.dmatrices("xw")
    return theano.function([x, w], [T.dot(x, w), T.dot(x, w[0]), T.dot(w, x)])


@pytest.mark.parametrize("make, shapes", [(_convolution, ((8, 3, 12, 12), (5, 3, 3, 3))), (_products, ((120, 120), (120, 120)))])
def test_the_number_comes_back(threads, make, shapes):
    function = make()
    rng = np.random.default_rng(1)
    x, w = (rng.standard_normal(shape) for shape in shapes)
    wanted = function(x, w)
    failures = []

    def work():
        for _ in range(40):
            for got, want in zip(function(x, w), wanted):
                if not np.array_equal(got, want):
                    failures.append(np.abs(got - want).max())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures
    assert threads() == 2
    assert blas_pointers._threads().depth == 0


def _ticks() -> dict[str, int]:
    """Processor time of each thread of this process so far, in ticks of the system."""
    found = {}
    for task in os.listdir("/proc/self/task"):
        fields = open(f"/proc/self/task/{task}/stat").read().rsplit(")", 1)[1].split()
        found[task] = int(fields[11]) + int(fields[12])
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_threads_of_the_library_do_not_work(threads):
    x, v = T.matrix("x", "float32"), T.vector("v", "float32")
    function = theano.function([x, v], [T.dot(x, x), T.dot(x, v)])
    value = np.ones((600, 600), "float32")
    pool.set_threads(1)  # our own would help
    try:
        function(value, value[0])
        before = _ticks()
        assert len(before) > 1
        for _ in range(60):
            function(value, value[0])
        after = _ticks()
    finally:
        pool.set_threads(None)
    busy = {task: after[task] - before.get(task, 0) for task in after if task != str(threading.get_native_id())}
    assert after[str(threading.get_native_id())] > before[str(threading.get_native_id())]
    assert max(busy.values()) <= 2, busy


def _in_child(get, answer):
    answer.put((get(), blas_pointers._threads().depth, blas_pointers._threads().lock))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_a_child_forked_inside_has_the_number_again(threads):
    record = blas_pointers._threads()
    record.depth, record.before, record.lock = 1, 2, 1  # as if another thread were inside
    ctypes.CFUNCTYPE(None, ctypes.c_int)(record.set)(1)
    try:
        context = multiprocessing.get_context("fork")
        answer = context.Queue()
        child = context.Process(target=_in_child, args=(threads, answer))
        child.start()
        found = answer.get(timeout=30)
        child.join()
    finally:
        record.depth = record.lock = 0
    assert found == (2, 0, 0)


LIBRARIES = """
import sys, numpy as np, theano_compat as theano, theano_compat.tensor as T
from theano_compat.codegen import blas_pointers
if sys.argv[1] == "SciPy":
    blas_pointers._numpys = lambda: None
for dtype in ("float32", "float64", "complex64", "complex128"):
    x, y = T.matrix("x", dtype), T.matrix("y", dtype)
    a, b = (np.random.RandomState(k).rand(90, 90).astype(dtype) for k in (1, 2))
    f = theano.function([x, y], [T.dot(x, y), T.dot(x, y[0]), T.dot(y[:1], x.T)])
    for got, wanted in zip(f(a, b), (a @ b, a @ b[0], b[:1] @ a.T)):
        np.testing.assert_allclose(got, wanted, rtol=1e-4)
    assert "Python" not in f.explain()
print(blas_pointers.origin())
"""


@pytest.mark.parametrize("origin", ["NumPy", "SciPy"])
def test_products_use_the_library_of_numpy_or_where_that_is_no_openblas_that_of_scipy(origin):
    if origin == "NumPy" and blas_pointers._numpys() is None:
        pytest.skip("NumPy has another BLAS here")
    done = subprocess.run([sys.executable, "-c", LIBRARIES, origin], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, f"{origin}\n"), done.stderr
