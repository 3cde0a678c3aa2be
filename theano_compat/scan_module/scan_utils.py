"""Tools on graphs that scan and its rewrites share: copies, comparisons, shapes, and a scan's arguments by kind."""

from __future__ import annotations

import copy
import logging
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from theano_compat import gof, tensor
from theano_compat.compile.pfunc import rebuild_collect_shared
from theano_compat.gof import Constant, Variable
from theano_compat.gof.op import get_test_value
from theano_compat.scan_module.layout import Layout, ScanDescription

_logger = logging.getLogger("theano.scan_utils")

string_types = (str,)
DEPRECATED_ARG = object()


def safe_new(x: Any, tag: str = "", dtype: str | None = None) -> Variable:
    """A new variable of the type of `x`, with its name, followed by `tag`, and its test value.

    Parameters
    ----------
    x : Variable or number or ndarray
        The model. A constant gives a constant.
    tag : str
        Ending of the name.
    dtype : str, optional
        Another dtype.
    """
    name = x.name + tag if getattr(x, "name", None) is not None else None
    if isinstance(x, Constant):
        if dtype and x.dtype != dtype:
            cast = x.astype(dtype)
            new = type(x)(cast.type, np.asarray(x.data).astype(dtype), x.name)
            new.tag = copy.copy(x.tag)
            return new
        return x.clone()
    if not isinstance(x, Variable) or isinstance(x.type, _scalar_type()):
        x = tensor.as_tensor_variable(x)
    if dtype and x.type.dtype != dtype:
        x = x.astype(dtype)
    new = x.type()
    new.name = name
    if _test_values_wanted():
        _pass_test_value(x, new)
    return new


def _scalar_type() -> type:
    from theano_compat.scalar import Scalar

    return Scalar


def _test_values_wanted() -> bool:
    from theano_compat import config

    return config.compute_test_value != "off"


def _pass_test_value(source: Variable, target: Variable) -> None:
    try:
        target.tag.test_value = copy.deepcopy(get_test_value(source))
    except AttributeError:
        pass  # Without one there is nothing to pass on; who needs it will say so.


class until:
    """What the function given to scan returns to end the loop after the present step.

    Parameters
    ----------
    condition : Variable
        Scalar; the loop ends where it is true.
    """

    def __init__(self, condition: Any):
        self.condition = tensor.as_tensor_variable(condition)
        assert self.condition.ndim == 0, "the condition that ends a loop has to be a scalar"


def traverse(out: Any, x: Variable, x_copy: Variable, d: dict, visited: set | None = None) -> dict:
    """Enter in `d` every transfer of `x` that `out` depends on, with the same transfer of `x_copy`.

    Parameters
    ----------
    out : Variable or list of Variable
        Where to look.
    x, x_copy : Variable
        A variable and what stands for it.
    d : dict
        Filled and returned.
    visited : set, optional
        Variables that need no look.
    """
    visited = set() if visited is None else visited
    pending = list(out) if isinstance(out, (list, tuple)) else [out]
    while pending:
        variable = pending.pop()
        if variable in visited:
            continue
        visited.add(variable)
        node = variable.owner
        if variable is x:
            d[variable] = x_copy
        elif node is not None:
            transfers = type(node.op).__name__ in ("GpuFromHost", "GpuToGpu", "HostFromGpu")
            if transfers and node.inputs == [x]:
                d[variable] = node.op(x_copy)
            else:
                pending.extend(node.inputs)
    return d


def hash_listsDictsTuples(x: Any) -> int:
    """Hash nested lists, tuples and dictionaries by their elements; what has no hash otherwise counts as equal."""
    if isinstance(x, (list, tuple)):
        return hash((type(x).__name__, *[hash_listsDictsTuples(item) for item in x]))
    if isinstance(x, dict):
        total = 0
        for key, value in x.items():
            total ^= hash((hash_listsDictsTuples(key), hash_listsDictsTuples(value)))
        return total
    try:
        return hash(x)
    except TypeError:
        return 0


def clone(
    output: Any,
    replace: Any = None,
    strict: bool = True,
    share_inputs: bool = True,
    copy_inputs: Any = DEPRECATED_ARG,
) -> Any:
    """Copy expressions, with other variables in place of some.

    Parameters
    ----------
    output : Variable or list of Variable
        What to copy.
    replace : dict or list of pairs, optional
        What is put in place of which variable.
    strict : bool
        Refuse replacements of another type.
    share_inputs : bool
        Keep the leaves; else they are copied as well.
    copy_inputs
        The old name of `share_inputs`.

    Returns
    -------
    Variable or list of Variable
        In the form of `output`.

    Examples
    --------
    >>> import theano_compat as theano
    >>> x, y = theano.tensor.dscalars('xy')
    >>> float(theano.clone(x * 2, replace={x: y + 1}).eval({y: 4.0}))
    10.0
    """
    if copy_inputs is not DEPRECATED_ARG:
        warnings.warn(
            "In `clone()` function, the argument `copy_inputs` has been deprecated and renamed into `share_inputs`",
            stacklevel=2,
        )
        assert share_inputs, "give either copy_inputs or share_inputs"
        share_inputs = copy_inputs
    pairs = list(replace.items()) if isinstance(replace, dict) else list(replace or [])
    pairs = [pair if isinstance(pair[1], Variable) else (pair[0], tensor.as_tensor_variable(pair[1])) for pair in pairs]
    olds = {old for old, _ in pairs}
    if share_inputs and all(new.owner is None and new not in olds for _, new in pairs):
        return rebuild_collect_shared(output, [], pairs, [], strict, share_inputs, no_default_updates=True)[1]
    # The new variables may depend on the old ones: a detour over fresh variables keeps the two apart.
    temporary = [(old, old.type()) for old, _ in pairs]
    onwards = [(middle, new) for (_, middle), (_, new) in zip(temporary, pairs)]
    _, outs, _ = rebuild_collect_shared(output, [], temporary, [], strict, share_inputs, no_default_updates=True)
    if not onwards:
        return outs
    _, outs, _ = rebuild_collect_shared(outs, [], onwards, [], strict, share_inputs, no_default_updates=True)
    return outs


def map_variables(replacer: Callable, graphs: Sequence[Variable], additional_inputs: Sequence[Variable] = ()) -> list:
    """Copy graphs, putting every variable through a function, also those inside of scans and OpFromGraphs.

    Parameters
    ----------
    replacer : callable
        Called as ``replacer(variable)``; returns what takes the variable's place, or the variable. Inside of a
        loop its result may depend on variables from outside; these are then passed into the loop.
    graphs : list of Variable
        The graphs to copy.
    additional_inputs : list of Variable
        Variables outside of `graphs` that the replacer may use.

    Returns
    -------
    list of Variable
        The new graphs.
    """
    from theano_compat.scan_module.mapping import map_in_graphs

    return map_in_graphs(replacer, list(graphs), list(additional_inputs))


def get_updates_and_outputs(ls: Any) -> tuple:
    """Sort what the function given to scan returned into condition, outputs and updates.

    Parameters
    ----------
    ls : Variable, list, tuple, dict, until
        Outputs, updates, or a tuple of both and of an :class:`until`, in any order.

    Returns
    -------
    tuple
        The condition or None, the list of outputs, and the updates as a dict.

    Raises
    ------
    ValueError
        It is none of these.
    """

    def is_output(elem: Any) -> bool:
        return isinstance(elem, (Variable, np.ndarray, np.generic, int, float)) and not isinstance(elem, bool) or (
            isinstance(elem, (list, tuple)) and bool(elem) and all(isinstance(e, Variable) for e in elem)
        )

    def is_outputs(elem: Any) -> bool:
        if isinstance(elem, (list, tuple)) and all(is_output(e) and not isinstance(e, (list, tuple)) for e in elem):
            return True
        return is_output(elem)

    def is_pair(elem: Any) -> bool:
        return isinstance(elem, (list, tuple)) and len(elem) == 2 and isinstance(elem[0], Variable)

    def is_updates(elem: Any) -> bool:
        if isinstance(elem, dict):
            if not isinstance(elem, OrderedDict) and len(elem) > 1:
                warnings.warn(
                    "Expected OrderedDict or OrderedUpdates, got a dictionary. Its order becomes the order of the updates.",
                    stacklevel=4,
                )
            return True
        return isinstance(elem, (list, tuple)) and bool(elem) and all(is_pair(e) for e in elem)

    def as_outputs(elem: Any) -> list:
        elems = list(elem) if isinstance(elem, (list, tuple)) else [elem]
        return [e if isinstance(e, Variable) else tensor.as_tensor_variable(e) for e in elems]

    def as_updates(elem: Any) -> OrderedDict:
        return OrderedDict(elem.items() if isinstance(elem, dict) else elem)

    bad = (
        "Scan cannot parse the return value of your lambda expression, which is: "
        f"{ls}. It has to be outputs, updates, theano.scan_module.until(condition), or a tuple of some of these."
    )
    if isinstance(ls, until):
        return ls.condition, [], OrderedDict()
    if is_updates(ls):
        return None, [], as_updates(ls)
    if is_outputs(ls):
        return None, as_outputs(ls), OrderedDict()
    if not isinstance(ls, (list, tuple)):
        raise ValueError(bad)
    condition, outputs, updates = None, None, None
    for elem in ls:
        if isinstance(elem, until) and condition is None:
            condition = elem.condition
        elif updates is None and isinstance(elem, (dict, list, tuple)) and (elem or isinstance(elem, dict)) and is_updates(elem):
            updates = as_updates(elem)
        elif outputs is None and is_outputs(elem):
            outputs = as_outputs(elem)
        elif outputs is not None and isinstance(elem, (list, tuple)) and not elem:
            continue  # no updates
        elif outputs is not None and is_output(elem) and not isinstance(elem, (list, tuple)):
            outputs += as_outputs(elem)
        else:
            raise ValueError(bad)
    return condition, outputs or [], updates if updates is not None else OrderedDict()


def isNaN_or_Inf_or_None(x: Any) -> bool:
    """Whether a value stands for "not given": None, or a number that is NaN or infinite."""
    if x is None:
        return True
    if isinstance(x, (str, bytes)):
        return False
    if isinstance(x, Variable):
        try:
            x = tensor.get_scalar_constant_value(x)
        except tensor.NotScalarConstantError:
            return False
    try:
        return bool(np.isnan(x) or np.isinf(x))
    except TypeError:
        return False


def expand_empty(tensor_var: Variable, size: Any) -> Variable:
    """Put `size` rows of unset memory behind those of a tensor.

    Parameters
    ----------
    tensor_var : Variable
        Shape ``(n, ...)``.
    size : int or Variable
        The number of further rows.

    Returns
    -------
    Variable
        Shape ``(n + size, ...)``.
    """
    if size == 0:
        return tensor_var
    shape = [tensor_var.shape[i] for i in range(tensor_var.ndim)]
    room = tensor.AllocEmpty(tensor_var.dtype)(size + shape[0], *shape[1:])
    result = tensor.set_subtensor(room[: shape[0]], tensor_var)
    if _test_values_wanted():
        _pass_size_test_value(tensor_var, size, result)
    return result


def _pass_size_test_value(tensor_var: Variable, size: Any, result: Variable) -> None:
    if hasattr(result.tag, "test_value"):
        return
    try:
        rows = int(get_test_value(size))
        value = get_test_value(tensor_var)
    except AttributeError:
        return
    room = np.zeros((rows + value.shape[0], *value.shape[1:]), value.dtype)
    room[: value.shape[0]] = value
    result.tag.test_value = room


def equal_computations(xs: Sequence, ys: Sequence, in_xs: Sequence | None = None, in_ys: Sequence | None = None) -> bool:
    """Whether two lists of expressions compute the same of their inputs.

    Parameters
    ----------
    xs, ys : list of Variable
        The expressions.
    in_xs, in_ys : list of Variable, optional
        Inputs that correspond to each other by position. Other leaves have to be the same, or equal constants.

    Notes
    -----
    Each node is compared once: the cost is linear in the size of the graphs.
    """
    in_xs, in_ys = list(in_xs or []), list(in_ys or [])
    if len(xs) != len(ys):
        raise ValueError("The number of graphs in each argument must match.")
    if len(in_xs) != len(in_ys):
        raise ValueError("The number of inputs in each argument must match.")
    if any(a.type != b.type for a, b in zip(in_xs, in_ys)):
        return False
    same: dict = dict(zip(in_xs, in_ys))
    taken = set(in_ys)
    pending = list(zip(xs, ys))
    matched: dict = {}
    while pending:
        x, y = pending.pop()
        if not isinstance(x, Variable) or not isinstance(y, Variable):
            if not _equal_values(x, y):
                return False
            continue
        if x in same:
            if same[x] is not y:
                return False
            continue
        if y in taken or x.type != y.type:
            return False
        if x.owner is None or y.owner is None:
            if x is not y and not _equal_constants(x, y):
                return False
            continue
        if x.owner in matched:
            if matched[x.owner] is not y.owner or x.index != y.index:
                if not (matched[x.owner].op == y.owner.op and x.index == y.index):
                    return False
                if (x.owner, y.owner) not in matched and not _note_pair(matched, x, y, pending):
                    return False
            continue
        if x.index != y.index or not _note_pair(matched, x, y, pending):
            return False
        matched[x.owner] = y.owner
    return True


def _note_pair(matched: dict, x: Variable, y: Variable, pending: list) -> bool:
    """Compare the ops of two nodes, and put their inputs on the list to compare."""
    a, b = x.owner, y.owner
    matched[a, b] = True
    if len(a.inputs) != len(b.inputs) or len(a.outputs) != len(b.outputs) or a.op != b.op:
        return False
    pending.extend(zip(a.inputs, b.inputs))
    return True


def _equal_constants(x: Variable, y: Variable) -> bool:
    return isinstance(x, Constant) and isinstance(y, Constant) and x.equals(y)


def _equal_values(x: Any, y: Any) -> bool:
    if isinstance(x, Variable) or isinstance(y, Variable):
        return False
    return bool(np.array_equal(x, y))


def infer_shape(outs: Sequence[Variable], inputs: Sequence[Variable], input_shapes: Sequence) -> list:
    """The shapes of expressions as expressions of the shapes of their inputs.

    Parameters
    ----------
    outs : list of Variable
        The expressions.
    inputs : list of Variable
        Their inputs.
    input_shapes : list of tuple of Variable or None
        The shapes of the inputs.

    Returns
    -------
    list of tuple of Variable
        The shapes of `outs`; they depend on `input_shapes`, and on `inputs` where a shape depends on values.
    """
    from theano_compat.tensor.opt import ShapeFeature

    shape_of = ShapeFeature()
    shape_of.on_attach(gof.FunctionGraph([], []))
    for variable, shape in zip(inputs, input_shapes):
        shape_of.set_shape(variable, shape)
    known = set(inputs)
    for leaf in gof.graph.inputs(outs, known):
        if leaf not in known and leaf not in shape_of.shape_of:
            shape_of.init_r(leaf)
    for node in gof.graph.io_toposort(list(inputs), list(outs)):
        if any(out not in shape_of.shape_of for out in node.outputs):
            shape_of.on_import(None, node, reason="scan")
    return [shape_of.shape_of[out] for out in outs]


class Validator:
    """Tells which variables depend on nothing else than valid ones, and rebuilds others on valid equivalents.

    Parameters
    ----------
    valid : list of Variable, optional
        Variables that may be used.
    invalid : list of Variable, optional
        Variables that may not.
    valid_equivalent : dict, optional
        For some invalid variables a valid one with the same value.
    """

    def __init__(self, valid: Iterable | None = None, invalid: Iterable | None = None, valid_equivalent: dict | None = None):
        self.valid_equivalent = dict(valid_equivalent or {})
        self.valid = set(valid or ()) | set(self.valid_equivalent.values())
        self.invalid = set(invalid or ()) | set(self.valid_equivalent)

    def check(self, out: Variable) -> tuple | None:
        """Give ``(variable, is_the_same)`` with a valid variable of the value of `out`, or None if there is none."""
        stack = [out]
        while stack:
            variable = stack[-1]
            if variable in self.valid or variable in self.invalid:
                stack.pop()
                continue
            if variable.owner is None:
                # Constants, and shared variables, are valid everywhere; other leaves are not known.
                usable = isinstance(variable, Constant) or hasattr(variable, "get_value")
                (self.valid if usable else self.invalid).add(variable)
                stack.pop()
                continue
            inputs = variable.owner.inputs
            missing = [v for v in inputs if v not in self.valid and v not in self.invalid]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            self._decide(variable)
        if out in self.valid:
            return out, True
        if out in self.valid_equivalent:
            return self.valid_equivalent[out], False
        return None

    def _decide(self, variable: Variable) -> None:
        node = variable.owner
        if all(v in self.valid for v in node.inputs):
            self.valid.add(variable)
            return
        if all(v in self.valid or v in self.valid_equivalent for v in node.inputs):
            inputs = [self.valid_equivalent.get(v, v) for v in node.inputs]
            copied = node.clone_with_new_inputs(inputs)
            for old, new in zip(node.outputs, copied.outputs):
                self.valid.add(new)
                self.invalid.add(old)
                self.valid_equivalent[old] = new
            return
        self.invalid.add(variable)


def scan_can_remove_outs(op: Any, out_idxs: Sequence[int]) -> tuple[list[int], list[int]]:
    """Which of some outputs of a scan can go, since no step of what is kept reads them.

    Parameters
    ----------
    op : Scan
        The op.
    out_idxs : list of int
        Positions of outputs that nobody uses.

    Returns
    -------
    tuple of (list of int, list of int)
        The outputs that can be removed, and the other ones of `out_idxs`.
    """
    layout = op.layout
    n_states = layout.n_states
    removable = set(out_idxs)
    # For each output the inner inputs that its step reads; states feed their own inner inputs.
    reads = [set(gof.graph.inputs([op.outputs[i] for i in layout.inner_of_output(k)])) for k in range(layout.n_outer_outputs)]
    condition = set(gof.graph.inputs(op.outputs[-1:])) if op.as_while else set()
    offers = []
    for k in range(layout.n_outer_outputs):
        offers.append({op.inputs[i] for i in layout.inner_inputs_of_output(k)})
    changed = True
    while changed:
        changed = False
        kept = [k for k in range(layout.n_outer_outputs) if k not in removable]
        needed = set(condition).union(*[reads[k] for k in kept]) if kept or condition else set()
        for k in sorted(removable):
            if offers[k] & needed:
                removable.discard(k)
                changed = True
    assert n_states >= 0
    return [k for k in out_idxs if k in removable], [k for k in out_idxs if k not in removable]


def compress_outs(op: Any, not_required: Sequence[int], inputs: Sequence[Variable]) -> tuple:
    """Describe a scan without some of its outputs.

    Parameters
    ----------
    op : Scan
        The op.
    not_required : list of int
        Positions of the outputs to leave out.
    inputs : list of Variable
        The inputs of its node.

    Returns
    -------
    tuple
        ``(inner inputs, inner outputs, info, node inputs, map from old to new output positions)``.
    """
    drop = set(not_required)
    description = ScanDescription.from_op(op, list(inputs))
    kept = description.without_outputs(drop)
    position, new_positions = 0, OrderedDict()
    for old in range(op.layout.n_outer_outputs):
        if old not in drop:
            new_positions[old] = position
            position += 1
    return kept.inner_inputs, kept.inner_outputs, kept.info, kept.outer_inputs, new_positions


def find_up(l_node: Any, f_node: Any) -> bool:
    """Whether a node depends on another one."""
    return gof.graph.is_in_ancestors(l_node, f_node)


def reconstruct_graph(inputs: Sequence[Variable], outputs: Sequence[Variable], tag: str | None = None) -> tuple:
    """Copy a graph over new inputs.

    Parameters
    ----------
    inputs, outputs : list of Variable
        The graph.
    tag : str, optional
        Ending of the names of the new inputs.

    Returns
    -------
    tuple of (list of Variable, list of Variable)
        The new inputs and outputs.
    """
    new_inputs = [safe_new(x, tag or "") for x in inputs]
    new_outputs = clone(list(outputs), replace=OrderedDict(zip(inputs, new_inputs)))
    return new_inputs, new_outputs


def forced_replace(out: Variable, x: Variable, y: Variable) -> Variable | None:
    """Put `y` in place of every expression in `out` that computes what `x` computes.

    Parameters
    ----------
    out : Variable or None
        Where to look.
    x, y : Variable
        What to replace, and by what.
    """
    if out is None:
        return None
    places = [v for v in gof.graph.ancestors([out]) if v is x or (v.owner is not None and equal_computations([v], [x]))]
    return clone(out, replace=OrderedDict((v, y) for v in places)) if places else out


class scan_args(ScanDescription):
    """The arguments of a scan node by kind; reading the properties joins them again.

    Parameters
    ----------
    outer_inputs, outer_outputs : list of Variable
        The node's inputs and outputs.
    _inner_inputs, _inner_outputs : list of Variable
        The op's step; it is copied.
    info : dict
        The op's description.
    """

    def __init__(self, outer_inputs: Sequence, outer_outputs: Sequence, _inner_inputs: Sequence, _inner_outputs: Sequence, info: dict):
        inputs, outputs = reconstruct_graph(_inner_inputs, _inner_outputs, "")
        super().__init__(list(outer_inputs), list(outer_outputs), inputs, outputs, info)


__all__ = [
    "DEPRECATED_ARG", "Layout", "Validator", "clone", "compress_outs", "equal_computations", "expand_empty", "find_up",
    "forced_replace", "get_updates_and_outputs", "hash_listsDictsTuples", "infer_shape", "isNaN_or_Inf_or_None",
    "map_variables", "reconstruct_graph", "safe_new", "scan_args", "scan_can_remove_outs", "string_types", "traverse", "until",
]  # fmt: skip
