"""The loops in JAX: scan as it comes, and unrolled by eight where that may pay."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

LSTM = ("E", "W", "U", "b", "V", "d")


def nll(scores, y):
    logp = jax.nn.log_softmax(scores)
    return -jnp.mean(logp[jnp.arange(y.shape[0]), y])


def rnn_step(U, h, p_t):
    h = jnp.tanh(p_t + h @ U)
    return h, h


def gru_step(U, h, p_t):
    (pr, pz, pn), (qr, qz, qn) = jnp.split(p_t, 3, axis=1), jnp.split(h @ U, 3, axis=1)
    z = jax.nn.sigmoid(pz + qz)
    h = (1 - z) * jnp.tanh(pn + jax.nn.sigmoid(pr + qr) * qn) + z * h
    return h, h


def lstm_step(U, state, p_t):
    h, c = state
    i, f, g, o = jnp.split(p_t + h @ U, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def training(loss, params, arguments, rate):
    """Return a Program's parts for a step of gradient descent; old parameters give their memory to new ones."""

    @functools.partial(jax.jit, donate_argnums=0)
    def step(params, *arguments):
        cost, grads = jax.value_and_grad(loss)(params, *arguments)
        return cost, [p - rate * g for p, g in zip(params, grads)]

    state = [jnp.array(p) for p in params]

    def call(*arguments):
        nonlocal state
        cost, state = step(state, *arguments)
        jax.block_until_ready(state)
        return np.asarray(cost)

    return call, arguments, lambda: [np.asarray(p) for p in state]


def plain(function, arguments):
    """Return a Program's parts for a function without state."""
    jitted = jax.jit(function)
    return (lambda *arguments: [np.asarray(r) for r in jax.tree.leaves(jitted(*arguments))]), arguments


def power(data):
    def function(A, k):
        return jax.lax.fori_loop(0, k, lambda i, row: row * A, jnp.ones_like(A))

    return plain(function, (data["A"], np.asarray(data["k"], "int32")))


def recurrence(unroll, data):
    def total(a, b, h0):
        def step(h, row):
            h = row[0] * h + row[1]
            return h, h

        return jax.lax.scan(step, h0, (a, b), unroll=unroll)[1].sum()

    return plain(jax.value_and_grad(total, (0, 1, 2)), (data["a"], data["b"], data["h0"]))


def recurrent(step, train, unroll, data):
    def predict(params, x, h0):
        W, U, b, v = params
        return jax.lax.scan(functools.partial(step, U), h0, x @ W + b, unroll=unroll)[1] @ v

    params = [data[n] for n in ("W", "U", "b", "v")]
    if not train:
        jitted, params = jax.jit(predict), [jnp.array(p) for p in params]
        return (lambda x, h0: np.asarray(jitted(params, x, h0))), (data["x"], data["h0"])
    return training(lambda params, x, y, h0: jnp.mean((predict(params, x, h0) - y) ** 2), params, (data["x"], data["y"], data["h0"]), data["rate"])


def lstm(unroll, data):
    def loss(params, x, y, h0, c0):
        E, W, U, b, V, d = params
        projected = (E[x.ravel()] @ W + b).reshape(*x.shape, -1)
        h = jax.lax.scan(functools.partial(lstm_step, U), (h0, c0), projected, unroll=unroll)[1]
        return nll(h.reshape(-1, U.shape[0]) @ V + d, y.ravel())

    return training(loss, [data[n] for n in LSTM], tuple(data[n] for n in ("x", "y", "h0", "c0")), data["rate"])


def lstm_unrolled(data):
    def loss(params, x, y, h0, c0):
        E, W, U, b, V, d = params
        state, cost = (h0, c0), 0
        for t in range(len(x)):
            state, h = lstm_step(U, state, E[x[t]] @ W + b)
            cost = cost + nll(h @ V + d, y[t])
        return cost / len(x)

    return training(loss, [data[n] for n in LSTM], tuple(data[n] for n in ("x", "y", "h0", "c0")), data["rate"])


def cases():
    """Return case name -> variant -> function(data) -> (callable, arguments of a call[, function that returns the parameters])."""

    def scans(function, *arguments):
        return {"scan": functools.partial(function, *arguments, 1), "scan, unroll=8": functools.partial(function, *arguments, 8)}

    return {
        "power": {"fori_loop": power},
        "recurrence": scans(recurrence),
        "rnn forward": scans(recurrent, rnn_step, False),
        "rnn training": scans(recurrent, rnn_step, True),
        "gru forward": scans(recurrent, gru_step, False),
        "gru training": scans(recurrent, gru_step, True),
        "lstm training": scans(lstm),
        "lstm unrolled": lstm_unrolled,
    }
