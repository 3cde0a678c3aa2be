"""`CodegenLinker`: a FunctionGraph as compiled segments and Python islands."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable

from theano_compat import config
from theano_compat.codegen import build, pool, runtime
from theano_compat.codegen.abi import SegmentSpec
from theano_compat.codegen.emit import emit
from theano_compat.codegen.errors import SegmentError, exception_of, inputs_of_failed
from theano_compat.codegen.schedule import Schedule, Segment, make_schedule
from theano_compat.codegen.toolchain import CompileError
from theano_compat.gof.graph import Constant, Variable
from theano_compat.gof.link import LocalLinker, map_storage, raise_with_op

__all__ = ["CodegenLinker", "CompiledFunction", "RefusedCode"]

class RefusedCode(RuntimeWarning):
    """The compiler refused the C text of a function."""


_warned_of_no_compiler = False


def _compiler_or_warning() -> bool:
    global _warned_of_no_compiler
    if build.compiler_available():
        return True
    if not _warned_of_no_compiler:
        _warned_of_no_compiler = True
        warnings.warn(
            "theano_compat found no C compiler: functions run through NumPy, which is slower. Install gcc or clang, or "
            "`pip install ziglang`; `python -m theano_compat doctor` shows what was looked for.",
            stacklevel=2,
        )
    return False


class CodegenLinker(LocalLinker):
    """Compile what can be compiled into one C file per function, run the rest in Python.

    Parameters
    ----------
    allow_gc : bool, optional
        Drop intermediate values after each call; default `config.allow_gc`.
    schedule : callable, optional
        Order of the nodes; the graph's own `toposort` where absent.
    """

    def __init__(self, allow_gc: bool | None = None, schedule: Callable | None = None, **ignored) -> None:
        if allow_gc is None:
            allow_gc = config.allow_gc
        super().__init__(allow_gc=allow_gc) if schedule is None else super().__init__(
            allow_gc=allow_gc, scheduler=schedule
        )
        self.fgraph = None
        self.no_recycling: list[Variable] = []
        self.profile = None

    @staticmethod
    def prepare() -> None:
        """Begin to build, in other threads, what all functions share: beside the rewriting of the first one, where nothing is in the cache yet."""
        runtime.start()
        pool.start()

    def accept(self, fgraph, no_recycling=None, profile=None) -> CodegenLinker:
        """Take the graph to compile; a linker that has one already gives a fresh linker for the new one."""
        if self.fgraph is not None and self.fgraph is not fgraph:
            return type(self)(allow_gc=self.allow_gc).accept(fgraph, no_recycling, profile)
        self.fgraph = fgraph
        self.no_recycling = list(no_recycling or [])
        self.profile = profile
        return self

    def accept_var_updates(self, updated_vars: dict) -> None:
        """Take the map from input variables to the outputs that update them; the function itself stores them."""
        self.updated_vars = updated_vars

    def make_all(self, input_storage=None, output_storage=None, storage_map=None):
        """Return the compiled function, containers of inputs and of outputs, thunks and nodes."""
        fgraph = self.fgraph
        self.prepare()
        input_storage, output_storage, storage_map = map_storage(
            fgraph, fgraph.toposort(), input_storage, output_storage, storage_map
        )
        try:
            fn = self._function(_compiler_or_warning(), storage_map, output_storage)
        except CompileError as error:
            # A fault of the engine, or of a user's own C text: the program goes on, and says so.
            warnings.warn(RefusedCode(f"this function runs through NumPy, more slowly: {error}"), stacklevel=2)
            fn = self._function(False, storage_map, output_storage)
        inputs = _containers(fgraph.inputs, input_storage)
        outputs = _containers(fgraph.outputs, output_storage, readonly=True)
        return fn, inputs, outputs, fn.thunks, fn.nodes


    def _function(self, compile: bool, storage_map: dict, output_storage: list) -> CompiledFunction:
        schedule = make_schedule(self.fgraph, compile, node_by_node=self.profile is not None)
        return CompiledFunction(self, schedule, storage_map, output_storage)


def _containers(variables, storage, readonly: bool = False) -> list:
    from theano_compat.gof.link import Container

    return [Container(v, s, readonly=readonly) for v, s in zip(variables, storage)]


class _SegmentStep:
    """A segment with the storage cells that it reads and writes."""

    def __init__(self, segment: Segment, spec: SegmentSpec, call: Callable, storage_map: dict) -> None:
        self.segment = segment
        self.spec = spec
        self.call = call
        self.inputs = [storage_map[v] for v in segment.inputs]
        self.outputs = [storage_map[v] for v in segment.outputs]

    def __call__(self) -> None:
        found = self.call([cell[0] for cell in self.inputs])
        for cell, value in zip(self.outputs, found):
            cell[0] = value


class _Failed:
    """Stands for the thunk of a failed node where an error is worded."""

    def __init__(self, inputs: list[list]) -> None:
        self.inputs = inputs


class CompiledFunction:
    """What a call of the function runs: the steps in order, or on demand where the graph is lazy.

    Attributes
    ----------
    nodes, thunks : list
        One pair per step; a segment stands for its last node.
    storage_map : dict
        Maps each variable that is passed between steps to its cell.
    position_of_error : int or None
        Which step failed in the last call.
    program : Program or None
        The generated C.
    """

    need_update_inputs = True

    def __init__(self, linker: CodegenLinker, schedule: Schedule, storage_map: dict, output_storage: list) -> None:
        self.fgraph = linker.fgraph
        self.allow_gc = linker.allow_gc
        self.schedule = schedule
        self.storage_map = storage_map
        self.output_storage = output_storage
        self.compute_map = {v: [v.owner is None] for v in storage_map}
        self.position_of_error: int | None = None
        self.program = None
        self.file = None
        self.loaded = None
        segments = [s for s in schedule.steps if isinstance(s, Segment)]
        if segments:
            self.program, self.file = emit(segments)
            self.loaded = build.load(self.program)
        self._bind(segments, linker.no_recycling)
        self._plan_clearing()
        self.call_counts = [0] * len(self.thunks)
        self.call_times = [0.0] * len(self.thunks)
        self.time_thunks = linker.profile is not None
        self.variable_shape: dict = {}
        self.variable_strides: dict = {}
        self.variable_offset: dict = {}

    def _bind(self, segments: list[Segment], no_recycling: list[Variable]) -> None:
        calls = {}
        if self.program is not None:
            for segment, spec, address in zip(segments, self.program.segments, self.loaded.segments):
                for v in segment.inputs:
                    self._cell(v)
                calls[segment] = _SegmentStep(
                    segment, spec, runtime.segment_call(spec, address, self.loaded), self.storage_map
                )
        self.nodes, self.thunks = [], []
        for step in self.schedule.steps:
            if isinstance(step, Segment):
                self.nodes.append(step.builder.nodes[-1])
                self.thunks.append(calls[step])
            else:
                node = step.node
                for v in (*node.inputs, *node.outputs):
                    self._cell(v)
                thunk = node.op.make_thunk(node, self.storage_map, self.compute_map, [])
                thunk.inputs = [self.storage_map[v] for v in node.inputs]
                thunk.outputs = [self.storage_map[v] for v in node.outputs]
                self.nodes.append(node)
                self.thunks.append(thunk)

    def _cell(self, var: Variable) -> list:
        if var not in self.storage_map:
            self.storage_map[var] = [var.data if isinstance(var, Constant) else None]
        if var not in self.compute_map:
            self.compute_map[var] = [var.owner is None]
        return self.storage_map[var]

    def _plan_clearing(self) -> None:
        """After which step each passed value can be dropped."""
        keep = set(self.fgraph.outputs) | set(self.fgraph.inputs)
        last: dict[Variable, int] = {}
        for position, step in enumerate(self.schedule.steps):
            for v in (*step.inputs, *step.outputs):
                last[v] = position
        self.clear: list[list[list]] = [[] for _ in self.schedule.steps]
        for v, position in last.items():
            if v not in keep and v.owner is not None:
                self.clear[position].append(self.storage_map[v])
        self.clear_all = [cell for cells in self.clear for cell in cells]

    # --- calls ----------------------------------------------------------------------------------------

    def __call__(self, output_subset=None, n_calls: int | None = None) -> list | None:
        """Run all steps on the values in storage, `n_calls` times; results are left in the output storage."""
        for _ in range((n_calls or 1) - 1):
            self()
        self.position_of_error = None
        if self.schedule.lazy:
            self._run_on_demand(output_subset)
        elif self.time_thunks:
            self._run_timed()
        else:
            clear = self.clear if self.allow_gc else None
            for position, thunk in enumerate(self.thunks):
                try:
                    thunk()
                except Exception:
                    self._explain(position)
                if clear is not None:
                    for cell in clear[position]:
                        cell[0] = None
        return None

    def _run_timed(self) -> None:
        for position, thunk in enumerate(self.thunks):
            start = time.perf_counter()
            try:
                thunk()
            except Exception:
                self._explain(position)
            self.call_times[position] += time.perf_counter() - start
            self.call_counts[position] += 1
            self._note_shapes(self.schedule.steps[position])
        if self.allow_gc:
            for cell in self.clear_all:
                cell[0] = None

    def _note_shapes(self, step) -> None:
        """Keep what the memory profile needs to know of a step's results."""
        for v in (*step.inputs, *step.outputs):
            value = self.storage_map[v][0]
            self.variable_shape[v] = getattr(value, "shape", "no shape")
            self.variable_strides[v] = getattr(value, "strides", "no strides")
            self.variable_offset[v] = 0

    def _run_on_demand(self, output_subset) -> None:
        """Run the unconditional steps in order, others when a lazy step asks for them."""
        steps = self.schedule.steps
        producer = {v: position for position, step in enumerate(steps) for v in step.outputs}
        finished = [False] * len(steps)
        for v, flag in self.compute_map.items():
            flag[0] = v.owner is None
        for position, step in enumerate(steps):
            if step.condition or finished[position]:
                continue
            stack = [position]
            while stack:
                here = stack[-1]
                if finished[here]:
                    stack.pop()
                    continue
                step_here, thunk = steps[here], self.thunks[here]
                lazy = getattr(thunk, "lazy", False)
                if not lazy:
                    missing = [producer[v] for v in step_here.inputs if v in producer and not finished[producer[v]]]
                    if missing:
                        stack.extend(missing)
                        continue
                try:
                    wanted = thunk()
                except Exception:
                    self._explain(here)
                if lazy and wanted:
                    for index in wanted:
                        v = step_here.node.inputs[index]
                        if v in producer and not finished[producer[v]]:
                            stack.append(producer[v])
                        else:
                            self.compute_map[v][0] = True
                    continue
                finished[here] = True
                for v in step_here.outputs:
                    self.compute_map[v][0] = True
                stack.pop()
        if self.allow_gc:
            for cell in self.clear_all:
                cell[0] = None

    def _explain(self, position: int):
        """Raise the user's error for the step that failed."""
        kind, error, trace = sys.exc_info()
        if hasattr(error, "__from_signal__"):
            raise  # no node is to blame
        self.position_of_error = position
        node, thunk = self.nodes[position], self.thunks[position]
        if isinstance(error, SegmentError):
            node = error.node
            error = exception_of(error)
            if node is None:
                raise error from None
            kind, spec = type(error), thunk.spec
            cells = inputs_of_failed(spec, node, self.storage_map)
            thunk = None if cells is None else _Failed(cells)
        raise_with_op(node, thunk, (kind, error, trace), self.storage_map)

    def make_fast_call(self, function):
        """Return the short way through a call of `function`, None where there is none."""
        from theano_compat.codegen.fastcall import make_fast_call

        return make_fast_call(self, function)

    def only_segment(self) -> _SegmentStep | None:
        """Return the segment that is the whole function, None if there are other steps."""
        if self.schedule.lazy or self.time_thunks or len(self.thunks) != 1:
            return None
        return self.thunks[0] if isinstance(self.thunks[0], _SegmentStep) else None

    def explain_record(self, step: _SegmentStep, record: list[int]) -> None:
        """Raise the user's error for a failed segment's record."""
        try:
            raise SegmentError(step.spec, record)
        except SegmentError:
            self._explain(self.thunks.index(step))

    def explain(self) -> str:
        """Say what became of each node: C loops, library calls, Python, and why."""
        from theano_compat.codegen.explain import explain

        return explain(self)

    def free(self) -> None:
        """Give scratch memory back."""
        for thunk in self.thunks:
            if isinstance(thunk, _SegmentStep):
                thunk.call.release()

    def update_profile(self, profile) -> None:
        """Add the time of each step to a profile."""
        for position, node in enumerate(self.nodes):
            profile.apply_time[node] = profile.apply_time.get(node, 0.0) + self.call_times[position]
            profile.apply_callcount[node] = profile.apply_callcount.get(node, 0) + self.call_counts[position]
            profile.apply_cimpl[node] = isinstance(self.thunks[position], _SegmentStep)
            self.call_times[position] = 0.0
            self.call_counts[position] = 0
        for name in ("variable_shape", "variable_strides", "variable_offset"):
            getattr(profile, name, {}).update(getattr(self, name))
