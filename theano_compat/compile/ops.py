"""Ops that any type may pass through: view, copy, shape, shape assertions, changes of the broadcast pattern, and
:func:`as_op`, which makes an op of a Python function.

The C text of these ops is made by the engine. The ``register_*`` functions keep what code written for Theano
registers for types of its own.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theano_compat.gof import Apply, Op, Type, Variable
from theano_compat.gof.utils import MethodNotDefined, integer_types

__all__ = [
    "DeepCopyOp", "FromFunctionOp", "OutputGuard", "Rebroadcast", "Shape", "Shape_i", "SpecifyShape", "ViewOp", "as_op",
    "deep_copy_op", "expandable_types", "load_back", "register_deep_copy_op_c_code", "register_rebroadcast_c_code",
    "register_shape_c_code", "register_shape_i_c_code", "register_specify_shape_c_code", "register_view_op_c_code",
    "shape", "shape_i", "shape_i_op", "specify_shape", "view_op",
]

# Types whose variables take part in arrays although they are no arrays themselves.
expandable_types: tuple[type, ...] = ()


def _disconnected() -> Variable:
    from theano_compat.gradient import DisconnectedType

    return DisconnectedType()()


class _PerTypeC:
    """C text chosen by the class of the first input's type, as registered by user code.

    The table ``c_code_and_version`` maps a type class to the texts and, last, their version.
    """

    c_code_and_version: dict[type, tuple[Any, ...]] = {}

    def _registered(self, node: Apply) -> tuple[Any, ...]:
        try:
            return self.c_code_and_version[type(node.inputs[0].type)]
        except KeyError:
            raise MethodNotDefined("c_code", type(self), type(node.inputs[0].type)) from None

    def _c_names(self, iname: str, oname: str, sub: dict[str, str]) -> dict[str, Any]:
        return {"iname": iname, "oname": oname, "fail": sub["fail"]}

    def c_code(self, node: Apply, name: str, inames: Sequence[str], onames: Sequence[str], sub: dict[str, str]) -> str:
        return self._registered(node)[0] % self._c_names(inames[0], onames[0], sub)

    def c_code_cache_version(self) -> tuple[Any, ...]:
        versions = sorted((str(t), entry[-1]) for t, entry in self.c_code_and_version.items())
        return tuple(versions)


def _register(op_class: type[_PerTypeC], typ: type, *entry: Any) -> None:
    op_class.c_code_and_version[typ] = entry


class ViewOp(_PerTypeC, Op):
    """The input itself, as a new variable that shares its memory."""

    view_map = {0: [0]}
    __props__: tuple[str, ...] = ()
    _f16_ok = True
    c_code_and_version: dict[type, tuple[Any, ...]] = {}

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [x], [x.type()])

    def __str__(self) -> str:
        return type(self).__name__

    def perform(self, node: Apply, inp: Sequence[Any], out: Sequence[list[Any]]) -> None:
        out[0][0] = inp[0]

    def infer_shape(self, node: Apply, input_shapes: list[Any]) -> list[Any]:
        return input_shapes

    def grad(self, args: Sequence[Variable], g_outs: Sequence[Variable]) -> list[Variable]:
        return list(g_outs)


class OutputGuard(ViewOp):
    """A view that claims to destroy its input, so that no other operation may do so."""

    destroy_map = {0: [0]}
    check_input = False


class DeepCopyOp(_PerTypeC, Op):
    """A copy of the input that shares no memory with it."""

    check_input = False
    __props__: tuple[str, ...] = ()
    _f16_ok = True
    c_code_and_version: dict[type, tuple[Any, ...]] = {}

    def __init__(self) -> None:
        super().__init__()

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, args: Sequence[Any], outs: Sequence[list[Any]]) -> None:
        value = args[0]
        # For 0-d arrays deepcopy would give a NumPy scalar instead of an array.
        outs[0][0] = value.copy() if hasattr(value, "copy") else copy.deepcopy(value)


class Shape(_PerTypeC, Op):
    """The shape of an array as a vector of int64."""

    _f16_ok = True
    check_input = False
    __props__: tuple[str, ...] = ()
    c_code_and_version: dict[type, tuple[Any, ...]] = {}

    def make_node(self, x: Any) -> Apply:
        from theano_compat import tensor

        if not isinstance(x, Variable):
            x = tensor.as_tensor_variable(x)
        return Apply(self, [x], [tensor.lvector()])

    def perform(self, node: Apply, inp: Sequence[Any], out_: Sequence[list[Any]]) -> None:
        out_[0][0] = np.asarray(inp[0].shape, dtype="int64")

    def infer_shape(self, node: Apply, in_shapes: list[Any]) -> list[Any]:
        return [[len(in_shapes[0])]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        # The values in the array do not reach the result.
        return [[False]]

    def grad(self, inp: Sequence[Variable], grads: Sequence[Variable]) -> list[Variable]:
        return [_disconnected()]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        return [None]


class Shape_i(_PerTypeC, Op):
    """The extent of one dimension of an array, as an int64 scalar.

    Parameters
    ----------
    i : int
        The dimension.
    """

    _f16_ok = True
    check_input = False
    __props__ = ("i",)
    c_code_and_version: dict[type, tuple[Any, ...]] = {}

    def __init__(self, i: int):
        # Equal axes of any integer type give equal ops.
        self.i = int(i)

    @property
    def params_type(self) -> Any:
        from theano_compat import scalar
        from theano_compat.gof import ParamsType

        return ParamsType(i=scalar.basic.int64)

    def __str__(self) -> str:
        return f"{type(self).__name__}{{{self.i}}}"

    def make_node(self, x: Any) -> Apply:
        from theano_compat import tensor

        if not isinstance(x, Variable) or not hasattr(x, "ndim"):
            if isinstance(x, Variable):
                raise TypeError("x must be Variable with ndim attribute", x)
            x = tensor.as_tensor_variable(x)
        if x.ndim <= self.i:
            raise TypeError("x has too few dimensions for Shape_i", (x, self.i))
        return Apply(self, [x], [tensor.lscalar()])

    def perform(self, node: Apply, inp: Sequence[Any], out_: Sequence[list[Any]], params: Any = None) -> None:
        out = out_[0]
        extent = inp[0].shape[self.i]
        if out[0] is None:
            out[0] = np.asarray(extent, dtype="int64")
        else:
            out[0][...] = extent

    def _c_names(self, iname: str, oname: str, sub: dict[str, str]) -> dict[str, Any]:
        return {**super()._c_names(iname, oname, sub), "i": f"{sub['params']}->i" if "params" in sub else self.i}

    def c_code(self, node: Apply, name: str, inames: Sequence[str], onames: Sequence[str], sub: dict[str, str]) -> str:
        text, check_input, _ = self._registered(node)
        return (check_input + text) % self._c_names(inames[0], onames[0], sub)

    def infer_shape(self, node: Apply, input_shapes: list[Any]) -> list[Any]:
        return [()]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False]]

    def grad(self, inp: Sequence[Variable], grads: Sequence[Variable]) -> list[Variable]:
        return [_disconnected()]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        return [None]


def shape_i(var: Variable, i: int, fgraph: Any = None) -> Variable:
    """The extent of `var` in dimension `i`, by the shape feature of `fgraph` where it has one.

    Parameters
    ----------
    var : Variable
        The array.
    i : int
        The dimension.
    fgraph : FunctionGraph, optional
        A graph that `var` belongs to, or that has the inputs of `var`'s computation.

    Returns
    -------
    Variable
        An int64 scalar; ``shape(var)[i]`` where no shape is known.
    """
    feature = getattr(fgraph, "shape_feature", None) if fgraph is not None else None
    if feature is None:
        return shape(var)[i]
    known = feature.shape_of
    if var not in known:
        # Rewrites may ask about variables that are not yet in the graph: what leads to them is
        # introduced to the feature first, inputs before outputs.
        pending = [var]
        while pending:
            owner = pending[-1].owner
            if owner is None or pending[-1] in known:
                if pending[-1] not in known:
                    feature.init_r(pending[-1])
                pending.pop()
                continue
            missing = [v for v in owner.inputs if v not in known]
            if missing:
                pending.extend(missing)
                continue
            feature.on_import(fgraph, owner, "gof.ops.shape_i")
            pending.pop()
    extents = known[var]
    return shape(var)[i] if extents is None else extents[i]


_shape_i_ops: dict[int, Shape_i] = {}


def shape_i_op(i: int) -> Shape_i:
    """The one :class:`Shape_i` of dimension `i`."""
    i = int(i)
    if i not in _shape_i_ops:
        _shape_i_ops[i] = Shape_i(i)
    return _shape_i_ops[i]


class SpecifyShape(_PerTypeC, Op):
    """The first input, known to have the shape that the second input gives; checked at run time.

    The result shares the memory of the first input. What is known of the shape serves the rewrites.
    """

    view_map = {0: [0]}
    __props__: tuple[str, ...] = ()
    _f16_ok = True
    c_code_and_version: dict[type, tuple[Any, ...]] = {}

    def make_node(self, x: Any, shape: Any) -> Apply:
        from theano_compat import tensor

        if not isinstance(x, Variable):
            x = tensor.as_tensor_variable(x)
        shape = tensor.as_tensor_variable(shape)
        assert shape.ndim == 1, f"the shape has to be a vector, not {shape.type}"
        assert shape.dtype in tensor.integer_dtypes, f"the shape has to be of integers, not {shape.dtype}"
        if isinstance(shape, tensor.TensorConstant):
            assert shape.data.size == x.ndim, f"{shape.data.size} extents given for {x.ndim} dimensions"
        return Apply(self, [x, shape], [x.type()])

    def perform(self, node: Apply, inp: Sequence[Any], out_: Sequence[list[Any]]) -> None:
        x, wanted = inp
        assert x.ndim == wanted.size, f"{wanted.size} extents given for {x.ndim} dimensions"
        if not np.all(x.shape == wanted):
            raise AssertionError("got shape", x.shape, "expected", wanted)
        out_[0][0] = x

    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        from theano_compat import tensor
        from theano_compat.tensor import NotScalarConstantError

        wanted = node.inputs[1]
        result = []
        for axis in range(node.inputs[0].ndim):
            extent = wanted[axis]
            try:
                extent = tensor.as_tensor_variable(tensor.get_scalar_constant_value(extent))
            except NotScalarConstantError:
                pass
            result.append(extent)
        return [result]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False]]

    def grad(self, inp: Sequence[Variable], grads: Sequence[Variable]) -> list[Variable]:
        # The gradient has the shape that was promised for the input, which helps its own rewriting.
        return [specify_shape(grads[0], inp[1]), _disconnected()]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        if eval_points[0] is None:
            return [None]
        return self.make_node(eval_points[0], *inputs[1:]).outputs

    def c_support_code_apply(self, node: Apply, name: str) -> str:
        return self._registered(node)[1] or ""

    def c_code(self, node: Apply, name: str, inames: Sequence[str], onames: Sequence[str], sub: dict[str, str]) -> str:
        names = {**self._c_names(inames[0], onames[0], sub), "shape": inames[1]}
        return self._registered(node)[0] % names


class Rebroadcast(_PerTypeC, Op):
    """The input with another broadcast pattern; dimensions declared broadcastable are checked to be 1.

    Parameters
    ----------
    *axis : tuple of (int, bool)
        Dimensions and whether each is broadcastable in the result.
    """

    view_map = {0: [0]}
    _f16_ok = True
    __props__ = ("axis",)
    check_input = False
    c_code_and_version: dict[type, tuple[Any, ...]] = {}

    def __init__(self, *axis: tuple[int, bool]):
        items = sorted(axis)
        for dim, broadcastable in items:
            if not isinstance(dim, (*integer_types, np.integer)):
                raise TypeError(f"Rebroadcast needs integer axes. Got {dim}")
            if not isinstance(broadcastable, (bool, np.bool_)):
                raise TypeError(f"Rebroadcast needs bool for new broadcast pattern. Got {broadcastable}")
        self.axis = OrderedDict((int(dim), bool(broadcastable)) for dim, broadcastable in items)

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.axis.items())))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.axis == other.axis  # type: ignore[attr-defined]

    def __str__(self) -> str:
        pattern = [
            str(int(self.axis[dim])) if dim in self.axis else "?" for dim in range(max(self.axis, default=-1) + 1)
        ]
        return f"{type(self).__name__}{{{','.join(pattern)}}}"

    def make_node(self, x: Variable) -> Apply:
        if self.axis and x.ndim <= max(self.axis):
            raise ValueError("Trying to rebroadcast non-existent dimension")
        pattern = list(x.type.broadcastable)
        for dim, broadcastable in self.axis.items():
            pattern[dim] = broadcastable
        return Apply(self, [x], [x.type.clone(broadcastable=pattern)()])

    def perform(self, node: Apply, inp: Sequence[Any], out_: Sequence[list[Any]]) -> None:
        x = inp[0]
        for dim, broadcastable in self.axis.items():
            if broadcastable and x.shape[dim] != 1:
                raise ValueError(
                    f"Dimension {dim} in Rebroadcast's input was supposed to be 1 (got {x.shape[dim]} instead)"
                )
        out_[0][0] = x

    def grad(self, inp: Sequence[Variable], grads: Sequence[Variable]) -> list[Variable]:
        before = inp[0].type.broadcastable
        return [Rebroadcast(*[(dim, before[dim]) for dim in self.axis])(grads[0])]

    def infer_shape(self, node: Apply, ishapes: list[Any]) -> list[Any]:
        from theano_compat import tensor

        one = tensor.constant(1)
        return [[one if self.axis.get(dim, False) else extent for dim, extent in enumerate(ishapes[0])]]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        if eval_points[0] is None:
            return [None]
        return self(*eval_points, **{"return_list": True})

    def c_code(self, node: Apply, name: str, inames: Sequence[str], onames: Sequence[str], sub: dict[str, str]) -> str:
        text = self._registered(node)[0]
        names = self._c_names(inames[0], onames[0], sub)
        checks = "".join(text % {**names, "axis": dim} for dim, one in self.axis.items() if one)
        view = view_op.c_code(node, name, inames, onames, sub)
        return checks + view


view_op = ViewOp()
deep_copy_op = DeepCopyOp()
shape = Shape()
_shape = shape
specify_shape = SpecifyShape()


# ---------------------------------------------------------------------------------------------------------
# C text of user types
# ---------------------------------------------------------------------------------------------------------


def register_view_op_c_code(type: type, code: str, version: Any = ()) -> None:
    """C text with which :class:`ViewOp` handles a type; ``%(iname)s``, ``%(oname)s``, ``%(fail)s`` are filled in."""
    _register(ViewOp, type, code, version)


def register_deep_copy_op_c_code(typ: type, code: str, version: Any = ()) -> None:
    """C text with which :class:`DeepCopyOp` handles a type."""
    _register(DeepCopyOp, typ, code, version)


def register_shape_c_code(type: type, code: str, version: Any = ()) -> None:
    """C text with which :class:`Shape` handles a type."""
    _register(Shape, type, code, version)


def register_shape_i_c_code(typ: type, code: str, check_input: str, version: Any = ()) -> None:
    """C text with which :class:`Shape_i` handles a type; ``%(i)s`` is the dimension, `check_input` comes first."""
    _register(Shape_i, typ, code, check_input, version)


def register_specify_shape_c_code(
    typ: type, code: str, version: Any = (), c_support_code_apply: str | None = None
) -> None:
    """C text with which :class:`SpecifyShape` handles a type; ``%(shape)s`` is the second input."""
    _register(SpecifyShape, typ, code, c_support_code_apply, version)


def register_rebroadcast_c_code(typ: type, code: str, version: Any = ()) -> None:
    """C text with which :class:`Rebroadcast` checks that dimension ``%(axis)s`` is 1."""
    _register(Rebroadcast, typ, code, version)


# ---------------------------------------------------------------------------------------------------------
# ops from Python functions
# ---------------------------------------------------------------------------------------------------------


def load_back(mod: str, name: str) -> Any:
    """The object `name` of module `mod`, imported if need be."""
    import importlib

    return getattr(importlib.import_module(mod), name)


class FromFunctionOp(Op):
    """An op that calls a Python function on the input values.

    Parameters
    ----------
    fn : callable
        Takes as many values as there are `itypes`; returns one value, or a sequence with one per output type.
    itypes, otypes : list of Type
        The types of the inputs and of the outputs.
    infer_shape : callable or None
        ``infer_shape(node, input_shapes)``, as the method of that name.

    Notes
    -----
    It has no gradient. It pickles by the name of the decorated function.
    """

    digestible = False

    def __init__(self, fn: Callable[..., Any], itypes: list[Any], otypes: list[Any], infer_shape: Any):
        self.__fn = fn
        self.itypes = itypes
        self.otypes = otypes
        self.__infer_shape = infer_shape
        if infer_shape is not None:
            self.infer_shape = self._infer_shape

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__fn == other.__fn  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(type(self)) ^ hash(self.__fn)

    def __str__(self) -> str:
        return f"FromFunctionOp{{{self.__fn.__name__}}}"

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Sequence[list[Any]]) -> None:
        values = self.__fn(*inputs)
        if not isinstance(values, (list, tuple)):
            values = [values]
        assert len(values) == len(outputs), f"{self} returned {len(values)} values for {len(outputs)} outputs"
        for storage, value in zip(outputs, values):
            storage[0] = value

    def _infer_shape(self, node: Apply, input_shapes: list[Any]) -> list[Any]:
        return self.__infer_shape(node, input_shapes)

    def __reduce__(self) -> tuple[Any, ...]:
        mod, name = self.__fn.__module__, self.__fn.__name__
        try:
            found = load_back(mod, name)
        except (ImportError, KeyError, AttributeError):
            found = None
        if found is not self:
            import pickle

            raise pickle.PicklingError(f"Can't pickle as Op: {self.__fn!r} is not the function that {mod}.{name} names")
        return load_back, (mod, name)


def as_op(itypes: Any, otypes: Any, infer_shape: Any = None) -> Callable[[Callable[..., Any]], FromFunctionOp]:
    """Decorator that makes an op of a function.

    Parameters
    ----------
    itypes, otypes : Type or list of Type
        The types of the inputs and of the outputs.
    infer_shape : callable, optional
        ``infer_shape(node, input_shapes)`` gives the shapes of the outputs.

    Returns
    -------
    callable
        Takes the function, returns a :class:`FromFunctionOp`.

    Raises
    ------
    TypeError
        A type is no Theano type, or `infer_shape` cannot be called.
    """

    def types(given: Any, what: str) -> list[Any]:
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        if not all(isinstance(t, Type) for t in given):
            raise TypeError(f"{what} has to be a list of Theano types")
        return given

    in_types, out_types = types(itypes, "itypes"), types(otypes, "otypes")
    if infer_shape is not None and not callable(infer_shape):
        raise TypeError("infer_shape needs to be a callable")

    def make_op(fn: Callable[..., Any]) -> FromFunctionOp:
        return FromFunctionOp(fn, in_types, out_types, infer_shape)

    return make_op
