"""One form for sums and one for products: ``(a + b) - c`` and ``(a * b) / c`` with the terms in two lists."""

from __future__ import annotations

from collections import Counter

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Constant, local_optimizer
from theano_compat.gof.graph import Variable
from theano_compat.gof.opt import LocalOptGroup, LocalOptimizer, copy_stack_trace, in2out
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import DimShuffle
from theano_compat.tensor.opt.common import constant_value, fill_chain, is_value, scalar_op, single_client
from theano_compat.tensor.opt.registry import register_canonicalize, register_stabilize


class Canonizer(LocalOptimizer):
    """Bring nested uses of an operation, its inverse and its reciprocal into one numerator and one denominator.

    Parameters
    ----------
    main : Op
        Commutative, associative, of any number of inputs (``add``, ``mul``).
    inverse : Op
        ``inverse(main(a, b), b) == a`` (``sub``, ``true_div``).
    reciprocal : Op
        ``reciprocal(a)`` is ``inverse(neutral, a)`` (``neg``, ``inv``).
    calculate : callable
        ``calculate(num, denum, aslist=False, out_type=None)`` combines numbers; with `aslist` it returns ``[]`` for the neutral
        number and else a list of one.
    use_reciprocal : bool
        Whether results without a numerator are written with `reciprocal`, instead of the neutral number.

    Notes
    -----
    What occurs in both lists cancels; constants are combined into one, which comes first. The node nearest to the outputs does all the
    work for what is below it, so that a chain of n operations takes O(n).
    """

    def __init__(self, main, inverse, reciprocal, calculate, use_reciprocal=True):
        self._ops = self.main, self.inverse, self.reciprocal = main, inverse, reciprocal
        self.calculate, self.use_reciprocal = calculate, use_reciprocal
        self.external_simplifiers = []

    def add_simplifier(self, simplifier, reason):
        """Add ``simplifier(num, denum) -> (num, denum)``, which is applied last."""
        self.external_simplifiers.append((reason, simplifier))

    def tracks(self):
        return [self.main, self.inverse, self.reciprocal]

    def _is_ours(self, variable, dtype):
        return variable.owner is not None and variable.type.dtype == dtype and variable.owner.op in self._ops

    def get_num_denum(self, input):
        """Return (numerator, denominator), two lists of variables, of an expression.

        Operations of another dtype than the expression's are left whole, since their rounding is another.
        """
        num, denum = [], []
        dtype = input.type.dtype
        # (variable, whether it is in the numerator)
        stack = [(input, True)]
        while stack:
            variable, on_top = stack.pop()
            opened = variable
            if not self._is_ours(variable, dtype):
                opened = _below_left_padding(variable)
                if opened is None or not self._is_ours(opened, dtype):
                    (num if on_top else denum).append(variable)
                    continue
            op, inputs = opened.owner.op, opened.owner.inputs
            if op == self.main:
                parts = [(v, on_top) for v in inputs]
            elif op == self.inverse:
                parts = [(inputs[0], on_top), (inputs[1], not on_top)]
            else:
                parts = [(inputs[0], not on_top)]
            stack.extend(reversed(parts))
        return num, denum

    def merge_num_denum(self, num, denum, dtype=None):
        """Return the expression with this numerator and denominator.

        No part of it is computed in a dtype narrower than `dtype`, where that is given: it could wrap round there.
        """
        if not num and not denum:
            return T.as_tensor_variable(self.calculate([], [], aslist=False))
        if not num:
            if self.use_reciprocal:
                below = self.merge_num_denum(denum, [], dtype)
                return self.reciprocal(below if dtype in (None, below.dtype) else T.cast(below, dtype))
            num = [self.calculate([], [], aslist=False)]
        if not denum:
            if len(num) == 1:
                return T.as_tensor_variable(num[0])
            num = [T.as_tensor_variable(v) for v in num]
            if dtype is not None and scal.upcast(*(v.dtype for v in num)) != dtype:
                num = [v if v.dtype == dtype else T.cast(v, dtype) for v in num]
            return self.main(*num)
        return self.inverse(self.merge_num_denum(num, [], dtype), self.merge_num_denum(denum, [], dtype))

    @staticmethod
    def get_constant(v):
        """Return the number that a variable or number is, as a 0-d array; None if it is none."""
        if isinstance(v, Constant):
            unique = getattr(v.tag, "unique_value", None)
            data = v.data if unique is None else unique
            return data if np.ndim(data) == 0 else None
        return constant_value(v) if isinstance(v, Variable) else v

    def simplify(self, num, denum, out_type):
        """Return numerator and denominator after cancelling, combining constants and the added simplifiers."""
        pair = self.simplify_constants(*self.simplify_factors(num, denum), out_type=out_type)
        for _reason, simplifier in self.external_simplifiers:
            pair = simplifier(*pair)
        return pair

    def simplify_factors(self, num, denum):
        """Cancel what is in both lists (in place), the same number of times in each."""
        common = Counter(num) & Counter(denum)
        if not common:
            return num, denum
        for terms in (num, denum):
            left = Counter(common)
            kept = []
            for variable in terms:
                if left[variable] > 0:
                    left[variable] -= 1
                else:
                    kept.append(variable)
            terms[:] = kept
        return num, denum

    def simplify_constants(self, orig_num, orig_denum, out_type=None):
        """Combine all constants into at most one, at the head of the numerator."""
        num_values, num, denum_values, denum = [], [], [], []
        for terms, values, rest in ((orig_num, num_values, num), (orig_denum, denum_values, denum)):
            for variable in terms:
                value = self.get_constant(variable)
                (rest if value is None else values).append(variable if value is None else value)
        if self.use_reciprocal or num:
            combined = self.calculate(num_values, denum_values, aslist=True, out_type=out_type)
        else:
            # Without a numerator and without reciprocals a number is needed on top, be it the neutral one.
            combined = [self.calculate(num_values, denum_values, aslist=False, out_type=out_type)]
        # One constant that is where it belongs: change nothing, or this would never come to rest.
        if len(num_values) == 1 and not denum_values and combined:
            first = self.get_constant(orig_num[0])
            if first is not None and _same_number(combined[0], first):
                return orig_num, orig_denum
        if not num_values and not denum_values and combined and not orig_num:
            return [T.constant(combined[0])], denum
        return [T.constant(number) for number in combined] + num, denum

    def transform(self, node):
        if node.op not in self._ops:
            return False
        out = node.outputs[0]
        # A client that does the same will see all this from above.
        for client, _index in out.clients:
            while (
                client != "output" and isinstance(client.op, DimShuffle) and len(client.outputs[0].clients) == 1
            ):
                client = client.outputs[0].clients[0][0]
            if client != "output" and client.op in self._ops and client.outputs[0].type.dtype == out.type.dtype:
                return False
        orig_num, orig_denum = self.get_num_denum(out)
        num, denum = self.simplify(list(orig_num), list(orig_denum), out.type)
        if len(orig_num) == len(num) and len(orig_denum) == len(denum):
            if all(a is b for a, b in zip(orig_num + orig_denum, num + denum)):
                return False
        new = self.merge_num_denum(num, denum, out.type.dtype)
        if new.type.dtype != out.type.dtype:
            new = T.cast(new, out.type.dtype)
        if new.type != out.type:
            (new,) = fill_chain(new, node.inputs)
        if new.type != out.type or new is out:
            return False
        return [copy_stack_trace(out, new)]

    def __str__(self):
        return getattr(self, "name", None) or f"Canonizer({self.main}, {self.inverse}, {self.reciprocal})"


def _below_left_padding(variable):
    """Return the input of a dimshuffle that only pads to the left, which broadcasting does anyway; None for others."""
    owner = variable.owner
    if owner is None or not isinstance(owner.op, DimShuffle):
        return None
    inner = owner.inputs[0]
    padding = variable.type.ndim - inner.type.ndim
    if padding < 0 or tuple(owner.op.new_order) != ("x",) * padding + tuple(range(inner.type.ndim)):
        return None
    return inner


def _same_number(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return bool(a == b) or bool(a != a and b != b)


def mul_calculate(num, denum, aslist=False, out_type=None):
    """Return the product of `num` over the product of `denum`, as a number (or list, see `Canonizer`)."""
    if not num and not denum:
        return [] if aslist else np.int8(1)
    dtype = scal.upcast(*[v.dtype for v in (*num, *denum)]) if out_type is None else out_type.dtype
    with np.errstate(all="ignore"):
        product = np.asarray(1, dtype=dtype)
        for number in num:
            product = product * number
        if denum:
            divisor = np.asarray(1, dtype=dtype)
            for number in denum:
                divisor = divisor * number
            product = np.true_divide(product, divisor)
    product = np.asarray(product, dtype=dtype)
    if aslist:
        return [] if np.all(product == 1) else [product]
    return product


def add_calculate(num, denum, aslist=False, out_type=None):
    """Return the sum of `num` minus the sum of `denum`, as a number (or list, see `Canonizer`)."""
    zero = 0.0 if out_type is None else np.asarray(0, dtype=out_type.dtype)
    with np.errstate(all="ignore"):
        if out_type is not None and out_type.dtype == "bool":
            total = np.asarray(any(bool(v) for v in num))
        else:
            total = sum(num, zero) - sum(denum, zero)
    if out_type is not None:
        total = np.asarray(total, dtype=out_type.dtype)
    if aslist:
        return [] if np.all(total == 0) else [total]
    return total


local_mul_canonizer = register_canonicalize(
    Canonizer(T.mul, T.true_div, T.inv, mul_calculate, use_reciprocal=False), name="local_mul_canonizer"
)
local_add_canonizer = register_canonicalize(
    Canonizer(T.add, T.sub, T.neg, add_calculate), name="local_add_canonizer"
)


def check_for_x_over_absX(numerators, denominators):
    """Simplify ``x / |x|`` to ``sgn(x)`` (both lists are changed in place)."""
    for divisor in list(denominators):
        op = scalar_op(divisor)
        if not isinstance(op, scal.Abs):
            continue
        inner = divisor.owner.inputs[0]
        if inner not in numerators:
            continue
        denominators.remove(divisor)
        numerators.remove(inner)
        # The sign of a complex number is another thing.
        if inner.type.dtype in T.complex_dtypes:
            numerators.append(inner)
            denominators.append(divisor)
            continue
        numerators.append(T.sgn(inner))
    return numerators, denominators


local_mul_canonizer.add_simplifier(check_for_x_over_absX, "X_over_absX")


# --- distributing a common factor -----------------------------------------------------------------


def attempt_distribution(factor, num, denum, out_type):
    """Try to multiply a sum out: by each of some factors, and by the inverse of each of some divisors.

    Parameters
    ----------
    factor : Variable
        Nothing is done unless it is a sum.
    num, denum : list of Variable
        What it could be multiplied by, and divided by.
    out_type : Type

    Returns
    -------
    changed : bool
    factor : Variable
        The new sum, or the given one.
    num, denum : list of Variable
        What is left of the lists.
    """
    if not _is_sum(factor) or (factor.dtype in T.discrete_dtypes and factor.dtype != out_type.dtype) or out_type.dtype == "bool":
        return False, factor, num, denum  # a narrow sum may wrap round; there is no difference of bools
    pos, neg = local_add_canonizer.get_num_denum(factor)
    if len(pos) + len(neg) < 2:
        return False, factor, num, denum
    terms = [[local_mul_canonizer.get_num_denum(v) for v in part] for part in (pos, neg)]
    shared = not single_client(factor)
    left = ([], [])
    changed = False
    for rest, candidates, inverse in ((left[0], num, False), (left[1], denum, True)):
        for candidate in candidates:
            if not _may_cancel(candidate, [v for part in terms for pair in part for v in pair[not inverse]]):
                rest.append(candidate)
                continue
            times, over = ([], [candidate]) if inverse else ([candidate], [])
            # A sum that is used elsewhere too is computed anyway: the changed one must be cheaper by itself.
            done, *new_terms = distribute_greedy(
                *terms, times, over, out_type, minscore=_cost(times, over) if shared and not changed else 0
            )
            if done:
                terms, changed = new_terms, True
            else:
                rest.append(candidate)
    if not changed:
        return False, factor, num, denum
    products = [[local_mul_canonizer.merge_num_denum(*pair, out_type.dtype) for pair in part] for part in terms]
    return True, local_add_canonizer.merge_num_denum(*products, out_type.dtype), *left


def distribute_greedy(pos_pairs, neg_pairs, num, denum, out_type, minscore=0):
    """Multiply each term of a sum by ``num / denum`` if that saves operations.

    Parameters
    ----------
    pos_pairs, neg_pairs : list of (list, list)
        Numerator and denominator of each added, and each subtracted, term.
    num, denum : list of Variable
    out_type : Type
    minscore : int
        What must be saved at least.

    Returns
    -------
    done : bool
    pos, neg : list of (list, list)
        The new terms, or the given ones.
    """
    # The operations that would go minus those that would come.
    score = _cost(num, denum)
    simplified = []
    for terms in (pos_pairs, neg_pairs):
        group = []
        for term_num, term_denum in terms:
            pair = local_mul_canonizer.simplify([*term_num, *num], [*term_denum, *denum], out_type)
            score += _cost(term_num, term_denum) - _cost(*pair)
            if _is_logistic(*pair) and not _is_logistic(term_num, term_denum):
                # exp(u) / (1 + exp(u)) together can be computed without overflow, apart it cannot: worth any cost.
                score = float("inf")
            group.append(pair)
        simplified.append(group)
    if score <= minscore:
        return False, pos_pairs, neg_pairs
    return True, *simplified


def _may_cancel(factor, others):
    """Whether a factor can save anything in terms that have the factors `others` on the other side of the fraction line.

    Numbers combine with numbers, absolute values and exponentials with what they are made of, ``1 + exp(u)`` with ``exp(u)``.
    """
    if factor in others or isinstance(scalar_op(factor), (scal.Abs, scal.Exp)):
        return True
    if _is_sum(factor):
        return any(isinstance(scalar_op(v), scal.Exp) for v in factor.owner.inputs)
    return local_mul_canonizer.get_constant(factor) is not None or any(isinstance(scalar_op(v), scal.Abs) for v in others)


def _is_logistic(num, denum):
    """Whether a fraction has some exp(u) above and 1 + exp(u) below."""
    exponentials = {v for v in num if isinstance(scalar_op(v), scal.Exp)}
    if not exponentials:
        return False
    return any(
        _is_sum(v) and any(part in exponentials for part in v.owner.inputs) and any(is_value(part, 1) for part in v.owner.inputs)
        for v in denum
    )


def _cost(num, denum):
    """Return what a product costs; a division costs as much as two multiplications."""
    return len(num) + 2 * len(denum)


@register_canonicalize
@register_stabilize
@local_optimizer([T.mul, T.true_div, T.inv])
def local_greedy_distributor(node):
    """``x * (a / x + b)`` → ``a + b * x``: multiply a factor into a sum where something cancels."""
    out = node.outputs[0]
    num, denum = local_mul_canonizer.get_num_denum(out)
    if not any(v.owner is not None and v.owner.op in (T.add, T.sub) for v in (*num, *denum)):
        return False
    if len(num) == 1 and not denum:
        return False
    changed = False
    for candidate in [v for v in num if _is_sum(v)]:
        rest = list(num)
        rest.remove(candidate)
        done, factor, rest, denum = attempt_distribution(candidate, rest, denum, out.type)
        if done:
            num, changed = [factor, *rest], True
            break
    for candidate in [v for v in denum if _is_sum(v)]:
        rest = list(denum)
        rest.remove(candidate)
        # Seen from the denominator the two lists change places. A number has its place at the head of the numerator.
        numbers = [v for v in num if local_mul_canonizer.get_constant(v) is not None]
        others = [v for v in num if local_mul_canonizer.get_constant(v) is None]
        done, factor, rest, others = attempt_distribution(candidate, rest, others, out.type)
        if done:
            denum, num, changed = [factor, *rest], numbers + others, True
            break
    if not changed:
        return False
    new = local_mul_canonizer.merge_num_denum(num, denum, out.type.dtype)
    if new.type.dtype != out.type.dtype:
        new = T.cast(new, out.type.dtype)
    if new.type != out.type:
        return False
    return [copy_stack_trace(out, new)]


def _is_sum(variable):
    return variable.owner is not None and variable.owner.op in (T.add, T.sub)


def _group(canonizer, name):
    from theano_compat.tensor.opt.fill_alloc import local_fill_sink

    return in2out(LocalOptGroup(canonizer, local_fill_sink), name=name)


mul_canonizer = _group(local_mul_canonizer, "mul_canonizer_groups")
add_canonizer = _group(local_add_canonizer, "add_canonizer_group")

__all__ = [
    "Canonizer", "add_calculate", "add_canonizer", "attempt_distribution", "check_for_x_over_absX", "distribute_greedy",
    "local_add_canonizer", "local_greedy_distributor", "local_mul_canonizer", "mul_calculate",
    "mul_canonizer",
]  # fmt: skip
