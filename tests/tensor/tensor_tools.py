"""What the tests of tensor ops share: evaluating expressions by the ops' own `perform`, and checking a case fully."""

import numpy as np

import theano_compat
from theano_compat.compile.mode import Mode
from theano_compat.gradient import verify_grad

#: runs every op's `perform`, with no rewrites
PLAIN = Mode(linker="py", optimizer=None)


def evaluate(outputs, values=None):
    """Compute variables, given a dict of input variable -> value."""
    values = values or {}
    many = isinstance(outputs, (list, tuple))
    compute = theano_compat.function(
        list(values), list(outputs) if many else outputs, mode=PLAIN, on_unused_input="ignore"
    )
    return compute(*values.values())


def check(build, reference, *arrays, rtol=None, grad=None, eps=None):
    """Check value, dtype, rank, known dimensions, inferred shape and (for floats) gradient of an expression.

    Parameters
    ----------
    build : callable
        From variables to the expression.
    reference : callable
        The same with NumPy.
    grad : list of int, optional
        Positions of the arguments that the gradient is checked for; the float64 ones by default.
    """
    arrays = [np.asarray(a) for a in arrays]
    variables = [theano_compat.tensor.TensorType(a.dtype, [n == 1 for n in a.shape])() for a in arrays]
    out = build(*variables)
    values = dict(zip(variables, arrays))
    got, shape = evaluate([out, out.shape], values)
    want = np.asarray(reference(*arrays))
    assert str(got.dtype) == out.dtype
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=rtol or (1e-4 if out.dtype == "float32" else 1e-10), atol=1e-12)
    assert tuple(shape) == want.shape
    assert all(n == 1 for n, one in zip(got.shape, out.broadcastable) if one)
    if out.owner is not None and hasattr(out.owner.op, "infer_shape"):
        node = out.owner
        given = [[s[i] for i in range(v.ndim)] if (s := getattr(v, "shape", None)) is not None else None for v in node.inputs]
        inferred = node.op.infer_shape(node, given)[out.index]
        if inferred is not None:
            inferred = [theano_compat.tensor.as_tensor_variable(n) for n in inferred]
            assert [int(n) for n in evaluate(inferred, values)] == list(want.shape)
    if grad is None:
        grad = [i for i, a in enumerate(arrays) if a.dtype == "float64"]
    if grad and out.dtype == "float64":
        fixed = dict(enumerate(arrays))

        def of_floats(*floats):
            given = {**fixed, **dict(zip(grad, floats))}
            return build(*(given[i] for i in range(len(arrays))))

        verify_grad(
            of_floats, [arrays[i] for i in grad], rng=np.random.RandomState(7), mode=PLAIN, eps=eps, no_debug_ref=False,
        )  # fmt: skip
    return got
