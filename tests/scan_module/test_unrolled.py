"""Every loop equals its unrolling: random loops in value, gradients of first and second order, and R-op."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T

FLOAT = "float64"
TAPS_OF_STATES = [[-1], [-1], [-2, -1], [-3], [-3, -1], [-1, -2], [-4, -2, -3]]
TAPS_OF_SEQUENCES = [[0], [0], [-1, 0], [0, 2], [-1, 1], [1]]


class RandomLoop:
    """A loop drawn from a seed: its arguments, its step, and values."""

    def __init__(self, seed):
        rng = self.rng = np.random.RandomState(seed)
        self.n_steps = int(rng.choice([2, 3, 4, 5]))
        self.backwards = bool(rng.rand() < 0.3)
        self.seq_taps = [TAPS_OF_SEQUENCES[i] for i in rng.randint(len(TAPS_OF_SEQUENCES), size=rng.randint(0, 3))]
        self.state_taps = [TAPS_OF_STATES[i] for i in rng.randint(len(TAPS_OF_STATES), size=rng.randint(0, 3))]
        self.n_plain = int(rng.randint(0 if self.state_taps else 1, 3))
        self.truncate = -1
        n_arguments = sum(map(len, self.seq_taps)) + sum(map(len, self.state_taps)) + 1
        n_outs = len(self.state_taps) + self.n_plain
        self.mix = rng.uniform(-0.9, 0.9, size=(n_outs, n_arguments))
        # Some outputs do not read some arguments.
        self.mix[rng.rand(n_outs, n_arguments) < 0.25] = 0
        self.kind = rng.randint(0, 3, size=n_outs)
        self.seqs = [T.matrix(f"s{i}", dtype=FLOAT) for i in range(len(self.seq_taps))]
        self.initial = [T.vector(f"i{k}", dtype=FLOAT) if taps == [-1] else T.matrix(f"i{k}", dtype=FLOAT) for k, taps in enumerate(self.state_taps)]
        self.matrix = T.matrix("W", dtype=FLOAT)
        self.inputs = [*self.seqs, *self.initial, self.matrix]
        d = 2
        length = self.n_steps + 5
        self.values = [rng.uniform(-1, 1, size=(length, d)) for _ in self.seqs]
        self.values += [rng.uniform(-1, 1, size=d if taps == [-1] else (-min(taps), d)) for taps in self.state_taps]
        self.values.append(rng.uniform(-1, 1, size=(d, d)))

    def step(self, *arguments):
        *vectors, W = arguments
        outs = []
        for row, kind in zip(self.mix, self.kind):
            total = row[-1] * W.sum(axis=0)
            for weight, v in zip(row, vectors):
                if weight:
                    total = total + weight * (T.dot(v, W) if kind == 1 else v * v if kind == 2 else v)
            outs.append(T.tanh(total))
        return outs

    def scanned(self):
        info = [v if taps == [-1] else {"initial": v, "taps": taps} for v, taps in zip(self.initial, self.state_taps)]
        outs, updates = theano.scan(
            self.step,
            sequences=[{"input": s, "taps": taps} for s, taps in zip(self.seqs, self.seq_taps)],
            outputs_info=info + [None] * self.n_plain,
            non_sequences=[self.matrix],
            n_steps=T.as_tensor_variable(self.n_steps) * T.as_tensor_variable(np.int64(1)) if self.n_steps == 1 else self.n_steps,
            go_backwards=self.backwards,
            truncate_gradient=self.truncate,
            return_list=True,
        )
        assert not updates
        return outs

    def unrolled(self):
        stop = theano.gradient.disconnected_grad
        shifted = []
        for s, taps in zip(self.seqs, self.seq_taps):
            low, high = min(0, *taps), max(0, *taps)
            for tap in taps:
                rows = s[tap - low : s.shape[0] - (high - tap)]
                shifted.append(rows[::-1] if self.backwards else rows)
        histories = []
        for v, taps in zip(self.initial, self.state_taps):
            histories.append([v] if taps == [-1] else [v[i] for i in range(-min(taps))])
        collected = [[] for _ in range(len(histories) + self.n_plain)]
        for t in range(self.n_steps):
            arguments = [rows[t] for rows in shifted]
            arguments += [h[tap] for h, taps in zip(histories, self.state_taps) for tap in taps]
            outs = self.step(*arguments, self.matrix)
            if self.truncate != -1 and t < self.n_steps - self.truncate:
                outs = [stop(o) for o in outs]
            for h, o in zip(histories, outs):
                h.append(o)
            for c, o in zip(collected, outs):
                c.append(o)
        return [T.stack(c) for c in collected]


def cost_of(outs, seed):
    rng = np.random.RandomState(seed)
    total = T.zeros((), dtype=FLOAT)
    for out in outs:
        kind = rng.randint(3)
        total = total + (T.sum(out**2) if kind == 0 else T.sum(out[-1] * 1.3) if kind == 1 else T.sum(T.sin(out[::2])))
    return total


def derivatives(outs, inputs, seed, second=True):
    """Outputs, gradients, and the gradients of a sum of the gradients."""
    cost = cost_of(outs, seed)
    first = T.grad(cost, inputs, disconnected_inputs="ignore")
    results = [*outs, cost, *first]
    if second:
        weighted = sum(T.sum(g * (1 + 0.1 * i)) for i, g in enumerate(first))
        results += T.grad(weighted, inputs, disconnected_inputs="ignore")
    return results


def compare(loop, seed, mode, second=True):
    mine = derivatives(loop.scanned(), loop.inputs, seed, second)
    other = derivatives(loop.unrolled(), loop.inputs, seed, second)
    f = theano.function(loop.inputs, mine + other, mode=mode, on_unused_input="ignore")
    results = f(*loop.values)
    assert len(results) == 2 * len(mine)
    for i, (a, b) in enumerate(zip(results[: len(mine)], results[len(mine) :])):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11, err_msg=f"result {i} of {len(mine)}")


@pytest.mark.parametrize("seed", range(10))
def test_value_and_gradients_equal_those_of_the_unrolled_loop(seed):
    compare(RandomLoop(seed), seed, "FAST_COMPILE")


@pytest.mark.parametrize("seed", range(100, 104))
def test_rewritten_loops_equal_the_unrolled_loop(seed):
    compare(RandomLoop(seed), seed, theano.Mode("vm", "fast_run"))


@pytest.mark.parametrize("seed", range(200, 205))
def test_truncated_gradient_equals_that_of_the_last_steps(seed):
    loop = RandomLoop(seed)
    loop.truncate = 1 + seed % loop.n_steps
    compare(loop, seed, "FAST_COMPILE", second=False)


@pytest.mark.parametrize("seed", range(300, 305))
def test_rop_equals_that_of_the_unrolled_loop(seed):
    loop = RandomLoop(seed)
    points = [theano.shared(loop.rng.uniform(-1, 1, size=np.shape(v))) for v in loop.values]
    both = []
    for outs in (loop.scanned(), loop.unrolled()):
        both.append(T.Rop([T.sum(o * o) for o in outs], loop.inputs, points))
    # Numbers to compare with that come from no R-op at all.
    cost = sum(T.sum(o * o) for o in loop.unrolled())
    plain = sum(T.sum(g * p) for g, p in zip(T.grad(cost, loop.inputs, disconnected_inputs="ignore"), points))
    f = theano.function(loop.inputs, [*both[0], *both[1], plain], mode="FAST_COMPILE", on_unused_input="ignore")
    *results, total = f(*loop.values)
    n = len(both[0])
    np.testing.assert_allclose(results[:n], results[n:], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sum(results[:n]), total, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("seed", range(400, 402))
def test_step_count_given_at_run_time(seed):
    loop = RandomLoop(seed)
    steps = T.iscalar("n")
    fixed, loop.n_steps = loop.n_steps, steps
    outs = loop.scanned()
    cost = sum(T.sum(o) for o in outs)
    f = theano.function([*loop.inputs, steps], [*outs, *T.grad(cost, loop.inputs, disconnected_inputs="ignore")], on_unused_input="ignore", mode="FAST_COMPILE")
    for n in (1, 2, fixed):
        loop.n_steps = n
        if n == 1:
            loop.n_steps = 1
        unrolled = loop.unrolled()
        grads = T.grad(sum(T.sum(o) for o in unrolled), loop.inputs, disconnected_inputs="ignore")
        g = theano.function(loop.inputs, [*unrolled, *grads], on_unused_input="ignore", mode="FAST_COMPILE")
        for a, b in zip(f(*loop.values, n), g(*loop.values)):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("limit", [0.5, 3.0, 20.0, 1e9])
@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
def test_until_ends_the_loop_with_its_gradient(limit, mode):
    x, s = T.dscalar("x"), T.dvector("s")

    def step(row, before):
        new = before * x + row
        return new, theano.scan_module.until(new > limit)

    outs, _ = theano.scan(step, sequences=s, outputs_info=T.ones((), dtype=FLOAT))
    f = theano.function([x, s], [outs, *T.grad(T.sum(outs**2), [x, s])], mode=mode)
    xv, sv = 1.5, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    rows, value = [], 1.0
    for r in sv:
        value = value * xv + r
        rows.append(value)
        if value > limit:
            break
    n = len(rows)
    got, gx, gs = f(xv, sv)
    np.testing.assert_allclose(got, rows)
    assert gs.shape == sv.shape
    before, total = T.ones((), dtype=FLOAT), 0
    for t in range(n):
        before = before * x + s[t]
        total = total + before**2
    wanted = theano.function([x, s], T.grad(total, [x, s]), mode="FAST_COMPILE")(xv, sv)
    np.testing.assert_allclose(gx, wanted[0])
    np.testing.assert_allclose(gs, wanted[1])


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN"])
def test_nested_loops(mode):
    x, A = T.dvector("x"), T.dmatrix("A")

    def outer(row, state):
        inner, _ = theano.scan(lambda a, b: T.tanh(a + b * row.sum()), sequences=row, outputs_info=state[0])
        return state * 0.5 + inner[-1]

    outs, _ = theano.scan(outer, sequences=A, outputs_info=x)
    cost = T.sum(outs**2)
    f = theano.function([x, A], [outs, *T.grad(cost, [x, A])], mode=mode)
    state, rows = x, []
    for i in range(3):
        inner = state[0]
        for j in range(4):
            inner = T.tanh(A[i, j] + inner * A[i].sum())
        state = state * 0.5 + inner
        rows.append(state)
    plain = T.stack(rows)
    g = theano.function([x, A], [plain, *T.grad(T.sum(plain**2), [x, A])], mode="FAST_COMPILE")
    rng = np.random.RandomState(0)
    xv, Av = rng.uniform(size=2), rng.uniform(-1, 1, size=(3, 4))
    for a, b in zip(f(xv, Av), g(xv, Av)):
        np.testing.assert_allclose(a, b, rtol=1e-9)
