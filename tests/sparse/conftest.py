"""Random matrices for the tests of sparse ops."""

import numpy as np
import pytest


@pytest.fixture
def make():
    """Make a sparse matrix: ``make(format, shape)``; about half of the elements are stored."""
    import scipy.sparse as sp

    rng = np.random.default_rng(7)

    def matrix(format, shape=(5, 4), dtype="float64"):
        dense = rng.uniform(0.5, 2.0, shape) * (rng.random(shape) < 0.5)
        return getattr(sp, f"{format}_matrix")(dense.astype(dtype))

    return matrix
