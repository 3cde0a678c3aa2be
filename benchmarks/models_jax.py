"""The cases in JAX."""

import jax
import jax.numpy as jnp
import numpy as np


def cases():
    """Return case name -> function(data) -> (callable, arguments of a call); training steps keep their parameters between calls."""

    def nll(logits, y):
        logp = jax.nn.log_softmax(logits)
        return -jnp.mean(logp[jnp.arange(y.shape[0]), y])

    def training(loss, params, data, rate):
        @jax.jit
        def step(params, x, y):
            cost, grads = jax.value_and_grad(loss)(params, x, y)
            return cost, [p - rate * g for p, g in zip(params, grads)]

        state = [jnp.asarray(p) for p in params]

        def call(x, y):
            nonlocal state
            cost, state = step(state, x, y)
            return np.asarray(cost)

        return call, (data["x"], data["y"])

    def logistic(data):
        dtype = data["x"].dtype
        return training(lambda p, x, y: nll(x @ p[0] + p[1], y), [np.zeros((784, 10), dtype), np.zeros(10, dtype)], data, 0.13)

    def mlp(data):
        def loss(p, x, y):
            h = jnp.tanh(x @ p[0] + p[1])
            return nll(h @ p[2] + p[3], y) + 0.0001 * ((p[0] ** 2).sum() + (p[2] ** 2).sum())

        return training(loss, [data[n] for n in ("W1", "b1", "W2", "b2")], data, 0.01)

    def lenet(data):
        def convolve(image, K, c):
            out = jax.lax.conv_general_dilated(image, K[:, :, ::-1, ::-1], (1, 1), "VALID")
            out = jax.lax.reduce_window(out, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
            return jnp.tanh(out + c[None, :, None, None])

        def loss(p, x, y):
            image = convolve(convolve(x.reshape(-1, 1, 28, 28), p[0], p[1]), p[2], p[3])
            return nll(jnp.tanh(image.reshape(image.shape[0], -1) @ p[4] + p[5]) @ p[6] + p[7], y)

        return training(loss, [data[n] for n in ("K1", "c1", "K2", "c2", "W3", "b3", "W4", "b4")], data, 0.1)

    def plain(function, *names):
        def make(data):
            jitted = jax.jit(function)
            return (lambda *args: np.asarray(jitted(*args))), tuple(np.asarray(3, data["u"].dtype) if n is None else data[n] for n in names)

        return make

    return {
        "logistic": logistic,
        "mlp": mlp,
        "lenet": lenet,
        "x + 1": plain(lambda x: x + 1, None),
        "chain": plain(lambda x, y: jnp.sum(jnp.exp(-(x**2)) * y + jnp.tanh(x - y)), "u", "v"),
        "softmax": plain(jax.nn.softmax, "m"),
        "polynomial": plain(lambda x: 1 + x * (2 + x * (3 + x * (4 + x * 5))), "u"),
    }
