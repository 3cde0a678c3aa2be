"""Running a loop in Python around a compiled step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_compat import compile, config, gof
from theano_compat.compile.function_maker import FunctionMaker

__all__ = ["Runner", "compile_row_shapes", "compile_step", "rewrite_step"]


def _specs(op: Any) -> tuple[list, list]:
    shared = op.layout.inner_out["shared"]
    inputs = [compile.In(v, borrow=False) for v in op.inputs]
    return inputs, [compile.Out(v, borrow=not shared.start <= i < shared.stop) for i, v in enumerate(op.outputs)]


def _mode(op: Any) -> Any:
    """The mode of a step.

    What it returns is on its way to a row of an output, and computing it over something else would cost a copy. Arrays whose length changes from step to step would
    keep the loop from running in C.
    """
    mode = compile.get_mode(op.mode_instance).excluding("repeated_rows")
    if not config.scan.allow_output_prealloc:
        return mode
    outs = op.layout.inner_out
    guard = compile.mode.AddFeatureOptimizer(gof.NoOutputFromInplace(outs["mit_mot"].stop, outs["shared"].start))
    return mode.register((guard, 49))


def rewrite_step(op: Any) -> Any:
    """Rewrite the step of a scan, without linking it.

    Parameters
    ----------
    op : Scan
        The op.

    Returns
    -------
    FunctionMaker
        Its ``fgraph`` has the inputs and outputs of the step, in their order. The outputs may share memory with each other, never with inputs.
    """
    return FunctionMaker(*_specs(op), _mode(op), on_unused_input="ignore", name=op.name)


def compile_step(op: Any) -> Any:
    """Compile the step of a scan into a function.

    Parameters
    ----------
    op : Scan
        The op.

    Returns
    -------
    Function
        Of the inner inputs. Its outputs may share memory with each other, never with its inputs; those for shared
        values are fresh in every call.
    """
    profile = op.profile
    if profile and not isinstance(profile, compile.profiling.ScanProfileStats):
        name = profile if isinstance(profile, str) else op.name
        profile = op.profile = compile.profiling.ScanProfileStats(atexit_print=False, name=name)
    if profile or op._rewritten_step is None:
        inputs, outputs = _specs(op)
        function = compile.function(inputs, outputs, mode=_mode(op), name=op.name, profile=profile or False, on_unused_input="ignore")
    else:
        function = op._rewritten_step.create()
        function.name = op.name
    function.trust_input = True
    return function


def compile_row_shapes(op: Any) -> Any:
    """Compile a function of the inner inputs of a scan for the shapes of the rows of its outputs that are no states."""
    shapes = [out.shape for out in op.inner_nitsot_outs(op.outputs)]
    return compile.function(op.inputs, shapes, mode=op.mode_instance, name=f"row_shapes_of_{op.name}", on_unused_input="ignore")


class _Rows:
    """One output of a loop that is filled row by row, in a buffer that may be circular.

    Parameters
    ----------
    cell : list
        Where the buffer is kept.
    rows : int
        Its number of rows.
    start : int
        The row that the first step's tap 0 stands for.
    """

    __slots__ = ("cell", "buffer", "rows", "start")

    def __init__(self, cell: list, buffer: Any, rows: int, start: int):
        self.cell, self.buffer, self.rows, self.start = cell, buffer, rows, start

    def put(self, row: int, value: Any) -> None:
        if self.buffer is None:
            self.buffer = self._room(value)
        self.buffer[row % self.rows] = value

    def _room(self, value: Any) -> np.ndarray:
        shape, old = (self.rows, *value.shape), self.cell[0]
        fits = isinstance(old, np.ndarray) and old.shape == shape and old.dtype == value.dtype
        return old if fits and old.flags.c_contiguous else np.empty(shape, value.dtype)

    def finish(self, done: int) -> None:
        """Put the rows into the order of time after `done` steps."""
        end = self.start + done
        if end > self.rows:
            turn = end % self.rows
            if turn:
                self.buffer = np.concatenate([self.buffer[turn:], self.buffer[:turn]])
        elif end < self.rows:
            # A loop that ended early, or a buffer larger than needed: the rows that were made are the result.
            self.buffer = self.buffer[:end]
        self.cell[0] = self.buffer


class Runner:
    """Runs a scan.

    Parameters
    ----------
    op : Scan
        The loop.

    Notes
    -----
    Each step puts views of rows into the step function's inputs and copies its results into their rows, in the order of
    the outputs. The function never returns views of its inputs, so that no row is overwritten before it is read.
    """

    def __init__(self, op: Any):
        self.op = op

    def __call__(self, node: Any, args: Sequence, outs: Sequence[list]) -> None:
        op, layout = self.op, self.op.layout
        began = time.time()
        n_steps = int(args[0])
        if n_steps < 0:
            raise IndexError(f"Scan was asked to run for negative number of step {n_steps}")
        sequences = args[layout.outer_in["seqs"]]
        for position, sequence in enumerate(sequences):
            if sequence.shape[0] < n_steps:
                raise ValueError(
                    "Sequence is shorter then the required number of steps : (n_steps, seq, seq.shape):",
                    n_steps, node.inputs[1 + position], sequence.shape,
                )  # fmt: skip
        states = [self._state_buffer(k, args, outs) for k in range(layout.n_states)]
        kept = args[layout.outer_in["nit_sot"]]
        results = [_Rows(outs[layout.n_states + i], None, int(rows), 0) for i, rows in enumerate(kept)]
        for i, rows in enumerate(results):
            if rows.rows < 0:
                raise ValueError(f"Scan was asked to keep a negative number of rows, {rows.rows}, of {node.outputs[layout.n_states + i]}")
        shared = [self._own(value) for value in args[layout.outer_in["shared"]]]
        done = 0
        if n_steps:
            done = self._loop(n_steps, sequences, states, results, shared, args[layout.outer_in["others"]])
        if any(rows.buffer is None for rows in results):
            self._make_empty(node, args, states, results, shared)
        self._finish(outs, states, results, shared, done)
        if hasattr(op.profile, "callcount"):
            op.profile.callcount += 1
            op.profile.nbsteps += done
            op.profile.call_time += time.time() - began

    def _state_buffer(self, k: int, args: Sequence, outs: Sequence[list]) -> _Rows:
        layout, initial = self.op.layout, args[self.op.layout.state_outer_input(k)]
        if k in self.op.destroy_map:
            buffer = initial
        else:
            old = outs[k][0]
            fits = isinstance(old, np.ndarray) and old is not initial and old.shape == initial.shape and old.dtype == initial.dtype
            if fits and not np.may_share_memory(old, initial):
                np.copyto(old, initial)
                buffer = old
            else:
                buffer = np.array(initial)
        if buffer.shape[0] == 0:
            raise ValueError(f"The buffer of state {k} of {self.op} has no rows; it needs room for its initial values")
        return _Rows(outs[k], buffer, buffer.shape[0], -layout.mintaps[k])

    @staticmethod
    def _own(value: Any) -> Any:
        return value

    def _loop(self, n_steps: int, sequences: Sequence, states: list, results: list, shared: list, others: Sequence) -> int:
        """Run the steps; the number of those that ran."""
        op, layout = self.op, self.op.layout
        function = op.fn
        run = function.fn
        cells_in = [container.storage for container in function.input_storage]
        cells_out = [container.storage for container in function.output_storage]
        sequence_cells = cells_in[layout.inner_in["seqs"]]
        reads = []
        for k, state in enumerate(states):
            for tap, i in zip(layout.in_taps[k], layout.state_inner_inputs(k)):
                reads.append((cells_in[i], state.buffer, state.start + tap, state.rows))
        writes = []
        for k, state in enumerate(states):
            for tap, o in zip(layout.out_taps[k], layout.state_inner_outputs(k)):
                writes.append((cells_out[o], state, state.start + tap))
        writes += [(cells_out[layout.inner_out["nit_sot"].start + i], rows, 0) for i, rows in enumerate(results) if rows.rows]
        shared_in, shared_out = cells_in[layout.inner_in["shared"]], cells_out[layout.inner_out["shared"]]
        for cell, value in zip(shared_in, shared):
            cell[0] = value
        for cell, value in zip(cells_in[layout.inner_in["others"]], others):
            cell[0] = value
        condition = cells_out[-1] if op.as_while else None
        step = 0
        try:
            with function._lock:
                while step < n_steps:
                    for cell, sequence in zip(sequence_cells, sequences):
                        cell[0] = sequence[step, ...]
                    for cell, buffer, first, rows in reads:
                        cell[0] = buffer[(first + step) % rows, ...]
                    self._call(function, run)
                    for cell, rows, first in writes:
                        rows.put(first + step, cell[0])
                    for i, cell in enumerate(shared_out):
                        shared_in[i][0] = shared[i] = cell[0]
                        cell[0] = None
                    step += 1
                    if condition is not None and condition[0]:
                        break
        finally:
            for cell in cells_in + cells_out:
                cell[0] = None
        return step

    def _call(self, function: Any, run: Any) -> None:
        try:
            run()
        except Exception as error:
            position = getattr(run, "position_of_error", None)
            if hasattr(run, "nodes") and position is not None and position >= 0 and not gof.link.is_explained(error):
                thunk = run.thunks[position] if hasattr(run, "thunks") else None
                gof.link.raise_with_op(run.nodes[position], thunk)
            raise

    def _make_empty(self, node: Any, args: Sequence, states: list, results: list, shared: list) -> None:
        """Give the outputs of which no row was made the shape that a step would have given their rows."""
        op, layout = self.op, self.op.layout
        row_shapes = op.row_shapes
        values: list = [None] * len(op.inputs)
        for i, sequence in zip(range(layout.n_seqs), args[layout.outer_in["seqs"]]):
            values[i] = sequence[0, ...] if len(sequence) else np.zeros_like(sequence, shape=sequence.shape[1:])
        for k, state in enumerate(states):
            for tap, i in zip(layout.in_taps[k], layout.state_inner_inputs(k)):
                values[i] = state.buffer[(state.start + tap) % state.rows, ...]
        values[layout.inner_in["shared"]] = shared
        values[layout.inner_in["others"]] = args[layout.outer_in["others"]]
        try:
            shapes = row_shapes(*values)
        except Exception:  # the zeros that stand for rows that are not there may be wrong for a step: an index, a number of steps
            shapes = [np.where(node.outputs[layout.n_states + i].type.broadcastable[1:], 1, 0) for i in range(len(results))]
        for i, (rows, shape) in enumerate(zip(results, shapes)):
            if rows.buffer is None:
                rows.buffer = np.empty((0, *map(int, shape)), node.outputs[layout.n_states + i].type.dtype)

    def _finish(self, outs: Sequence[list], states: list, results: list, shared: list, done: int) -> None:
        layout = self.op.layout
        for k, state in enumerate(states):
            if layout.state_kind(k) == "mit_mot":
                state.cell[0] = state.buffer
            else:
                state.finish(done)
        for rows in results:
            rows.finish(done if rows.rows else 0)
        for i, value in enumerate(shared):
            outs[layout.n_states + layout.n_nit_sot + i][0] = value
