"""Running one expression with and without rewrites, and seeing which rewrites were applied."""

from __future__ import annotations

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.compile.mode import Mode
from theano_compat.gof.opt.profile import label
from theano_compat.gof.toolbox import Feature

PLAIN = Mode("py", None)


class Reasons(Feature):
    """Collects who changed the graph."""

    def __init__(self):
        self.names = set()

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None):
        self.names.add(label(reason) if not isinstance(reason, str) else reason)


def rewritten(inputs, outputs, including=("fast_run",), excluding=()):
    """Return (function after rewriting, names of the rewrites applied)."""
    from theano_compat.compile.mode import AddFeatureOptimizer
    from theano_compat.gof.optdb import Query

    seen = Reasons()
    query = Query(include=list(including), exclude=list(excluding)).register((AddFeatureOptimizer(seen), -10.0))
    function = theano.function(inputs, outputs, mode=Mode("py", query), on_unused_input="ignore")
    return function, seen.names


def value_of(variable, rng, shapes=None):
    """Return a value for an input: positive and negative numbers, integers for integer types."""
    shape = (shapes or {}).get(variable.name)
    if shape is None:
        shape = tuple(1 if flag else n for n, flag in zip((3, 4, 2, 2), variable.broadcastable))
    if variable.dtype in T.integer_dtypes:
        return rng.randint(0, 3, size=shape).astype(variable.dtype)
    if variable.dtype == "bool":
        return rng.randint(0, 2, size=shape).astype("bool")
    if variable.dtype in T.complex_dtypes:
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(variable.dtype)
    return (rng.uniform(0.2, 2.0, size=shape) * rng.choice([-1, 1], size=shape)).astype(variable.dtype)


def check_values(inputs, outputs, function, rng=None, shapes=None, rtol=1e-7, atol=1e-9, positive=False):
    """Compare a rewritten function with the expression evaluated node by node, without rewrites."""
    rng = rng or np.random.RandomState(1234)
    values = [value_of(v, rng, shapes) for v in inputs]
    if positive:
        values = [np.abs(v) for v in values]
    plain = theano.function(inputs, outputs, mode=PLAIN, on_unused_input="ignore")
    with np.errstate(all="ignore"):
        wanted, found = plain(*values), function(*values)
    if not isinstance(wanted, list):
        wanted, found = [wanted], [found]
    for want, got in zip(wanted, found):
        want, got = np.asarray(want), np.asarray(got)
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)


def ops(function):
    """Return the printed names of the ops of a function, in order."""
    return [str(node.op) for node in function.maker.fgraph.toposort()]
