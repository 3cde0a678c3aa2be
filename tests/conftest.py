"""What all tests share."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _same_random_numbers():
    """Tests that draw from NumPy's global generator see the same numbers, whatever ran before them."""
    np.random.seed(4711)
