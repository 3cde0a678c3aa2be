"""Random loops, compiled, equal their unrolling; functions of loops called from two threads; random numbers in loops."""

import threading

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.scan_module import loops
from theano_compat.sandbox.rng_mrg import MRG_RandomStreams

#: Chosen so that each asks for something else: see ``python -m tests.scan_module.loops --seeds N N+1 --show``.
SEEDS = range(500, 512)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_loop_equals_its_unrolling(seed):
    try:
        f = loops.check(seed, calls=2)
    except loops.Wild:
        pytest.skip("its values grow too much")
    assert not [text for text in loops.islands(f) if text.endswith("no compiler")]


def test_one_function_in_two_threads_gives_what_it_gives_alone():
    x, h, W = T.dtensor3("x"), T.dmatrix("h"), T.dmatrix("W")

    def step(rows, before, W):
        inner, _ = theano.scan(lambda row, s: T.tanh(row + s * 0.5), sequences=rows, outputs_info=T.zeros_like(rows[0]))
        return T.tanh(T.dot(before, W) + inner[-1])

    outs, _ = theano.scan(step, sequences=x, outputs_info=h, non_sequences=W)
    f = theano.function([x, h, W], [outs[-1], T.grad(T.sum(outs**2), W)])
    assert "steps in C" in f.explain()
    rng = np.random.RandomState(0)
    # sizes alternate: each thread grows scratch memory of its own
    values = [(rng.randn(n, 3, d), rng.randn(4, d), rng.randn(d, d)) for n, d in [(3, 2), (7, 9), (2, 5), (9, 17)]]
    alone = [f(*v) for v in values]
    wrong = []

    def call(start):
        for k in range(40):
            i = (start + k) % len(values)
            for a, b in zip(f(*values[i]), alone[i]):
                if not np.array_equal(a, b):
                    wrong.append((start, k))

    threads = [threading.Thread(target=call, args=(i,)) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@pytest.mark.parametrize("mode", ["FAST_RUN", theano.Mode("cvm", "fast_compile")])
def test_random_numbers_in_a_loop_are_those_of_the_python_loop(mode):
    x, h = T.dmatrix("x"), T.dvector("h")
    streams = MRG_RandomStreams(11)

    def step(row, before):
        kept = streams.binomial(size=row.shape, p=0.5, dtype="float64")
        noise = streams.normal(size=(row.shape[0],), dtype="float64", avg=0.0, std=0.1)
        return T.tanh(row * kept + before + noise), kept.sum()

    (rows, counts), updates = theano.scan(step, sequences=x, outputs_info=[h, None])
    results = [rows, counts, T.grad(rows.sum(), h)]
    states = list(updates)
    initial = [v.get_value() for v in states]
    found = []
    for linker in (mode, theano.Mode("py", None)):
        for v, value in zip(states, initial):
            v.set_value(value)
        f = theano.function([x, h], results, updates=updates, mode=linker)
        value = np.random.RandomState(1).randn(5, 6)
        found.append([*f(value, np.zeros(6)), *f(value[:2, :3], np.zeros(3)), *(v.get_value() for v in states)])
        if linker is mode:
            assert not [text for text in loops.islands(f) if text.startswith("scan")]
    for mine, other in zip(*found):
        np.testing.assert_allclose(mine, other, rtol=1e-10)
