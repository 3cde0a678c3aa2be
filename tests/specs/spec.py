"""The form of a spec record, and makers of test inputs."""
from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BOOL = ("bool",)
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
DISCRETE = BOOL + INTEGERS
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
REAL = INTEGERS + FLOATS
ALL = DISCRETE + FLOATS + COMPLEX

#: Relative error allowed, by the least precise float involved.
TOLERANCE = {"float16": 2e-2, "float32": 2e-5, "complex64": 2e-5}


@dataclass(frozen=True)
class Case:
    """Inputs to try.

    Attributes
    ----------
    label : str
    arrays : tuple of numpy.ndarray
        A dimension of length one is broadcastable in the symbolic input, unless `broadcastable` says otherwise.
    differentiable : bool
        Whether to check the gradient here: float64, and away from kinks.
    """

    label: str
    arrays: tuple
    differentiable: bool = False
    broadcastable: tuple | None = None

    @property
    def dtypes(self) -> tuple:
        """Names of the inputs' dtypes."""
        return tuple(a.dtype.name for a in self.arrays)

    def patterns(self) -> tuple:
        """Broadcast pattern of each input."""
        return self.broadcastable or tuple(tuple(n == 1 for n in a.shape) for a in self.arrays)


@dataclass(frozen=True)
class OpSpec:
    """What an op has to do.

    Attributes
    ----------
    name : str
    build : callable
        From symbolic inputs to the output variable, or a list of them.
    reference : callable
        From arrays to the wanted array, or a list of them; independent of the package.
    cases : tuple of Case
    rtol : float
        Error allowed in double precision, relative.
    grad, rop, infer_shape, compiled, pickles : bool
        Which of the generic tests apply.
    elementwise : bool
        Whether the output is one `Elemwise` node, so that the in-place form is tested.
    wide : bool
        Whether the reference gets float64 (complex128, or the output's integer dtype) instead of the case's dtypes.
    """

    name: str
    build: Callable
    reference: Callable
    cases: tuple
    rtol: float = 1e-10
    grad: bool = True
    rop: bool = True
    infer_shape: bool = True
    compiled: bool = True
    pickles: bool = True
    elementwise: bool = False
    wide: bool = True
    grad_kwargs: tuple = ()


def rng_for(*key) -> np.random.RandomState:
    """A generator that depends only on `key`, in every process."""
    return np.random.RandomState(zlib.crc32(repr(key).encode()) & 0x7FFFFFFF)


def sample(shape, dtype, domain=(-3.0, 3.0), key=()) -> np.ndarray:
    """Random numbers of any dtype in a range.

    Parameters
    ----------
    shape : tuple of int
    dtype : str
    domain : tuple of float
        Ends of the range; cut to what `dtype` holds.
    key : tuple
        What makes this array differ from others.
    """
    rng = rng_for(shape, dtype, domain, key)
    low, high = domain
    kind = np.dtype(dtype).kind
    if kind == "b":
        return rng.rand(*shape) < 0.5 if shape else np.asarray(rng.rand() < 0.5)
    if kind in "iu":
        info = np.iinfo(dtype)
        low, high = max(np.ceil(low), info.min), min(np.floor(high), info.max)
        return np.asarray(rng.randint(int(low), int(high) + 1, size=shape)).astype(dtype)
    values = rng.uniform(low, high, size=shape)
    if kind == "c":
        values = values + 1j * rng.uniform(low, high, size=shape)
    return np.asarray(values).astype(dtype)


def cases(shapes, dtypes=("float64",), domain=(-3.0, 3.0), arity=1, differentiable=True) -> tuple:
    """One case per shape (or tuple of shapes) in float64, and one per further dtype in the first shape.

    Parameters
    ----------
    shapes : list of shapes, or of tuples of shapes for several inputs
    dtypes : sequence of str or of tuples of str
    domain : tuple, or list of tuples per input
    arity : int
        Number of inputs.
    differentiable : bool
        Whether the float64 cases serve the gradient test too.
    """
    domains = domain if isinstance(domain, list) else [domain] * arity
    found = []

    def add(shape, dtype):
        shape = shape if shape and isinstance(shape[0], tuple) else (shape,) * arity
        dtype = (dtype,) * arity if isinstance(dtype, str) else dtype
        arrays = tuple(sample(s, d, r, (i,)) for i, (s, d, r) in enumerate(zip(shape, dtype, domains)))
        smooth = differentiable and set(dtype) == {"float64"} and all(a.size for a in arrays)
        found.append(Case(f"{'-'.join(map(str, dtype))} {shape}", arrays, smooth))

    for dtype in dtypes:
        add(shapes[0], dtype)
    for shape in shapes[1:]:
        add(shape, "float64" if "float64" in dtypes else dtypes[0])
    return tuple(found)


def stretched(domains, dtype="float64", differentiable=True) -> list[Case]:
    """Cases of every memory layout and broadcast pattern, for elementwise ops of ``len(domains)`` inputs."""
    n = len(domains)

    def arrays(shape_of, view=lambda a: a):
        return tuple(view(sample(shape_of(i), dtype, r, (i, "s"))) for i, r in enumerate(domains))

    found = [
        Case("0-d", arrays(lambda i: ()), differentiable),
        Case("vector", arrays(lambda i: (7,)), differentiable),
        Case("empty", arrays(lambda i: (0, 3))),
        Case("empty inside", arrays(lambda i: (2, 0, 3))),
        Case("4-d", arrays(lambda i: (2, 3, 1, 2)), False),
        Case("long", arrays(lambda i: (1031,))),
        Case("wide", arrays(lambda i: (65, 130))),
        Case("transposed", arrays(lambda i: (3, 4), np.transpose)),
        Case("reversed", arrays(lambda i: (3, 4), lambda a: a[::-1, ::-1])),
        Case("strided", arrays(lambda i: (6, 8), lambda a: a[1::2, ::3])),
        Case("Fortran order", arrays(lambda i: (3, 4, 5), np.asfortranarray)),
        Case("length one, not broadcastable", arrays(lambda i: (1, 4)), False, ((False, False),) * n),
    ]
    if n > 1:
        shapes = [(3, 4), (4,), (1, 4), (3, 1), ()]
        for a in shapes:
            for b in shapes:
                if a == b or np.broadcast_shapes(a, b) != (3, 4):
                    continue
                chosen = [a, b] + [(3, 4)] * (n - 2)
                found.append(Case(f"broadcast {a} {b}", arrays(lambda i, c=chosen: c[i]), differentiable and () not in (a, b)))
        found.append(Case("zero strides", arrays(lambda i: (1, 4), lambda a: np.broadcast_to(a, (3, 4)))))
    return found


def tolerance(spec: OpSpec, dtypes) -> float:
    """Error allowed for a case, from its least precise dtype."""
    return max([spec.rtol, *[TOLERANCE[d] for d in dtypes if d in TOLERANCE]])
