"""Random steps: short programs on values whose extents have names, which build the same graph inside of a loop and unrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.ifelse import ifelse

__all__ = ["Kind", "Program", "broadcast_to"]


@dataclass(frozen=True)
class Kind:
    """What is known of a value.

    Attributes
    ----------
    dims : str
        A letter for each dimension: equal letters are equal extents, ``"1"`` is a dimension that broadcasts.
    integer : bool
        An integer, else a floating-point number.
    """

    dims: str
    integer: bool = False

    @property
    def ndim(self) -> int:
        return len(self.dims)


def joint(a: str, b: str) -> str | None:
    """The dimensions of what two values broadcast to, None where they do not."""
    n = max(len(a), len(b))
    pairs = list(zip(a.rjust(n, "1"), b.rjust(n, "1")))
    if any(x != y and "1" not in (x, y) for x, y in pairs):
        return None
    return "".join(y if x == "1" else x for x, y in pairs)


def broadcast_to(kind: Kind, dims: str) -> bool:
    """Tell whether a value broadcasts to `dims`."""
    return joint(kind.dims, dims) == dims


@dataclass(frozen=True)
class Instruction:
    """One line of a program: an entry of `OPERATIONS`, the positions of its operands, what else was drawn, the kinds of its results."""

    name: str
    operands: tuple[int, ...]
    drawn: tuple
    results: tuple[Kind, ...]


#: name -> (how often, draw, build). `draw` takes a `Draw` and returns operands, drawn numbers and kinds of results, or None where there are no
#: fitting operands; `build` takes the operands' variables, their kinds, what was drawn, and the extents by letter where loops are to be unrolled.
OPERATIONS: dict[str, tuple[float, Callable, Callable]] = {}


def operation(name: str, often: float, draw: Callable) -> Callable:
    def register(build: Callable) -> Callable:
        OPERATIONS[name] = (often, draw, build)
        return build

    return register


class Draw:
    """Draws operands among the values that there are."""

    def __init__(self, rng: np.random.RandomState, kinds: Sequence[Kind]):
        self.rng, self.kinds = rng, kinds

    def one(self, test: Callable[[Kind], bool], integer: bool = False) -> int | None:
        """The position of a value that fits, rather a late one."""
        found = [i for i, k in enumerate(self.kinds) if k.integer == integer and test(k)]
        return None if not found else found[int(len(found) * self.rng.rand() ** 0.7)]

    def number(self) -> float:
        return round(float(self.rng.uniform(-1, 1)), 2)

    def dims(self, i: int) -> str:
        return self.kinds[i].dims

    def unary(self, test: Callable[[Kind], bool] = lambda k: True, dims: Callable[[str], str] = lambda d: d, choices: int = 1):
        i = self.one(test)
        return None if i is None else ((i,), (int(self.rng.randint(choices)), self.number()), (Kind(dims(self.dims(i))),))

    def binary(self, choices: int = 1):
        i = self.one(lambda k: True)
        j = None if i is None else self.one(lambda k: joint(k.dims, self.dims(i)) is not None and k.ndim + self.kinds[i].ndim < 6)
        if j is None:
            return None
        return (i, j), (int(self.rng.randint(choices)), self.number()), (Kind(joint(self.dims(i), self.dims(j))),)


# --- elementwise ------------------------------------------------------------------------------------------

_UNARY = [T.tanh, T.nnet.sigmoid, lambda x: x * x, T.sin, abs, lambda x: -x, lambda x: T.exp(-x * x), lambda x: T.sqrt(1 + x * x), lambda x: T.maximum(x, 0)]
_BINARY = [
    lambda x, y, c: x + y, lambda x, y, c: x * y, lambda x, y, c: x - c * y, lambda x, y, c: T.maximum(x, y + c), lambda x, y, c: T.switch(x > y, x, c * y),
    lambda x, y, c: T.switch(T.lt(x, c), y, x * y), lambda x, y, c: x / (2 + abs(y)), lambda x, y, c: T.clip(x, c - 1, y + 2),
]  # fmt: skip


@operation("unary", 3, lambda d: d.unary(choices=len(_UNARY)))
def _unary(args, kinds, drawn, sizes):
    return [_UNARY[drawn[0]](args[0])]


@operation("binary", 5, lambda d: d.binary(choices=len(_BINARY)))
def _binary(args, kinds, drawn, sizes):
    return [_BINARY[drawn[0]](*args, drawn[1])]


@operation("casts", 0.5, lambda d: d.unary(choices=2))
def _casts(args, kinds, drawn, sizes):
    x = args[0]
    return [T.cast(T.cast(x, "float32") * np.float32(drawn[1]), x.dtype) if drawn[0] else T.cast(x > drawn[1], x.dtype) * x]


# --- products, reductions ---------------------------------------------------------------------------------


def _draw_dot(d: Draw):
    i = d.one(lambda k: k.ndim in (1, 2) and "1" not in k.dims)
    if i is None:
        return None
    turn_x = d.kinds[i].ndim == 2 and d.rng.rand() < 0.4
    x = d.dims(i)[::-1] if turn_x else d.dims(i)
    j = d.one(lambda k: k.ndim in (1, 2) and x[-1] in k.dims and "1" not in k.dims)
    if j is None:
        return None
    turn_y = d.dims(j)[0] != x[-1]
    y = d.dims(j)[::-1] if turn_y else d.dims(j)
    return (i, j), (turn_x, turn_y), (Kind(x[:-1] + y[1:]),)


@operation("dot", 5, _draw_dot)
def _dot(args, kinds, drawn, sizes):
    x, y = (a.T if turn else a for a, turn in zip(args, drawn))
    return [T.dot(x, y) * 0.5]


@operation("outer", 0.5, lambda d: None if (i := d.one(lambda k: k.ndim == 1)) is None else ((i, i), (), (Kind(d.dims(i) * 2),)) if d.dims(i) != "1" else None)
def _outer(args, kinds, drawn, sizes):
    return [T.outer(*args)]


def _draw_reduction(d: Draw):
    i = d.one(lambda k: k.ndim > 0)
    if i is None:
        return None
    axis = int(d.rng.randint(-1, d.kinds[i].ndim))
    keep = axis >= 0 and d.rng.rand() < 0.3
    dims = "" if axis < 0 else d.dims(i)[:axis] + ("1" if keep else "") + d.dims(i)[axis + 1 :]
    return (i,), (int(d.rng.randint(4)), axis, bool(keep)), (Kind(dims),)


@operation("reduction", 2.5, _draw_reduction)
def _reduction(args, kinds, drawn, sizes):
    which, axis, keep = drawn
    reduce = [T.sum, T.mean, T.max, lambda x, axis, keepdims: T.sum(x * x, axis=axis, keepdims=keepdims)][which]
    return [reduce(args[0], axis=None if axis < 0 else axis, keepdims=keep)]


@operation("softmax", 1, lambda d: d.unary(lambda k: k.ndim in (1, 2)))
def _softmax(args, kinds, drawn, sizes):
    (x,) = args
    return [T.nnet.softmax(x.dimshuffle("x", 0))[0] if x.ndim == 1 else T.nnet.softmax(x)]


# --- other shapes -----------------------------------------------------------------------------------------


@operation("turn", 1, lambda d: d.unary(lambda k: k.ndim in (2, 3), lambda dims: dims[::-1]))
def _turn(args, kinds, drawn, sizes):
    return [args[0].T]


@operation("new axis", 0.7, lambda d: d.unary(lambda k: 0 < k.ndim < 3, lambda dims: dims + "1"))
def _new_axis(args, kinds, drawn, sizes):
    return [T.shape_padright(args[0])]


@operation("reverse", 1, lambda d: d.unary(lambda k: k.ndim > 0))
def _reverse(args, kinds, drawn, sizes):
    return [args[0][::-1]]


@operation("roll", 0.7, lambda d: d.unary(lambda k: k.ndim > 0 and k.dims[0] != "1"))
def _roll(args, kinds, drawn, sizes):
    return [T.concatenate([args[0][1:], args[0][:1]])]


@operation("reshape", 0.5, lambda d: d.unary(lambda k: k.ndim == 2 and "1" not in k.dims))
def _reshape(args, kinds, drawn, sizes):
    (x,) = args
    return [(x.flatten() * drawn[1]).reshape(x.shape)]


# --- indexing ---------------------------------------------------------------------------------------------


@operation("first", 1, lambda d: d.unary(lambda k: k.ndim > 0, lambda dims: dims[1:], choices=2))
def _first(args, kinds, drawn, sizes):
    return [args[0][-drawn[0]]]


def _draw_picked(d: Draw, choices: int = 1):
    i = d.one(lambda k: k.ndim > 0 and k.dims[0] != "1")
    j = d.one(lambda k: k.ndim == 0, integer=True)
    return None if i is None or j is None else ((i, j), (int(d.rng.randint(choices)), d.number()), (Kind(d.dims(i)[1:]),))


@operation("picked", 1.5, _draw_picked)
def _picked(args, kinds, drawn, sizes):
    x, i = args
    return [x[i % x.shape[0]]]


def _draw_rows(d: Draw):
    i = d.one(lambda k: 0 < k.ndim < 4 and k.dims[0] != "1")
    j = d.one(lambda k: k.ndim == 1, integer=True)
    return None if i is None or j is None else ((i, j), (), (Kind(d.dims(j) + d.dims(i)[1:]),))


@operation("rows", 1, _draw_rows)
def _rows(args, kinds, drawn, sizes):
    x, i = args
    return [x[i % x.shape[0]]]


def _draw_put(d: Draw):
    found = _draw_picked(d, choices=5)
    return None if found is None else (found[0], found[1], (Kind(d.dims(found[0][0])),))


@operation("put", 1.5, _draw_put)
def _put(args, kinds, drawn, sizes):
    x, i = args
    which, c = drawn
    part = [x[i % x.shape[0]], x[0], x[-1], x[::2], x[1:]][which]
    return [T.set_subtensor(part, c) if c < 0 else T.inc_subtensor(part, part * c)]


# --- integers ---------------------------------------------------------------------------------------------


@operation("count", 1, lambda d: None if (i := d.one(lambda k: True, integer=True)) is None else ((i,), (int(d.rng.randint(2, 5)),), (Kind(d.dims(i), True),)))
def _count(args, kinds, drawn, sizes):
    return [(args[0] * 3 + 1) % drawn[0]]


@operation("sign", 0.7, lambda d: None if (i := d.one(lambda k: True)) is None else ((i,), (d.number(),), (Kind(d.dims(i), True),)))
def _sign(args, kinds, drawn, sizes):
    return [T.cast(args[0] > drawn[0], "int64")]


@operation("weigh", 1, lambda d: None if (j := d.one(lambda k: True, integer=True)) is None else ((j,), (d.number(),), (Kind(d.dims(j)),)))
def _weigh(args, kinds, drawn, sizes):
    return [T.cast(args[0], theano.config.floatX) * np.float32(drawn[0])]


# --- branches ---------------------------------------------------------------------------------------------


def _draw_branch(d: Draw):
    i = d.one(lambda k: "1" not in k.dims)
    if i is None:
        return None
    j = d.one(lambda k: k.dims == d.dims(i))
    c = d.one(lambda k: True)
    if c == i:
        c = d.one(lambda k: k.ndim == 0)
    kind = int(d.rng.randint(4))
    if kind == 3:
        # branches of different shapes: only their sum has a shape that is known
        return None if c is None else ((i, d.one(lambda k: k.ndim == d.kinds[i].ndim), c), (kind, d.number()), (Kind(""),))
    return None if c is None else ((i, j, c), (kind, d.number()), (Kind(d.dims(i)),) * (1 + (kind == 1)))


@operation("branch", 1.5, _draw_branch)
def _branch(args, kinds, drawn, sizes):
    x, y, c = args
    kind, number = drawn
    dtype = theano.scalar.upcast(x.dtype, y.dtype)
    x, y, number = T.cast(x, dtype), T.cast(y, dtype), np.asarray(number, dtype)
    test = T.gt(T.sum(c), number)
    if kind == 0:
        return [ifelse(test, x, T.tanh(y) * number)]
    if kind == 1:
        return ifelse(test, [x * number, y], [T.cos(y), x])
    if kind == 3:
        x, y = (T.patternbroadcast(v, (False,) * v.ndim) for v in (x, y))
        return [T.sum(ifelse(test, x * number, ifelse(T.gt(T.sum(c), number - 0.7), y, T.cos(x))))]
    inside = ifelse(T.gt(T.sum(c), number + 0.5), T.sin(x), y)
    return [ifelse(test, inside * number, T.exp(-T.sqr(x)))]


# --- loops in the step ------------------------------------------------------------------------------------


def _draw_inner(d: Draw):
    i = d.one(lambda k: 0 < k.ndim < 4 and k.dims[0] != "1" and "1" not in k.dims[1:])
    if i is None:
        return None
    row = d.dims(i)[1:]
    other = d.one(lambda k: broadcast_to(k, row))
    counted = d.one(lambda k: k.ndim == 0, integer=True)
    form = int(d.rng.randint(5 if counted is not None else 4))
    if other is None:
        return None
    full = form in (0, 3)
    operands = (i, other) if form < 4 else (i, other, counted)
    return operands, (form, d.number(), bool(d.rng.rand() < 0.3)), (Kind(row),) + ((Kind(d.dims(i)),) if full else ())


@operation("inner loop", 1.2, _draw_inner)
def _inner(args, kinds, drawn, sizes):
    """Forms: 0 a state and all its rows; 1 ends by a condition; 2 as 0 with the last row only; 3 no state; 4 a number of steps from the data."""
    form, c, backwards = drawn
    x, other, *count = args
    dtype = theano.scalar.upcast(x.dtype, other.dtype)
    c = np.asarray(c, dtype)
    initial = T.cast(x[0] * c + other, dtype)
    steps = 1 + count[0] % 3 if count else None
    limit = np.asarray(0.4 + abs(c), dtype)

    def step(row, before, other):
        new = T.cast(T.tanh(row * c + 0.5 * before + other * before.sum()), dtype)
        return (new, theano.scan_module.until(T.sum(T.sqr(new)) > limit)) if form == 1 else new

    def first(row, other):
        return T.cast(row * other + c, dtype)

    def still(before, row, other):
        return step(row, before, other)

    if sizes is None:
        if form == 3:
            rows, _ = theano.scan(first, sequences=x, non_sequences=other, go_backwards=backwards)
            return [rows[-1], rows]
        if form == 4:
            rows, _ = theano.scan(still, outputs_info=initial, non_sequences=[x[0], other], n_steps=steps)
            return [rows[-1]]
        rows, _ = theano.scan(step, sequences=x, outputs_info=initial, non_sequences=other, go_backwards=backwards)
        return [rows[-1], rows] if form == 0 else [rows[-1]]
    length = 3 if form == 4 else sizes[kinds[0].dims[0]]
    state, rows, alive = initial, [], None
    for t in range(length):
        row = x[0] if form == 4 else x[length - 1 - t if backwards else t]
        if form == 3:
            rows.append(first(row, other))
            continue
        found = step(row, state, other)
        new = found[0] if form == 1 else found
        state = new if alive is None else T.switch(alive, new, state)
        if form == 4:
            alive = T.gt(steps, t + 1)
        elif form == 1:
            more = T.le(T.sum(T.sqr(new)), limit)
            alive = more if alive is None else alive & more
        rows.append(state)
    return [rows[-1], T.stack(rows)] if form in (0, 3) else [rows[-1]]


# --- programs ---------------------------------------------------------------------------------------------


class Program:
    """A random step on values of given kinds.

    Parameters
    ----------
    rng : RandomState
    kinds : list of Kind
        Of the arguments.
    length : int
        Number of instructions.
    """

    def __init__(self, rng: np.random.RandomState, kinds: Sequence[Kind], length: int):
        self.kinds = list(kinds)
        self.instructions: list[Instruction] = []
        names = list(OPERATIONS)
        weights = np.array([OPERATIONS[name][0] for name in names])
        while len(self.instructions) < length:
            name = names[rng.choice(len(names), p=weights / weights.sum())]
            drawn = OPERATIONS[name][1](Draw(rng, self.kinds))
            if drawn is None or any(k.ndim > 4 for k in drawn[2]):
                name, drawn = "unary", Draw(rng, self.kinds).unary(choices=len(_UNARY))
            if drawn is None:
                break
            self.instructions.append(Instruction(name, *drawn))
            self.kinds += drawn[2]

    def __call__(self, arguments: Sequence, sizes: dict[str, int] | None = None) -> list:
        """Build the graph of a step.

        Parameters
        ----------
        arguments : list of Variable
        sizes : dict, optional
            Extents by letter: loops in the step are unrolled.

        Returns
        -------
        list of Variable
            The arguments and all results.
        """
        values = list(arguments)
        for line in self.instructions:
            build = OPERATIONS[line.name][2]
            found = build([values[i] for i in line.operands], [self.kinds[i] for i in line.operands], line.drawn, sizes)
            assert [v.ndim for v in found] == [k.ndim for k in line.results], line
            values += found
        return values
