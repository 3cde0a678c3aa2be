"""Old path of :mod:`theano.tensor.nnet.neighbours`."""

from theano_compat.tensor.nnet.neighbours import Images2Neibs, images2neibs, neibs2images  # noqa: F401
