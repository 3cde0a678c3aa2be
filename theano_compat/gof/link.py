"""Linkers: how a FunctionGraph becomes something that runs; containers for its inputs and outputs; error reports."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from copy import copy, deepcopy
from io import StringIO

import numpy as np

from theano_compat import config
from theano_compat.gof.graph import Constant
from theano_compat.gof.type import Type
from theano_compat.gof.utils import undef

# -------------------------------------------------------------------------------------------------- error reports


def log_thunk_trace(value, f=None) -> None:
    """Write where the node that an exception comes from was made, as far as the exception knows."""
    f = sys.stderr if f is None else f
    trace = getattr(value, "__thunk_trace__", None)
    if trace is None:
        return
    print("There was a problem executing an Op.", file=f)
    if trace:
        for line in traceback.format_list(trace[0] if isinstance(trace[0], list) else trace):
            f.write(line)
    else:
        print("Could not find where this Op was defined.", file=f)
    instance = getattr(value, "__op_instance__", None)
    if instance is not None:
        print(f"* (Instantiation of the op: {instance})", file=f)


def thunk_hook(type, value, trace) -> None:
    """An exception hook (for ``sys.excepthook``) that also tells where the op that failed was made."""
    log_thunk_trace(value)
    sys.__excepthook__(type, value, trace)


def _shown_value(value) -> str | object:
    """Return a value for an error message, or ``'not shown'`` where it is too long."""
    size = getattr(value, "size", None)
    if size is None:
        return value if np.isscalar(value) else "not shown"
    if np.ndim(value) == 0 or size <= 5:
        return value
    return "not shown"


def _describe_inputs(node, thunk) -> tuple[str, list | None]:
    """Return the lines on types, shapes, strides and values of the inputs of a failed node, and the cells of its inputs."""
    lines = [f"\nInputs types: {[var.type for var in node.inputs]}"]
    cells = getattr(thunk, "inputs", None)
    if cells is None:
        return "".join(lines), None
    values = [cell[0] for cell in cells]
    lines.append(f"\nInputs shapes: {[getattr(value, 'shape', 'No shapes') for value in values]}")
    lines.append(f"\nInputs strides: {[getattr(value, 'strides', 'No strides') for value in values]}")
    lines.append(f"\nInputs values: {[_shown_value(value) for value in values]}")
    if config.exception_verbosity == "high":
        numbers = [getattr(getattr(value, "dtype", None), "num", "") for value in values]
        lines.append(f"\nInputs type_num: {numbers}")
    return "".join(lines), cells


def _describe_creation(node) -> tuple[str, list[str]]:
    """Return the text that tells where the user made the node, and hints."""
    trace = getattr(node.outputs[0].tag, "trace", ()) if node.outputs else ()
    if trace and not isinstance(trace[0], list):
        trace = [trace]
    # Parts of a fused node that come from one line have the same stack.
    stacks = dict.fromkeys("".join(traceback.format_list(stack)) for stack in trace or ())
    if stacks:
        head = "\nBacktrace when the node is created(use Theano flag traceback.limit=N to make it longer):\n"
        return "".join(head + stack for stack in stacks), []
    return "", [
        "HINT: Re-running with most Theano optimization disabled could give you a back-trace of when this node was "
        "created. This can be done with by setting the Theano flag 'optimizer=fast_compile'. If that does not work, "
        "Theano optimizations can be disabled with 'optimizer=None'."
    ]


def _byte_size(value) -> int | None:
    """Return the bytes of a value's elements, or None where it has none."""
    nbytes = getattr(value, "nbytes", None)
    return int(nbytes) if isinstance(nbytes, (int, np.integer)) else None


def _storage_footprint(node, storage_map: dict) -> str:
    """Return what the variables of the function hold, the largest at first."""
    inputs = set(getattr(node.fgraph, "inputs", ())) if getattr(node, "fgraph", None) else set()
    rows, total, total_inputs = [], 0, 0
    counted: set[int] = set()
    for var, cell in storage_map.items():
        value = cell[0]
        if value is None:
            continue
        kind = "Shared Input, " if hasattr(var, "get_value") else "Input, " if var in inputs or var.owner is None else ""
        size = _byte_size(value)
        if size is None:
            rows.append((0, f" - {var}, {kind}TotalSize: unknown\n"))
            continue
        if id(value) not in counted:
            counted.add(id(value))
            total += size
            if kind:
                total_inputs += size
        rows.append(
            (
                size,
                f" - {var}, {kind}Shape: {value.shape}, ElemSize: {value.dtype.itemsize} Byte(s), "
                f"TotalSize: {size} Byte(s)\n",
            )
        )
    rows.sort(key=lambda row: -row[0])
    return (
        "\nStorage map footprint:\n"
        + "".join(text for _, text in rows)
        + f" TotalSize: {total} Byte(s) {total / 1024**3:.3f} GB\n"
        + f" TotalSize inputs: {total_inputs} Byte(s) {total_inputs / 1024**3:.3f} GB\n"
    )


def describe_failure(node, thunk=None, storage_map: dict | None = None) -> str:
    """Return the text that :func:`raise_with_op` adds to an exception's message.

    Parameters
    ----------
    node : Apply
        The node that failed.
    thunk : callable, optional
        What was run; its attribute ``inputs`` has the cells with the values.
    storage_map : dict, optional
        All cells of the function, for the footprint under ``exception_verbosity=high``.
    """
    text = [f"\nApply node that caused the error: {node}"]
    fgraph = getattr(node, "fgraph", None)
    if fgraph is not None:
        order = fgraph.toposort()
        if node in order:
            text.append(f"\nToposort index: {order.index(node)}")
    described, cells = _describe_inputs(node, thunk)
    text.append(described)
    hints = []
    if cells is None:
        hints.append("HINT: Use another linker then the c linker to have the inputs shapes and strides printed.")
    clients = [[client for client, _ in getattr(out, "clients", ())] for out in node.outputs]
    text.append(f"\nOutputs clients: {clients}\n")
    created, more_hints = _describe_creation(node)
    text.append(created)
    hints.extend(more_hints)
    if config.exception_verbosity == "high":
        from theano_compat.printing import debugprint

        printed = StringIO()
        debugprint(node, file=printed, stop_on_name=True, print_type=True)
        text.append(f"\nDebugprint of the apply node: \n{printed.getvalue()}")
        if storage_map is not None:
            text.append(_storage_footprint(node, storage_map))
    hints.append(
        "HINT: Use the Theano flag 'exception_verbosity=high' for a debugprint and storage map footprint of this apply node."
    )
    return "".join(text) + "\n" + "\n".join(hints)


def raise_with_op(node, thunk=None, exc_info=None, storage_map: dict | None = None):
    """Raise the current exception anew, its message followed by all that is known about the node that caused it.

    Parameters
    ----------
    node : Apply
    thunk : callable, optional
    exc_info : tuple, optional
        As from ``sys.exc_info()``, which is the default.
    storage_map : dict, optional

    Notes
    -----
    The exception keeps its type. It gets the attributes ``__thunk_trace__``, ``__op_instance__`` and ``__applynode_index__``.
    """
    exc_type, exc_value, exc_trace = sys.exc_info() if exc_info is None else exc_info
    if exc_value is None:
        exc_value = exc_type()
    if issubclass(exc_type, (KeyboardInterrupt, SystemExit)):
        raise exc_value.with_traceback(exc_trace)
    trace = getattr(node.outputs[0].tag, "trace", ()) if node.outputs else ()
    message = describe_failure(node, thunk, storage_map)
    try:
        raised = exc_type(str(exc_value) + message)
        if not isinstance(raised, exc_type):
            raised = exc_value
    except Exception:  # a class whose constructor wants something else: keep the object, say the rest beside it
        raised = exc_value
        print(f"WARNING: {exc_type} error does not allow us to add an extra error message", file=sys.stderr)
        if hasattr(raised, "add_note"):
            raised.add_note(message)
    if raised is not exc_value:
        raised.__dict__.update(exc_value.__dict__)
        raised.__cause__ = exc_value.__cause__
        raised.__suppress_context__ = True
    raised.__thunk_trace__ = trace
    raised.__op_instance__ = node
    raise raised.with_traceback(exc_trace)


def is_explained(error: BaseException) -> bool:
    """Tell whether :func:`raise_with_op` has added to an exception's message what is known of the node that failed."""
    return hasattr(error, "__op_instance__")


# ------------------------------------------------------------------------------------------------------ containers


class Container:
    """A cell that holds a value of a type, and checks what is put in.

    Parameters
    ----------
    r : Variable or Type
    storage : list
        Its first element holds the value; linkers share the list.
    readonly : bool
        Refuse to set a value.
    strict, allow_downcast : bool
        For the type's filter.
    name : str, optional
        For messages; default: the variable's.
    """

    def __init__(
        self, r, storage: list, readonly: bool = False, strict: bool = False, allow_downcast: bool | None = None, name=None
    ):
        if not isinstance(storage, list) or not len(storage) >= 1:
            raise TypeError("storage must be a list of length at least one")
        if isinstance(r, Type):
            self.type, self.name = r, name
        else:
            self.type, self.name = r.type, r.name if name is None else name
        self.storage, self.readonly = storage, readonly
        self.strict, self.allow_downcast = strict, allow_downcast

    def __get__(self):
        (value, *_) = self.storage
        return value

    def __set__(self, value):
        if self.readonly:
            raise Exception(f"Cannot set readonly storage: {self.name}")
        try:
            if value is None:
                self.storage[0] = None
                return
            options = {}
            if self.strict:
                options["strict"] = True
            if self.allow_downcast is not None:
                options["allow_downcast"] = self.allow_downcast
            filter_inplace = getattr(self.type, "filter_inplace", None)
            if filter_inplace is not None:
                self.storage[0] = filter_inplace(value, self.storage[0], **options)
            else:
                self.storage[0] = self.type.filter(value, **options)
        except Exception as e:
            e.args = (*e.args, f'Container name "{self.name}"')
            raise

    data = property(__get__, __set__)
    value = property(__get__, __set__)

    def __str__(self) -> str:
        return f"<{self.storage[0]}>"

    def __repr__(self) -> str:
        return f"<{self.storage[0]!r}>"

    def __deepcopy__(self, memo: dict):
        known = memo.get(id(self))
        if known is not None:
            return known
        # A list that the memo has stays shared with its copy.
        copied = type(self)(
            deepcopy(self.type, memo),
            deepcopy(self.storage, memo),
            deepcopy(self.readonly, memo),
            deepcopy(self.strict, memo),
            deepcopy(self.allow_downcast, memo),
            deepcopy(self.name, memo),
        )
        value = copied.storage[0]
        # deepcopy makes NumPy scalars of 0-d arrays.
        if value is not None and not self.type.is_valid_value(value):
            copied.storage[0] = copied.type.filter(value, strict=False, allow_downcast=False)
        memo[id(self)] = copied
        return copied


# --------------------------------------------------------------------------------------------------------- linkers


class Linker:
    """Base class of linkers: ``accept`` a FunctionGraph, then ``make_thunk``.

    Attributes
    ----------
    allow_gc : bool
        Whether values that are not needed any more are dropped during a run.
    """

    def __init__(self, allow_gc: bool | None = None, scheduler: Callable | None = None):
        self.allow_gc = config.allow_gc if allow_gc is None else allow_gc
        if scheduler is not None:
            self._scheduler = scheduler

    def clone(self, allow_gc=undef) -> Linker:
        """Return a copy, with another ``allow_gc`` if given."""
        other = copy(self)
        if allow_gc is not undef:
            other.allow_gc = allow_gc
        return other

    def make_thunk(self):
        """Return a function that runs the graph, the containers of its inputs, and those of its outputs."""
        from theano_compat.gof.utils import MethodNotDefined

        raise MethodNotDefined("make_thunk", type(self), self.__class__.__name__)

    def make_function(self, unpack_single: bool = True, **kwargs) -> Callable:
        """Return a function from values of the inputs to values of the outputs.

        Parameters
        ----------
        unpack_single : bool
            Return the only output by itself, not in a list.
        kwargs : object
            For :meth:`make_thunk`.
        """
        thunk, inputs, outputs = self.make_thunk(**kwargs)

        def execute(*args):
            if len(args) != len(inputs):
                given = "s" if len(args) != 1 else ""
                raise TypeError(f"Function call takes exactly {len(inputs)} arg{'s' if len(inputs) != 1 else ''} ({len(args)} given{given and ''})")
            for arg, container in zip(args, inputs):
                container.data = arg
            thunk()
            values = [container.data for container in outputs]
            return values[0] if unpack_single and len(values) == 1 else values

        execute.thunk = thunk
        execute.inputs = inputs
        execute.outputs = outputs
        return execute

    def schedule(self, fgraph) -> list:
        """Return the nodes in the order in which they are to run."""
        scheduler = getattr(self, "_scheduler", None)
        return fgraph.toposort() if scheduler is None else scheduler(fgraph)


class LocalLinker(Linker):
    """Base class of linkers that make a thunk for each node."""

    def make_thunk(self, input_storage=None, output_storage=None, storage_map=None):
        return self.make_all(input_storage=input_storage, output_storage=output_storage, storage_map=storage_map)[:3]

    def make_all(self, input_storage, output_storage):
        """Return what ``make_thunk`` returns, and the list of thunks and the list of nodes, in the order of their runs."""
        from theano_compat.gof.utils import MethodNotDefined

        raise MethodNotDefined("make_all", type(self), self.__class__.__name__)


def map_storage(fgraph, order: Iterable, input_storage=None, output_storage=None, storage_map: dict | None = None):
    """Make the cells of all variables of a graph.

    Parameters
    ----------
    fgraph : FunctionGraph
    order : iterable of Apply
    input_storage, output_storage : list of list, optional
        Cells for inputs and outputs that exist already.
    storage_map : dict, optional
        Cells for any variables that exist already; extended.

    Returns
    -------
    input_storage, output_storage : list of list
    storage_map : dict
        From each variable to its cell, a list of one element.
    """
    if storage_map is None:
        storage_map = {}
    for given, variables, kind in ((input_storage, fgraph.inputs, "inputs"), (output_storage, fgraph.outputs, "outputs")):
        if given is None:
            continue
        if len(given) != len(variables):
            raise ValueError(f"{len(given)} cells were given for {len(variables)} {kind}")
        for var, cell in zip(variables, given):
            # An output that is an input, or an output given twice, has its cell already.
            storage_map.setdefault(var, cell) if kind == "outputs" else storage_map.__setitem__(var, cell)
    for var in fgraph.inputs:
        storage_map.setdefault(var, [None])
    for node in order:
        for var in node.inputs:
            if var not in storage_map:
                storage_map[var] = [_constant_value(var)]
        for var in node.outputs:
            storage_map.setdefault(var, [None])
    for var in fgraph.outputs:
        if var not in storage_map:
            storage_map[var] = [_constant_value(var)]
        elif isinstance(var, Constant):
            storage_map[var][0] = var.data
    return [storage_map[v] for v in fgraph.inputs], [storage_map[v] for v in fgraph.outputs], storage_map


def _constant_value(var):
    if not isinstance(var, Constant):
        raise ValueError(f"{var} is neither an input of the graph nor computed in it")
    return var.data


def make_node_thunk(node, storage_map, compute_map, no_recycling, impl=None):
    """Return the thunk of a node; an exception says which node it comes from."""
    make_thunk = node.op.make_thunk
    try:
        code = getattr(getattr(make_thunk, "__func__", make_thunk), "__code__", None)
        # Ops written before 0.9 do not know the argument.
        takes_impl = code is None or "impl" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] or code.co_flags & 8
        if takes_impl:
            return make_thunk(node, storage_map, compute_map, no_recycling, impl=impl)
        return make_thunk(node, storage_map, compute_map, no_recycling)
    except Exception as e:
        e.args = ("The following error happened while compiling the node", node, "\n", *e.args)
        raise


def add_clear_storage(f: Callable, computed: Iterable, storage_map: dict) -> None:
    """Give ``f`` a method ``clear_storage`` that forgets all computed values."""

    def clear_storage():
        for var in computed:
            storage_map[var][0] = None

    f.clear_storage = clear_storage


def streamline(
    fgraph,
    thunks: Sequence[Callable],
    order: Sequence,
    post_thunk_old_storage: Sequence | None = None,
    no_recycling: Sequence | None = None,
    nice_errors: bool = True,
) -> Callable:
    """Return a function that runs the thunks one after the other.

    Parameters
    ----------
    fgraph : FunctionGraph
    thunks : sequence of callable
    order : sequence of Apply
        The node of each thunk.
    post_thunk_old_storage : sequence of list of cells, optional
        Cells to empty after each thunk.
    no_recycling : sequence of cells, optional
        Cells to empty before a run, so that no op re-uses what is in them.
    nice_errors : bool
        Word exceptions by :func:`raise_with_op`.
    """
    if len(thunks) != len(order):
        raise ValueError("Length of thunks and order must match", (len(thunks), len(order)))
    if post_thunk_old_storage and len(thunks) != len(post_thunk_old_storage):
        raise ValueError("Length of thunks and post_thunk_old_storage must match", (len(thunks), len(post_thunk_old_storage)))
    clear_before = list(no_recycling or ())
    steps = list(zip(thunks, order, post_thunk_old_storage or [()] * len(thunks)))

    def run():
        for cell in clear_before:
            cell[0] = None
        thunk = node = None
        try:
            for thunk, node, cells in steps:  # noqa: B007  (the report of a failure needs the node)
                thunk()
                for cell in cells:
                    cell[0] = None
        except Exception:
            if not nice_errors:
                raise
            raise_with_op(node, thunk)

    return run


def gc_helper(node_list: Sequence) -> tuple[dict, dict]:
    """Return, for a list of nodes in the order of their runs, what is computed and who uses it last.

    Returns
    -------
    computed : dict
        Keys are the computed variables.
    last_user : dict
        From each input of a node to the last node that uses it.
    """
    computed = {var: None for node in node_list for var in node.outputs}
    last_user = {var: node for node in node_list for var in node.inputs}
    return computed, last_user


def cells_to_clear(fgraph, order: Sequence, storage_map: dict) -> list[list]:
    """Return, for each node, the cells whose values nobody needs after it."""
    computed, last_user = gc_helper(order)
    kept = set(fgraph.outputs)
    return [
        [storage_map[var] for var in dict.fromkeys(node.inputs) if var in computed and var not in kept and last_user[var] is node]
        for node in order
    ]


class PerformLinker(LocalLinker):
    """Runs the ``perform`` of each node, in order.

    Parameters
    ----------
    allow_gc : bool, optional
        Drop values when they are not needed any more; default ``config.allow_gc``.
    schedule : callable, optional
        From a FunctionGraph to its nodes in order.
    """

    def __init__(self, allow_gc: bool | None = None, schedule: Callable | None = None):
        self.allow_gc = config.allow_gc if allow_gc is None else allow_gc
        self.fgraph = None
        if schedule is not None:
            self._scheduler = schedule

    def accept(self, fgraph, no_recycling=None, profile=None) -> PerformLinker:
        """Return a linker for ``fgraph``: this one, or, if it has one already, another like it.

        Parameters
        ----------
        fgraph : FunctionGraph
        no_recycling : list of Variable, optional
            Outputs for which new memory must be used in each run.
        profile : ProfileStats, optional
        """
        if self.fgraph is not None and self.fgraph is not fgraph:
            return type(self)(allow_gc=self.allow_gc, schedule=getattr(self, "_scheduler", None)).accept(
                fgraph, no_recycling, profile
            )
        self.fgraph = fgraph
        self.no_recycling = no_recycling or []
        return self

    def make_all(self, input_storage=None, output_storage=None, storage_map=None):
        fgraph = self.fgraph
        order = self.schedule(fgraph)
        input_storage, output_storage, storage_map = map_storage(fgraph, order, input_storage, output_storage, storage_map)
        compute_map = {var: [var.owner is None or var in fgraph.inputs] for var in storage_map}
        thunks = []
        for node in order:
            thunk = make_node_thunk(node, storage_map, compute_map, [], impl="py")
            thunk.inputs = [storage_map[v] for v in node.inputs]
            thunk.outputs = [storage_map[v] for v in node.outputs]
            thunks.append(thunk)
        if self.no_recycling is True:
            no_recycling = [cell for cell in storage_map.values() if cell not in input_storage]
        else:
            no_recycling = [storage_map[v] for v in self.no_recycling if v not in fgraph.inputs]
        cells = cells_to_clear(fgraph, order, storage_map) if self.allow_gc else None
        f = streamline(fgraph, thunks, order, cells, no_recycling=no_recycling)
        f.allow_gc = self.allow_gc
        f.storage_map = storage_map
        add_clear_storage(f, gc_helper(order)[0], storage_map)
        return (
            f,
            [Container(v, cell) for v, cell in zip(fgraph.inputs, input_storage)],
            [Container(v, cell, readonly=True) for v, cell in zip(fgraph.outputs, output_storage)],
            thunks,
            order,
        )


class WrapLinker(Linker):
    """Runs the thunks of one or several linkers in step, each node through a function of yours.

    Parameters
    ----------
    linkers : list of LocalLinker
    wrapper : callable
        Called as ``wrapper(i, node, thunk1, thunk2, ...)`` for node number ``i``, with the thunk of each linker; it
        has to run them (or not).

    Notes
    -----
    The inputs are set in the first linker's containers, and copied to the others before a run.
    """

    def __init__(self, linkers: Sequence[LocalLinker], wrapper: Callable):
        self.fgraph = None
        self.linkers = linkers
        self.wrapper = wrapper

    def __copy__(self) -> WrapLinker:
        return self.__class__(linkers=[copy(linker) for linker in self.linkers], wrapper=self.wrapper)

    def clone(self, allow_gc=undef) -> WrapLinker:
        return self.__class__(
            linkers=[linker.clone(allow_gc=allow_gc) for linker in self.linkers], wrapper=self.wrapper
        )

    def accept(self, fgraph, no_recycling=None, profile=None) -> WrapLinker:
        no_recycling = no_recycling or []
        if self.fgraph is not None and self.fgraph is not fgraph:
            return type(self)(self.linkers, self.wrapper).accept(fgraph, no_recycling)
        self.fgraph = fgraph
        self.no_recycling = no_recycling
        self.linkers = [linker.accept(fgraph, no_recycling) for linker in self.linkers]
        return self

    def pre(self, f, inputs, order, thunk_groups) -> None:
        """Called before each run with the values of the inputs, the nodes and the groups of thunks; does nothing."""

    def make_thunk(self, **kwargs):
        no_recycling = self.no_recycling
        made = [self.linkers[0].make_all(**kwargs)]
        kwargs = {name: value for name, value in kwargs.items() if name not in ("input_storage", "storage_map")}
        made += [linker.make_all(**kwargs) for linker in self.linkers[1:]]
        fns, input_lists, output_lists, thunk_lists, orders = zip(*made)
        order = orders[0]
        if any(other != order for other in orders[1:]):
            raise Exception("All linkers to WrapLinker should execute operations in the same order.")
        inputs0, outputs0 = input_lists[0], output_lists[0]
        thunk_groups = list(zip(*thunk_lists))
        steps = list(enumerate(zip(order, thunk_groups)))
        to_reset = []
        for thunks, node in zip(thunk_groups, order):
            for j, output in enumerate(node.outputs):
                if no_recycling is True or output in no_recycling:
                    to_reset.extend(thunk.outputs[j] for thunk in thunks)
        wrapper, pre = self.wrapper, self.pre

        def f():
            for inputs in input_lists[1:]:
                for first, other in zip(inputs0, inputs):
                    other.storage[0] = deepcopy(first.storage[0])
            for cell in to_reset:
                cell[0] = None
            pre(f, [container.data for container in inputs0], order, thunk_groups)
            thunks = node = None
            try:
                for i, (node, thunks) in steps:
                    wrapper(i, node, *thunks)
            except Exception:
                raise_with_op(node, *(thunks or ())[:1])

        f.thunk_groups = thunk_groups
        return f, inputs0, outputs0


def WrapLinkerMany(linkers: Sequence[LocalLinker], wrappers: Sequence[Callable]) -> WrapLinker:
    """Return a WrapLinker that calls each of ``wrappers`` in turn for each node."""

    def wrapper(*args):
        for each in wrappers:
            each(*args)

    return WrapLinker(linkers, wrapper)


__all__ = [
    "Container", "Linker", "LocalLinker", "PerformLinker", "WrapLinker", "WrapLinkerMany", "add_clear_storage",
    "cells_to_clear", "describe_failure", "gc_helper", "is_explained", "log_thunk_trace", "make_node_thunk", "map_storage", "raise_with_op",
    "streamline", "thunk_hook", "undef", "warnings",
]  # fmt: skip
