"""All sparse variables, ops and functions under the module name that Theano's users know."""

# ruff: noqa: F401, F403
from __future__ import annotations

from theano_compat import config
from theano_compat.gradient import DisconnectedType, grad_not_implemented, grad_undefined
from theano_compat.sparse.arithmetic import *
from theano_compat.sparse.convert import *
from theano_compat.sparse.csm import *
from theano_compat.sparse.indexing import *
from theano_compat.sparse.products import *
from theano_compat.sparse.structure import *
from theano_compat.sparse.structured import *
from theano_compat.sparse.type import SparseType
from theano_compat.sparse.utils import hash_from_sparse
from theano_compat.sparse.variables import *


def __getattr__(name: str):
    if name in ("_mtypes", "_mtype_to_str"):  # they need SciPy, which costs a quarter of a second
        import scipy.sparse

        formats = {scipy.sparse.csc_matrix: "csc", scipy.sparse.csr_matrix: "csr"}
        return list(formats) if name == "_mtypes" else formats
    if name == "scipy_ver":
        import scipy

        return [int(part) for part in scipy.__version__.split(".")[:2]]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
