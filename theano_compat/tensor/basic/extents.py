"""Integers of a graph as sums, and what is known of their order before they have values.

Slices of slices are taken all the time (a gradient of scan reverses what scan has cut), and Python's conventions for them ask "is it negative?",
"is it beyond the end?" at every turn. For lengths the answer is mostly known: lengths are not negative, ``n`` is below ``n + 1``, a minimum is below
each of its arguments. Written as sums, ``constant + Σ coefficient · variable``, such questions are answered here instead of in the graph.
"""

from __future__ import annotations

import functools
import operator

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Constant, Variable
from theano_compat.tensor.basic import elementwise as ew
from theano_compat.tensor.basic.casting import ScalarFromTensor, TensorFromScalar, cast, tensor_from_scalar
from theano_compat.tensor.basic.conversion import constant, constant_or_none, integer_dtypes
from theano_compat.tensor.basic.vector_elements import picked
from theano_compat.tensor.elemwise import Elemwise

#: How deep sums and choices are looked into, and their equality: equal variables are mostly one, as equal nodes are merged.
_DEPTH = 4
_KEY_DEPTH = 3
#: After how many steps a proof is given up.
_MOST_STEPS = 16
#: The most variables that a sum is taken apart into; a longer one counts as one variable.
_MOST_TERMS = 8


class Extent:
    """An integer: a constant and multiples of 0-d integer variables.

    Attributes
    ----------
    constant : int
    terms : dict
        Key of a variable (equal for equal expressions) to ``(variable, coefficient)``; no coefficient is 0.
    """

    __slots__ = ("constant", "terms")

    def __init__(self, constant=0, terms=()):
        self.constant = constant
        self.terms = {key: term for key, term in dict(terms).items() if term[1]}

    @classmethod
    def of(cls, value) -> Extent:
        """Take apart an int or a 0-d integer variable (of a tensor or scalar type)."""
        if isinstance(value, Extent):
            return value
        if isinstance(value, (int, np.integer)):
            return cls(int(value))
        return _sum_of(value, _DEPTH)

    @classmethod
    def variable_of(cls, variable) -> Extent:
        """One variable, not taken apart."""
        return cls(0, {_key(variable): (variable, 1)})

    @property
    def known(self):
        """The int that it is, None for one with variables."""
        return None if self.terms else self.constant

    def __add__(self, other):
        other = Extent.of(other)
        terms = dict(self.terms)
        for key, (variable, coefficient) in other.terms.items():
            terms[key] = (variable, coefficient + (terms[key][1] if key in terms else 0))
        return Extent(self.constant + other.constant, terms)

    def __sub__(self, other):
        return self + Extent.of(other) * -1

    def __mul__(self, other):
        other = Extent.of(other)
        if other.terms and self.terms:
            return Extent.variable_of(self.as_tensor() * other.as_tensor())
        factor, terms = (self.constant, other.terms) if other.terms else (other.constant, self.terms)
        return Extent(self.constant * other.constant, {key: (v, c * factor) for key, (v, c) in terms.items()})

    def is_equal(self, other) -> bool:
        """Whether two integers are certainly the same."""
        return (self - other).known == 0

    def is_at_least(self, other, facts=()) -> bool:
        """Whether this integer is certainly not below another one.

        Parameters
        ----------
        other : Extent or int
        facts : sequence of Extent
            Integers that are known not to be negative.
        """
        difference = self - other
        return any(_Proof().not_negative(bound) for bound in (difference, *(difference - fact for fact in facts)))

    def value(self):
        """The int, or the 0-d int64 tensor variable."""
        return self.constant if not self.terms else self.as_tensor()

    def as_tensor(self):
        """The 0-d int64 tensor variable, in the form in which canonicalization leaves a sum: the constant first, then a difference."""
        plus = [_multiple(v, c) for v, c in self.terms.values() if c > 0]
        minus = [_multiple(v, -c) for v, c in self.terms.values() if c < 0]
        if self.constant or not (plus or minus):
            plus.insert(0, constant(self.constant, dtype="int64"))
        if not minus:
            return _total(plus)
        return ew.sub(_total(plus), _total(minus)) if plus else ew.neg(_total(minus))

    def __repr__(self):
        return " + ".join([str(self.constant), *(f"{c}*{v}" for v, c in self.terms.values())])


def smaller(a: Extent, b: Extent, facts=()) -> Extent:
    """The minimum of two integers."""
    if b.is_at_least(a, facts):
        return a
    return b if a.is_at_least(b, facts) else Extent.variable_of(ew.minimum(a.as_tensor(), b.as_tensor()))


def larger(a: Extent, b: Extent, facts=()) -> Extent:
    """The maximum of two integers."""
    if a.is_at_least(b, facts):
        return a
    return b if b.is_at_least(a, facts) else Extent.variable_of(ew.maximum(a.as_tensor(), b.as_tensor()))


def either(condition, then: Extent, otherwise: Extent) -> Extent:
    """``then`` where a 0-d boolean variable holds."""
    if then.is_equal(otherwise):
        return then
    return Extent.variable_of(ew.switch(condition, then.as_tensor(), otherwise.as_tensor()))


def where_negative(test: Extent, then, otherwise, facts=()) -> Extent:
    """``then()`` if an integer is negative, else ``otherwise()``; what cannot happen is not made."""
    if test.is_at_least(0, facts):
        return otherwise()
    if (test * -1).is_at_least(1, facts):
        return then()
    return either(ew.lt(test.as_tensor(), 0), then(), otherwise())


# --- sums -------------------------------------------------------------------------------------------


def _multiple(variable, coefficient):
    if isinstance(variable.type, scal.Scalar):
        variable = tensor_from_scalar(variable)
    if variable.dtype != "int64":
        variable = cast(variable, "int64")
    return variable if coefficient == 1 else ew.mul(constant(coefficient, dtype="int64"), variable)


def _total(parts):
    return parts[0] if len(parts) == 1 else ew.add(*parts)


def _made(variable):
    """Return (scalar op, inputs) of a variable that is made element by element, None for others."""
    node = variable.owner
    if node is None:
        return None
    # Reductions have a scalar op too.
    op = node.op.scalar_op if isinstance(node.op, Elemwise) else node.op
    return (op, node.inputs) if isinstance(op, scal.ScalarOp) else None


def _plain(variable):
    """Look through changes between 0-d tensors and scalars, through widening to int64, and from ``[a, b][0]`` to ``a``."""
    while variable.owner is not None:
        node = variable.owner
        below = node.inputs[0] if isinstance(node.op, (TensorFromScalar, ScalarFromTensor)) or _widens(node, variable) else picked(node)
        if not isinstance(below, Variable):
            break
        variable = below
    return variable


def _widens(node, variable):
    """Whether a node changes another integer dtype to int64, without loss."""
    return (
        isinstance((_made(variable) or (None,))[0], scal.Cast)
        and variable.dtype == "int64" and node.inputs[0].dtype in integer_dtypes and node.inputs[0].dtype != "uint64"
    )  # fmt: skip


def _sum_of(variable, depth) -> Extent:
    variable = _plain(variable)
    known = _number(variable)
    if known is not None:
        return Extent(known)
    op, inputs = _made(variable) or (None, ())
    combine = _COMBINE.get(type(op))
    # Sums of narrower dtypes may wrap around: they are left as they are.
    if combine is not None and depth and variable.dtype == "int64" and all(v.dtype in integer_dtypes for v in inputs):
        total = combine(*(_sum_of(v, depth - 1) for v in inputs))
        if total is not None and len(total.terms) <= _MOST_TERMS:
            return total
    return Extent.variable_of(variable)


def _product(*parts):
    """Return a product of integers of which no two are unknown, None for others."""
    return functools.reduce(operator.mul, parts) if sum(bool(part.terms) for part in parts) <= 1 else None


def _lesser(a, b):
    """Return the smaller of two integers that differ by a number, None for others."""
    difference = (a - b).known
    return None if difference is None else a if difference < 0 else b


def _greater(a, b):
    found = _lesser(a, b)
    return found if found is None else b if found is a else a


_COMBINE = {
    scal.Add: lambda *parts: functools.reduce(operator.add, parts),
    scal.Sub: operator.sub,
    scal.Neg: lambda a: a * -1,
    scal.Mul: _product,
    scal.Minimum: _lesser,
    scal.Maximum: _greater,
}


def _number(variable):
    if isinstance(variable, Constant):
        return int(variable.data)
    node = variable.owner
    if node is None or _made(variable) is not None:
        return None
    value = constant_or_none(variable, max_recur=3)
    return None if value is None else int(value)


def _key(variable, depth=_KEY_DEPTH):
    """Return what is equal for equal expressions, as far as they are looked into."""
    variable = _plain(variable)
    if isinstance(variable, Constant):
        # Some are floats, on the way to an integer.
        return int(variable.data) if variable.dtype in integer_dtypes else (variable.dtype, variable.data.tobytes())
    node = variable.owner
    if node is None or not depth:
        return variable
    if _made(variable) is not None:
        return (node.op, variable.index, *(_key(v, depth - 1) for v in node.inputs))
    return picked(node) or variable


# --- order ------------------------------------------------------------------------------------------


class _Proof:
    """One attempt to show that an integer is not negative, given up after some steps: cost must not grow with the graph."""

    def __init__(self):
        self.steps_left = _MOST_STEPS

    def not_negative(self, extent: Extent, depth=_DEPTH) -> bool:
        self.steps_left -= 1
        if self.steps_left < 0:
            return False
        low = extent.constant
        for variable, coefficient in extent.terms.values():
            least = self._least(variable, depth) if coefficient > 0 else None
            if least is None:
                break
            low += coefficient * least
        else:
            if low >= 0:
                return True
        return depth > 0 and self._by_choices(extent, depth)

    def _by_choices(self, extent: Extent, depth) -> bool:
        """Put the arguments of a minimum, maximum or switch in its place: one that suffices, or all, as its kind and sign ask."""
        for key, (variable, coefficient) in extent.terms.items():
            kind, options = _choices(variable)
            if kind is None:
                continue
            rest = Extent(extent.constant, {k: term for k, term in extent.terms.items() if k != key})
            one_suffices = kind == ("min" if coefficient < 0 else "max")
            proofs = (self.not_negative(rest + _sum_of(option, depth) * coefficient, depth - 1) for option in options)
            if any(proofs) if one_suffices else all(proofs):
                return True
        return False

    def _least(self, variable, depth):
        """Return an int that a variable is never below, None if there is none known."""
        variable = _plain(variable)
        if variable.dtype == "bool" or variable.dtype.startswith("u"):
            return 0
        node = variable.owner
        if node is None or not depth:
            return None
        if isinstance(picked(node), tuple):
            return 0
        op, inputs = _made(variable) or (None, ())
        if isinstance(op, scal.Abs):
            return 0
        if isinstance(op, scal.Mul) and all(self.not_negative(_sum_of(v, depth - 1), depth - 1) for v in inputs):
            return 0
        if isinstance(op, scal.IntDiv):
            above, below = (_sum_of(v, depth - 1) for v in inputs)
            if self.not_negative(above, depth - 1) and self.not_negative(below - 1, depth - 1):
                return 0
        return None


def _choices(variable):
    """Return ('min', 'max' or 'any', arguments) of a variable that is always one of its arguments; (None, ()) for others."""
    made = _made(_plain(variable))
    if made is None:
        return None, ()
    op, inputs = made
    if isinstance(op, (scal.Minimum, scal.Maximum)):
        return ("min" if isinstance(op, scal.Minimum) else "max"), inputs
    if not isinstance(op, scal.Switch):
        return None, ()
    condition, then, otherwise = inputs
    test = _made(_plain(condition))
    if test is not None and isinstance(test[0], (scal.LT, scal.LE, scal.GT, scal.GE)):
        pair, branches = [_key(v, 2) for v in test[1]], [_key(then, 2), _key(otherwise, 2)]
        less = isinstance(test[0], (scal.LT, scal.LE))
        if branches in (pair, pair[::-1]):
            return ("min" if less == (branches == pair) else "max"), (then, otherwise)
    return "any", (then, otherwise)


__all__ = ["Extent", "either", "larger", "smaller", "where_negative"]
