"""A mode that believes nothing: every op and every rewrite is checked at each call.

Each node that the function has, or had before the rewriting, is computed from copies of its inputs. Then it is checked

* that the values are valid for their types, and finite;
* that an input was changed only if ``destroy_map`` says so, and that memory is shared only as ``view_map`` says;
* that ``perform`` and the compiled code agree, and that both cope with storage left from before;
* that what a rewrite put in place of a variable has the same value.

Before that, the graph is rewritten several times over, which has to happen in the same way each time.
The errors are in :mod:`theano_compat.compile.debugmode_errors`.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from theano_compat import config
from theano_compat.compile.compiling import compiling
from theano_compat.compile.debugmode_errors import (  # noqa: F401
    BadDestroyMap,
    BadOptimization,
    BadThunkOutput,
    BadViewMap,
    DebugModeError,
    InvalidValueError,
    StochasticOrder,
)
from theano_compat.compile.function_maker import FunctionMaker, std_fgraph
from theano_compat.compile.mode import Mode, predefined_modes, register_mode
from theano_compat.gof import Apply, Constant, FunctionGraph, Variable, graph, ops_with_inner_function  # noqa: F401
from theano_compat.gof.link import LocalLinker, raise_with_op
from theano_compat.gof.toolbox import Feature
from theano_compat.printing.debug import debugprint_variable as debugprint  # noqa: F401
from theano_compat.printing.describe import char_from_number  # noqa: F401

_logger = logging.getLogger("theano.compile.debugmode")

for _error in (
    DebugModeError, BadDestroyMap, BadOptimization, BadThunkOutput, BadViewMap, InvalidValueError, StochasticOrder
):
    _error.__module__ = __name__


class NoDuplicateOptWarningFilter(logging.Filter):
    """Lets each warning about rewrites through once."""

    def __init__(self) -> None:
        super().__init__()
        self.prev_msgs: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if not message.startswith("Optimization Warning: "):
            return True
        if message in self.prev_msgs:
            return False
        self.prev_msgs.add(message)
        return True


_logger.addFilter(NoDuplicateOptWarningFilter())


class DataDestroyed:
    """Stands in storage for a value that an op has destroyed."""

    def __bool__(self) -> bool:
        return False


data_destroyed = DataDestroyed()

# Historic: a subclass of Op that makes its own thunk is recognised by comparing with these.
default_make_thunk: list[Any] = []


def check_eq(var: Variable, val1: Any, val2: Any) -> bool:
    """Whether two values of `var` are equal up to rounding.

    Parameters
    ----------
    var : Variable
        Its type decides; ``var.tag.values_eq_approx`` instead, if there is one.
    val1, val2 : object
        The values.
    """
    own = getattr(var.tag, "values_eq_approx", None)
    return bool((own or var.type.values_eq_approx)(val1, val2))


# ---------------------------------------------------------------------------------------------------------
# what the rewrites did
# ---------------------------------------------------------------------------------------------------------


class _EquivalenceTracker(Feature):
    """Remembers every variable that a graph has had, and which was put in place of which by what."""

    def on_attach(self, fgraph: Any) -> None:
        if hasattr(fgraph, "equivalence_tracker"):
            raise RuntimeError("A graph has one tracker only")
        self.fgraph = fgraph
        self.all_variables_ever: dict[Variable, None] = {}
        self.replacements: list[tuple[Any, Variable, Variable, str, str]] = []
        self.event_list: list[tuple[str, ...]] = []
        for variable in fgraph.inputs:
            self.all_variables_ever[variable] = None
        for node in fgraph.toposort():
            self.on_import(fgraph, node, "on_attach")
        fgraph.equivalence_tracker = self

    def on_detach(self, fgraph: Any) -> None:
        if getattr(fgraph, "equivalence_tracker", None) is self:
            del fgraph.equivalence_tracker

    def on_import(self, fgraph: Any, node: Apply, reason: Any) -> None:
        self.event_list.append(("import", str(node), str(reason)))
        for variable in [*node.inputs, *node.outputs]:
            self.all_variables_ever[variable] = None

    def on_prune(self, fgraph: Any, node: Apply, reason: Any) -> None:
        self.event_list.append(("prune", str(node), str(reason)))

    def on_change_input(
        self, fgraph: Any, node: Any, i: int, r: Variable, new_r: Variable, reason: Any = None
    ) -> None:
        self.event_list.append(("change", str(node), str(i), str(reason)))
        self.all_variables_ever[r] = None
        self.all_variables_ever[new_r] = None
        if r is not new_r:
            self.replacements.append((reason, r, new_r, str(r), str(new_r)))


# ---------------------------------------------------------------------------------------------------------
# running and checking
# ---------------------------------------------------------------------------------------------------------


def _may_share_memory(variable: Variable, a: Any, other: Variable, b: Any) -> bool:
    check = getattr(variable.type, "may_share_memory", None)
    if a is None or b is None or check is None:
        return False
    try:
        return bool(check(a, b))
    except Exception:
        return False


def _is_used_inside(variable: Variable) -> bool:
    return any(client != "output" for client, _ in getattr(variable, "clients", None) or ())


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _preallocations(mode: DebugMode, variable: Variable, value: Any) -> Iterator[tuple[str, Any]]:
    """Storage of several kinds that an op may find when it is to give `value`."""
    wanted = set(mode.check_preallocated_output)
    everything = "ALL" in wanted
    if everything or "initial" in wanted:
        yield "initial", None
    if not _is_array(value):
        return

    def filled(array: np.ndarray) -> np.ndarray:
        # A value that shows if the op adds to what it finds.
        array[...] = np.array(77).astype(array.dtype) if array.dtype != np.bool_ else True
        return array

    if everything or "previous" in wanted:
        yield "previous", value.copy()
    if everything or "c_contiguous" in wanted:
        yield "c_contiguous", filled(np.empty(value.shape, value.dtype, order="C"))
    if everything or "f_contiguous" in wanted:
        yield "f_contiguous", filled(np.empty(value.shape, value.dtype, order="F"))
    if (everything or "strided" in wanted) and 0 < value.ndim <= config.DebugMode.check_preallocated_output_ndim:
        wide = filled(np.empty([2 * extent for extent in value.shape], value.dtype))
        yield "strided", wide[tuple(slice(None, None, 2) for _ in value.shape)]
        yield "strided reversed", filled(np.empty(value.shape, value.dtype))[tuple(slice(None, None, -1) for _ in value.shape)]
    if (everything or "wrong_size" in wanted) and value.ndim:
        fixed = getattr(variable, "broadcastable", (False,) * value.ndim)
        for name, step in (("too big", 1), ("too small", -1)):
            shape = [
                extent if one else max(extent + step, 0) for extent, one in zip(value.shape, fixed)
            ]
            yield f"wrong_size {name}", filled(np.empty(shape, value.dtype))


class _Checker:
    """Computes all variables of a graph, and checks every step.

    Parameters
    ----------
    mode : DebugMode
        What to check.
    fgraph : FunctionGraph
        The graph after rewriting, with its tracker.
    """

    def __init__(self, mode: DebugMode, fgraph: FunctionGraph):
        self.mode, self.fgraph = mode, fgraph
        tracker = getattr(fgraph, "equivalence_tracker", None)
        known = list(tracker.all_variables_ever) if tracker is not None else []
        self.replacements = list(tracker.replacements) if tracker is not None else []
        # In-place operations impose no order here: every node works on copies.
        self.order = graph.io_toposort(fgraph.inputs, [*known, *fgraph.outputs])
        self.thunks: dict[Apply, list[tuple[str, Any, list[Any], list[Any]]]] = {}

    def _thunks_of(self, node: Apply) -> list[tuple[str, Any, list[Any], list[Any]]]:
        """The ways to compute a node: (name, thunk, input cells, output cells)."""
        found = self.thunks.get(node)
        if found is None:
            found = []
            if self.mode.check_py_code or not self.mode.check_c_code:
                found.append(("perform", *_perform_thunk(node)))
            if self.mode.check_c_code:
                compiled = _compiled_thunk(node)
                if compiled is not None:
                    found.append(("c", *compiled))
            if not found:
                found.append(("perform", *_perform_thunk(node)))
            self.thunks[node] = found
        return found

    def run(self, input_values: Sequence[Any]) -> dict[Variable, Any]:
        """All values, given those of the inputs.

        Raises
        ------
        DebugModeError
            Something is wrong.
        """
        values: dict[Variable, Any] = {}
        for variable, value in zip(self.fgraph.inputs, input_values):
            self._validate(variable, value, "input", None)
            values[variable] = copy.deepcopy(value)
        for node in self.order:
            for variable in node.inputs:
                if variable not in values:
                    if not isinstance(variable, Constant):
                        continue
                    values[variable] = copy.deepcopy(variable.data)
            if all(variable in values for variable in node.inputs):
                self._check_node(node, values)
        self._check_rewrites(values)
        for output in self.fgraph.outputs:
            if output not in values and isinstance(output, Constant):
                values[output] = copy.deepcopy(output.data)
        return values

    def _check_node(self, node: Apply, values: dict[Variable, Any]) -> None:
        first: tuple[str, list[Any]] | None = None
        for kind, thunk, in_cells, out_cells in self._thunks_of(node):
            outputs = self._execute(node, kind, thunk, in_cells, out_cells, values, [None] * len(node.outputs))
            if first is None:
                first = (kind, outputs)
                for variable, value in zip(node.outputs, outputs):
                    values[variable] = value
            else:
                self._compare(node, first, (kind, outputs), values)
            if self.mode.check_preallocated_output:
                self._check_preallocated(node, kind, thunk, in_cells, out_cells, values, first)

    def _execute(
        self, node: Apply, kind: str, thunk: Any, in_cells: Any, out_cells: Any, values: Any, prepared: list[Any]
    ) -> list[Any]:
        """Run one thunk on copies of the inputs; the outputs, as copies."""
        given = [copy.deepcopy(values[v]) for v in node.inputs]
        # One variable that stands twice among the inputs is one array.
        same = {}
        for position, variable in enumerate(node.inputs):
            given[position] = same.setdefault(variable, given[position])
        for cell, value in zip(in_cells, given):
            cell[0] = value
        for cell, value in zip(out_cells, prepared):
            cell[0] = value
        try:
            thunk()
        except Exception:
            try:
                raise_with_op(node, thunk)
            except Exception as error:
                self._name_rewrite(node, error)
                raise
        outputs = [cell[0] for cell in out_cells]
        for variable, value in zip(node.outputs, outputs):
            self._validate(variable, value, f"{kind} output", node)
        self._check_inputs_kept(node, kind, given, values)
        if kind == "perform":
            self._check_views(node, given, outputs)
        return [copy.deepcopy(value) for value in outputs]

    def _name_rewrite(self, node: Apply, error: Exception) -> None:
        """Say in a message which rewrites brought the node that fails into the graph."""
        made = set(graph.ancestors(list(node.outputs)))
        reasons = {str(reason) for reason, _, new, _, _ in self.replacements if new in made and new.owner is node}
        if reasons and len(error.args) >= 1:
            text = f"\nThe node was put into the graph by: {', '.join(sorted(reasons))}"
            error.args = (f"{error.args[0]}{text}", *error.args[1:])

    def _validate(self, variable: Variable, value: Any, hint: str, node: Apply | None) -> None:
        try:
            valid = variable.type.is_valid_value(value)
            why: Any = ""
            if not valid:
                try:
                    variable.type.filter(value, strict=True)
                except TypeError as error:
                    why = error
        except Exception as error:
            valid, why = False, error
        if not valid:
            raise InvalidValueError(variable, value, hint=hint, specific_hint=why)
        if (
            self.mode.check_isfinite
            and _is_array(value)
            and value.dtype.kind in "fc"
            and not getattr(variable.tag, "allow_nonfinite", False)
            and not np.isfinite(value).all()
        ):
            raise InvalidValueError(variable, value, hint=hint, specific_hint="non-finite elements not allowed")

    def _check_inputs_kept(self, node: Apply, kind: str, given: list[Any], values: dict[Variable, Any]) -> None:
        allowed = {i for positions in (getattr(node.op, "destroy_map", None) or {}).values() for i in positions}
        for position, (variable, value) in enumerate(zip(node.inputs, given)):
            if position in allowed:
                continue
            if not variable.type.values_eq(values[variable], value):
                perform = "py" if kind == "perform" else kind
                raise BadDestroyMap(node, position, values[variable], value, perform)

    @staticmethod
    def _check_views(node: Apply, given: list[Any], outputs: list[Any]) -> None:
        op = node.op
        view, destroy = getattr(op, "view_map", None) or {}, getattr(op, "destroy_map", None) or {}
        for position, (output, value) in enumerate(zip(node.outputs, outputs)):
            allowed = {*view.get(position, ()), *destroy.get(position, ())}
            shared = [
                i
                for i, (source, before) in enumerate(zip(node.inputs, given))
                if i not in allowed and _may_share_memory(output, value, source, before)
            ]
            # An input given twice is one array: sharing with the one is sharing with the other.
            shared = [i for i in shared if not any(given[i] is given[j] for j in allowed)]
            if shared:
                raise BadViewMap(node, position, value, in_alias_idx=shared)
            if view.get(position) or destroy.get(position):
                continue
            # Overlap matters only where a further node could write into it: copies are made at the outputs.
            if not _is_used_inside(output):
                continue
            others = [
                j
                for j, other in enumerate(outputs)
                if j > position and _is_used_inside(node.outputs[j]) and _may_share_memory(output, value, node.outputs[j], other)
            ]
            if others:
                raise BadViewMap(node, position, value, out_alias_idx=others)

    def _compare(
        self, node: Apply, first: tuple[str, list[Any]], second: tuple[str, list[Any]], values: dict[Variable, Any]
    ) -> None:
        for variable, one, other in zip(node.outputs, first[1], second[1]):
            if not check_eq(variable, one, other):
                raise BadThunkOutput(
                    variable, first[0], one, second[0], other, inputs_val=[values[v] for v in node.inputs]
                )
            if self.mode.require_matching_strides and _is_array(one) and one.strides != other.strides:
                text = f"Inconsistent strides of {variable}: {one.strides} by {first[0]}, {other.strides} by {second[0]}"
                if self.mode.require_matching_strides > 1:
                    raise TypeError("Stride mismatch", text)
                _logger.warning(text)

    def _check_preallocated(
        self, node: Apply, kind: str, thunk: Any, in_cells: Any, out_cells: Any, values: Any, first: Any
    ) -> None:
        columns = [dict(_preallocations(self.mode, v, value)) for v, value in zip(node.outputs, first[1])]
        for name in columns[0] if columns else ():
            prepared = [column.get(name) for column in columns]
            outputs = self._execute(node, kind, thunk, in_cells, out_cells, values, prepared)
            self._compare(node, first, (f"{kind} ({name})", outputs), values)

    def _check_rewrites(self, values: dict[Variable, Any]) -> None:
        """What was put in place of a variable has to have its value."""
        for reason, old, new, old_text, new_text in self.replacements:
            if old not in values:
                if not isinstance(old, Constant):
                    continue
                values[old] = old.data
            value = new.data if isinstance(new, Constant) and new not in values else values.get(new)
            if value is None:
                continue
            hints = getattr(new.tag, "values_eq_approx", None), getattr(old.tag, "values_eq_approx", None)
            equal = next((hint for hint in hints if hint is not None), new.type.values_eq_approx)
            if not equal(values[old], value):
                raise BadOptimization(
                    old_r=old,
                    new_r=new,
                    old_r_val=values[old],
                    new_r_val=value,
                    reason=reason,
                    old_graph=old_text,
                    new_graph=new_text,
                )


def _cells(count: int) -> list[list[Any]]:
    return [[None] for _ in range(count)]


def _perform_thunk(node: Apply) -> tuple[Any, list[Any], list[Any]]:
    """A thunk that calls ``perform``, with its cells."""
    in_cells, out_cells = _cells(len(node.inputs)), _cells(len(node.outputs))
    storage_map: dict[Variable, list[Any]] = {}
    for variable, cell in zip([*node.inputs, *node.outputs], [*in_cells, *out_cells]):
        storage_map.setdefault(variable, cell)
    # A variable that is given twice has one cell.
    in_cells = [storage_map[v] for v in node.inputs]
    compute_map = {variable: [variable.owner is not node] for variable in storage_map}
    thunk = node.op.make_thunk(node, storage_map, compute_map, no_recycling=[], impl="py")
    if getattr(thunk, "lazy", False):

        def run_lazy() -> None:
            needed = thunk()
            assert not needed, f"{node.op} asks for inputs that have been given"

        return run_lazy, in_cells, out_cells
    return thunk, in_cells, out_cells


def _compiled_thunk(node: Apply) -> tuple[Any, list[Any], list[Any]] | None:
    """A thunk that runs the node as a compiled function of its own; None where the engine does not take it."""
    try:
        from theano_compat.codegen.linker import CodegenLinker
        from theano_compat.codegen.lower import registry
    except ImportError:
        return None
    registry._load_topics()
    if registry._lower.dispatch(type(node.op)) is registry._lower.dispatch(object):
        # The engine would call ``perform`` as well.
        return None
    inputs = [v.type() for v in node.inputs]
    constants = [isinstance(v, Constant) for v in node.inputs]
    replaced = [v.clone() if constant else i for v, i, constant in zip(node.inputs, inputs, constants)]
    try:
        twin = node.clone_with_new_inputs(replaced, strict=False)
    except Exception:
        return None
    free = [v for v, constant in zip(replaced, constants) if not constant]
    fgraph = FunctionGraph(free, twin.outputs, clone=False)
    from theano_compat.gof import DestroyHandler

    fgraph.attach_feature(DestroyHandler())
    linker = CodegenLinker().accept(fgraph, no_recycling=list(twin.outputs))
    fn, in_containers, out_containers = linker.make_thunk()
    in_cells, next_container = [], iter(in_containers)
    for constant in constants:
        in_cells.append([None] if constant else next(next_container).storage)
    return fn, in_cells, [container.storage for container in out_containers]


class _Linker(LocalLinker):
    """Runs a graph under a :class:`_Checker`."""

    def __init__(self, maker: Any):
        super().__init__()
        self.fgraph: Any = None
        self.maker = maker
        self.allow_gc = False

    def accept(self, fgraph: Any, no_recycling: Any = None, profile: Any = None) -> _Linker:
        if self.fgraph is not None and self.fgraph is not fgraph:
            return type(self)(maker=self.maker).accept(fgraph, no_recycling, profile)
        self.fgraph = fgraph
        self.no_recycling = no_recycling or []
        return self

    def make_thunk(self, input_storage: Any = None, output_storage: Any = None, storage_map: Any = None) -> Any:
        from theano_compat.gof.link import Container

        fgraph = self.fgraph
        input_storage = input_storage or _cells(len(fgraph.inputs))
        output_storage = output_storage or _cells(len(fgraph.outputs))
        checker = _Checker(self.maker.mode, fgraph)

        def run() -> None:
            values = checker.run([cell[0] for cell in input_storage])
            for variable, cell in zip(fgraph.outputs, output_storage):
                cell[0] = copy.deepcopy(values[variable])

        run.allow_gc = False  # type: ignore[attr-defined]
        run.storage_map = {}  # type: ignore[attr-defined]
        run.nodes = fgraph.toposort()  # type: ignore[attr-defined]
        return (
            run,
            [Container(v, cell) for v, cell in zip(fgraph.inputs, input_storage)],
            [Container(v, cell, readonly=True) for v, cell in zip(fgraph.outputs, output_storage)],
        )


class _DummyLinker:
    """Stands where a mode has its linker; DebugMode's own is made per function."""

    def clone(self, allow_gc: Any = None) -> _DummyLinker:
        return self

    def accept(self, *_: Any, **__: Any) -> Any:
        raise TypeError("A function in DebugMode is made by its function_maker")


class _Maker(FunctionMaker):
    """Makes functions in DebugMode: rewrites several times, and links with the checks."""

    def __init__(self, inputs: Any, outputs: Any, mode: Any, fgraph: Any = None, **options: Any):
        self._debug_mode = mode
        inner = copy.copy(mode)
        inner.linker = _Linker(self)
        if fgraph is None:
            self._check_reproducible(inputs, outputs, mode, options.get("accept_inplace", False))
        super().__init__(inputs, outputs, inner, fgraph=fgraph, **options)
        self.mode = mode

    def _check_reproducible(self, inputs: Any, outputs: Any, mode: Any, accept_inplace: bool) -> None:
        """Rewrite copies of the graph, and compare the steps."""
        specs_in = [self.wrap_in(i) for i in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
        if outputs is None:
            outputs = []
        specs_out = [self.wrap_out(o) for o in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]
        first = None
        for turn in range(mode.stability_patience):
            fgraph, _ = std_fgraph(specs_in, specs_out, accept_inplace)
            tracker = _EquivalenceTracker()
            fgraph.attach_feature(tracker)
            with compiling():
                mode.optimizer(fgraph)
            if first is None:
                first = tracker.event_list
            elif first != tracker.event_list:
                where = next(
                    (i for i, (a, b) in enumerate(zip(first, tracker.event_list)) if a != b),
                    min(len(first), len(tracker.event_list)),
                )
                raise StochasticOrder(
                    f"Rewriting the graph for the {turn + 1}. time went another way from step {where} on: "
                    f"{first[where : where + 1]} and then {tracker.event_list[where : where + 1]}"
                )

    def _apply_optimizer(self, optimizer: Any, fgraph: Any) -> Any:
        fgraph.attach_feature(_EquivalenceTracker())
        return optimizer(fgraph)


class DebugMode(Mode):
    """Check everything at each call; see the module's text for what that is.

    Parameters
    ----------
    optimizer : Optimizer, Query or str
        The rewrites to apply, and to check.
    stability_patience : int, optional
        How often to rewrite, to see that it happens in the same way.
    check_c_code, check_py_code : bool, optional
        Check the compiled code, ``perform``, or both against each other.
    check_isfinite : bool, optional
        Take NaN and infinities for errors; ``var.tag.allow_nonfinite`` exempts a variable.
    check_preallocated_output : str, optional
        Kinds of storage that ops are to find, separated by colons: ``initial``, ``previous``, ``c_contiguous``,
        ``f_contiguous``, ``strided``, ``wrong_size``, ``ALL``.
    require_matching_strides : int, optional
        1 warns, 2 raises if implementations give different strides.
    linker : object
        Has to be left out.

    Notes
    -----
    What is not given comes from the flags ``DebugMode.*``.
    """

    stability_patience: int = config.DebugMode.patience
    check_c_code: Any = None
    check_py_code: Any = None
    check_isfinite: Any = None
    require_matching_strides: int = 0

    def __init__(
        self,
        optimizer: Any = "fast_run",
        stability_patience: int | None = None,
        check_c_code: bool | None = None,
        check_py_code: bool | None = None,
        check_isfinite: bool | None = None,
        check_preallocated_output: str | None = None,
        require_matching_strides: int | None = None,
        linker: Any = None,
    ):
        if linker is not None and not isinstance(linker, _DummyLinker):
            raise Exception("DebugMode can only use its own linker! You should not provide one.", linker)
        flags = config.DebugMode
        self.stability_patience = flags.patience if stability_patience is None else stability_patience
        self.check_c_code = flags.check_c if check_c_code is None else check_c_code
        self.check_py_code = flags.check_py if check_py_code is None else check_py_code
        self.check_isfinite = flags.check_finite if check_isfinite is None else check_isfinite
        kinds = flags.check_preallocated_output if check_preallocated_output is None else check_preallocated_output
        if isinstance(kinds, str):
            kinds = [kind for kind in kinds.split(":") if kind]
        self.check_preallocated_output = list(kinds)
        self.require_matching_strides = (
            flags.check_strides if require_matching_strides is None else require_matching_strides
        )
        if not (self.check_c_code or self.check_py_code):
            raise ValueError("DebugMode has to check at least one of c and py code")
        super().__init__(optimizer=optimizer, linker=_DummyLinker() if linker is None else linker)

    def __str__(self) -> str:
        return f"DebugMode(linker={self.provided_linker}, optimizer={self.provided_optimizer})"

    def __getstate__(self) -> Any:
        return dict(self.__dict__, linker=None, _optimizer=None, provided_linker=None)

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple):
            super().__setstate__(state)
            return
        self.__dict__.update(state)
        self.provided_linker = self.linker = _DummyLinker()
        self._optimizer = self.get_linker_optimizer(self.linker, self.provided_optimizer)[1]

    def function_maker(self, i: Any, o: Any, m: Any, *args: Any, **kwargs: Any) -> Any:
        """The maker of functions in this mode."""
        assert m is self
        return _Maker(i, o, self, *args, **kwargs)

    def clone(self, link_kwargs: dict[str, Any] | None = None, optimizer: Any = "", **kwargs: Any) -> DebugMode:
        """A copy, possibly with other rewrites or checks."""
        if isinstance(optimizer, str) and optimizer == "":
            optimizer = self.provided_optimizer
        options = {
            "stability_patience": self.stability_patience,
            "check_c_code": self.check_c_code,
            "check_py_code": self.check_py_code,
            "check_isfinite": self.check_isfinite,
            "check_preallocated_output": ":".join(self.check_preallocated_output),
            "require_matching_strides": self.require_matching_strides,
            **kwargs,
        }
        return type(self)(optimizer=optimizer, **options)


if "DEBUG_MODE" not in predefined_modes:
    register_mode("DEBUG_MODE", DebugMode(optimizer="fast_run"))
