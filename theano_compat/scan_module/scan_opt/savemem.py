"""Rows that nobody reads are not kept, and steps that nobody needs not made."""

from __future__ import annotations

from typing import Any

from theano_compat import config, scalar, tensor
from theano_compat.gof import Constant, Variable
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_opt.common import ScanRewriter, constant, describe, first_rows, fresh_info, rebuilt, replace_node
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.subtensor import Subtensor, get_idx_list


class ScanSaveMem(ScanRewriter):
    """Shrink the buffers of outputs to the rows from the end that are read; leave out outputs and steps that are not."""

    def process_node(self, fgraph: Any, node: Any) -> None:
        """Rewrite one loop."""
        node.op._scan_savemem_visited = True
        args = describe(node)
        layout = node.op.layout
        unused = [k for k, out in enumerate(node.outputs) if not fgraph.clients(out)]
        if len(unused) == len(node.outputs):
            return
        removable, _ = scan_utils.scan_can_remove_outs(node.op, unused)
        uses = {
            k: _Use(fgraph, node.outputs[k])
            for k in range(layout.n_mit_mot, layout.n_states + layout.n_nit_sot)
            if k not in removable
        }
        steps = self._fewer_steps(node, uses, removable)
        kept_rows = {k: use.last_rows for k, use in uses.items() if use.last_rows is not None and k not in removable}
        if steps is not None:
            kept_rows = {}
        changed = self._shrink(args, layout, kept_rows, steps)
        if not changed and not removable:
            return
        args.without_outputs(set(removable))
        outputs = rebuilt(fresh_info(args), None, node)
        outputs[0].owner.op._scan_savemem_visited = True
        kept = [k for k in range(len(node.outputs)) if k not in removable]
        pairs = []
        for k, new in zip(kept, outputs):
            old = node.outputs[k]
            if new.type != old.type:
                new = tensor.patternbroadcast(new, old.broadcastable)
            pairs.append((old, new))
        replace_node(fgraph, node, pairs, "scanOp_save_mem")

    def _fewer_steps(self, node: Any, uses: dict, removable: list) -> Any:
        """The number of steps after which no output is read, where all of them have a bound that is known."""
        layout = node.op.layout
        if layout.n_mit_mot or layout.n_shared or node.op.as_while or not uses:
            return None
        if any(use.rows_from_start is None for use in uses.values()):
            return None
        needed = 0
        for k, use in uses.items():
            before = -layout.mintaps[k] if k < layout.n_states else 0
            needed = max(needed, use.rows_from_start - before)
        try:
            if int(tensor.get_scalar_constant_value(node.inputs[0])) <= needed:
                return None
        except tensor.NotScalarConstantError:
            pass
        return tensor.minimum(node.inputs[0], tensor.constant(needed, dtype="int64")) if not isinstance(node.inputs[0], Constant) else tensor.constant(needed)

    def _shrink(self, args: Any, layout: Any, kept_rows: dict, steps: Any) -> bool:
        changed = False
        n_mit_mot, n_mit_sot = layout.n_mit_mot, layout.n_mit_sot
        for k in range(n_mit_mot, layout.n_states):
            initial_rows = -layout.mintaps[k]
            group, i = (args.outer_in_mit_sot, k - n_mit_mot) if k < n_mit_mot + n_mit_sot else (args.outer_in_sit_sot, k - n_mit_mot - n_mit_sot)
            if steps is not None:
                group[i] = self._buffer(group[i], initial_rows, steps)
                changed = True
            elif k in kept_rows:
                # One row more than the step reads, so that it need not overwrite what it reads.
                spare = config.scan.allow_output_prealloc and not _is_changed_a_little(args, layout, k)
                rows = max(kept_rows[k], initial_rows + bool(spare))
                if not _is_small(group[i], rows):
                    group[i] = self._buffer(group[i], initial_rows, rows - initial_rows)
                    changed = True
        for i in range(layout.n_nit_sot):
            k = layout.n_states + i
            if steps is not None:
                args.outer_in_nit_sot[i] = steps
                changed = True
            elif k in kept_rows and not _constant_at_most(args.outer_in_nit_sot[i], kept_rows[k]):
                args.outer_in_nit_sot[i] = tensor.constant(kept_rows[k])
                changed = True
        if steps is not None:
            args.n_steps = steps
        return changed

    @staticmethod
    def _buffer(buffer: Any, initial_rows: int, more: Any) -> Any:
        """A buffer with the same initial rows and `more` further ones."""
        initial = first_rows(buffer, initial_rows)
        if initial.broadcastable[0]:
            initial = tensor.unbroadcast(initial, 0)
        return scan_utils.expand_empty(initial, more)


def _is_changed_a_little(args: Any, layout: Any, k: int) -> bool:
    """Whether a step sets elements of a state, or draws random numbers from it: what can be done in place, and would have to copy all of it into another row."""
    if layout.in_taps[k] != [-1]:
        return False
    made = args.inner_outputs[layout.state_inner_outputs(k)[0]].owner
    return made is not None and getattr(made.op, "inplace", None) is False and made.inputs[0] is args.inner_inputs[layout.state_inner_inputs(k)[0]]


def _constant_at_most(value: Any, number: int) -> bool:
    known = constant(value)
    return known is not None and known <= number


def _is_small(buffer: Any, rows: int) -> bool:
    """Whether a buffer is known to have at most so many rows."""
    return _constant_at_most(buffer.shape[0], rows)


class _Use:
    """What a graph reads of an output.

    Attributes
    ----------
    last_rows : int or None
        The number of rows from the end that are read, where all reads count from the end.
    rows_from_start : int or None
        The number of rows from the start that are read, where all reads count from there.
    """

    def __init__(self, fgraph: Any, output: Any):
        self.last_rows: int | None = 1
        self.rows_from_start: int | None = 0
        for client, _ in fgraph.clients(output):
            self._add(client, output)

    def _add(self, client: Any, output: Any) -> None:
        end, start = None, None
        if client != "output" and isinstance(client.op, Subtensor) and client.inputs[0] is output and client.op.idx_list:
            end, start = _rows_read(get_idx_list(client.inputs, client.op.idx_list)[0])
        self.last_rows = None if end is None or self.last_rows is None else max(end, self.last_rows)
        self.rows_from_start = None if start is None or self.rows_from_start is None else max(start, self.rows_from_start)


def _from_end_if_there(index: Any) -> tuple[int, Any] | None:
    """For ``switch(length >= n, -k, otherwise)``, as ``[n - k:][-k]`` becomes, k and what it is otherwise."""
    if not isinstance(index, Variable):
        return None
    if index.owner is not None and isinstance(index.owner.op, tensor.basic.ScalarFromTensor):
        index = index.owner.inputs[0]
    node = index.owner
    if node is None or not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar_op, scalar.Switch):
        return None
    condition, back, otherwise = node.inputs
    k = constant(back)
    test = condition.owner
    if k is None or k >= 0 or test is None or not isinstance(test.op, Elemwise):
        return None
    if not isinstance(test.op.scalar_op, (scalar.GE, scalar.LT, scalar.LE, scalar.GT)):
        return None
    return -k, otherwise


def _rows_read(index: Any) -> tuple[int | None, int | None]:
    """How many rows an index needs, counted from the end and from the start; None where it cannot be told."""
    if not isinstance(index, slice):
        checked = _from_end_if_there(index)
        if checked is not None:
            return checked[0], None
        position = constant(index)
        if position is None:
            return None, None
        return (-position, None) if position < 0 else (None, position + 1)
    step = 1 if index.step is None else constant(index.step)
    checked = _from_end_if_there(index.start) if index.start is not None else None
    if checked is not None and index.stop is None and step == 1:
        # Where there are fewer rows the slice begins with a row counted from the start: then all of them are kept.
        least = constant(checked[1])
        return (checked[0] + least, None) if least is not None and least >= 0 else (None, None)
    start, stop = constant(index.start), constant(index.stop)
    unknown = (index.start is not None and start is None) or (index.stop is not None and stop is None)
    if unknown or step is None or step < 1:
        return None, None
    if start is not None and start < 0 and (stop is None or stop < 0):
        return -start, None
    if (start is None or start >= 0) and stop is not None and stop >= 0:
        return None, stop
    return None, None
