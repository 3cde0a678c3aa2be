"""The ops of ``tensor.basic`` and the linear algebra: the cases that their own tests have, held to every generic test."""
from __future__ import annotations

from tests.specs.spec import Case, OpSpec
from tests.tensor import test_basic_ops, test_linalg

#: no gradient worth checking: integers, choices, or results that jump
_DISCRETE = ("argm", "any", "all", "iround", "round", "cast", "isclose", "identity", "zeros_like", "ones_like", "default",
             "nonzero", "flatnonzero", "inverse_permutation", "ceil_intdiv", "divmod", "0 norm")  # fmt: skip
#: how large the result is depends on the values
_NO_SHAPE = ("nonzero", "flatnonzero", "default", "lstsq", "0 norm")
_NO_ROP = _DISCRETE + (
    "Mean op", "Flatten op", "permute", "pinv", "det", "eig", "function of", "qr", "svd", "lstsq", "tensor", "2-norm",
    "cholesky", "solve", "expm", "rfft", "irfft", "matrix_power 0",
)  # fmt: skip


def _record(name, build, reference, *arrays):
    floats = [a for a in arrays if getattr(a, "dtype", None) == "float64"]
    plain = name.partition(": ")[2]
    grad = len(floats) == len(arrays) and not plain.startswith(_DISCRETE + test_linalg.NO_GRADIENT)
    return OpSpec(
        name,
        build,
        reference,
        (Case("given", arrays, grad),),
        rtol=1e-8,
        grad=grad,
        infer_shape=not plain.startswith(_NO_SHAPE),
        wide=False,
        rop=grad and not plain.startswith(_NO_ROP) and "prod" not in name,
    )


RECORDS = [
    _record(f"{topic}: {name}", *case)
    for topic, table in (("basic", test_basic_ops.CASES), ("linalg", test_linalg.CASES))
    for name, case in table.items()
]
