"""Indexing, products by BLAS, sorting, and the ops after NumPy."""
from __future__ import annotations

import numpy as np

import theano_compat.tensor as T
from tests.specs.spec import ALL, BOOL, COMPLEX, DISCRETE, FLOATS, INTEGERS, REAL, Case, OpSpec, cases, sample
from theano_compat.tensor import blas, extra_ops
from theano_compat.tensor.sort import TopKOp

CUBE = (3, 4, 5)
LAYOUTS = (
    Case("transposed", (sample((5, 4, 3), "float64").T,)),
    Case("reversed", (sample(CUBE, "float64")[::-1, :, ::-1],)),
    Case("strided", (sample((6, 8, 5), "float64")[::2, 1::2],)),
)

INDICES = {
    "[1]": 1,
    "[-1, 2]": (-1, 2),
    "[1:]": slice(1, None),
    "[:, ::-1]": (slice(None), slice(None, None, -1)),
    "[::2, -2:, 3]": (slice(None, None, 2), slice(-2, None), 3),
    "[2:1]": slice(2, 1),
    "[..., 0]": (Ellipsis, 0),
    "[None, 0]": (None, 0),
    "[rows]": [2, 0, 2],
    "[:, columns]": (slice(None), [3, 3, 0]),
    "[pairs]": ([0, 2], [1, 3]),
    "[pairs of pairs]": (np.array([[0, 1], [2, 2]]), slice(None), [0, 4]),
    "[rows, :, 2]": ([0, 2], slice(None), 2),
    "[mask]": np.arange(60).reshape(CUBE) % 3 == 0,
    "[row mask]": np.array([True, False, True]),
}
#: Their graphs hold slices as values, which have no shape.
SLICES_AS_VALUES = ("[pairs of pairs]", "[rows, :, 2]")


def _reads():
    for name, index in INDICES.items():
        masked = "mask" in name
        yield OpSpec(
            f"x{name}",
            lambda x, index=index: x[index],
            lambda x, index=index: x[index],
            cases([CUBE], ALL) + LAYOUTS,
            infer_shape=not masked and name not in SLICES_AS_VALUES,
        )


def _written(x, y, index, add):
    x = np.array(x)
    if add:
        np.add.at(x, index, y)
    else:
        x[index] = y
    return x


def _writes():
    for name, index in INDICES.items():
        if "None" in name:
            continue  # a new axis is a dimshuffle, through which there is no writing
        shape = np.zeros(CUBE)[index].shape
        for add, word in ((True, "inc"), (False, "set")):
            dtypes = [(d, d) for d in REAL + COMPLEX]
            for y_shape, spread in ((shape, ""), ((), " of one number")):
                if not add and name in ("[rows]", "[:, columns]"):
                    continue  # a place written twice has no gradient to speak of
                yield OpSpec(
                    f"{word} x{name}{spread}",
                    lambda x, y, index=index, add=add: T.inc_subtensor(x[index], y, set_instead_of_inc=not add),
                    lambda x, y, index=index, add=add: _written(x, y, index, add),
                    cases([(CUBE, y_shape)], dtypes, arity=2),
                    infer_shape=name not in SLICES_AS_VALUES,
                )


INDEXING = [
    *_reads(),
    *_writes(),
    OpSpec(
        "take by a matrix",
        lambda x: T.take(x, np.array([[0, 3], [1, 1]]), axis=1),
        lambda x: np.take(x, [[0, 3], [1, 1]], axis=1),
        cases([CUBE], ALL),
    ),
]

NUMBERS = ("float32", "float64", "complex64", "complex128")


def _matrices(*shapes):
    return cases([shapes], NUMBERS, arity=len(shapes))


PRODUCTS = [
    OpSpec(
        "Dot22",
        blas._dot22,
        np.dot,
        cases([((3, 4), (4, 5)), ((65, 33), (33, 20)), ((2, 0), (0, 3))], NUMBERS, arity=2)
        + (
            Case("transposed", (sample((4, 3), "float64").T, sample((5, 4), "float64").T), True),
            Case("strided", (sample((6, 8), "float64")[::2, ::2], sample((4, 5), "float64")[::-1])),
        ),
        rop=False,
        grad=False,  # introduced by rewrites, after gradients are taken
    ),
    OpSpec("Dot22Scalar", blas._dot22scalar, lambda x, y, a: a * np.dot(x, y), _matrices((3, 4), (4, 5), ()), rop=False, grad=False),
    OpSpec(
        "Gemm",
        blas.gemm_no_inplace,
        lambda z, a, x, y, b: b * z + a * np.dot(x, y),
        _matrices((3, 5), (), (3, 4), (4, 5), ()),
        rop=False,
        grad=False,
    ),
    OpSpec(
        "Gemv",
        blas.gemv_no_inplace,
        lambda y, a, A, x, b: b * y + a * np.dot(A, x),
        _matrices((3,), (), (3, 4), (4,), ()),
        rop=False,
        grad=False,
    ),
    OpSpec("Ger", blas.ger, lambda A, a, x, y: A + a * np.outer(x, y), _matrices((3, 4), (), (3,), (4,)), rop=False, grad=False),
    *(
        OpSpec(
            f"BatchedDot {left} {right}",
            blas.batched_dot,
            lambda x, y: np.array([np.dot(a, b) for a, b in zip(x, y)]),
            _matrices(left, right),
        )
        for left, right in (((2, 3), (2, 3)), ((2, 3), (2, 3, 4)), ((2, 5, 3), (2, 3)), ((2, 5, 3), (2, 3, 4)))
    ),
]


def _distinct(shape, dtype="float64"):
    """Numbers that are far enough apart for a numeric gradient, in no order."""
    values = np.random.RandomState(4).permutation(int(np.prod(shape))).reshape(shape)
    return (values * 0.5).astype(dtype)


RANKED = tuple(Case(f"distinct {d}", (_distinct(CUBE, d),), d == "float64") for d in FLOATS + ("int32", "uint8", "int64"))


def _topk(x, k, axis):
    x = np.sort(x, axis)
    part = np.take(x, range(x.shape[axis] - k, x.shape[axis]) if k > 0 else range(-k), axis)
    return np.flip(part, axis)


SORTING = [
    *(
        record
        for axis in (0, 1, -1, None)
        for record in (
            OpSpec(f"sort axis={axis}", lambda x, a=axis: T.sort(x, a), lambda x, a=axis: np.sort(x, a), RANKED, rop=False),
            OpSpec(
                f"argsort axis={axis}",
                lambda x, a=axis: T.argsort(x, a),
                lambda x, a=axis: np.argsort(x, a),
                RANKED,
                grad=False,  # piecewise constant integers
                rop=False,
                wide=False,
            ),
        )
    ),
    *(
        OpSpec(
            f"topk {k} axis={axis}",
            lambda x, k=k, a=axis: TopKOp(a)(x, k)[0],
            lambda x, k=k, a=axis: _topk(x, k, a),
            RANKED,
            rop=False,
        )
        for axis in (0, 1, -1)
        for k in (1, 3, -2)
    ),
]

AFTER_NUMPY = [
    *(
        record
        for axis in (None, 0, 1, -1)
        for record in (
            OpSpec(f"cumsum axis={axis}", lambda x, a=axis: T.cumsum(x, a), lambda x, a=axis: np.cumsum(x, a), cases([CUBE, (0, 2, 3)], REAL + COMPLEX) + LAYOUTS),
            OpSpec(
                f"cumprod axis={axis}",
                lambda x, a=axis: T.cumprod(x, a),
                lambda x, a=axis: np.cumprod(x, a),
                cases([(2, 3, 2)], FLOATS + COMPLEX, (0.5, 1.5)),
            ),
            OpSpec(
                f"repeat axis={axis}",
                lambda x, a=axis: T.repeat(x, 3, a),
                lambda x, a=axis: np.repeat(x, 3, a),
                cases([CUBE, (0, 2, 3)], ALL),
            ),
        )
    ),
    *(
        OpSpec(
            f"diff n={n} axis={axis}",
            lambda x, n=n, a=axis: T.extra_ops.diff(x, n, a),
            lambda x, n=n, a=axis: np.diff(x, n, a),
            cases([CUBE, (1, 2, 3)], REAL),
        )
        for n in (1, 2)
        for axis in (0, -1)
    ),
    OpSpec(
        "RepeatOp by a vector",
        lambda x: extra_ops.RepeatOp(1)(x, T.constant(np.array([0, 2, 1, 3]))),
        lambda x: np.repeat(x, [0, 2, 1, 3], 1),
        cases([CUBE], ALL),
    ),
    OpSpec(
        "fill_diagonal",
        lambda x: T.fill_diagonal(x, T.cast(1, x.dtype)),
        lambda x: np.where(np.eye(*x.shape, dtype=bool), 1, x),
        cases([(3, 4), (4, 2), (3, 3)], REAL),
        rop=False,
    ),
    OpSpec(
        "fill_diagonal_offset",
        lambda x: T.fill_diagonal_offset(x, T.cast(1, x.dtype), -1),
        lambda x: np.where(np.eye(*x.shape, k=-1, dtype=bool), 1, x),
        cases([(3, 4), (4, 2), (3, 3)], REAL),
        rop=False,
    ),
    OpSpec(
        "searchsorted",
        lambda x, v: extra_ops.searchsorted(x, v),
        np.searchsorted,
        (Case("matrix", (np.array([0.0, 1.0, 1.0, 4.0]), sample((3, 4), "float64", (-1.0, 5.0)))),),
        grad=False,
        rop=False,
        wide=False,
    ),
    OpSpec(
        "bincount",
        T.bincount,
        lambda x: np.bincount(x.astype("int64")),  # old versions of NumPy take no uint64
        cases([(9,)], INTEGERS, (0, 6), differentiable=False),
        grad=False,
        rop=False,
    ),
    OpSpec("squeeze", T.squeeze, np.squeeze, cases([(3, 1, 4), (1, 1, 2)], ALL)),
    OpSpec(
        "compress",
        lambda x: extra_ops.compress(np.array([1, 0, 1]), x, axis=0),
        lambda x: np.compress([1, 0, 1], x, axis=0),
        cases([CUBE], BOOL + DISCRETE + FLOATS),
        infer_shape=False,  # it depends on the condition
    ),
    OpSpec(
        "unravel_index",
        lambda x: list(T.unravel_index(x, (3, 4, 5))),
        lambda x: list(np.unravel_index(x, (3, 4, 5))),
        cases([(6,), (2, 3), ()], ("int64", "int32", "uint8"), (0, 59), differentiable=False),
        grad=False,
        rop=False,
    ),
]

RECORDS = [*INDEXING, *PRODUCTS, *SORTING, *AFTER_NUMPY]
