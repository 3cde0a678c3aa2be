"""Functions called from many threads, in forked and in spawned processes."""

import multiprocessing
import os
import sys
import threading

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.compile.sharedvalue import UPDATES


def in_threads(work, count=8):
    failures = []

    def guarded(k):
        try:
            work(k)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not failures, failures[0]


def test_eight_threads_get_their_own_results():
    x = T.matrix(dtype="float64")
    f = theano.function([x], [T.tanh(T.dot(x, x.T)), x.sum()])

    def work(k):
        value = np.full((20 + k, 7), 0.01 * (k + 1))
        for _ in range(200):
            product, total = f(value)
            assert np.allclose(product, np.tanh(value @ value.T)) and np.isclose(total, value.sum())

    in_threads(work)


def test_updates_of_eight_threads_all_count():
    x, s, t = T.scalar(dtype="int64"), theano.shared(np.zeros(50, "int64")), theano.shared(np.zeros(50, "int64"))
    f = theano.function([x], updates=[(s, s + x)])
    g = theano.function([x], s[0], updates=[(s, s + 2 * x), (t, t + 1)])
    in_threads(lambda k: [(f, g)[i % 2](np.asarray(1) if i % 3 else 1) for i in range(400)])
    assert s.get_value().tolist() == [8 * 600] * 50 and t.get_value().tolist() == [8 * 200] * 50


def test_errors_in_some_threads_do_not_disturb_the_others():
    x, y = T.vectors("xy")
    f = theano.function([x, y], x + y)

    def work(k):
        for _ in range(100):
            if k % 2:
                with pytest.raises(ValueError, match="mis-match"):
                    f(np.ones(3, x.dtype), np.ones(4, x.dtype))
            else:
                assert f(np.ones(3, x.dtype), np.ones(3, x.dtype)).tolist() == [2, 2, 2]

    in_threads(work)


def test_threads_compile_side_by_side():
    def work(k):
        x = T.vector(dtype="float64")
        assert theano.function([x], x * (k % 3 + 2) + 1)(np.ones(2)).tolist() == [k % 3 + 3] * 2

    in_threads(work, 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_child_works_while_another_thread_holds_the_lock():
    s = theano.shared(np.zeros(3))
    f = theano.function([], s.sum(), updates=[(s, s + 1)])
    f()
    held, finish = threading.Event(), threading.Event()

    def hold():
        with UPDATES:
            held.set()
            finish.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    child = os.fork()
    if child == 0:
        import signal

        signal.alarm(30)
        x = T.vector(dtype="float64")
        good = f() == 3 and theano.function([x], T.dot(x, x))(np.ones(3)) == 3
        os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    finish.set()
    holder.join()
    assert status == 0 and f() == 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="start methods")
def test_spawned_process_uses_the_same_cache():
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        assert pool.apply(_square_sum, (3,)) == 3.0


def _square_sum(n):
    x = T.vector(dtype="float64")
    return float(theano.function([x], (x**2).sum())(np.ones(n)))


def test_compiling_in_many_threads_leaves_the_flags_as_they_were():
    before = theano.config.traceback.limit, theano.config.compute_test_value

    def work(k):
        x = T.vector()
        return theano.function([x], T.tanh(x).sum() * 2)([0.0])

    in_threads(work)
    assert (theano.config.traceback.limit, theano.config.compute_test_value) == before
