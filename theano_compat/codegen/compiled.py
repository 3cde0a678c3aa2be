"""`CompiledFunction`: what a call of a function runs, made from its rewritten graph."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from theano_compat.codegen import build, runtime
from theano_compat.codegen.emit import emit
from theano_compat.codegen.errors import SegmentError, exception_of, inputs_of_failed
from theano_compat.codegen.schedule import Schedule, Segment
from theano_compat.codegen.wiring import SegmentStep, Wiring
from theano_compat.gof.graph import Constant, Variable
from theano_compat.gof.link import raise_with_op

if TYPE_CHECKING:
    from theano_compat.codegen.linker import CodegenLinker

__all__ = ["CompiledFunction"]


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
                calls[segment] = SegmentStep(
                    spec,
                    runtime.segment_call(spec, address, self.loaded),
                    [self.storage_map[v] for v in segment.inputs],
                    [self.storage_map[v] for v in segment.outputs],
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
                    self.explain_failure(position)
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
                self.explain_failure(position)
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
                    self.explain_failure(here)
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

    def explain_failure(self, position: int):
        """Raise the user's error for the step that failed; to be called where its exception is handled."""
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

    def only_segment(self) -> SegmentStep | None:
        """Return the segment that is the whole function, None if there are other steps."""
        if self.schedule.lazy or self.time_thunks or len(self.thunks) != 1:
            return None
        return self.thunks[0] if isinstance(self.thunks[0], SegmentStep) else None

    def wiring(self) -> Wiring | None:
        """Return how the function's inputs and outputs are tied to those of its only segment; None if there is more to it."""
        if self.only_segment() is None:
            return None
        segment = self.schedule.steps[0]
        result = {v: k for k, v in enumerate(segment.outputs)}
        number = {v: i for i, v in enumerate(self.fgraph.inputs)}
        if any(v not in result for v in self.fgraph.outputs) or any(v not in number and not isinstance(v, Constant) for v in segment.inputs):
            return None
        return Wiring([number.get(v) for v in segment.inputs], [result[v] for v in self.fgraph.outputs])

    def explain_record(self, step: SegmentStep, record: list[int]) -> None:
        """Raise the user's error for a failed segment's record."""
        try:
            raise SegmentError(step.spec, record)
        except SegmentError:
            self.explain_failure(self.thunks.index(step))

    def explain(self) -> str:
        """Say what became of each node: C loops, library calls, Python, and why."""
        from theano_compat.codegen.explain import explain

        return explain(self)

    def free(self) -> None:
        """Give scratch memory back."""
        for thunk in self.thunks:
            if isinstance(thunk, SegmentStep):
                thunk.call.release()

    def update_profile(self, profile) -> None:
        """Add the time of each step to a profile."""
        for position, node in enumerate(self.nodes):
            profile.apply_time[node] = profile.apply_time.get(node, 0.0) + self.call_times[position]
            profile.apply_callcount[node] = profile.apply_callcount.get(node, 0) + self.call_counts[position]
            profile.apply_cimpl[node] = isinstance(self.thunks[position], SegmentStep)
            self.call_times[position] = 0.0
            self.call_counts[position] = 0
        for name in ("variable_shape", "variable_strides", "variable_offset"):
            getattr(profile, name, {}).update(getattr(self, name))
