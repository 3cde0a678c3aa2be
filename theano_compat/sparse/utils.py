"""Hashes of sparse matrices."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["hash_from_sparse"]


def hash_from_sparse(data) -> str:
    """A text that is equal for matrices of the same format, shape, dtypes, and stored elements.

    Parameters
    ----------
    data : scipy.sparse matrix
        Of format csr, csc or bsr.
    """
    digest = hashlib.sha256(repr((data.format, data.shape)).encode())
    for array in (data.data, data.indices, data.indptr):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
