"""MRG31k3p: the numbers of Theano, seeds, streams and distributions."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.sandbox import rng_mrg
from theano_compat.sandbox.rng_mrg import MRG_RandomStreams


def reference(state, n):
    """The recurrences in integers of any size."""
    x, y = [int(v) for v in state[:3]], [int(v) for v in state[3:]]
    out = []
    for _ in range(n):
        x = [(2**22 * x[1] + 129 * x[2]) % (2**31 - 1), x[0], x[1]]
        y = [(2**15 * y[0] + (2**15 + 1) * y[2]) % (2**31 - 21069), y[0], y[1]]
        z = x[0] - y[0]
        out.append((z if z > 0 else z + 2**31 - 1) * 2.0**-31)
    return np.array(out)


def test_numbers_are_those_that_theano_prints():
    f = theano.function([], MRG_RandomStreams(1234).uniform((2, 3)))
    np.testing.assert_array_equal(f().round(8), [[0.37257111, 0.65768584, 0.59250678], [0.31931473, 0.77979209, 0.03016185]])
    np.testing.assert_array_equal(f().round(8), [[0.36046432, 0.3002901, 0.87304802], [0.97614046, 0.73041883, 0.71569064]])


def test_streams_take_turns_and_follow_the_recurrences():
    u = MRG_RandomStreams(99).uniform((5, 4), nstreams=3, dtype="float64")
    states = u.owner.inputs[0].owner.inputs[0].owner.inputs[0].get_value()
    drawn = theano.function([], u)().ravel()
    for stream in range(3):
        mine = drawn[stream::3]
        np.testing.assert_array_equal(mine, reference(states[stream], len(mine)))


def test_streams_start_where_the_generator_is_much_later():
    rng = MRG_RandomStreams(5)
    states = rng.get_substream_rstates(5, "float64", inc_rstate=False)
    wanted = [np.array([5] * 6, "int32")]
    for _ in range(4):
        wanted.append(rng_mrg.ff_2p72(wanted[-1]))
    np.testing.assert_array_equal(states, wanted)
    assert states.dtype == np.int32


@pytest.mark.parametrize("dtype, low", [("float16", 0), ("float32", 0), ("float64", 0)])
def test_dtypes_and_range(dtype, low):
    values = theano.function([], MRG_RandomStreams(3).uniform((2000,), dtype=dtype))()
    assert values.dtype == dtype and (values > low).all() and (values <= 1).all()
    assert abs(values.astype("float64").mean() - 0.5) < 0.03


def test_seed_starts_all_samples_again():
    rng = MRG_RandomStreams(17)
    f = theano.function([], [rng.uniform((4,)), rng.normal((3,))])
    first = f()
    f()
    rng.seed(17)
    for a, b in zip(first, f()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_normal_of_any_count(n):
    values = theano.function([], MRG_RandomStreams(3).normal((n,), avg=10, std=0.1))()
    assert values.shape == (n,) and (abs(values - 10) < 1).all()


def test_normal_numbers_are_normal():
    rng = MRG_RandomStreams(3)
    z, cut, even = theano.function([], [rng.normal((20000,)), rng.normal((20000,), truncate=True), rng.truncated_normal((20000,))])()
    assert abs(z.mean()) < 0.03 and abs(z.std() - 1) < 0.03 and (abs(z) > 2).any()
    assert (abs(cut) <= 2).all() and abs(cut.std() - 0.8796) < 0.02
    assert abs(even.std() - 1) < 0.02


def test_multinomial_counts_follow_the_uniform_numbers():
    pvals = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    counts = theano.function([], MRG_RandomStreams(2).multinomial(pvals=pvals, n=4000))()
    assert counts.dtype == np.int64 and (counts.sum(1) == 4000).all()
    np.testing.assert_allclose(counts / 4000, pvals, atol=0.03)


def test_choice_draws_nothing_twice():
    p = np.tile([[0.1, 0.2, 0.3, 0.4]], (50, 1))
    drawn = theano.function([], MRG_RandomStreams(2).choice(size=3, replace=False, p=p))()
    assert drawn.shape == (50, 3)
    assert all(len(set(row)) == 3 for row in drawn)


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
def test_numbers_inside_of_a_loop_are_those_outside(mode):
    outs, updates = theano.scan(lambda: MRG_RandomStreams(8).uniform((3,)), n_steps=4)
    f = theano.function([], outs, updates=updates, mode=mode)
    g = theano.function([], MRG_RandomStreams(8).uniform((3,)), mode=mode)
    np.testing.assert_array_equal(np.concatenate([f(), f()]), [g() for _ in range(8)])


def test_states_are_overwritten_in_optimised_functions():
    f = theano.function([], MRG_RandomStreams(8).uniform((3,)), mode="FAST_RUN")
    assert [node.op.inplace for node in f.maker.fgraph.toposort() if isinstance(node.op, rng_mrg.mrg_uniform)] == [True]


@pytest.mark.parametrize(
    "seed, text",
    [(0, "seed should not be 0"), ([0, 0, 0, 1, 1, 1], "first 3 values of seed should not be all 0"), (2**31 - 1, "seed should be less than 2147462579")],
)
def test_bad_seeds(seed, text):
    with pytest.raises(ValueError, match=text):
        MRG_RandomStreams(seed)


@pytest.mark.parametrize("size, error", [((0, 2), ValueError), (7, TypeError), (T.dmatrix(), TypeError)])
def test_bad_sizes(size, error):
    with pytest.raises(error, match="size"):
        MRG_RandomStreams(1).uniform(size)
