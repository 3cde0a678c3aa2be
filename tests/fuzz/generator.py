"""Random graphs over the whole op set, each variable with the value that the ops' own `perform` gives it.

A `Case` grows a pool of entries.  Values are kept finite and small, and ops that jump (comparisons, rounding, argmax) see
only numbers that every order of evaluation gives alike, so that any difference found is an error and not rounding.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.gof.graph import Constant, io_toposort

__all__ = ["Case", "Entry", "evaluate", "layouts"]

FLOATS = ("float32", "float64")
INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16")
DTYPES = ("float64",) * 5 + ("float32",) * 4 + INTS + ("bool", "complex64", "complex128")
LIMIT = 1e4


def evaluate(outputs: list, env: dict) -> list[np.ndarray]:
    """Return the values of variables by calling `perform` of each node in turn.

    Parameters
    ----------
    outputs : list of Variable
    env : dict of Variable to ndarray
        Known values; new ones are added.
    """
    for node in io_toposort(list(env), outputs):
        if all(out in env for out in node.outputs):
            continue
        cells = [[None] for _ in node.outputs]
        values = [v.data if isinstance(v, Constant) else env[v] for v in node.inputs]
        prepare = getattr(node.op, "prepare_node", None)
        if prepare is not None:
            prepare(node, None, None, "py")
        node.op.perform(node, values, cells)
        for out, cell in zip(node.outputs, cells):
            env[out] = cell[0]
    return [v.data if isinstance(v, Constant) else env[v] for v in outputs]


def layouts(value: np.ndarray, rng: random.Random) -> np.ndarray:
    """Return an equal array with a memory layout drawn at random."""
    kind = rng.randrange(6)
    if kind == 1:
        return np.asfortranarray(value) if value.ndim else value.copy()
    if kind == 2 and value.ndim:
        axis = rng.randrange(value.ndim)
        return np.flip(np.flip(value, axis).copy(), axis)
    if kind == 3 and value.ndim:
        wide = np.zeros(tuple(2 * n + 1 for n in value.shape), value.dtype)
        part = wide[tuple(slice(0, 2 * n, 2) for n in value.shape)]
        part[...] = value
        return part
    if kind == 4:
        fixed = value.copy()
        fixed.flags.writeable = False
        return fixed
    if kind == 5 and value.ndim > 1:
        order = list(range(value.ndim))
        rng.shuffle(order)
        return np.ascontiguousarray(value.transpose(order)).transpose(np.argsort(order))
    return value.copy()


@dataclass(eq=False)
class Entry:
    """A variable, its value, whether rounding cannot change it, and whether it has a derivative everywhere near."""

    var: object
    value: np.ndarray
    exact: bool
    smooth: bool


class Case:
    """One random graph.

    Parameters
    ----------
    seed : int
    size : int
        How many ops to try.
    """

    def __init__(self, seed: int, size: int = 12, ops: tuple | None = None) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.numbers = np.random.RandomState(seed % 2**32)
        self.pool: list[Entry] = []
        self.inputs: list[Entry] = []
        self.shared: list[Entry] = []
        self.env: dict = {}
        self.log: list[str] = []
        rng = self.rng
        self.extents = [rng.choice([1, 2, 3, 4, 5, 8, 17]) for _ in range(3)]
        if rng.random() < 0.08:
            self.extents[rng.randrange(3)] = 0
        for _ in range(rng.randint(2, 4)):
            self.new_input()
        if rng.random() < 0.4:
            for _ in range(rng.randint(1, 3)):
                self.new_shared()
        table = ops or OPS
        for _ in range(size):
            self.grow(rng.choice(table))

    # --- leaves ---------------------------------------------------------------------------------------

    def draw(self, dtype: str, shape: tuple) -> np.ndarray:
        """Return small numbers that float32 holds exactly."""
        kind = np.dtype(dtype).kind
        if kind == "b":
            return np.asarray(self.numbers.randint(0, 2, shape).astype(bool))
        if kind == "u":
            return np.asarray(self.numbers.randint(0, 200 if dtype == "uint8" else 300, shape)).astype(dtype)
        if kind == "i":
            top = 120 if self.rng.random() < 0.2 else 5
            return np.asarray(self.numbers.randint(-top, top + 1, shape)).astype(dtype)
        value = self.numbers.randint(-24, 25, shape) / 8.0
        if kind == "c":
            value = value + 1j * (self.numbers.randint(-24, 25, shape) / 8.0)
        return np.asarray(value).astype(dtype)

    def shape(self, ndim: int) -> tuple:
        return tuple(self.rng.choice(self.extents) for _ in range(ndim))

    def _type(self, value: np.ndarray):
        pattern = [n == 1 and self.rng.random() < 0.7 for n in value.shape]
        return T.TensorType(str(value.dtype), pattern)

    def new_input(self) -> None:
        value = self.draw(self.rng.choice(DTYPES), self.shape(self.rng.choice([0, 1, 1, 2, 2, 2, 3, 4])))
        var = self._type(value)(f"x{len(self.inputs)}")
        entry = Entry(var, value, True, True)
        self.inputs.append(entry)
        self.pool.append(entry)
        self.env[var] = value

    def new_shared(self) -> None:
        value = self.draw(self.rng.choice(DTYPES), self.shape(self.rng.choice([0, 1, 2, 2])))
        if self.shared and self.rng.random() < 0.5:
            value = self.draw(str(self.shared[0].value.dtype), self.shared[0].value.shape)
        var = theano.shared(value.copy(), name=f"s{len(self.shared)}")
        entry = Entry(var, value, True, True)
        self.shared.append(entry)
        self.pool.append(entry)
        self.env[var] = value

    # --- growth ---------------------------------------------------------------------------------------

    def pick(self, wanted: Callable[[Entry], bool] | None = None) -> Entry:
        """Return an entry, late ones more often."""
        found = [e for e in self.pool if wanted is None or wanted(e)]
        if not found:
            raise Skip
        if self.rng.random() < 0.5:
            found = found[-4:]
        return self.rng.choice(found)

    def tensor(self, ndim: int | None = None, kinds: str = "fiubc", least: int = 0, exact: bool = False) -> Entry:
        return self.pick(
            lambda e: e.value.dtype.kind in kinds
            and (e.value.ndim >= least if ndim is None else e.value.ndim == ndim)
            and (e.exact or not exact)
        )

    def same(self, shape: tuple, kinds: str = "fiubc", exact: bool = False) -> Entry:
        """Return an entry of this very shape, a new input if there is none."""
        try:
            return self.pick(
                lambda e: e.value.shape == shape and e.value.dtype.kind in kinds and (e.exact or not exact)
            )
        except Skip:
            if len(self.inputs) > 6:
                raise
            dtype = self.rng.choice([d for d in DTYPES if np.dtype(d).kind in kinds])
            value = self.draw(dtype, shape)
            var = self._type(value)(f"x{len(self.inputs)}")
            entry = Entry(var, value, True, True)
            self.inputs.append(entry)
            self.pool.append(entry)
            self.env[var] = value
            return entry

    def partner(self, a: Entry, kinds: str = "fiubc", exact: bool = False) -> Entry:
        """Return an entry that broadcasts with `a`."""

        def fits(e: Entry) -> bool:
            if e.value.dtype.kind not in kinds or (exact and not e.exact):
                return False
            for m, n, p, q in zip(
                a.value.shape[::-1],
                e.value.shape[::-1],
                a.var.broadcastable[::-1],
                e.var.broadcastable[::-1],
            ):
                if m != n and not (p or q):
                    return False
            return True

        return self.pick(fits)

    def grow(self, make: Callable) -> None:
        """Try one op."""
        try:
            made = make(self)
        except Skip:
            return
        if not isinstance(made, list):
            made = [made]
        for var, parents, exact, smooth in made:
            (value,) = evaluate([var], self.env)
            value = np.asarray(value)
            if value.size > 5000 or value.ndim > 5:
                continue
            if value.dtype.kind in "fc" and not (np.isfinite(value).all() and (abs(value) < LIMIT).all()):
                continue
            assert str(value.dtype) == var.dtype, (make.__name__, value.dtype, var.dtype)
            assert len(value.shape) == var.ndim, (make.__name__, value.shape, var.type)
            assert all(n == 1 for n, one in zip(value.shape, var.broadcastable) if one), (make.__name__, value.shape, var.type)
            self.log.append(f"{make.__name__}: {var.type} {value.shape}")
            self.pool.append(
                Entry(var, value, exact and all(p.exact for p in parents), smooth and all(p.smooth for p in parents))
            )


class Skip(Exception):
    """Nothing in the pool fits."""


# --- the ops ------------------------------------------------------------------------------------------

OPS: list[Callable] = []


def op(weight: int = 1) -> Callable:
    """Register a maker; it returns (variable, parents, exact, smooth) or a list of those."""

    def register(make: Callable) -> Callable:
        OPS.extend([make] * weight)
        return make

    return register


@op(6)
def arithmetic(g: Case):
    a = g.tensor()
    b = g.partner(a)
    kind = g.rng.choice(["add", "sub", "mul"])
    if kind == "sub" and "b" in (a.value.dtype.kind, b.value.dtype.kind):
        raise Skip
    wide = {a.value.dtype.kind, b.value.dtype.kind} <= set("iub")
    return getattr(T, kind)(a.var, b.var), [a, b], kind != "mul" or wide, True


@op(2)
def with_number(g: Case):
    a = g.tensor(kinds="fiuc")
    n = g.rng.choice([0, 1, 2, -1, 3, 0.5, -2, 1.0, 0.25])
    kind = g.rng.choice(["add", "mul", "sub", "rsub", "pow", "div"])
    if kind == "pow":
        if n < 0 or n not in (0, 1, 2, 3) or a.value.dtype.kind == "c":
            raise Skip
        return a.var**n, [a], False, True
    if kind == "div":
        if n == 0:
            raise Skip
        return a.var / n, [a], False, True
    var = {"add": a.var + n, "mul": a.var * n, "sub": a.var - n, "rsub": n - a.var}[kind]
    return var, [a], True, True


@op(3)
def smooth_function(g: Case):
    a = g.tensor(kinds="fiu")
    name = g.rng.choice(["exp", "tanh", "sin", "cos", "sqr", "neg", "arctan", "erf", "sigmoid", "softplus", "sinh", "expm1", "log1p_sqr", "sqrt_sqr", "log_exp", "inv_sqr"])
    x = a.var
    if name in ("exp", "sinh", "expm1", "log_exp") and a.value.size and abs(a.value.astype("float64")).max() > 8:
        raise Skip
    if a.value.dtype.kind in "u" and name == "neg":
        raise Skip
    built = {
        "sigmoid": T.nnet.sigmoid,
        "softplus": T.nnet.softplus,
        "log1p_sqr": lambda v: T.log1p(T.sqr(v)),
        "sqrt_sqr": lambda v: T.sqrt(1 + T.sqr(v)),
        "log_exp": lambda v: T.log(1 + T.exp(v)),
        "inv_sqr": lambda v: 1 / (1 + v * v),
    }.get(name) or getattr(T, name)
    if a.value.dtype.kind in "iu" and name in ("log1p_sqr", "sqrt_sqr", "inv_sqr", "sqr"):
        if np.dtype(a.value.dtype).itemsize < 4 or name == "sqr":
            raise Skip
    return built(x), [a], name == "neg", True


@op(2)
def kinked_function(g: Case):
    a = g.tensor(kinds="fi", exact=True)
    name = g.rng.choice(["abs_", "sgn", "floor", "ceil", "round", "trunc", "relu", "minimum", "maximum", "clip"])
    if name == "relu":
        return T.nnet.relu(a.var), [a], True, False
    if name in ("minimum", "maximum"):
        b = g.partner(a, "fi", exact=True)
        return getattr(T, name)(a.var, b.var), [a, b], True, False
    if name == "clip":
        return T.clip(a.var, -1, 2), [a], True, False
    if name == "round" and a.value.dtype.kind == "i":
        raise Skip
    return getattr(T, name)(a.var), [a], True, False


@op(2)
def division(g: Case):
    a = g.tensor(kinds="fiu")
    b = g.partner(a, "fiu")
    if not b.value.size or (b.value == 0).any():
        raise Skip
    kind = g.rng.choice(["true", "int", "mod"])
    if kind == "true":
        return a.var / b.var, [a, b], False, True
    if not (a.exact and b.exact):
        raise Skip
    return (a.var // b.var if kind == "int" else a.var % b.var), [a, b], True, False


@op(2)
def comparison(g: Case):
    a = g.tensor(kinds="fiub", exact=True)
    b = g.partner(a, "fiub", exact=True)
    return getattr(T, g.rng.choice(["lt", "le", "gt", "ge", "eq", "neq"]))(a.var, b.var), [a, b], True, False


@op(1)
def bits(g: Case):
    a = g.tensor(kinds="iub")
    b = g.partner(a, "b" if a.value.dtype.kind == "b" else "iu")
    if T.scal.upcast(a.var.dtype, b.var.dtype).startswith("float"):
        raise Skip
    which = g.rng.choice(["and_", "or_", "xor", "invert"])
    if which == "invert":
        return T.invert(a.var), [a], True, False
    return getattr(T, which)(a.var, b.var), [a, b], True, False


@op(2)
def choose(g: Case):
    c = g.tensor(kinds="iub", exact=True)
    a = g.partner(c)
    b = g.partner(a)
    try:
        np.broadcast_shapes(a.value.shape, b.value.shape, c.value.shape)
    except ValueError:
        raise Skip from None
    for e, f in ((a, b), (a, c), (b, c)):
        for m, n, p, q in zip(e.value.shape[::-1], f.value.shape[::-1], e.var.broadcastable[::-1], f.var.broadcastable[::-1]):
            if m != n and not (p or q):
                raise Skip
    return T.switch(c.var, a.var, b.var), [a, b, c], True, True


@op(2)
def cast(g: Case):
    a = g.tensor(kinds="fiub", exact=True)
    target = g.rng.choice([d for d in DTYPES if not d.startswith("complex")])
    if a.value.dtype.kind == "f" and np.dtype(target).kind in "iu":
        if a.value.size and (abs(a.value).max() > 100 or (np.dtype(target).kind == "u" and a.value.min() < 0)):
            raise Skip
    return T.cast(a.var, target), [a], True, np.dtype(target).kind == "f"


@op(2)
def complex_parts(g: Case):
    a = g.tensor(kinds="c")
    name = g.rng.choice(["real", "imag", "conj", "abs_"])
    return getattr(T, name)(a.var), [a], name != "abs_", name != "abs_"


@op(4)
def reduction(g: Case):
    a = g.tensor(least=1)
    kind = g.rng.choice(["sum", "sum", "mean", "prod", "max", "min", "argmax", "any", "all", "var"])
    axes = None
    if g.rng.random() < 0.7:
        axes = sorted(g.rng.sample(range(a.value.ndim), g.rng.randint(1, a.value.ndim)))
        if len(axes) == 1 and g.rng.random() < 0.5:
            axes = axes[0] - (a.value.ndim if g.rng.random() < 0.3 else 0)
    keep = g.rng.random() < 0.3
    if kind in ("any", "all"):
        if a.value.dtype.kind not in "b":
            raise Skip
        return getattr(T, kind)(a.var, axis=axes, keepdims=keep), [a], True, False
    if kind in ("max", "min", "argmax"):
        if not a.value.size or a.value.dtype.kind not in "fiu" or not a.exact:
            raise Skip
        return getattr(T, kind)(a.var, axis=axes, keepdims=keep), [a], True, False
    if kind in ("mean", "var") and (not a.value.size or a.value.dtype.kind in "bc"):
        raise Skip
    if kind == "prod" and a.value.dtype.kind in "bc":
        raise Skip
    kept = a.value.dtype.kind in "iub" and kind in ("sum", "prod")
    exact = kept or (kind == "sum")
    return getattr(T, kind)(a.var, axis=axes, keepdims=keep), [a], exact, True


@op(3)
def dimshuffle(g: Case):
    a = g.tensor()
    order: list = [i for i in range(a.value.ndim) if not (a.var.broadcastable[i] and g.rng.random() < 0.5)]
    g.rng.shuffle(order)
    while g.rng.random() < 0.3 and len(order) < 5:
        order.insert(g.rng.randint(0, len(order)), "x")
    return a.var.dimshuffle(*order), [a], True, True


@op(2)
def reshape(g: Case):
    a = g.tensor()
    kind = g.rng.randrange(4)
    if kind == 0 and (a.value.size or a.value.ndim < 2):
        return a.var.flatten(g.rng.randint(1, max(1, a.value.ndim))), [a], True, True
    if kind == 1 and a.value.ndim >= 2:
        s = a.var.shape
        return a.var.reshape((s[0] * s[1], *[s[i] for i in range(2, a.value.ndim)]), ndim=a.value.ndim - 1), [a], True, True
    n = a.value.size
    if n == 0:
        raise Skip
    divisors = [d for d in range(1, n + 1) if n % d == 0]
    d = g.rng.choice(divisors)
    shape = g.rng.choice([(d, n // d), (d, -1), (-1, d), (n,), (-1,), (1, d, n // d), (d, 1, -1)])
    return a.var.reshape(shape), [a], True, True


@op(3)
def product(g: Case):
    a = g.tensor(kinds="fc", least=1)
    if a.value.ndim > 2:
        raise Skip
    n = a.value.shape[-1]
    b = g.pick(lambda e: e.value.dtype.kind in "fc" and e.value.ndim in (1, 2) and e.value.shape[0 if e.value.ndim == 1 else -2] == n)
    return T.dot(a.var, b.var), [a, b], False, True


@op(3)
def gemm_like(g: Case):
    a = g.tensor(2, "f")
    b = g.same((a.value.shape[1], g.rng.choice(g.extents)), "f")
    c = g.same((a.value.shape[0], b.value.shape[1]), "f")
    alpha = g.rng.choice([1, 2, -0.5, 0.25])
    beta = g.rng.choice([0, 1, -1, 0.5])
    which = g.rng.randrange(4)
    dot = T.dot(a.var, b.var)
    if which == 0:
        var = beta * c.var + alpha * dot
    elif which == 1:
        var = c.var - dot * alpha
    elif which == 2:
        var = (alpha * dot).T + c.var.T
    else:
        var = T.dot(b.var.T, a.var.T).T + c.var * c.var
    return var, [a, b, c], False, True


@op(1)
def outer_like(g: Case):
    a, b = g.tensor(1, "f"), g.tensor(1, "f")
    c = g.same((a.value.shape[0], b.value.shape[0]), "f")
    which = g.rng.randrange(3)
    if which == 0:
        return c.var + 0.5 * T.outer(a.var, b.var), [a, b, c], False, True
    if which == 1:
        return T.dot(c.var, b.var) * 2 + a.var, [a, b, c], False, True
    return b.var - T.dot(a.var, c.var), [a, b, c], False, True


@op(1)
def tensordot(g: Case):
    a = g.tensor(kinds="f", least=2)
    axis = g.rng.randrange(a.value.ndim)
    b = g.pick(lambda e: e.value.dtype.kind == "f" and e.value.ndim >= 1 and a.value.shape[axis] in e.value.shape)
    other = list(b.value.shape).index(a.value.shape[axis])
    return T.tensordot(a.var, b.var, [[axis], [other]]), [a, b], False, True


@op(1)
def batched(g: Case):
    a = g.tensor(3, "f")
    b = g.same((a.value.shape[0], a.value.shape[2], g.rng.choice(g.extents)), "f")
    return T.batched_dot(a.var, b.var), [a, b], False, True


def random_index(g: Case, shape: tuple, symbolic: list) -> tuple:
    """Return a basic index into an array of this shape."""
    index: list = []
    for n in shape:
        kind = g.rng.randrange(6)
        if kind == 0 and n:
            index.append(g.rng.randrange(-n, n))
        elif kind == 1 and n:
            index.append(T.constant(g.rng.randrange(-n, n)) if g.rng.random() < 0.5 else as_variable(g, g.rng.randrange(-n, n), symbolic))
        elif kind == 2:
            index.append(slice(None))
        else:
            ends = [g.rng.choice([None, None, *range(-n - 2, n + 3)]) for _ in range(2)]
            step = g.rng.choice([None, None, 1, 2, -1, -2, 3])
            if g.rng.random() < 0.3:
                ends = [None if e is None else as_variable(g, e, symbolic) for e in ends]
            index.append(slice(ends[0], ends[1], step))
        if g.rng.random() < 0.1:
            index.append(None)
    while index and g.rng.random() < 0.3:
        index.pop()
    if not index:
        index.append(slice(None, None, -1))
    return tuple(index)


def as_variable(g: Case, number: int, symbolic: list):
    """Return a new integer input holding a number."""
    if len(g.inputs) > 9:
        return number
    value = np.asarray(number, "int64")
    var = T.lscalar(f"x{len(g.inputs)}")
    entry = Entry(var, value, True, False)
    g.inputs.append(entry)
    g.env[var] = value
    symbolic.append(entry)
    return var


@op(5)
def subtensor(g: Case):
    a = g.tensor(least=1)
    return a.var[random_index(g, a.value.shape, [])], [a], True, True


@op(3)
def inc_subtensor(g: Case):
    a = g.tensor(kinds="fi", least=1)
    index = tuple(i for i in random_index(g, a.value.shape, []) if i is not None)
    part = a.var[index]
    (value,) = evaluate([part], g.env)
    fits = "i" if a.value.dtype.kind == "i" else "fi"
    b = g.same(value.shape, fits) if g.rng.random() < 0.7 else g.tensor(0, fits)
    if np.result_type(b.value.dtype, a.value.dtype) != a.value.dtype or T.scal.upcast(b.var.dtype, a.var.dtype) != a.var.dtype:
        raise Skip
    make = g.rng.choice([T.set_subtensor, T.inc_subtensor])
    return make(part, b.var), [a, b], a.value.dtype.kind == "i", True


def index_vector(g: Case, n: int, length: int) -> np.ndarray:
    return np.asarray([g.rng.randrange(-n, n) for _ in range(length)], g.rng.choice(["int64", "int32", "int8"] if n <= 128 else ["int64", "int32"]))


@op(3)
def advanced(g: Case):
    a = g.tensor(kinds="fi", least=1)
    shape = a.value.shape
    if 0 in shape:
        raise Skip
    kind = g.rng.randrange(7)
    length = g.rng.choice([0, 1, 3, 6])
    if kind == 0:
        part = a.var[index_vector(g, shape[0], length)]
    elif kind == 1 and a.value.ndim >= 2:
        part = a.var[index_vector(g, shape[0], length), index_vector(g, shape[1], length)]
    elif kind == 2 and a.value.ndim >= 2:
        part = a.var[:, index_vector(g, shape[1], length)]
    elif kind == 3:
        part = a.var[np.asarray(g.numbers.randint(0, 2, shape[0]), bool)]
    elif kind == 4:
        part = a.var[np.asarray(g.numbers.randint(0, 2, shape), bool)]
    elif kind == 5 and a.value.ndim >= 2:
        part = a.var[index_vector(g, shape[0], 4).reshape(2, 2), 0]
    elif kind == 6 and a.value.ndim >= 3:
        part = a.var[index_vector(g, shape[0], length), ::-1, index_vector(g, shape[2], length)]
    else:
        part = a.var.take(index_vector(g, shape[0], 5), axis=0)
        return part, [a], True, True
    if g.rng.random() < 0.5:
        return part, [a], True, True
    (value,) = evaluate([part], g.env)
    b = g.same(value.shape, "i" if a.value.dtype.kind == "i" else "f") if g.rng.random() < 0.7 else None
    if b is not None and T.scal.upcast(b.var.dtype, a.var.dtype) != a.var.dtype:
        raise Skip
    if kind in (3, 4) or g.rng.random() < 0.6:
        return T.inc_subtensor(part, 1 if b is None else b.var), [a] + ([] if b is None else [b]), a.value.dtype.kind == "i", True
    if kind in (0, 1) and g.rng.random() < 0.5:
        return T.set_subtensor(part, 1), [a], True, True
    return part, [a], True, True


@op(2)
def join(g: Case):
    a = g.tensor(least=1)
    axis = g.rng.randrange(a.value.ndim)

    def fits(e: Entry) -> bool:
        return e.value.ndim == a.value.ndim and all(
            m == n for k, (m, n) in enumerate(zip(a.value.shape, e.value.shape)) if k != axis
        )

    parts = [a] + [g.pick(fits) for _ in range(g.rng.randint(1, 3))]
    if g.rng.random() < 0.3 and all(p.value.shape == a.value.shape for p in parts):
        return T.stack([p.var for p in parts], axis=axis), parts, True, True
    return T.concatenate([p.var for p in parts], axis=axis), parts, True, True


@op(1)
def split(g: Case):
    a = g.tensor(least=1)
    axis = g.rng.randrange(a.value.ndim)
    n = a.value.shape[axis]
    cut = g.rng.randint(0, n)
    return [(v, [a], True, True) for v in T.split(a.var, [cut, n - cut], 2, axis=axis)]


@op(2)
def created(g: Case):
    kind = g.rng.randrange(6)
    a = g.tensor(least=1)
    n = a.var.shape[0]
    if kind == 0:
        return T.arange(n), [], True, False
    if kind == 1:
        return T.eye(n, 3, k=g.rng.randint(-2, 2), dtype="float64"), [], True, False
    if kind == 2:
        return T.zeros_like(a.var), [], True, False
    if kind == 3:
        b = g.tensor(0)
        return T.alloc(b.var, n, 2), [b], True, True
    if kind == 4:
        return T.ones((n, 3), dtype=g.rng.choice(["float32", "int8", "float64"])), [], True, False
    b = g.tensor(1)
    return T.alloc(b.var, n, b.var.shape[0]), [b], True, True


@op(2)
def scanlike(g: Case):
    a = g.tensor(kinds="fi", least=1)
    axis = g.rng.choice([None, *range(a.value.ndim)])
    kind = g.rng.choice(["cumsum", "cumprod", "sort", "argsort", "diff"])
    if kind == "cumsum":
        return T.extra_ops.cumsum(a.var, axis), [a], a.value.dtype.kind == "i", True
    if kind == "cumprod":
        if a.value.dtype.kind == "i":
            raise Skip
        return T.extra_ops.cumprod(a.var, axis), [a], False, True
    if kind == "sort":
        return T.sort(a.var, axis if axis is not None else -1), [a], True, False
    if kind == "diff":
        return T.extra_ops.diff(a.var, 1, axis if axis is not None else -1), [a], True, True
    raise Skip


@op(1)
def repeated(g: Case):
    a = g.tensor(least=1)
    kind = g.rng.randrange(4)
    if kind == 0:
        return T.repeat(a.var, g.rng.randint(0, 3), g.rng.choice([None, *range(a.value.ndim)])), [a], True, True
    if kind == 1:
        return T.tile(a.var, [2] * a.value.ndim, a.value.ndim), [a], True, True
    if kind == 2 and a.value.ndim == 2:
        return T.diagonal(a.var), [a], True, True
    if a.value.ndim == 1:
        return T.diag(a.var), [a], True, True
    return T.roll(a.var, g.rng.randint(-3, 3), 0), [a], True, True


@op(2)
def rows(g: Case):
    a = g.tensor(2, "f")
    if not a.value.size:
        raise Skip
    kind = g.rng.randrange(6)
    if kind == 0:
        return T.nnet.softmax(a.var), [a], False, True
    if kind == 1:
        return T.log(T.nnet.softmax(a.var)), [a], False, True
    if kind == 2:
        return T.log(T.sum(T.exp(a.var), axis=g.rng.choice([0, 1, None]))), [a], False, True
    if kind == 3:
        e = T.exp(a.var - a.var.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True), [a], False, False
    y = np.asarray(g.numbers.randint(0, a.value.shape[1], a.value.shape[0]), "int32")
    p = T.nnet.softmax(a.var)
    if kind == 4:
        return T.nnet.categorical_crossentropy(p, T.constant(y)), [a], False, True
    return -T.mean(T.log(p)[T.arange(a.var.shape[0]), T.constant(y)]), [a], False, True


@op(1)
def image(g: Case):
    a = g.tensor(4, "f")
    b, c, h, w = a.value.shape
    if not a.value.size:
        raise Skip
    kind = g.rng.randrange(3)
    if kind == 0:
        fh, fw = g.rng.randint(1, min(3, h)), g.rng.randint(1, min(3, w))
        k = g.same((2, c, fh, fw), "f")
        if k.value.dtype != a.value.dtype:
            raise Skip
        mode = g.rng.choice(["valid", "full", "half", (1, 0)])
        if a.value.shape[2] > 9 or c > 5:
            raise Skip
        return T.nnet.conv2d(a.var, k.var, border_mode=mode, subsample=g.rng.choice([(1, 1), (2, 1)]), filter_flip=g.rng.random() < 0.5), [a, k], False, True
    from theano_compat.tensor.signal.pool import pool_2d

    mode = g.rng.choice(["max", "sum", "average_inc_pad", "average_exc_pad"])
    return pool_2d(a.var, (min(2, h), min(2, w)), ignore_border=g.rng.random() < 0.7, mode=mode), [a], False, mode != "max"


@op(1)
def shapes(g: Case):
    a = g.tensor(least=1)
    return g.rng.choice([a.var.shape, a.var.shape[0], a.var.size]), [], True, False


@op(2)
def idiom(g: Case):
    a = g.tensor(kinds="f")
    b = g.partner(a, "f")
    x, y = a.var, b.var
    made = g.rng.choice(
        [
            lambda: x * y / (1 + y * y),
            lambda: x - x + y,
            lambda: (x + y) - y,
            lambda: T.exp(-T.sqr(x)) * T.exp(-T.sqr(y)),
            lambda: T.sqr(x) / (1 + T.sqr(x)),
            lambda: T.neg(T.neg(x)) * T.neg(y),
            lambda: T.log(T.exp(T.tanh(x)) * T.exp(T.tanh(y))),
            lambda: T.switch(T.gt(T.zeros_like(y), 1), x, y),
            lambda: (2 * x) * (3 * y) * 0.5,
            lambda: x.sum() * y + x.mean(),
            lambda: T.sum(x * 2.0) - T.sum(-y),
            lambda: T.log(1 - T.nnet.sigmoid(x)) + T.log(T.nnet.sigmoid(y)),
            lambda: T.fill(x, 2.5) * y,
            lambda: T.second(x, y) + T.zeros_like(x),
            lambda: T.abs_(x) ** 2 + T.sqrt(T.sqr(y)),
            lambda: (x / 3.0) / (1.0 + T.sqr(y) / 2.0),
            lambda: x**2 * x**3 / (1 + y**4),
        ]
    )()
    return made, [a, b], False, False
