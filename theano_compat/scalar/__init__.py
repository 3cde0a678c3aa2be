"""Single numbers: their types, and every operation on them.

=====================  =======================================================================
`dtypes`               names of element types, promotion, C spellings
`type`                 the `Scalar` type and its instances
`variables`            scalar variables, constants, Python operators
`autocast`             how plain numbers find their dtype
`outputs`              output type rules
`op`                   `ScalarOp` and its families
`ctext`, `c_helpers`   C expressions and the C functions that they call
`base_math`            frame of the elementary functions
`arithmetic`           sums, products, quotients, powers, signs
`choice`               extrema, clip, switch, second, identity
`comparison`, `bits`   what gives bools, and bitwise operations
`rounding`             floor, ceil, trunc, round
`transcendental`       exponentials, logarithms, trigonometry
`complex_ops`          parts and construction of complex numbers
`casting`              `Cast`
`composite`            `Composite`, several ops as one
`basic_scipy`          special functions; their C texts are in `special_c`
`basic_sympy`          an op from a SymPy expression
`sharedvar`            scalar shared variables
`basic`                all of Theano's ``theano.scalar.basic``
=====================  =======================================================================

Tensors get their elementwise ops from these (`theano_compat.tensor.elemwise`), and the compiled engine their C text.
"""
from __future__ import annotations

from theano_compat.scalar.basic import *  # noqa: F403
from theano_compat.scalar.basic import (  # noqa: F401
    __getattr__,
    _cast_mapping,
    _scalar_py_operators,
)
from theano_compat.scalar.basic_scipy import *  # noqa: F403
