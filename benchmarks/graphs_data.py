"""The arrays that all frameworks get for the cases of run.py."""

import numpy as np


def make_data(case, dtype, batch):
    """Return the arrays of every case: real-looking digits, labels, initial parameters."""
    rng = np.random.RandomState(0)

    def uniform(*shape):
        fan = int(np.prod(shape[1:])) if len(shape) == 4 else sum(shape)
        return rng.uniform(-1, 1, shape).astype(dtype) * np.asarray(np.sqrt(3.0 / fan), dtype)

    ink = rng.rand(batch, 784)
    data = {"x": np.where(ink > 0.8, ink, 0).astype(dtype), "y": rng.randint(0, 10, batch).astype("int32")}
    data.update(W1=uniform(784, 500), b1=np.zeros(500, dtype), W2=uniform(500, 10), b2=np.zeros(10, dtype))
    data.update(K1=uniform(20, 1, 5, 5), c1=np.zeros(20, dtype), K2=uniform(50, 20, 5, 5), c2=np.zeros(50, dtype))
    data.update(W3=uniform(800, 500), b3=np.zeros(500, dtype), W4=uniform(500, 10), b4=np.zeros(10, dtype))
    data.update(u=rng.randn(100000).astype(dtype), v=rng.randn(100000).astype(dtype), m=rng.randn(256, 1000).astype(dtype))
    return data
