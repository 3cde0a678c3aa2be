"""Elementwise ops that overwrite their first input, as ``exp_inplace``.

They are for rewrites and for experts: the input's old value is lost.
"""
from __future__ import annotations

from theano_compat import scalar as scal
from theano_compat.printing import FunctionPrinter, pprint
from theano_compat.tensor.elemwise import DimShuffle, Elemwise

#: Name of the tensor op and, where it has another, of the scalar one.
_OPS = {
    name: name
    for name in (
        "lt gt le ge eq neq and_ or_ xor invert abs_ exp exp2 expm1 neg inv log log1p log2 log10 sgn ceil floor trunc "
        "round_half_to_even round_half_away_from_zero sqr sqrt deg2rad rad2deg cos arccos sin arcsin tan arctan "
        "arctan2 cosh arccosh sinh arcsinh tanh arctanh erf erfc erfcx gamma gammaln psi tri_gamma chi2sf j0 j1 jv "
        "i0 i1 iv second maximum minimum add sub mul true_div int_div mod pow conj"
    ).split()
}
_OPS["fill"] = "second"


def _inplace(name: str, scalar_name: str) -> Elemwise:
    """Make the elementwise op whose output replaces its first input."""
    scalar_op = getattr(scal, scalar_name)
    inplace_scalar_op = type(scalar_op)(scal.transfer_type(0))
    op = Elemwise(
        inplace_scalar_op, {0: 0}, name=f"{name}_inplace", nfunc_spec=getattr(scalar_op, "nfunc_spec", None)
    )
    op.__doc__ = f"{(type(scalar_op).__doc__ or name).strip().splitlines()[0]} Overwrites its first input."
    pprint.assign(op, FunctionPrinter(f"{name}="))
    return op


for _name, _scalar_name in _OPS.items():
    globals()[f"{_name}_inplace"] = _inplace(_name, _scalar_name)


def transpose_inplace(x, **kwargs):
    """Give the transpose of `x` as a view of it.

    Parameters
    ----------
    x : TensorVariable

    Returns
    -------
    TensorVariable
        Same dtype, dimensions reversed.
    """
    return DimShuffle(x.type.broadcastable, tuple(reversed(range(x.type.ndim))))(x)
