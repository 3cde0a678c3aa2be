"""Sparse matrices (``theano.sparse``) over SciPy's csr, csc and bsr matrices.

==================  ==========================================================================================
``type``            `SparseType`
``variables``       variables, constants, their operators, conversion of values
``csm``             matrices from and to (data, indices, indptr, shape)
``convert``         casts, sparse from dense and back, `sparse_grad`
``structure``       transpose, sorting, scaling, diagonals, sums, stacking
``indexing``        elements, rows, blocks
``arithmetic``      sums, products, comparisons
``structured``      functions of the stored elements
``products``        matrix products
``opt``             rewrites and the ops they choose
``sharedvar``       shared variables
``basic``           all of this under Theano's module name
``sandbox``         random matrices, convolution by sparse products
==================  ==========================================================================================

SciPy is imported with the first value, not with this package.
"""

from __future__ import annotations

from theano_compat.sparse import basic
from theano_compat.sparse.basic import *
from theano_compat.sparse.basic import (
    DisconnectedType,
    SparseType,
    config,
    grad_not_implemented,
    grad_undefined,
    hash_from_sparse,
)
from theano_compat.sparse.basic import _dot, _is_dense, _is_dense_variable, _is_sparse, _is_sparse_variable  # noqa: F401
from theano_compat.sparse.type import imported_scipy, string_types

#: Whether SciPy is there.
enable_sparse = imported_scipy

from theano_compat.sparse import opt, sharedvar  # isort: skip
from theano_compat.sparse.sharedvar import sparse_constructor as shared  # isort: skip


def __getattr__(name: str):
    if name in ("_mtypes", "_mtype_to_str", "scipy_ver"):
        return getattr(basic, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
