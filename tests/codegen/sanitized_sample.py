"""Run by test_sanitizers.py in a process of its own: many kinds of compiled functions over odd shapes and strides."""

import signal

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.codegen import pool as threads
from theano_compat.sandbox.rng_mrg import MRG_RandomStreams
from theano_compat.tensor.signal import pool


def arrays(rng, *shape):
    """One array of a shape in several layouts."""
    base = rng.standard_normal(shape)
    yield base
    yield np.asfortranarray(base)
    yield rng.standard_normal([2 * n for n in shape])[tuple(slice(None, None, 2) for _ in shape)]
    yield base[tuple(slice(None, None, -1) for _ in shape)]
    yield np.broadcast_to(rng.standard_normal(shape[-1:]), shape)


def shared(rng):
    """Work that is large enough to be shared among threads."""
    x, z, w = T.matrix("x", dtype="float64"), T.tensor4("z", dtype="float64"), T.tensor4("w", dtype="float64")
    loops = theano.function([x], [T.exp(x).sum(), T.exp(x).sum(0), T.exp(x).sum(1), T.tanh(x) + x.max(0), T.nnet.softmax(x)])
    for shape in [(401, 403), (3, 60001), (60001, 3)]:
        for k, a in enumerate(arrays(rng, *shape)):
            threads.set_threads(2 + k % 3)  # each change makes the next work shared, however busy the machine is
            loops(a)
    product = theano.function([x], T.dot(x, x.T))
    for a in arrays(rng, 500, 60):
        product(a)
    images = theano.function([z, w], T.grad(pool.pool_2d(T.nnet.conv2d(z, w, border_mode="half"), (2, 2), ignore_border=True).sum(), [z, w]))
    images(rng.standard_normal((65, 3, 17, 19)), rng.standard_normal((4, 3, 3, 3)))
    assert threads.shared_jobs() >= 10


def main():
    rng = np.random.default_rng(0)
    x, y, i = T.matrix("x", dtype="float64"), T.matrix("y", dtype="float64"), T.ivector("i")
    z = T.tensor4("z", dtype="float64")
    w = T.tensor4("w", dtype="float64")
    s = theano.shared(np.zeros((5, 7)))
    functions = [
        theano.function([x], [T.exp(x) / (1 + T.tanh(x) ** 2), x.sum(0), x.mean(1), abs(x).prod(), T.log1p(x * x), T.cast(x, "float32") * 2]),
        theano.function([x], [T.nnet.softmax(x), T.nnet.logsoftmax(x), T.nnet.sigmoid(x).T, x[::-2, 1:], x[:, ::-1].reshape((-1,)), T.concatenate([x, x * 2], axis=1)]),
        theano.function([x, y], [T.dot(x, y.T), T.dot(x.T, y), T.dot(x, y[0]), x + y[0], T.switch(x > y, x, y), T.maximum(x, y).any(1)]),
        theano.function([x, y], [T.grad((T.tanh(T.dot(x, y.T)) ** 2).sum(), v) for v in (x, y)]),
        theano.function([x], [], updates=[(s, s * 0.5 + x)]),
    ]
    for shape in [(5, 7), (1, 1), (1, 17), (33, 3), (0, 4), (4, 0), (0, 0)]:
        for a in arrays(rng, *shape):
            functions[0](a), functions[3](a, a)
            if shape[0]:
                functions[2](a, a)
            if all(shape):
                functions[1](a)
    for a in arrays(rng, 5, 7):
        functions[4](a)
    gather = theano.function([x, i], [x[i], T.inc_subtensor(x[i], 1.0), T.set_subtensor(x[1:, ::2], 0.0), T.argmax(x, axis=1), x.max(0)])
    for a in arrays(rng, 6, 5):
        gather(a, np.array([0, -1, 3, 3], "int32"))
        for wrong in (6, -7):
            try:
                gather(a, np.array([wrong], "int32"))
            except IndexError:
                continue
            raise AssertionError("an index out of bounds was taken")
    images = theano.function([z, w], T.grad(pool.pool_2d(T.nnet.conv2d(z, w, border_mode="half"), (2, 2), ignore_border=True).sum(), [z, w]))
    for shape in [(2, 3, 7, 9), (1, 3, 4, 5)]:
        for a in arrays(rng, *shape):
            images(a, rng.standard_normal((4, 3, 3, 3)))
    draws(rng)
    steps()
    interrupts()
    shared(rng)
    print("finished")


def draws(rng):
    """Random streams of odd sizes, and what is drawn from rows of probabilities."""
    streams, size, n, p = MRG_RandomStreams(3), T.lvector("size"), T.lscalar("n"), T.matrix("p", dtype="float64")
    numbers = [streams.uniform(size, ndim=2, dtype=dtype, nstreams=k) for dtype in ("float16", "float32", "float64") for k in (1, 7, 300)]
    samples = theano.function([size], [*numbers, streams.truncated_normal(size, ndim=2)])
    for shape in [(0, 3), (1, 1), (5, 7), (13, 47), (1, 601)]:
        samples(shape)
    rows = theano.function([p, n], [streams.multinomial(pvals=p, n=n), streams.choice(size=n, replace=False, p=p)])
    for a in arrays(rng, 6, 5):
        for count in (0, 1, 5):
            rows(abs(a) / abs(a).sum(1, keepdims=True), count)


def interrupts():
    """Long loops that a signal's handler ends, and one that it does not."""
    n, x = T.lscalar("n"), T.dvector("x")
    rows, _ = theano.scan(lambda s, x: T.tanh(s + x), outputs_info=T.zeros_like(x), non_sequences=x, n_steps=n)
    f = theano.function([x, n], [rows[-1], T.zeros((1000,)) + x.sum()])
    for call in (lambda steps: f(np.ones(3), steps), lambda steps: f(x=np.ones(3), n=steps)):
        for handler, steps in ((_stop, 10**10), (lambda *_: None, 3 * 10**6)):
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            try:
                call(steps)
            except TimeoutError:
                assert handler is _stop


def _stop(*_):
    raise TimeoutError


def steps(seeds=range(600, 604)):
    """Random loops, and loops that are given bad input."""
    from tests.scan_module import loops, test_loop_errors

    for seed in seeds:
        try:
            loops.check(seed, calls=2)
        except loops.Wild:
            continue
    for build, values, error, _ in test_loop_errors.CASES.values():
        f = theano.function([test_loop_errors.x, test_loop_errors.A, test_loop_errors.n], build(), on_unused_input="ignore")
        try:
            f(*values)
        except error:
            continue
        raise AssertionError("bad input was taken")


if __name__ == "__main__":
    main()
