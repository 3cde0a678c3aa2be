"""Old path of :func:`theano.tensor.nnet.softsign`."""

from theano_compat.tensor.nnet.nnet import softsign  # noqa: F401
