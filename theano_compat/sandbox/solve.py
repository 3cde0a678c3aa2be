"""Old path of :func:`theano.tensor.slinalg.solve`."""

from theano_compat.tensor.slinalg import solve  # noqa: F401
