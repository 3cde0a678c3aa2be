"""Old path of :mod:`theano.tensor.nnet.blocksparse`."""

from theano_compat.tensor.nnet.blocksparse import (  # noqa: F401
    sparse_block_dot,
    sparse_block_gemv,
    sparse_block_gemv_inplace,
    sparse_block_outer,
    sparse_block_outer_inplace,
)
