"""The virtual machine: runs thunks, in order or lazily, and drops values as soon as nobody needs them.

:class:`Loop` and :class:`LoopGC` run every node in a fixed order. :class:`Stack` begins at the outputs and runs what they turn out
to need, so that an op such as ``ifelse`` decides which of its inputs are computed at all.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Callable, Sequence

from theano_compat import config
from theano_compat.gof import link
from theano_compat.gof.graph import Constant, Variable
from theano_compat.gof.utils import MethodNotDefined

logger = logging.getLogger(__name__)


class VM:
    """Base class of virtual machines.

    Parameters
    ----------
    nodes : list of Apply
    thunks : list of callable
        One for each node.
    pre_call_clear : list of cells
        Emptied before a run, so that no op re-uses what is in them.

    Attributes
    ----------
    call_counts, call_times : list
        How often each thunk ran and for how long, in seconds, if :attr:`time_thunks` is set.
    need_update_inputs : bool
        Whether the caller has to copy the updates to the inputs.
    """

    need_update_inputs = True

    def __init__(self, nodes, thunks, pre_call_clear):
        if len(nodes) != len(thunks):
            raise ValueError(f"{len(nodes)} nodes and {len(thunks)} thunks")
        self.nodes = nodes
        self.thunks = thunks
        self.pre_call_clear = pre_call_clear
        self.call_counts = [0] * len(nodes)
        self.call_times = [0.0] * len(nodes)
        self.time_thunks = False
        self.node_executed_order: list = []
        self.node_cleared_order: list = []
        # Set by the linker.
        self.storage_map: dict = {}

    def __call__(self):
        """Run; the inputs are in their cells, the outputs will be in theirs."""
        raise NotImplementedError("override me")

    def clear_storage(self) -> None:
        """Forget all computed values."""
        for node in self.nodes:
            for var in node.outputs:
                if var in self.storage_map:
                    self.storage_map[var][0] = None

    def update_profile(self, profile) -> None:
        """Add the times and counts since the last call to a ProfileStats, and set them to zero."""
        for i, (node, thunk) in enumerate(zip(self.nodes, self.thunks)):
            profile.apply_time[node] = profile.apply_time.get(node, 0.0) + self.call_times[i]
            profile.apply_callcount[node] = profile.apply_callcount.get(node, 0) + self.call_counts[i]
            profile.apply_cimpl[node] = hasattr(thunk, "cthunk")
        for attribute in ("variable_shape", "variable_strides", "variable_offset"):
            if hasattr(self, attribute):
                setattr(profile, attribute, dict(getattr(self, attribute)))
        if self.node_executed_order:
            profile.node_executed_order = list(self.node_executed_order)
        if self.node_cleared_order:
            profile.node_cleared_order = list(self.node_cleared_order)
        self.call_times = [0.0] * len(self.nodes)
        self.call_counts = [0] * len(self.nodes)

    def _note_sizes(self, variables) -> None:
        """Remember shapes and strides of what is in the cells of ``variables``, for the memory profile."""
        for var in variables:
            value = self.storage_map[var][0]
            shape = getattr(value, "shape", None)
            if shape is None:
                self.variable_shape[var] = "input no shape" if var.owner is None else "no shape"
                continue
            self.variable_shape[var] = shape
            self.variable_strides[var] = getattr(value, "strides", "no strides")
            interface = getattr(value, "__array_interface__", None)
            self.variable_offset[var] = interface["data"][0] if interface else 0

    def _begin_profile(self) -> None:
        self.variable_shape: dict = {}
        self.variable_strides: dict = {}
        self.variable_offset: dict = {}
        self.node_executed_order = []
        self.node_cleared_order = []
        self._note_sizes([var for var in self.storage_map if var.owner is None and not isinstance(var, Constant)])

    def _end_profile(self) -> None:
        pass


class Loop(VM):
    """Runs all thunks in order, and keeps all values."""

    allow_gc = False

    def __call__(self):
        return self._run(None)

    def _run(self, clear_after) -> None:
        for cell in self.pre_call_clear:
            cell[0] = None
        node = thunk = None
        try:
            if self.time_thunks:
                self._run_timed(clear_after)
            elif clear_after is None:
                for thunk, node in zip(self.thunks, self.nodes):  # noqa: B007  (the report of a failure needs the node)
                    thunk()
            else:
                for thunk, node, cells in zip(self.thunks, self.nodes, clear_after):  # noqa: B007
                    thunk()
                    for cell in cells:
                        cell[0] = None
        except Exception:
            if self.time_thunks:
                node, thunk = self._current
            link.raise_with_op(node, thunk, storage_map=self.storage_map)

    def _run_timed(self, clear_after) -> None:
        self._begin_profile()
        for i, (thunk, node) in enumerate(zip(self.thunks, self.nodes)):
            self._current = node, thunk
            start = time.perf_counter()
            thunk()
            self.call_times[i] += time.perf_counter() - start
            self.call_counts[i] += 1
            self.node_executed_order.append(node)
            self._note_sizes(node.outputs)
            if clear_after is not None:
                for cell in clear_after[i]:
                    cell[0] = None
            self.node_cleared_order.append([id(cell) for cell in clear_after[i]] if clear_after is not None else [])


class LoopGC(Loop):
    """Runs all thunks in order, and drops a value after its last use.

    Parameters
    ----------
    post_thunk_clear : list of list of cells
        What to empty after each thunk.
    """

    allow_gc = True

    def __init__(self, nodes, thunks, pre_call_clear, post_thunk_clear):
        super().__init__(nodes, thunks, pre_call_clear)
        if len(nodes) != len(post_thunk_clear):
            raise ValueError(f"{len(nodes)} nodes and {len(post_thunk_clear)} lists of what to clear after them")
        self.post_thunk_clear = post_thunk_clear

    def __call__(self):
        return self._run(self.post_thunk_clear)


class Stack(VM):
    """Runs what the outputs turn out to need.

    Parameters
    ----------
    storage_map : dict
        From each variable to its cell.
    compute_map : dict
        From each variable to a list of one: false, true, or 2 for a value that was computed and dropped.
    fgraph : FunctionGraph
    allow_gc : bool
        Drop values when all that depends on them is computed.
    n_updates : int
        How many outputs, at the end, are updates: they are computed even if not asked for.
    dependencies : dict, optional
        From each variable to those that must be computed before it may be dropped.
    callback : callable, optional
        Called after each thunk with keywords ``node``, ``thunk``, ``storage_map``, ``compute_map``.
    callback_input : callable, optional
        Called with each input and its value, and each constant, before a run.
    """

    def __init__(
        self,
        nodes,
        thunks,
        pre_call_clear,
        storage_map,
        compute_map,
        fgraph,
        allow_gc,
        n_updates,
        dependencies=None,
        callback=None,
        callback_input=None,
    ):
        super().__init__(nodes, thunks, pre_call_clear)
        self.allow_gc = allow_gc
        self.message = ""
        self.fgraph = fgraph
        self.outputs = list(fgraph.outputs)
        self.outputs_size: dict = {}
        self.compute_map = compute_map
        self.storage_map = storage_map
        self.n_updates = n_updates
        self.callback = callback
        self.callback_input = callback_input
        self.node_idx = {node: i for i, node in enumerate(nodes)}
        self.variable_shape: dict = {}
        self.variable_strides: dict = {}
        self.variable_offset: dict = {}
        if allow_gc and dependencies is None:
            raise ValueError("Must set dependencies when using GC")
        self.dependencies = dependencies
        self.base_apply_stack = [out.owner for out in fgraph.outputs if out.owner is not None]
        self._computed = [var for node in nodes for var in node.outputs]
        self._sources = [var for var in storage_map if var.owner is None or var in set(fgraph.inputs)]

    def run_thunk_of_node(self, node):
        """Run the thunk of a node, count it, and call the callback; return what the thunk returns."""
        i = self.node_idx[node]
        thunk = self.thunks[i]
        start = time.perf_counter()
        needed = thunk()
        self.call_times[i] += time.perf_counter() - start
        self.call_counts[i] += 1
        if self.callback is not None:
            self.callback(node=node, thunk=thunk, storage_map=self.storage_map, compute_map=self.compute_map)
        return needed

    def __call__(self, output_subset: Sequence[int] | None = None):
        """Run.

        Parameters
        ----------
        output_subset : sequence of int, optional
            Compute these outputs (and the updates) only.
        """
        storage_map, compute_map = self.storage_map, self.compute_map
        for cell in self.pre_call_clear:
            cell[0] = None
        for var in self._computed:
            compute_map[var][0] = 0
        for var in self._sources:
            compute_map[var][0] = 1
            if self.callback_input is not None:
                self.callback_input(var, storage_map[var][0])
        if output_subset is not None:
            first_update = len(self.outputs) - self.n_updates
            chosen = [*output_subset, *range(first_update, len(self.outputs))]
            pending = [self.outputs[i].owner for i in dict.fromkeys(chosen) if self.outputs[i].owner is not None]
        else:
            pending = list(self.base_apply_stack)
        if self.time_thunks:
            self._begin_profile()
        pending.reverse()
        dependencies = self.dependencies if self.allow_gc else None
        kept = set(self.outputs) if dependencies is not None else ()
        while pending:
            node = pending[-1]
            if all(compute_map[out][0] for out in node.outputs):
                pending.pop()
                continue
            thunk = self.thunks[self.node_idx[node]]
            if getattr(thunk, "lazy", False):
                try:
                    needed = self.run_thunk_of_node(node)
                except Exception:
                    link.raise_with_op(node, thunk, storage_map=storage_map)
                if needed:
                    # The inputs asked for come first; then the node has another turn.
                    pending.extend(node.inputs[i].owner for i in needed)
                    continue
            else:
                missing = [v.owner for v in node.inputs if not compute_map[v][0]]
                if missing:
                    pending.extend(missing)
                    continue
                try:
                    self.run_thunk_of_node(node)
                except Exception:
                    link.raise_with_op(node, thunk, storage_map=storage_map)
                for out in node.outputs:
                    compute_map[out][0] = 1
            pending.pop()
            if self.time_thunks:
                self.node_executed_order.append(node)
                self._note_sizes(node.outputs)
            cleared = self._clear_inputs(node, dependencies, kept) if dependencies is not None else []
            if self.time_thunks:
                self.node_cleared_order.append(cleared)
        if dependencies is not None:
            # What a lazy op computed for nothing, and outputs of nodes that nobody asked for.
            for var in self._computed:
                if compute_map[var][0] and var not in kept:
                    storage_map[var][0] = None

    def _clear_inputs(self, node, dependencies, kept) -> list[int]:
        """Drop the values that nobody needs after ``node`` has run; return the ids of their cells."""
        compute_map, storage_map = self.compute_map, self.storage_map
        cleared = []
        for var in node.inputs:
            waiting = dependencies.get(var)
            if waiting and var not in kept and var.owner is not None and all(compute_map[v][0] for v in waiting):
                storage_map[var][0] = None
                compute_map[var][0] = 2
                cleared.append(id(storage_map[var]))
        return cleared


def calculate_reallocate_info(order, fgraph, storage_map, compute_map_re, dependencies) -> dict:
    """Find scalars that can live in the cell of another one whose last use is past.

    Parameters
    ----------
    order : list of Apply
    fgraph : FunctionGraph
    storage_map : dict
        Changed: such variables get the cell of the other.
    compute_map_re : dict
        Cells to mark as computed on the way, for callers that look at them.
    dependencies : dict
        From each variable to those that must be computed before it may be dropped.

    Returns
    -------
    dict
        From a variable to the list of the two that share a cell: ``[taken over, new]``.
    """
    position = {node: i for i, node in enumerate(order)}
    last_use = {var: max((position[v.owner] for v in waiting if v.owner in position), default=-1) for var, waiting in dependencies.items()}
    taboo = {*fgraph.inputs, *fgraph.outputs}
    viewed = {
        var
        for node in order
        for attribute in ("view_map", "destroy_map")
        for out_i, in_is in getattr(node.op, attribute, {}).items()
        for var in (node.outputs[out_i], *(node.inputs[i] for i in in_is))
    }

    def may_share(var) -> bool:
        return getattr(var.type, "ndim", None) == 0 and var not in taboo and var not in viewed and not isinstance(var, Constant)

    expiring: dict[int, list[Variable]] = {}
    for var in dependencies:
        if var.owner is not None and may_share(var) and last_use[var] >= 0:
            expiring.setdefault(last_use[var], []).append(var)
    free: dict = {}
    shared: dict = {}
    for i, node in enumerate(order):
        for out in node.outputs:
            cells = free.get(out.type)
            if cells and may_share(out) and out in dependencies:
                other = cells.pop()
                storage_map[out] = storage_map[other]
                shared[out] = [other, out]
        for out in node.outputs:
            if out in compute_map_re:
                compute_map_re[out][0] = 1
        # Free for later nodes only: an output must not live in the cell of an input of its own node.
        for var in expiring.get(i, ()):
            free.setdefault(var.type, []).append(var)
    return shared


class VM_Linker(link.LocalLinker):
    """Makes virtual machines.

    Parameters
    ----------
    allow_gc : bool, optional
        Drop values when they are not needed any more; default ``config.allow_gc``.
    use_cloop : bool
        Historical: the fast loop is the compiled engine's, linker ``cvm``.
    callback, callback_input : callable, optional
        See :class:`Stack`.
    lazy : bool, optional
        Run what is needed only; default ``config.vm.lazy``, else whether there is a lazy op.
    schedule : callable, optional
        From a FunctionGraph to its nodes in order.
    c_thunks : bool, optional
        True: compile each node by itself where that is possible. False: run ``perform`` even where an op would choose C code.
    allow_partial_eval : bool, optional
        Whether functions can be called for a part of their outputs, ``output_subset``.
    """

    def __init__(
        self,
        allow_gc=None,
        use_cloop=False,
        callback=None,
        callback_input=None,
        lazy=None,
        schedule: Callable | None = None,
        c_thunks=None,
        allow_partial_eval=None,
    ):
        self.allow_gc = config.allow_gc if allow_gc is None else allow_gc
        self.fgraph = None
        self.use_cloop = use_cloop
        self.callback = callback
        self.callback_input = callback_input
        self.lazy = lazy
        self.c_thunks = c_thunks
        self.allow_partial_eval = allow_partial_eval
        self.updated_vars: dict = {}
        if schedule is not None:
            self._scheduler = schedule

    def accept(self, fgraph, no_recycling=None, profile=None) -> VM_Linker:
        """Return a linker for ``fgraph``: this one, or, if it has one already, another like it."""
        if self.fgraph is not None and self.fgraph is not fgraph:
            another = self.clone()
            another.fgraph, another.updated_vars = None, {}
            return another.accept(fgraph, no_recycling, profile)
        self.fgraph = fgraph
        self.no_recycling = no_recycling or []
        self.profile = profile
        return self

    def accept_var_updates(self, updated_vars: dict) -> None:
        """Take the map from input variables to the outputs that update them."""
        self.updated_vars = updated_vars

    def compute_gc_dependencies(self, variables) -> dict:
        """Return, for each of ``variables``, the list of those that must be computed before it may be dropped."""
        dependencies: dict = {}
        for var in variables:
            users = [out for node, _ in getattr(var, "clients", ()) if node != "output" for out in node.outputs]
            dependencies[var] = list(dict.fromkeys(users))
        return dependencies

    def make_vm(
        self, nodes, thunks, input_storage, output_storage, storage_map, post_thunk_clear, computed, compute_map, updated_vars
    ) -> VM:
        """Return the virtual machine for these nodes."""
        pre_call_clear = [storage_map[v] for v in self.no_recycling]
        lazy = self.lazy
        if lazy is None:
            lazy = config.vm.lazy
        if lazy is None:
            lazy = any(getattr(thunk, "lazy", False) for thunk in thunks)
        if lazy or self.callback or self.callback_input or self.allow_partial_eval:
            machine: VM = Stack(
                nodes,
                thunks,
                pre_call_clear,
                storage_map,
                compute_map,
                self.fgraph,
                self.allow_gc,
                len(updated_vars),
                dependencies=self.compute_gc_dependencies(storage_map) if self.allow_gc else None,
                callback=self.callback,
                callback_input=self.callback_input,
            )
        elif self.allow_gc:
            machine = LoopGC(nodes, thunks, pre_call_clear, post_thunk_clear)
        else:
            machine = Loop(nodes, thunks, pre_call_clear)
        machine.storage_map = storage_map
        return machine

    def _compiled_thunk(self, node, storage_map, compute_map):
        """Return the thunk of a node's compiled code, None where there is none."""
        try:
            return link.make_node_thunk(node, storage_map, compute_map, self.no_recycling, impl="c")
        except (NotImplementedError, MethodNotDefined):
            return None

    def make_all(self, profiler=None, input_storage=None, output_storage=None, storage_map=None):
        fgraph = self.fgraph
        order = self.schedule(fgraph)
        input_storage, output_storage, storage_map = link.map_storage(
            fgraph, order, input_storage, output_storage, storage_map
        )
        inputs = set(fgraph.inputs)
        dependencies = self.compute_gc_dependencies(storage_map)
        lazy = self.lazy if self.lazy is not None else config.vm.lazy
        shared: dict = {}
        if lazy is False and not (self.callback or self.callback_input or self.allow_partial_eval):
            shared = calculate_reallocate_info(order, fgraph, storage_map, {}, dependencies)
        compute_map = {var: [var.owner is None or var in inputs] for var in storage_map}
        profile = self.profile
        started = time.perf_counter()
        linker_make_thunk_time = {}
        impl = "py" if self.c_thunks is False else None
        thunks = []
        for node in order:
            start = time.perf_counter()
            thunk = self._compiled_thunk(node, storage_map, compute_map) if self.c_thunks else None
            if thunk is None:
                thunk = link.make_node_thunk(node, storage_map, compute_map, self.no_recycling, impl=impl)
            linker_make_thunk_time[node] = time.perf_counter() - start
            if not hasattr(thunk, "lazy"):
                # Whoever leaves it out gets the laziness of a thunk that asks for nothing.
                thunk.lazy = False
            if not hasattr(thunk, "inputs"):
                thunk.inputs = [storage_map[v] for v in node.inputs]
                thunk.outputs = [storage_map[v] for v in node.outputs]
            thunks.append(thunk)
        if profile:
            profile.linker_node_make_thunks += time.perf_counter() - started
            profile.linker_make_thunk_time = linker_make_thunk_time
        computed = link.gc_helper(order)[0]
        clear = None
        if self.allow_gc:
            # Shared cells keep their value: the next writer, of this run or the next, takes over its memory.
            kept = {id(storage_map[var]) for pair in shared.values() for var in pair}
            clear = [[cell for cell in cells if id(cell) not in kept] for cells in link.cells_to_clear(fgraph, order, storage_map)]
        machine = self.make_vm(
            order, thunks, input_storage, output_storage, storage_map, clear, computed, compute_map, self.updated_vars
        )
        machine.storage_map = storage_map
        machine.compute_map = compute_map
        machine.reallocated_info = shared
        machine.time_thunks = bool(config.profile or profile)
        return (
            machine,
            [link.Container(v, cell) for v, cell in zip(fgraph.inputs, input_storage)],
            [link.Container(v, cell, readonly=True) for v, cell in zip(fgraph.outputs, output_storage)],
            thunks,
            order,
        )

    def __setstate__(self, d) -> None:
        self.__dict__.update(d)
        for name, default in (("c_thunks", True), ("allow_partial_eval", None), ("callback_input", None), ("updated_vars", {})):
            if not hasattr(self, name):
                setattr(self, name, default)


__all__ = ["Loop", "LoopGC", "Stack", "VM", "VM_Linker", "calculate_reallocate_info", "sys", "warnings"]
