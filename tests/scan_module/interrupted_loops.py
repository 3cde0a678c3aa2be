"""Run by test_interrupt.py in a process of its own: loops that a signal has to reach. ``python interrupted_loops.py NAME`` runs the function of that name."""

import os
import signal
import sys
import threading
import time

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.ifelse import ifelse
from theano_compat.scan_module import until

NEVER = 10**10  # steps: of the shortest ones half a minute, and more than any test waits
n, x = T.lscalar("n"), T.dscalar("x")
zero = T.constant(np.float64(0))


def counting(fn, *others, n_steps=n):
    """A function of `others`, `x` and `n` that begins with 0 and returns what the last step gives."""
    states, _ = theano.scan(fn, outputs_info=zero, non_sequences=[x, *others], n_steps=n_steps)
    f = theano.function([*others, x, n], states[-1], on_unused_input="ignore")
    assert "steps in C" in f.explain() and "Python" not in f.explain()
    return f


def send(after=0.3, number=signal.SIGINT):
    """Send this process a signal, a while after."""
    timer = threading.Timer(after, os.kill, (os.getpid(), number))
    timer.daemon = True
    sent = time.perf_counter() + after  # read first: on a busy machine starting the thread may take longer than that
    timer.start()
    return sent


def steps_in(f, seconds):
    """About how many steps a function makes in a time."""
    spent = []
    for _ in range(4):
        began = time.perf_counter()
        f(1.0, 10**6)
        spent.append(time.perf_counter() - began)
    return int(seconds / min(spent) * 10**6)


def check_interrupted(f, *endless, wanted, finite):
    """Twice: a call that would not end is interrupted soon, and the function then gives what it should."""
    assert f(*finite) == wanted
    for _ in range(2):
        sent = send()
        try:
            f(*endless)
        except KeyboardInterrupt:
            late = time.perf_counter() - sent
            assert 0 <= late < 5, late
        else:
            raise AssertionError("the call ended by itself")
        assert f(*finite) == wanted


def until_that_never_holds():
    # a loop with a condition keeps all its rows: there are fewer steps, of about a microsecond, than in other loops
    v = T.dvector("v")
    f = counting(lambda s, x, v: (s + 1 + T.tanh(v + s).sum(), until(s + 1 >= x)), v)
    check_interrupted(f, np.tile([-np.inf, np.inf], 300), np.inf, 10**8, finite=(np.zeros(0), 1000.0, 10**8), wanted=1000)


def many_cheap_steps():
    check_interrupted(counting(lambda s, x: s + x), 1.0, NEVER, finite=(0.5, 1000), wanted=500)


def long_inner_loop():
    m = T.lscalar("m")

    def step(s, x, m):
        inner, _ = theano.scan(lambda s, x: s + x, outputs_info=s, non_sequences=x, n_steps=m)
        return inner[-1]

    check_interrupted(counting(step, m), NEVER, 1.0, 2, finite=(7, 0.5, 100), wanted=350)


def many_short_inner_loops():
    m = T.lscalar("m")

    def step(s, x, m):
        inner, _ = theano.scan(lambda s, x: s + x, outputs_info=s, non_sequences=x, n_steps=m)
        return inner[-1]

    check_interrupted(counting(step, m), 3, 1.0, NEVER, finite=(3, 0.5, 100), wanted=150)


def slow_steps():
    W = T.dmatrix("W")
    ones = np.ones((700, 700))
    f = counting(lambda s, x, W: s + x * T.dot(T.tanh(W + s), W).mean(), W)
    # each step is a product and 490 000 hyperbolic tangents: some ten milliseconds
    check_interrupted(f, ones, 1.0, 10**6, finite=(np.zeros((700, 700)), 1.0, 5), wanted=0)


def slow_branch_after_many_cheap_steps():
    W = T.dmatrix("W")
    f = counting(lambda s, x, W: ifelse(T.ge(s, x), s + T.dot(W, W).mean(), s + 1), W)
    check_interrupted(f, np.ones((500, 500)), 1e7, NEVER, finite=(np.zeros((500, 500)), 50.0, 100), wanted=50)


def handler_that_raises_nothing():
    f, called = counting(lambda s, x: s + x), []
    steps = steps_in(f, 2)
    signal.signal(signal.SIGINT, lambda *_: called.append(time.perf_counter()))
    send(0.1)
    send(0.3)
    assert f(1.0, steps) == steps
    ended = time.perf_counter()
    assert len(called) == 2 and called[0] < ended - 0.1, (called, ended)  # while the loop ran


def handler_that_calls_the_function():
    f, found = counting(lambda s, x: s + x), []
    signal.signal(signal.SIGINT, lambda *_: found.append(f(0.5, 10**7)))
    send(0.1)
    steps = steps_in(f, 2)
    assert f(1.0, steps) == steps and found == [5 * 10**6]


def exception_of_a_handler_is_kept():
    class Enough(Exception):
        def __init__(self, one, two):
            super().__init__(one, two)

    f, raised = counting(lambda s, x: s + x), []

    def handler(*_):
        raised.append(Enough(1, 2))
        raise raised[-1]

    signal.signal(signal.SIGALRM, handler)
    for call in (lambda: f(1.0, NEVER), lambda: f(x=1.0, n=NEVER)):
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            call()
        except Enough as error:
            assert error is raised[-1] and error.args == (1, 2) and error.__context__ is None and error.__cause__ is None
        else:
            raise AssertionError("the call ended by itself")
    assert len(raised) == 2 and f(x=0.5, n=10) == 5


def shared_variables_are_not_updated():
    total, calls = theano.shared(np.float64(3)), theano.shared(0)
    states, _ = theano.scan(lambda s, x: s + x, outputs_info=zero, non_sequences=x, n_steps=n)
    f = theano.function([x, n], states[-1], updates=[(total, total + states[-1]), (calls, calls + 1)])
    check_interrupted(f, 1.0, NEVER, finite=(0.5, 10), wanted=5)
    assert total.get_value() == 3 + 3 * 5 and calls.get_value() == 3


def interrupts_leave_no_memory():
    states, _ = theano.scan(lambda s, x: s + x, outputs_info=zero, non_sequences=x, n_steps=n)
    waste = T.zeros((1 << 22,)) + x  # 32 MB, made before the loop
    f = theano.function([x, n], [waste, states[-1]])

    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for k in range(12):
        if k == 2:
            before = resident()
        send(0.02)
        try:
            f(1.0, NEVER)
        except KeyboardInterrupt:
            continue
    assert resident() < before + 100e6, (before, resident())


def other_threads_are_not_disturbed():
    f, found, done = counting(lambda s, x: s + x), [], threading.Event()
    steps = steps_in(f, 2)

    def run():
        found.append(f(1.0, steps))
        done.set()

    threading.Thread(target=run).start()
    sent = send(0.2)
    try:
        done.wait()
    except KeyboardInterrupt:
        assert time.perf_counter() - sent < 5
    else:
        raise AssertionError("the main thread was not interrupted")
    done.wait()
    assert found == [steps]


def thread_in_a_loop_does_not_keep_the_process():
    f = counting(lambda s, x: s + x)
    threading.Thread(target=lambda: f(1.0, NEVER), daemon=True).start()
    time.sleep(0.3)


def child_of_another_thread_is_interrupted():
    """The thread that forks is the main one of the child."""
    f, status = counting(lambda s, x: s + x), []

    def fork():
        child = os.fork()
        if child == 0:
            try:
                check_interrupted(f, 1.0, NEVER, finite=(0.5, 10), wanted=5)
                os._exit(0)
            finally:
                os._exit(1)
        status.append(os.waitpid(child, 0)[1])

    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
    assert status == [0]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts in the background ignore it
    globals()[sys.argv[1]]()
    print("finished", flush=True)
