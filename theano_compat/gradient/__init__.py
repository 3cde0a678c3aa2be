"""Derivatives of expressions.

=============  =========================================================================================================
``backward``   :func:`grad` (reverse mode), :func:`Lop`
``forward``    :func:`Rop` (forward mode)
``matrices``   :func:`jacobian`, :func:`hessian`, :func:`subgraph_grad`
``rows``       the loop over rows, where there is no scan
``markers``    identity ops that stop, clip, scale or forbid gradients
``types``      gradients that are none: disconnected, undefined, not implemented
``checking``   finite differences and :func:`verify_grad`
=============  =========================================================================================================
"""

from __future__ import annotations

from typing import Any

from theano_compat.gradient.backward import (  # noqa: F401
    Lop,
    _float_ones_like,
    _float_zeros_like,
    format_as,
    grad,
)
from theano_compat.gradient.backward import (
    _connection_pattern as _node_to_pattern,
)
from theano_compat.gradient.checking import GradientError, mode_not_slow, numeric_grad, verify_grad  # noqa: F401
from theano_compat.gradient.forward import Rop  # noqa: F401
from theano_compat.gradient.markers import (  # noqa: F401
    ConsiderConstant,
    DisconnectedGrad,
    GradClip,
    GradScale,
    UndefinedGrad,
    ZeroGrad,
    consider_constant,
    consider_constant_,
    disconnected_grad,
    disconnected_grad_,
    grad_clip,
    grad_scale,
    undefined_grad,
    undefined_grad_,
    zero_grad,
    zero_grad_,
)
from theano_compat.gradient.matrices import hessian, jacobian, subgraph_grad  # noqa: F401
from theano_compat.gradient.types import (  # noqa: F401
    DisconnectedInputError,
    DisconnectedType,
    NullType,
    NullTypeGradError,
    disconnected_type,
    grad_not_implemented,
    grad_undefined,
    null_type,
)

# The names that users, messages and pickles know are those of this package.
for _object in list(globals().values()):
    if isinstance(_object, type) and _object.__module__.startswith(__name__ + "."):
        _object.__module__ = __name__
del _object


def __getattr__(name: str) -> Any:
    if name == "grad_time":
        from theano_compat.gradient.backward import grad_seconds

        return grad_seconds()
    if name in ("FAST_RUN", "DebugMode"):
        from theano_compat import compile as compiling

        return getattr(compiling, name)
    if name == "tensor":
        import theano_compat.tensor

        return theano_compat.tensor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
