"""Types of what may stand in an index beside numbers and arrays: slices and None."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Constant, Generic, Op, Type, Variable, hashtype
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor.basic.conversion import as_tensor_variable, integer_dtypes


def as_int_none_variable(x):
    """Return `x` as a scalar integer variable, or `NoneConst` for None.

    Raises
    ------
    TypeError
        If `x` is neither None nor an integer of no dimensions.
    """
    if x is None or NoneConst.equals(x):
        return NoneConst
    x = as_tensor_variable(x, ndim=0)
    if x.type.dtype not in integer_dtypes:
        raise TypeError("index must be integers")
    return x


class MakeSlice(Op):
    """Build a slice from its start, stop and step."""

    __props__ = ()

    def make_node(self, slc, stop=None, step=None):
        """Take a Python slice, or start, stop and step."""
        if isinstance(slc, slice):
            assert stop is None and step is None
            slc, stop, step = slc.start, slc.stop, slc.step
        return Apply(self, [as_int_none_variable(part) for part in (slc, stop, step)], [slicetype()])

    def perform(self, node, inp, out_):
        """Store the slice."""
        out_[0][0] = slice(*inp)

    def connection_pattern(self, node):
        """Slices are discrete: nothing flows back through them."""
        return [[False]] * len(node.inputs)

    def grad(self, inputs, grads):
        """Return disconnected gradients."""
        return [DisconnectedType()() for _ in inputs]


make_slice = MakeSlice()


class SliceType(Type):
    """Type of Python slice objects."""

    def clone(self, dtype=None, broadcastable=None):
        """Return the type itself: it has no parameters."""
        return self

    def filter(self, x, strict=False, allow_downcast=None):
        """Return `x` if it is a slice, else raise TypeError."""
        if isinstance(x, slice):
            return x
        raise TypeError("Expected a slice!")

    def __str__(self):
        return "slice"

    __repr__ = __str__

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return hashtype(self)

    @staticmethod
    def may_share_memory(a, b):
        """Return whether two slices share a changeable part: only if they are one object."""
        return isinstance(a, slice) and a is b


slicetype = SliceType()


class SliceConstant(Constant):
    """A slice known while the graph is built; its parts are None or integers."""

    def __init__(self, type, data, name=None):
        def plain(part):
            return part.item() if isinstance(part, (np.ndarray, np.integer)) else part

        super().__init__(type, slice(plain(data.start), plain(data.stop), plain(data.step)), name)

    def signature(self):
        """Return what equal slices have in common."""
        return (SliceConstant, self.data.start, self.data.stop, self.data.step)

    def __str__(self):
        return f"{self.__class__.__name__}{{{self.data.start}, {self.data.stop}, {self.data.step}}}"


SliceType.Constant = SliceConstant


class NoneTypeT(Generic):
    """Type of None."""

    def filter(self, x, strict=False, allow_downcast=None):
        """Return None, or raise TypeError for anything else."""
        if x is None:
            return x
        raise TypeError("Expected None!")

    @staticmethod
    def may_share_memory(a, b):
        """None holds no memory."""
        return False


none_type_t = NoneTypeT()

NoneConst = Constant(none_type_t, None, name="NoneConst")

__all__ = [
    "MakeSlice",
    "NoneConst",
    "NoneTypeT",
    "SliceConstant",
    "SliceType",
    "Variable",
    "as_int_none_variable",
    "make_slice",
    "none_type_t",
    "slicetype",
]
