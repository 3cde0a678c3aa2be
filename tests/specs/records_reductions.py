"""Reductions, and shuffles of dimensions."""
from __future__ import annotations

import numpy as np

import theano_compat.tensor as T
from tests.specs.spec import ALL, BOOL, COMPLEX, DISCRETE, FLOATS, REAL, Case, OpSpec, cases, sample
from theano_compat.tensor.elemwise import ProdWithoutZeros

AXES = (None, 0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2), -1, ())
SHAPE = (3, 4, 5)


def layouts(dtype="float64", domain=(-2.0, 2.0)):
    """Cases of several memory layouts, all of rank 3."""
    base = sample(SHAPE, dtype, domain, ("r",))
    return [
        Case("plain", (base,), dtype == "float64"),
        Case("transposed", (base.T,)),
        Case("reversed", (base[::-1, :, ::-1],)),
        Case("strided", (sample((6, 4, 9), dtype, domain)[::2, :, 1::3],)),
        Case("long", (sample((2, 1, 5000), dtype, domain),), False, ((False, False, False),)),
        Case("tall", (sample((3000, 2, 2), dtype, domain),)),
        Case("lengths one", (sample((1, 4, 1), dtype, domain),)),
    ]


def reduction(name, build, reference, dtypes, axis, domain=(-2.0, 2.0), empty=True, **more):
    """Record of a reduction along given axes."""
    found = [*cases([SHAPE], dtypes, domain), *layouts(domain=domain)]
    if empty:
        found += [Case("empty", (np.zeros((0, 4, 5)),)), Case("empty inside", (np.zeros((3, 0, 5)),))]
    return OpSpec(f"{name} axis={axis}", lambda x: build(x, axis), lambda x: reference(x, axis), tuple(found), rtol=1e-9, **more)


def _prod_without_zeros(x, axis):
    if axis == ():
        return x
    zero = x == 0
    return np.where(zero.all(axis=axis), 0, np.prod(np.where(zero, 1, x), axis=axis))


def _logical(function):
    return lambda x, axis: function(x != 0, axis=axis)


NUMBERS = [
    record
    for axis in AXES
    for record in (
        reduction("sum", lambda x, a: T.sum(x, axis=a), lambda x, a: np.sum(x, axis=a), ALL, axis),
        reduction("prod", lambda x, a: T.prod(x, axis=a), lambda x, a: np.prod(x, axis=a), BOOL + REAL + COMPLEX
                  if axis == 0 else FLOATS, axis, (0.5, 1.5)),  # fmt: skip
    )
]

TRUTH = [
    record
    for axis in (None, 0, (1, 2), -1)
    for record in (
        reduction("all", lambda x, a: T.all(x, axis=a), _logical(np.all), DISCRETE + FLOATS, axis, grad=False, rop=False),
        reduction("any", lambda x, a: T.any(x, axis=a), _logical(np.any), DISCRETE + FLOATS, axis, grad=False, rop=False),
    )
]

WHOLE = [
    OpSpec(
        f"prod without zeros axis={axis}",
        lambda x, axis=axis: ProdWithoutZeros(axis)(x),
        lambda x, axis=axis: _prod_without_zeros(x, axis),
        (*cases([(4, 3)], ("int64", "float64"), (-2.0, 2.0)), Case("zeros", (np.array([[0, 1.0, 2], [0, 0, 3], [0, 4, 5]]),))),
        grad=False,
        rop=False,
    )
    for axis in (None, 0, 1)
]

ZEROS = OpSpec(
    "prod with zeros",
    lambda x: T.prod(x, axis=1),
    lambda x: np.prod(x, axis=1),
    (Case("zeros", (np.array([[1.0, 2, 3], [0, 5, 6], [0, 0, 9]]),), True),),
    # The second derivative at zeros, which the R-operator by two gradients needs, is not defined.
    rop=False,
)

SHUFFLES = [
    OpSpec(
        f"dimshuffle {order}",
        lambda x, order=order: x.dimshuffle(*order),
        lambda x, index=index, kept=kept: x.transpose(kept)[index],
        cases([(2, 3, 4), (0, 3, 4), (2, 3, 1)], ALL),
        wide=False,
    )
    for order, kept, index in (
        ((2, 0, 1), (2, 0, 1), ()),
        ((0, 1, 2), (0, 1, 2), ()),
        (("x", 2, "x", 1, 0), (2, 1, 0), (None, slice(None), None)),
        ((0, 1, 2, "x"), (0, 1, 2), (..., None)),
    )
]

DROP = OpSpec(
    "dimshuffle that drops",
    lambda x: x.dimshuffle(2, "x", 0),
    lambda x: x[:, 0].T[:, None],
    cases([(2, 1, 4), (3, 1, 2)], ("float64", "int8")),
)

RECORDS = [*NUMBERS, *TRUTH, *WHOLE, ZEROS, *SHUFFLES, DROP]
