"""Scan: the loop, and the graph of its step, become part of the segment.

What a step reads of a sequence and what it reads and writes of a state are *rows*: pointers that go on by one row after each step and, in a
buffer that keeps only the last rows, from the end to the start. Results of a step are made in their rows where nothing forbids it.
"""

from __future__ import annotations

from dataclasses import dataclass

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.dtypes import itemsize
from theano_compat.codegen.ir import Buffer, Repeat, View
from theano_compat.codegen.lower.branches import lower_step
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.step import StepBuilder
from theano_compat.gof.graph import Constant
from theano_compat.scan_module.scan_op import Scan
from theano_compat.tensor.subtensor import Subtensor, get_idx_list

#: Brings the rows of a full circular buffer into the order of time, in place: three reversals.
_ROTATE = """
static void tc_swap_rows(char *a, char *b, int64_t size)
{
    char held[256];
    for (int64_t at = 0; at < size; at += 256) {
        const size_t n = (size_t)(size - at < 256 ? size - at : 256);
        memcpy(held, a + at, n);
        memcpy(a + at, b + at, n);
        memcpy(b + at, held, n);
    }
}

static void tc_reverse_rows(char *p, int64_t from, int64_t to, int64_t size)
{
    for (to--; from < to; from++, to--)
        tc_swap_rows(p + from * size, p + to * size, size);
}

/* Row `turn` becomes the first of `rows`. */
static void tc_rotate_rows(char *p, int64_t rows, int64_t turn, int64_t size)
{
    if (turn == 0)
        return;
    tc_reverse_rows(p, 0, turn, size);
    tc_reverse_rows(p, turn, rows, size);
    tc_reverse_rows(p, 0, rows, size);
}
""".strip()


@dataclass
class _Rows:
    """An output of the loop while it is made: a buffer, and where in it the rows of a step are.

    Attributes
    ----------
    array : View
        The buffer; C-contiguous.
    rows : str
        Token of its number of rows.
    start : int
        Number of rows that are there before the first step.
    size : str
        Token of the bytes of a row.
    by_tap : dict of int to View
        Rows that steps read or write.
    """

    array: View
    rows: str
    start: int
    size: str
    by_tap: dict


class _ScanLowering:
    def __init__(self, op, node, builder) -> None:
        self.op, self.node, self.builder, self.layout = op, node, builder, op.layout
        self.n_steps = builder.integer(node.inputs[0])
        builder.check_message(f"{self.n_steps} >= 0", IndexError, "Scan was asked to run for negative number of step {}", self.n_steps)
        self.step = StepBuilder(builder, self.n_steps)
        self.opening: list[str] = []
        self.advance: list[str] = []
        self.reached: list[Buffer] = []
        self.changed: list[Buffer] = []
        self.given: list[tuple[View, View]] = []  # sequences, and their rows
        self.counter = self.step.name("d")

    def run(self) -> None:
        graph = self.op.step_graph
        self.names = dict(enumerate(graph.inputs))
        self._sequences()
        states = [self._state(k) for k in range(self.layout.n_states)]
        carried = self._carried()
        self._others()
        lower_step(self.step, graph.toposort(), graph.outputs, graph.orderings())
        kept = [self._kept(i, graph) for i in range(self.layout.n_nit_sot)]
        stop = self.step.scalar_of(graph.outputs[-1]) if self.op.as_while else None
        self._store(graph, states, kept, carried)
        self._emit(stop)
        self._bind(states, kept, carried, done=self.n_steps if stop is None else self.counter)

    # --- what steps read ------------------------------------------------------------------------------

    def _sequences(self) -> None:
        builder, layout = self.builder, self.layout
        for position, inner in zip(range(*layout.outer_in["seqs"].indices(len(self.node.inputs))), range(layout.n_seqs)):
            sequence = builder.view(self.node.inputs[position])
            rows = builder.find(sequence.shape[0])
            builder.check_message(
                f"{rows} >= {self.n_steps}", ValueError,
                f"Sequence is shorter then the required number of steps : (n_steps, seq, seq.shape): {{}}, {_plain(self.node.inputs[position])}, {{}} rows",
                self.n_steps, rows,
            )  # fmt: skip
            sequence = builder.packed(sequence, first=1) if sequence.ndim > 1 else builder.in_memory(sequence)
            row = self._bind_row(self.names[inner], sequence)
            self.advance.append(f"{row.pointer} += {sequence.strides[0]};")
            self._reads(sequence)
            self.given.append((sequence, row))

    def _bind_row(self, inner, array: View) -> View:
        """Give an inner input the rows of an array, from the first on."""
        row = self.step.row(array.dtype, self._shape_of_row(inner, array))
        self.opening.append(f"char *{row.pointer} = {array.pointer};")
        self.step.bind(inner, row)
        return row

    def _shape_of_row(self, inner, array: View) -> list[str]:
        shape = list(map(self.builder.find, array.shape[1:]))
        for axis, one in enumerate(inner.type.broadcastable):
            if one and shape[axis] != "1":
                self.builder.check(f"{shape[axis]} == 1", ErrorCode.NOT_BROADCASTABLE, "0", str(axis + 1), shape[axis])
                shape[axis] = "1"
        return shape

    def _others(self) -> None:
        layout, builder = self.layout, self.builder
        first = layout.inner_in["others"].start
        for k, outer in enumerate(self.node.inputs[layout.outer_in["others"]]):
            self.step.bind(self.names[first + k], _in_known_order(builder, builder.view(outer)))

    # --- states ---------------------------------------------------------------------------------------

    def _state(self, k: int) -> _Rows:
        builder, layout = self.builder, self.layout
        taps, writes = layout.in_taps[k], layout.out_taps[k]
        initial = builder.view(self.node.inputs[layout.state_outer_input(k)])
        rows, start = builder.find(initial.shape[0]), -min(taps)
        several = layout.state_kind(k) == "mit_mot"
        span = max(*taps, *writes, 0) + start + 1 if several else start
        builder.check_message(
            f"{rows} >= {max(start, 1)}" + (f" && ({self.n_steps} <= 0 || {rows} >= {span})" if several else ""), ValueError,
            f"The buffer of state {k} of {_plain(self.op)} has {{}} rows; it needs room for its initial values, {{}} rows", rows, str(span),
        )  # fmt: skip
        array = self._own(k, initial, None if several else start)
        self._changes(array)
        inner = [self.names[i] for i in layout.state_inner_inputs(k)]
        shape = self._shape_of_row(inner[0], array)
        size = builder.mul(*shape, str(itemsize(array.dtype)))
        state = _Rows(array, rows, start, size, {})
        if not several and taps == [-1] and rows == "1":
            # the one row is read and written in place
            state.by_tap[0] = state.by_tap[-1] = self._tap(array, rows, 0, size, shape)
            self.step.bind(inner[0], state.by_tap[0])
            return state
        for tap in sorted({*taps, *writes}):
            state.by_tap[tap] = self._tap(array, rows, start + tap, size, shape)
        for tap, var in zip(taps, inner):
            row = state.by_tap[tap]
            if not several and start == -tap and not (is_literal(rows) and int(rows) != start):
                row = self._guarded(row, f"{rows} == {start}")
            self.step.bind(var, row)
        return state

    def _own(self, k: int, initial: View, rows: int | None) -> View:
        """Return the memory that the state is kept in: the initial buffer, or a copy of it (of its first rows)."""
        builder = self.builder
        if k in self.op.destroy_map and initial.buffer is not None and initial.buffer.kind in ("temp", "local") and builder.is_contiguous(initial):
            return View(
                initial.buffer, initial.dtype, initial.pointer, initial.shape,
                builder.contiguous_strides(initial.shape, itemsize(initial.dtype)), initial.axes, also=initial.also,
            )  # fmt: skip
        initial = builder.in_memory(initial)
        array = builder.temp(initial.dtype, initial.shape)
        shape = initial.shape if rows is None else (str(rows), *initial.shape[1:])
        source = builder.subview(initial, "0", shape, initial.strides)
        builder.copy(builder.subview(array, "0", shape, array.strides) if rows is not None else array, source)
        return array

    def _tap(self, array: View, rows: str, first: int, size: str, shape: list[str]) -> View:
        """Return the row that begins `first` rows into a buffer and goes round in it."""
        row = self.step.row(array.dtype, shape)
        q = row.pointer
        offset = "" if first == 0 else f" + ({first} % {rows} + {rows}) % {rows} * {size}" if first < 0 else f" + {first} % {rows} * {size}"
        self.opening.append(f"char *{q} = {array.pointer}{offset};")
        end = self.builder.mul(rows, size)
        self.advance.append(f"{q} += {size}; if ({q} == {array.pointer} + {end}) {q} = {array.pointer};")
        return row

    def _guarded(self, row: View, condition: str) -> View:
        """Return a row that is read, or a copy of it where the same memory is written in the same step."""
        step = self.step
        held = step.temp(row.dtype, row.shape)
        guarded = step.row(row.dtype, row.shape)
        size = step.mul(*row.shape, str(itemsize(row.dtype)))
        step.call(
            f"char *{guarded.pointer} = {row.pointer};\n"
            f"if ({condition}) {guarded.pointer} = memcpy({held.pointer}, {row.pointer}, (size_t){size});",
            (row,), (held, guarded), label="keep what is overwritten",
        )  # fmt: skip
        return View(guarded.buffer, row.dtype, guarded.pointer, row.shape, row.strides, row.axes, also=(row.buffer, held.buffer))

    def _carried(self) -> list[View]:
        """Values that each step replaces."""
        builder, layout, found = self.builder, self.layout, []
        first = layout.inner_in["shared"].start
        for i, outer in enumerate(self.node.inputs[layout.outer_in["shared"]]):
            initial = builder.in_memory(builder.view(outer))
            array = builder.temp(initial.dtype, initial.shape)
            builder.copy(array, builder.subview(initial, "0", initial.shape, initial.strides))
            row = self.step.row(array.dtype, array.shape)
            self.opening.append(f"char *{row.pointer} = {array.pointer};")
            self.step.bind(self.names[first + i], row)
            self._changes(array)
            found.append(array)
        return found

    # --- the step -------------------------------------------------------------------------------------

    def _kept(self, i: int, graph) -> _Rows:
        """Make room for the rows of an output that is no state."""
        builder, step, layout = self.builder, self.step, self.layout
        value = step.view(graph.outputs[layout.inner_out["nit_sot"].start + i])
        shape = [step.settled(e) for e in value.shape]
        if step.varies(*shape):
            raise NotLowered("a result of its step changes its shape")
        kept = builder.integer(self.node.inputs[layout.outer_in["nit_sot"].start + i])
        out = self.node.outputs[layout.n_states + i]
        builder.check_message(f"{kept} >= 0", ValueError, f"Scan was asked to keep a negative number of rows, {{}}, of {_plain(out)}", kept)
        rows = kept
        if builder.find(kept) != builder.find(self.n_steps):
            # a row to write into is there in any case
            rows = str(max(int(kept), 1)) if is_literal(kept) else builder.let(f"{kept} > 0 ? {kept} : 1")
        elif not self.op.as_while:
            over = self._over_a_sequence(value, shape) or self._backwards(out, value, shape)
            if over is not None:
                return over
        array = builder.temp(value.dtype, (rows, *shape))
        size = builder.mul(*shape, str(itemsize(value.dtype)))
        self._changes(array)
        return _Rows(array, kept, 0, size, {0: self._tap(array, rows, 0, size, shape)})

    def _over_a_sequence(self, value: View, shape: list[str]) -> _Rows | None:
        """Let the rows of an output replace those of a sequence that nobody reads any more, each as soon as its step has read it."""
        builder, step = self.builder, self.step
        for k, (sequence, row) in enumerate(self.given):
            # what is known to be equal in the step was checked before the first one
            if sequence.dtype != value.dtype or sequence.also or list(map(step.known, row.shape)) != list(map(step.known, shape)):
                continue
            whole = (self.n_steps, *map(builder.find, row.shape))
            strides = builder.contiguous_strides(whole, itemsize(value.dtype))
            apart = builder.find(sequence.strides[0])
            if apart in (strides[0], builder.mul(strides[0], "-1")) and builder.is_last_reader(self.node, sequence.buffer):
                del self.given[k]
                self._changes(sequence)
                array = View(sequence.buffer, value.dtype, sequence.pointer, whole, (apart, *strides[1:]))
                return _Rows(array, self.n_steps, 0, strides[0], {0: row})
        return None

    def _backwards(self, out, value: View, shape: list[str]) -> _Rows | None:
        """Make room for the rows of an output of which all readers begin with the last, as those of a gradient do: where that one comes first."""
        builder = self.builder
        if out in builder.results or not out.clients or not all(client != "output" and _reverses(client, out) for client, _ in out.clients):
            return None
        room = builder.temp(value.dtype, (self.n_steps, *shape))
        step = builder.mul(room.strides[0], "-1")
        last = builder.let(f"{self.n_steps} > 0 ? ({self.n_steps} - 1) * {room.strides[0]} : 0")
        array = builder.subview(room, last, room.shape, (step, *room.strides[1:]))
        row = self.step.row(value.dtype, shape)
        self.opening.append(f"char *{row.pointer} = {array.pointer};")
        self.advance.append(f"{row.pointer} += {step};")
        self._changes(array)
        return _Rows(array, self.n_steps, 0, room.strides[0], {0: row})

    def _store(self, graph, states: list[_Rows], kept: list[_Rows], carried: list[View]) -> None:
        """Put what a step gives into its rows, all of it read before any of it is written."""
        step, layout = self.step, self.layout
        pairs = []
        for k, state in enumerate(states):
            for tap, o in zip(layout.out_taps[k], layout.state_inner_outputs(k)):
                pairs.append((state.by_tap[tap], graph.outputs[o]))
        pairs += [(rows.by_tap[0], graph.outputs[layout.inner_out["nit_sot"].start + i]) for i, rows in enumerate(kept)]
        for i in range(layout.n_shared):
            row = step.view(self.names[layout.inner_in["shared"].start + i])
            pairs.append((row, graph.outputs[layout.inner_out["shared"].start + i]))
        written = {row.buffer for row, _ in pairs}
        ready = []
        step.node_number = self.builder.node_number
        for row, var in pairs:
            value = step.view(var)
            for axis, (mine, wanted) in enumerate(zip(value.shape, row.shape)):
                text = f"could not broadcast input array: a result of a step, {_plain(var)}, has extent {{}} in dimension {axis}, its rows have {{}}"
                step.require_equal_message(mine, wanted, ValueError, text)
            if value.buffer is row.buffer and value.pointer == row.pointer and value.whole:
                continue
            if value.value is None and written & {value.buffer, *value.also}:
                held = step.temp(value.dtype, value.shape)
                step.copy(held, value)
                value = held
            ready.append((row, value))
        for row, value in ready:
            step.copy(row, value)

    def _emit(self, stop: str | None) -> None:
        step, builder = self.step, self.builder
        body, nodes = step.finished(), step.touched_nodes()
        builder.statements.append(
            Repeat(
                self.counter, self.n_steps, body, nodes, tuple(self.reached), tuple(self.changed), frozenset(step.rows),
                tuple(self.opening), tuple(self.advance), stop, made=frozenset(step.made),
            )  # fmt: skip
        )

    # --- results --------------------------------------------------------------------------------------

    def _reads(self, view: View) -> None:
        self.reached += [b for b in (view.buffer, *view.also) if b is not None]

    def _changes(self, view: View) -> None:
        self._reads(view)
        self.changed += [view.buffer, *view.also]

    def _bind(self, states: list[_Rows], kept: list[_Rows], carried: list[View], done: str) -> None:
        builder, layout, outputs = self.builder, self.layout, self.node.outputs
        for k, state in enumerate(states):
            builder.bind(outputs[k], state.array if layout.state_kind(k) == "mit_mot" else self._in_order(state, done))
        for i, rows in enumerate(kept):
            builder.bind(outputs[layout.n_states + i], self._in_order(rows, done))
        for i, array in enumerate(carried):
            builder.bind(outputs[layout.n_states + layout.n_nit_sot + i], array)

    def _in_order(self, rows: _Rows, done: str) -> View:
        """Return the rows that were made, in the order of time."""
        builder, array = self.builder, rows.array
        end = builder.add(done, str(rows.start))
        if end == rows.rows:
            return array
        builder.call(
            f"if ({rows.rows} > 0 && {end} > {rows.rows}) tc_rotate_rows({array.pointer}, {rows.rows}, {end} % {rows.rows}, {rows.size});",
            (array,), (array,), helpers=(_ROTATE,), label="rows into order",
        )  # fmt: skip
        n = builder.let(f"{end} < {rows.rows} ? {end} : {rows.rows}")
        return View(array.buffer, array.dtype, array.pointer, (n, *array.shape[1:]), array.strides, also=array.also)


def _reverses(client, out) -> bool:
    """Tell whether a node is the slice of an array that has its rows in reverse, for others than loops: these read rows in any order."""
    if not isinstance(client.op, Subtensor) or client.inputs[0] is not out:
        return False
    if all(reader != "output" and isinstance(reader.op, Scan) for reader, _ in client.outputs[0].clients):
        return False
    index = get_idx_list(client.inputs, client.op.idx_list)[0]
    step = index.step if isinstance(index, slice) else None
    return (int(step.data) if isinstance(step, Constant) else step) == -1


def _plain(x) -> str:
    """Return the name of a variable or op as it stands in a message that is a format."""
    return str(x).replace("{", "{{").replace("}", "}}")


def _in_known_order(builder, view: View) -> View:
    """Return a value that steps read as an array whose strides are known while compiling, as far as that is cheap."""
    if view.buffer is None or view.ndim == 0 or view.value is not None:
        return view
    if view.axes is not None and sorted(a for a in view.axes if a is not None) == list(range(len(view.buffer.shape))):
        order = sorted((a, i) for i, a in enumerate(view.axes) if a is not None)
        base = builder.packed(builder.permute(view, [i for _, i in order]))
        return builder.permute(base, [None if a is None else a for a in view.axes])
    return builder.packed(view)


@register(Scan)
def lower_scan(op, node, builder):
    from theano_compat.codegen.linker import CodegenLinker

    if op.profile:
        raise NotLowered("its steps are profiled")
    if not isinstance(op.mode_instance.linker, CodegenLinker):
        raise NotLowered(f"mode {op.mode} runs its steps")
    _ScanLowering(op, node, builder).run()
