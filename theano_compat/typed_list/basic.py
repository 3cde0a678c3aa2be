"""Variables that hold lists, and the ops on them.

The ops that change a list make a shallow copy first, unless they are built with ``inplace=True``.
"""

from __future__ import annotations

import numpy as np

from theano_compat import tensor as T
from theano_compat.gof import Apply, Constant, Op, Variable
from theano_compat.tensor.type_other import SliceType
from theano_compat.typed_list.type import TypedListType


class _typed_list_py_operators:
    """The operators and methods of lists."""

    def __getitem__(self, index):
        return getitem(self, index)

    def __len__(self):
        """Return the length as a variable, to who calls this method; ``len(l)`` needs a number and raises TypeError."""
        return length(self)

    ttype = property(lambda self: self.type.ttype, doc="Type of the entries.")
    dtype = property(lambda self: self.type.ttype.dtype, doc="Element type of the entries.")
    ndim = property(lambda self: self.type.ttype.ndim + 1, doc="Number of dimensions of the entries, and one more.")


# method -> (name of the op, what it returns); `index` is an attribute that variables have anyway
_METHODS = {
    "append": ("append", "the list with an entry added at the end"),
    "extend": ("extend", "the list with the entries of another added at the end"),
    "insert": ("insert", "the list with an entry added before a position"),
    "remove": ("remove", "the list without the first entry that equals the argument"),
    "reverse": ("reverse", "the list in reverse order"),
    "count": ("count", "how many entries equal the argument"),
    "ind": ("index_", "the position of the first entry that equals the argument"),
}


def _add_methods():
    for name, (op, meaning) in _METHODS.items():

        def method(self, *args, _op=op):
            return globals()[_op](self, *args)

        method.__name__ = name
        method.__doc__ = f"Return {meaning}."
        setattr(_typed_list_py_operators, name, method)


_add_methods()


class TypedListVariable(_typed_list_py_operators, Variable):
    """A symbolic list."""


TypedListType.Variable = TypedListVariable


class TypedListConstant(_typed_list_py_operators, Constant):
    """A list that is known while the graph is built."""


TypedListType.Constant = TypedListConstant


def _index(index):
    """Return a position as an int64 scalar variable.

    Raises
    ------
    TypeError
        If it is no integer of no dimensions.
    """
    if not isinstance(index, Variable):
        return T.constant(index, ndim=0, dtype="int64")
    if index.type.ndim != 0 or index.type.dtype not in T.integer_dtypes:
        raise TypeError("Expected an integer scalar as position", index.type)
    return T.cast(index, "int64")


class _ListOp(Op):
    """An op whose first input is a list."""

    __props__ = ()
    _f16_ok = True

    def __str__(self):
        return self.__class__.__name__


class GetItem(_ListOp):
    """The entry at a position, or the list of entries in a slice."""

    view_map = {0: [0]}

    def make_node(self, x, index):
        """Take the list, and an integer or a slice."""
        assert isinstance(x.type, TypedListType)
        if isinstance(index, slice):
            index = Constant(SliceType(), index)
        if isinstance(index, Variable) and isinstance(index.type, SliceType):
            return Apply(self, [x, index], [x.type()])
        if isinstance(index, Variable) and (getattr(index.type, "ndim", 1) != 0):
            raise TypeError("Expected scalar or slice as index.")
        return Apply(self, [x, _index(index)], [x.ttype()])

    def perform(self, node, inputs, outputs):
        """Store the entry or entries."""
        x, index = inputs
        outputs[0][0] = x[index] if isinstance(index, slice) else x[int(index)]


class _Changing(_ListOp):
    """An op that changes a list, or a shallow copy of it."""

    __props__ = ("inplace",)

    def __init__(self, inplace=False):
        self.inplace = inplace
        if inplace:
            self.destroy_map = {0: [0]}
        else:
            # the entries are not copied
            self.view_map = {0: [0]}

    def _start(self, x, outputs):
        outputs[0][0] = out = x if self.inplace else list(x)
        return out


class Append(_Changing):
    """A list with an entry added at the end."""

    def make_node(self, x, toAppend):
        """Take the list and the entry."""
        assert isinstance(x.type, TypedListType)
        assert x.ttype == toAppend.type, (x.ttype, toAppend.type)
        return Apply(self, [x, toAppend], [x.type()])

    def perform(self, node, inputs, outputs):
        """Store the list."""
        x, entry = inputs
        self._start(x, outputs).append(_own(entry))


class Extend(_Changing):
    """A list with the entries of another added at the end."""

    def make_node(self, x, toAppend):
        """Take both lists."""
        assert isinstance(x.type, TypedListType)
        assert x.type == toAppend.type, (x.type, toAppend.type)
        return Apply(self, [x, toAppend], [x.type()])

    def perform(self, node, inputs, outputs):
        """Store the list."""
        x, other = inputs
        self._start(x, outputs).extend([_own(entry) for entry in other])


class Insert(_Changing):
    """A list with an entry added before a position."""

    def make_node(self, x, index, toInsert):
        """Take the list, the position and the entry."""
        assert isinstance(x.type, TypedListType)
        assert x.ttype == toInsert.type, (x.ttype, toInsert.type)
        return Apply(self, [x, _index(index), toInsert], [x.type()])

    def perform(self, node, inputs, outputs):
        """Store the list."""
        x, index, entry = inputs
        self._start(x, outputs).insert(int(index), _own(entry))


class Remove(_Changing):
    """A list without the first entry that equals a given one."""

    def make_node(self, x, toRemove):
        """Take the list and the entry."""
        assert isinstance(x.type, TypedListType)
        assert x.ttype == toRemove.type, (x.ttype, toRemove.type)
        return Apply(self, [x, toRemove], [x.type()])

    def perform(self, node, inputs, outputs):
        """Store the list, the same one if nothing in it is equal."""
        x, entry = inputs
        out = self._start(x, outputs)
        position = _position(node.inputs[0].ttype, out, entry)
        if position is not None:
            del out[position]


class Reverse(_Changing):
    """A list in reverse order."""

    def make_node(self, x):
        """Take the list."""
        assert isinstance(x.type, TypedListType)
        return Apply(self, [x], [x.type()])

    def perform(self, node, inp, outputs):
        """Store the list."""
        self._start(inp[0], outputs).reverse()


def _own(entry):
    """Return an entry that does not change when the caller's array does."""
    return entry.copy() if isinstance(entry, np.ndarray) else entry


def _position(ttype, entries, wanted):
    """Return the position of the first entry equal to `wanted`, or None."""
    return next((i for i, entry in enumerate(entries) if ttype.values_eq(entry, wanted)), None)


class _AboutEntry(_ListOp):
    """A number that tells about an entry in a list."""

    def make_node(self, x, elem):
        """Take the list and the entry."""
        assert isinstance(x.type, TypedListType)
        assert x.ttype == elem.type, (x.ttype, elem.type)
        return Apply(self, [x, elem], [T.scalar()])


class Index(_AboutEntry):
    """The position of the first entry that equals a given one."""

    def perform(self, node, inputs, outputs):
        """Store the position.

        Raises
        ------
        ValueError
            If there is no such entry.
        """
        x, elem = inputs
        position = _position(node.inputs[0].ttype, x, elem)
        if position is None:
            raise ValueError("the entry is not in the list", elem)
        outputs[0][0] = np.asarray(position, dtype=node.outputs[0].dtype)


class Count(_AboutEntry):
    """How many entries equal a given one."""

    def perform(self, node, inputs, outputs):
        """Store the number."""
        x, elem = inputs
        ttype = node.inputs[0].ttype
        found = sum(bool(ttype.values_eq(entry, elem)) for entry in x)
        outputs[0][0] = np.asarray(found, dtype=node.outputs[0].dtype)


class Length(_ListOp):
    """The number of entries."""

    def make_node(self, x):
        """Take the list."""
        assert isinstance(x.type, TypedListType)
        return Apply(self, [x], [T.scalar(dtype="int64")])

    def perform(self, node, x, outputs):
        """Store the number."""
        outputs[0][0] = np.asarray(len(x[0]), "int64")


class MakeList(_ListOp):
    """A list of given entries, all of one type."""

    def make_node(self, a):
        """Take a list or tuple of variables."""
        assert isinstance(a, (tuple, list))
        entries = [entry if isinstance(entry, Variable) else T.as_tensor_variable(entry) for entry in a]
        if not entries:
            raise IndexError("list index out of range: MakeList needs an entry to know the type")
        if any(entry.type != entries[0].type for entry in entries):
            raise TypeError("MakeList need all input variable to be of the same type.")
        return Apply(self, entries, [TypedListType(entries[0].type)()])

    def perform(self, node, inputs, outputs):
        """Store the list, with copies of the entries."""
        outputs[0][0] = [_own(entry) for entry in inputs]


getitem = GetItem()
append = Append()
extend = Extend()
insert = Insert()
remove = Remove()
reverse = Reverse()
index_ = Index()
count = Count()
length = Length()
make_list = MakeList()
