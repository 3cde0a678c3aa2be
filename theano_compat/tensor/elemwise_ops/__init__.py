"""Elementwise ops, dimension shuffles and reductions, one file each.

==============  ==========================================================================
`elemwise_op`   `Elemwise`: a scalar op on tensors, with broadcasting
`evaluate`      its values in NumPy, vectorised, in the dtypes that the types promise
`dimshuffle`    `DimShuffle`: transpose, add and drop dimensions of length one
`careduce`      `CAReduce` and relatives: fold a binary scalar op along axes
`sums`          `Sum` and `Prod` with their dtype rules and gradients
`printers`      how these ops and the scalar ones look in ``pp``
==============  ==========================================================================
"""
