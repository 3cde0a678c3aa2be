"""Rewrites of graphs with sparse matrices: away with needless assembly, and ops on the arrays instead of on matrices."""

from __future__ import annotations

from theano_compat import config, tensor
from theano_compat import scalar as scal
from theano_compat.compile import optdb
from theano_compat.gof import PatternSub, TopoOptimizer, local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.sparse import basic as sparse
from theano_compat.sparse.basic import CSC, CSM, CSR, csm_properties, usmm
from theano_compat.sparse.chosen import (  # noqa: F401
    AddSD_ccode,
    CSMGradC,
    MulSDCSC,
    MulSDCSR,
    MulSVCSR,
    SamplingDotCSR,
    StructuredAddSVCSR,
    StructuredDotCSC,
    StructuredDotCSR,
    UsmmCscDense,
    csm_grad_c,
    mul_s_d_csc,
    mul_s_d_csr,
    mul_s_v_csr,
    sampling_dot_csr,
    sd_csc,
    sd_csr,
    structured_add_s_v_csr,
    usmm_csc_dense,
    usmm_csc_dense_inplace,
)  # fmt: skip
from theano_compat.tensor.basic import patternbroadcast
from theano_compat.tensor.opt import register_canonicalize, register_specialize

_CLASSES = {"csc": CSC, "csr": CSR}


def _rebuilt(node, x, data):
    """The matrix with the places of `x` and other data, in place of the node's output."""
    _, indices, indptr, shape = csm_properties(x)
    result = _CLASSES[x.type.format](data, indices, indptr, shape)
    copy_stack_trace(node.outputs[0], [data, result])
    return [result]


@register_specialize
@local_optimizer([csm_properties])
def local_csm_properties_csm(node):
    """The arrays of a matrix that was made from arrays are those arrays."""
    if node.op != csm_properties:
        return False
    matrix = node.inputs[0].owner
    if matrix is None or not isinstance(matrix.op, CSM):
        return False
    arrays = []
    for given, wanted in zip(matrix.inputs, node.outputs):
        array = given if given.type.dtype == wanted.type.dtype else tensor.cast(given, wanted.type.dtype)
        arrays.append(patternbroadcast(array, wanted.type.broadcastable))
    copy_stack_trace(node.outputs[0], arrays)
    return arrays


@register_specialize
@register_canonicalize("fast_compile")
@local_optimizer([sparse.DenseFromSparse])
def local_dense_from_sparse_sparse_from_dense(node):
    """A dense matrix that was made sparse and dense again is that matrix."""
    if isinstance(node.op, sparse.DenseFromSparse):
        inner = node.inputs[0].owner
        if inner is not None and isinstance(inner.op, sparse.SparseFromDense):
            dense = patternbroadcast(inner.inputs[0], node.outputs[0].type.broadcastable)
            return [dense] if dense.type == node.outputs[0].type else False
    return False


@local_optimizer([sparse.Remove0])
def local_inplace_remove0(node):
    """Stored zeros are removed in the matrix itself."""
    if isinstance(node.op, sparse.Remove0) and not node.op.inplace:
        result = node.op.__class__(inplace=True)(*node.inputs)
        copy_stack_trace(node.outputs[0], result)
        return [result]
    return False


def _add_to_dense(node, inplace: bool):
    if not isinstance(node.op, sparse.AddSD):
        return False
    x, y = node.inputs
    if inplace and scal.upcast(x.type.dtype, y.type.dtype) != y.type.dtype:
        return False
    result = AddSD_ccode(format=x.type.format, inplace=inplace)(x, y)
    copy_stack_trace(node.outputs[0], result)
    return [result]


@local_optimizer([sparse.AddSD])
def local_inplace_addsd_ccode(node):
    """A sparse matrix is added into a dense one of the result's dtype."""
    return _add_to_dense(node, inplace=True)


@local_optimizer([sparse.AddSD])
def local_addsd_ccode(node):
    """A sparse matrix is added to a copy of the dense one through its arrays."""
    return _add_to_dense(node, inplace=False)


@local_optimizer([sparse._structured_dot])
def local_structured_dot(node):
    """A structured product with a dense matrix through the arrays of the sparse one; SciPy does as well, so not registered."""
    if node.op != sparse._structured_dot:
        return False
    a, b = node.inputs
    if not isinstance(b.type, tensor.TensorType) or a.type.format not in _CLASSES:
        return False
    data, indices, indptr, shape = csm_properties(a)
    arrays = (data, indices, indptr)
    return [sd_csc(*arrays, shape[0], b) if a.type.format == "csc" else sd_csr(*arrays, b)]


#: ``z - alpha * dot(x, y)`` with a sparse factor is one op.
local_usmm = PatternSub(
    (
        tensor.sub,
        "z",
        (
            tensor.mul,
            {"pattern": "alpha", "constraint": lambda alpha: all(alpha.type.broadcastable) and bool(config.blas.ldflags)},
            (sparse._dot, "x", "y"),
        ),
    ),
    (usmm, (tensor.neg, "alpha"), "x", "y", "z"),
    name="local_usmm",
)
register_specialize(local_usmm, name="local_usmm")


@register_specialize("cxx_only")
@local_optimizer([usmm])
def local_usmm_csx(node):
    """The sparse factor of usmm by its arrays, if it is csc and the dtypes allow it."""
    if node.op != usmm:
        return False
    alpha, x, y, z = node.inputs
    if not sparse._is_sparse_variable(x) or sparse._is_sparse_variable(y) or x.type.format != "csc":
        return False
    dtype = scal.upcast(alpha.type.dtype, x.type.dtype, y.type.dtype, z.type.dtype)
    if dtype not in ("float32", "float64") or y.type.broadcastable[1] or any(z.type.broadcastable):
        return False
    data, indices, indptr, shape = csm_properties(x)
    result = usmm_csc_dense(alpha, data, indices, indptr, shape[0], y, z)
    copy_stack_trace(node.outputs[0], result)
    return [result]


@local_optimizer([usmm_csc_dense])
def local_usmm_csc_dense_inplace(node):
    """usmm adds into the dense matrix itself; registered where it is checked that nobody else needs that matrix."""
    if node.op != usmm_csc_dense:
        return False
    result = usmm_csc_dense_inplace(*node.inputs)
    copy_stack_trace(node.outputs[0], result)
    return [result]


@local_optimizer([sparse.CSMGrad()])
def local_csm_grad_c(node):
    """The gradient of assembly by the other op; not registered, as in Theano."""
    if node.op == sparse.CSMGrad():
        return [csm_grad_c(*node.inputs)]
    return False


@register_specialize("cxx_only")
@local_optimizer([sparse.mul_s_d])
def local_mul_s_d(node):
    """The product of a sparse and a dense matrix is one of data."""
    if node.op != sparse.mul_s_d:
        return False
    x, y = node.inputs
    if y.type.ndim != 2:
        return False
    ops = {"csc": mul_s_d_csc, "csr": mul_s_d_csr}
    data, indices, indptr, _ = csm_properties(x)
    return _rebuilt(node, x, ops[x.type.format](data, indices, indptr, y))


@register_specialize("cxx_only")
@local_optimizer([sparse.mul_s_v])
def local_mul_s_v(node):
    """The scaling of the columns of a csr matrix is a product of data."""
    return _csr_and_vector(node, sparse.mul_s_v, mul_s_v_csr)


@register_specialize("cxx_only")
@local_optimizer([sparse.structured_add_s_v])
def local_structured_add_s_v(node):
    """A vector added to the stored elements of a csr matrix is a sum of data."""
    return _csr_and_vector(node, sparse.structured_add_s_v, structured_add_s_v_csr)


def _csr_and_vector(node, op, op_on_data):
    if node.op != op:
        return False
    x, y = node.inputs
    if x.type.format != "csr":
        return False
    data, indices, indptr, _ = csm_properties(x)
    return _rebuilt(node, x, op_on_data(data, indices, indptr, y))


@register_specialize("cxx_only")
@local_optimizer([sparse.sampling_dot])
def local_sampling_dot_csr(node):
    """A sampled product with a csr pattern through its arrays, where a BLAS is named in the configuration."""
    if not config.blas.ldflags or node.op != sparse.sampling_dot:
        return False
    x, y, p = node.inputs
    if p.type.format != "csr":
        return False
    data, indices, indptr, shape = csm_properties(p)
    result = CSR(*sampling_dot_csr(x, y, data, indices, indptr, shape[1]), shape)
    copy_stack_trace(node.outputs[0], result)
    return [result]


for _rewrite, _position, _tags in (
    (local_inplace_remove0, 60, ("fast_run", "inplace")),
    (local_inplace_addsd_ccode, 60, ("fast_run", "inplace")),
    (local_usmm_csc_dense_inplace, 60, ("fast_run", "inplace", "cxx_only")),
    (local_addsd_ccode, 61, ("fast_run",)),
):
    optdb.register(
        _rewrite.__name__,
        TopoOptimizer(_rewrite, failure_callback=TopoOptimizer.warn_inplace if "inplace" in _tags else None),
        _position,
        *_tags,
    )
