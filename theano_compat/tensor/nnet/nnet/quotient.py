"""Elementwise expressions as a sign, numerators and denominators."""
from __future__ import annotations

from theano_compat.tensor import basic as tensor


def constant_value(v):
    """Value of a scalar constant (seen through fills and broadcasts), or None."""
    try:
        return tensor.get_scalar_constant_value(v)
    except tensor.NotScalarConstantError:
        return None


class Quotient:
    """An elementwise expression as a sign, numerators and denominators.

    Parameters
    ----------
    root : variable
        Products, quotients, inverses and minus signs are taken apart.
    """

    def __init__(self, root):
        self.negative = False
        self.num, self.denom = [], []
        pending = [(root, False)]
        while pending:
            v, below = pending.pop()
            node = v.owner
            op = None if node is None else node.op
            if op == tensor.neg:
                self.negative = not self.negative
                pending.append((node.inputs[0], below))
            elif op == tensor.mul:
                pending.extend((factor, below) for factor in reversed(node.inputs))
            elif op == tensor.true_div:
                pending.append((node.inputs[1], not below))
                pending.append((node.inputs[0], below))
            elif op == tensor.inv:
                pending.append((node.inputs[0], not below))
            else:
                (self.denom if below else self.num).append(v)

    def build(self, extra_sign):
        """The expression again (scalars as vectors of one element), with the sign flipped if `extra_sign`."""
        negative = self.negative ^ extra_sign
        num = []
        for v in self.num:
            value = constant_value(v)
            if value is not None and value in (1, -1):
                negative ^= bool(value == -1)
            else:
                num.append(v)
        result = None
        if num:
            result = num[0] if len(num) == 1 else tensor.mul(*num)
        if self.denom:
            denom = self.denom[0] if len(self.denom) == 1 else tensor.mul(*self.denom)
            result = tensor.inv(denom) if result is None and "float" in denom.dtype else \
                tensor.true_div(1.0 if result is None else result, denom)
        if result is None:
            return tensor.as_tensor_variable(-1.0 if negative else 1.0)
        return -result if negative else result


def without(variables, gone):
    """The list less its first element that is `gone`."""
    position = next(i for i, v in enumerate(variables) if v is gone)
    return variables[:position] + variables[position + 1:]
