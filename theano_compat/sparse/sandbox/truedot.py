"""Historical path of the products whose result is sparse."""

from __future__ import annotations

from theano_compat.sparse.basic import SparseType, TrueDot, as_sparse_variable, dense_from_sparse, transpose, true_dot

__all__ = ["SparseType", "TrueDot", "as_sparse_variable", "dense_from_sparse", "transpose", "true_dot"]
