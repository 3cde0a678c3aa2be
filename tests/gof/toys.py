"""Ops on plain Python floats, for tests of the graph core that need no tensors."""

from theano_compat.gof import Apply, Constant, FunctionGraph, Op, Type
from theano_compat.gof.toolbox import Feature


class Number(Type):
    """A Python float; ``dtype`` only serves to make types that differ."""

    __props__ = ("dtype",)

    def __init__(self, dtype="float"):
        self.dtype = dtype

    def filter(self, data, strict=False, allow_downcast=None):
        if strict and not isinstance(data, float):
            raise TypeError(f"{self} expected a float, got {data!r}")
        return float(data)


number = Number()


class Arithmetic(Op):
    """An op given by a Python function."""

    __props__ = ("name",)

    def __init__(self, name, function, nout=1, view_map=None, destroy_map=None, **attributes):
        self.name = name
        self.function = function
        self.nout = nout
        if view_map:
            self.view_map = view_map
        if destroy_map:
            self.destroy_map = destroy_map
        self.__dict__.update(attributes)

    def make_node(self, *inputs):
        inputs = [i if hasattr(i, "type") else Constant(number, i) for i in inputs]
        return Apply(self, inputs, [number.make_variable() for _ in range(self.nout)])

    def perform(self, node, inputs, outputs):
        values = self.function(*inputs)
        for cell, value in zip(outputs, values if self.nout > 1 else [values]):
            cell[0] = value

    def __str__(self):
        return self.name

    def __reduce__(self):  # by name: functions made by lambda do not pickle
        return op_named, (self.name,)


def _op(name, function, **kwargs):
    return Arithmetic(name, function, **kwargs)


OPS = {
    op.name: op
    for op in (
        _op("Add", lambda x, y: x + y),
        _op("Sub", lambda x, y: x - y),
        _op("Mul", lambda x, y: x * y),
        _op("Div", lambda x, y: x / y),
        _op("Neg", lambda x: -x),
        _op("DivMod", lambda x, y: divmod(x, y), nout=2),
        _op("View", lambda x: x, view_map={0: [0]}),
        _op("AddInPlace", lambda x, y: x + y, destroy_map={0: [0]}),
        _op("NegInPlace", lambda x: -x, destroy_map={0: [0]}),
        _op("AddSame", lambda x, y: x + y, destroy_map={0: [0]}, destroyhandler_tolerate_same=[(0, 1)]),
        _op("AddAliased", lambda x, y: x + y, destroy_map={0: [0]}, destroyhandler_tolerate_aliased=[(0, 1)]),
    )
}
add, sub, mul, div, neg, divmod_, view, add_inplace, neg_inplace, add_same, add_aliased = OPS.values()


def op_named(name):
    """Return one of the ops below."""
    return OPS[name]


def numbers(names):
    """Return a variable for each letter of ``names``."""
    return [number(name) for name in names]


def chain(x, length):
    """Return ``-(-(...x))``, a graph as deep as ``length``."""
    for _ in range(length):
        x = neg(x)
    return x


def graph(inputs, *outputs, features=()):
    """Return a FunctionGraph on the variables themselves."""
    return FunctionGraph(list(inputs), list(outputs), features=features, clone=False)


class Recorder(Feature):
    """Remembers what it is told."""

    def __init__(self):
        self.events = []

    def on_import(self, fgraph, node, reason):
        self.events.append(("import", str(node.op), reason))

    def on_prune(self, fgraph, node, reason):
        self.events.append(("prune", str(node.op), reason))

    def on_change_input(self, fgraph, node, i, r, new_r, reason=None):
        self.events.append(("change", str(getattr(node, "op", node)), i))
