"""Historic module: what it held has moved to :mod:`theano_compat.compile`."""
