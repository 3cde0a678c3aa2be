"""Old path of :mod:`theano.tensor.nnet.conv`."""

from theano_compat.tensor.nnet.conv import *  # noqa: F401,F403
