"""How scalar ops and dimension shuffles look in ``theano.pp``."""
from __future__ import annotations

from theano_compat import scalar as scal
from theano_compat.printing import OperatorPrinter, pprint
from theano_compat.tensor.elemwise_ops.dimshuffle import DimShuffle

#: Scalar op, its symbol, precedence and associativity.
SCALAR_OPERATORS = (
    (scal.add, "+", -2, "either"),
    (scal.mul, "*", -1, "either"),
    (scal.sub, "-", -2, "left"),
    (scal.neg, "-", 0, "either"),
    (scal.true_div, "/", -1, "left"),
    (scal.int_div, "//", -1, "left"),
    (scal.pow, "**", 1, "right"),
    (scal.mod, "%", -1, "left"),
)


class DimShufflePrinter:
    """Prints a transposed matrix as ``x.T`` and leaves new dimensions on the left unsaid."""

    def process(self, r, pstate):
        """Print the variable `r`, whose owner is a `DimShuffle`.

        Raises
        ------
        TypeError
            It is not.
        """
        if r.owner is None or not isinstance(r.owner.op, DimShuffle):
            raise TypeError("Can only print DimShuffle.")
        order, x = list(r.owner.op.new_order), r.owner.inputs[0]
        while order and order[0] == "x":
            order.pop(0)
        kept = list(range(len(r.owner.op.input_broadcastable)))
        if order == kept:
            return pstate.pprinter.process(x)
        if order == kept[::-1]:
            return f"{pstate.pprinter.process(x)}.T"
        return f"DimShuffle{{{', '.join(map(str, order))}}}({pstate.pprinter.process(x)})"


for _op, _symbol, _precedence, _assoc in SCALAR_OPERATORS:
    pprint.assign(_op, OperatorPrinter(_symbol, _precedence, _assoc))
pprint.assign(DimShuffle, DimShufflePrinter())
