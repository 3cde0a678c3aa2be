"""The gradient of a loop: a loop over the same steps in reverse.

Let a state have the buffer b, read at taps r and written at taps w in every step. The backward loop has a buffer a of
the same shape with the adjoints, also reversed. Going back through a step it takes the adjoints at w, which the step
wrote, differentiates the step, and adds to the adjoints at r; where w and r name the same row, the step overwrote
what it had read, and the new adjoint replaces the old one. So each state becomes a ``mit_mot`` state with the taps
``-w`` and ``-r``. Gradients on rows of sequences are collected, those on other inputs summed over the steps.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from theano_compat import config, tensor
from theano_compat.gof import Variable
from theano_compat.gof.null_type import NullType
from theano_compat.gradient import DisconnectedType, grad, grad_undefined
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.layout import ScanDescription

__all__ = ["gradients"]


def _disconnected(variable: Any) -> bool:
    return isinstance(variable.type, DisconnectedType)


def _null(variable: Any) -> bool:
    return variable is not None and isinstance(variable.type, NullType)


def _float_type(dtype: str) -> str:
    return dtype if dtype in tensor.continuous_dtypes else config.floatX


def _adjoint_of(variable: Variable, tag: str) -> Variable:
    """A variable for the gradient on `variable` inside the step."""
    new = tensor.TensorType(_float_type(variable.dtype), variable.broadcastable)()
    new.name = variable.name + tag if variable.name else None
    if config.compute_test_value != "off" and hasattr(variable.tag, "test_value"):
        new.tag.test_value = variable.tag.test_value.astype(new.dtype) * 0 + 1
    return new


def gradients(op: Any, inputs: list, outs: list, dC_douts: list) -> list:
    """The gradients on the inputs of a scan.

    Parameters
    ----------
    op : Scan
        The loop.
    inputs, outs : list of Variable
        Of its node.
    dC_douts : list of Variable
        The gradients on the outputs; some may be disconnected.

    Returns
    -------
    list of Variable
        In the order of `inputs`.
    """
    return _Backward(op, inputs, outs, dC_douts).gradients()


class _Backward:
    """A backward loop in the making; the parameters are those of :func:`gradients`."""

    def __init__(self, op: Any, inputs: list, outs: list, dC_douts: list):
        self.op, self.layout, self.inputs, self.outs, self.given = op, op.layout, inputs, outs, dC_douts
        # The step is copied: the backward loop changes it.
        self.step_in, self.step_out = scan_utils.reconstruct_graph(op.inputs, op.outputs)
        self.steps = self._steps()
        limit = op.truncate_gradient
        self.back_steps = self.steps if limit == -1 else tensor.minimum(self.steps, limit)
        self.active = self._active()

    def _steps(self) -> Variable:
        """How many steps the loop made: when it may end early, its outputs tell."""
        layout = self.layout
        if self.op.as_while:
            for k in range(layout.n_mit_mot, layout.n_states):
                return self.outs[k].shape[0] + layout.mintaps[k]
            for k in range(layout.n_states, layout.n_states + layout.n_nit_sot):
                return self.outs[k].shape[0]
        return self.inputs[0]

    def _active(self) -> list[int]:
        """The outputs that the cost depends on, directly or by later steps."""
        layout, pattern = self.layout, self.op.inner_connection()
        n = layout.n_states + layout.n_nit_sot
        active = {k for k in range(n) if not _disconnected(self.given[k]) and not _null(self.given[k])}
        changed = True
        while changed:
            changed = False
            written = [o for k in active for o in layout.inner_of_output(k)]
            for k in range(layout.n_states):
                if k not in active and any(pattern[i][o] for i in layout.state_inner_inputs(k) for o in written):
                    active.add(k)
                    changed = True
        return sorted(active)

    # ---- the step backwards ---------------------------------------------------------------------------

    def _differentiate(self) -> list:
        """The gradients on the inner inputs, given adjoint variables for the inner outputs."""
        layout = self.layout
        self.adjoints: dict[int, Variable] = {}
        known: OrderedDict = OrderedDict()
        for k in self.active:
            for o in layout.inner_of_output(k):
                self.adjoints[o] = _adjoint_of(self.step_out[o], "_dC_dXt")
                # A copy: one output may be part of another.
                known[tensor.tensor_copy(self.step_out[o])] = self.adjoints[o]
        wanted = [v for i, v in enumerate(self.step_in) if not layout.inner_in["shared"].start <= i < layout.inner_in["shared"].stop]
        wanted = [v for v in wanted if isinstance(v.type, tensor.TensorType) or hasattr(v.type, "dtype")]
        found = grad(
            cost=None, known_grads=known, wrt=wanted, disconnected_inputs="ignore", return_disconnected="None", null_gradients="return"
        )
        by_input = dict(zip(wanted, found))
        return [by_input.get(v) for v in self.step_in]

    def _cast(self, gradient: Variable, dtype: str, like: Variable) -> Variable:
        gradient = gradient if gradient.dtype == dtype else tensor.cast(gradient, dtype)
        lost = [i for i, (a, b) in enumerate(zip(gradient.broadcastable, like.broadcastable)) if a != b]
        return tensor.patternbroadcast(gradient, like.broadcastable) if lost else gradient

    def gradients(self) -> list:
        layout, inner = self.layout, self._differentiate()
        empty = [self.back_steps]
        back = ScanDescription(empty, [], [], [], _EMPTY)
        self._add_values(back)
        for k in self.active:
            (self._add_state if k < layout.n_states else self._add_row_gradient)(back, k, inner)
        seqs = self._add_collected(back, inner)
        others = self._add_summed(back, inner)
        back.other_info.update(
            truncate_gradient=self.op.truncate_gradient, name=f"grad_of_{self.op.name}" if self.op.name else None, mode=self.op.mode,
            gpua=self.op.gpua, profile=bool(self.op.profile) and str(self.op.name), allow_gc=self.op.allow_gc, strict=self.op.strict,
        )  # fmt: skip
        results = self._apply(back)
        return self._collect(results, inner, seqs, others)

    def _add_values(self, back: ScanDescription) -> None:
        """What the steps read, in reverse order."""
        layout = self.layout
        for i in range(layout.n_seqs):
            back.outer_in_seqs.append(self.inputs[1 + i][: self.steps][::-1])
            back.inner_in_seqs.append(self.step_in[i])
        for k in range(layout.n_states):
            base = -layout.mintaps[k]
            for tap, i in zip(layout.in_taps[k], layout.state_inner_inputs(k)):
                back.outer_in_seqs.append(self.outs[k][base + tap :][: self.steps][::-1])
                back.inner_in_seqs.append(self.step_in[i])
        for kind in ("shared", "others"):
            back.outer_in_non_seqs += self.inputs[layout.outer_in[kind]]
            back.inner_in_non_seqs += self.step_in[layout.inner_in[kind]]

    def _used_rows(self, k: int) -> Variable | None:
        """How many rows of a buffer the steps touch, where it can have more."""
        if self.layout.state_kind(k) != "mit_mot":
            return None
        taps = self.layout.in_taps[k] + self.layout.out_taps[k]
        return self.steps - self.layout.mintaps[k] + max(taps)

    def _add_state(self, back: ScanDescription, k: int, inner: list) -> None:
        """A state with its adjoints."""
        layout = self.layout
        dtype = _float_type(self.outs[k].dtype)
        given, out = self.given[k], self.outs[k]
        if _disconnected(given) or _null(given):
            given = tensor.zeros_like(out, dtype=dtype)
        elif given.dtype != dtype:
            given = tensor.cast(given, dtype)
        rows = self._used_rows(k)
        buffer = given if rows is None else given[:rows]
        buffer = tensor.unbroadcast(buffer, 0) if buffer.broadcastable[0] else buffer
        back.outer_in_mit_mot.append(buffer[::-1])
        taps_in, variables, taps_out, results = [], [], [], []
        written = dict(zip(layout.out_taps[k], layout.state_inner_outputs(k)))
        read = dict(zip(layout.in_taps[k], layout.state_inner_inputs(k)))
        for tap, o in written.items():
            taps_in.append(-tap)
            variables.append(self.adjoints[o])
        for tap, i in read.items():
            model = self.adjoints[next(iter(written.values()))]
            gradient = inner[i]
            usable = gradient is not None and not _null(gradient)
            gradient = self._cast(gradient, dtype, model) if usable else None
            if tap not in written:
                before = model.type()
                if hasattr(model.tag, "test_value"):
                    before.tag.test_value = model.tag.test_value
                taps_in.append(-tap)
                variables.append(before)
                result = before if gradient is None else before + gradient
            else:
                result = tensor.zeros_like(model) if gradient is None else gradient
            taps_out.append(-tap)
            results.append(self._cast(result, dtype, model))
        for tap in written:
            if tap not in read and layout.state_kind(k) == "mit_mot":
                taps_out.append(-tap)
                results.append(tensor.zeros_like(self.adjoints[written[tap]]))
        back.mit_mot_in_slices.append(taps_in)
        back.inner_in_mit_mot.append(variables)
        back.mit_mot_out_slices.append(taps_out)
        back.inner_out_mit_mot.append(results)

    def _add_row_gradient(self, back: ScanDescription, k: int, inner: list) -> None:
        """The gradient on an output that is no state: a sequence of the backward loop."""
        adjoint = self.adjoints[self.layout.inner_of_output(k)[0]]
        given = self.given[k]
        given = given if given.dtype == adjoint.dtype else tensor.cast(given, adjoint.dtype)
        back.outer_in_seqs.append(given[: self.steps][::-1])
        back.inner_in_seqs.append(adjoint)

    def _add_collected(self, back: ScanDescription, inner: list) -> list[int]:
        """Outputs for the gradients on rows of sequences."""
        usable = [i for i in range(self.layout.n_seqs) if inner[i] is not None and not _null(inner[i])]
        for i in usable:
            back.inner_out_nit_sot.append(inner[i])
            back.outer_in_nit_sot.append(self.back_steps)
        return usable

    def _add_summed(self, back: ScanDescription, inner: list) -> list[int]:
        """States that sum the gradients on other inputs."""
        others = self.layout.inner_in["others"]
        usable = [i for i in range(others.start, others.stop) if inner[i] is not None and not _null(inner[i])]
        for i in usable:
            outer = self.inputs[self.layout.outer_in["others"].start + i - others.start]
            gradient = inner[i]
            if not isinstance(gradient.type, tensor.TensorType):
                raise NotImplementedError(f"the gradient on {outer} inside of a scan is of {gradient.type}, for which there is no sum over steps")
            total = tensor.TensorType(gradient.dtype, gradient.broadcastable)()
            if hasattr(self.step_in[i].tag, "test_value"):
                total.tag.test_value = self.step_in[i].tag.test_value * 0
            back.inner_in_sit_sot.append(total)
            result = total + gradient
            back.inner_out_sit_sot.append(self._cast(result, gradient.dtype, total))
            zeros = tensor.zeros([outer.shape[axis] for axis in range(outer.ndim)], dtype=gradient.dtype)
            zeros = tensor.patternbroadcast(zeros, gradient.broadcastable)
            zeros = tensor.unbroadcast(tensor.shape_padleft(zeros), 0)
            back.outer_in_sit_sot.append(scan_utils.expand_empty(zeros, self.back_steps))
        return usable

    def _apply(self, back: ScanDescription) -> dict[str, list]:
        from theano_compat.scan_module.scan_op import Scan

        names = {"mit_mot": len(back.outer_in_mit_mot), "sit_sot": len(back.outer_in_sit_sot), "nit_sot": len(back.outer_in_nit_sot)}
        if not any(names.values()):
            return {kind: [] for kind in names}
        inner_in, inner_out = scan_utils.reconstruct_graph(back.inner_inputs, back.inner_outputs)
        op = Scan(inner_in, inner_out, back.info)
        results = iter(op(*back.outer_inputs, return_list=True))
        return {kind: [next(results) for _ in range(size)] for kind, size in names.items()}

    # ---- what comes back ------------------------------------------------------------------------------

    def _collect(self, results: dict[str, list], inner: list, seqs: list[int], others: list[int]) -> list:
        layout, op = self.layout, self.op
        found: list[Any] = [DisconnectedType()() for _ in self.inputs]
        pattern = op.connection_pattern(_NodeLike(self.inputs))
        reach = [[flag and not _disconnected(g) for flag, g in zip(row, self.given)] for row in pattern]

        def default(position: int) -> Any:
            """For an input that no gradient was computed for: disconnected, undefined, or zero."""
            if not any(reach[position]):
                return DisconnectedType()()
            variable = self.inputs[position]
            if not hasattr(variable.type, "dtype"):
                return grad_undefined(op, position, variable, "Depends on a shared variable that the loop updates")
            return tensor.zeros_like(variable, dtype=_float_type(variable.dtype))

        for position in range(1, len(self.inputs)):
            found[position] = default(position)
        for i, gradient in enumerate(inner):
            if _null(gradient):
                position = layout.mappings()["outer_inp_from_inner_inp"][i]
                found[position] = gradient
        for i, result in zip(seqs, results["nit_sot"]):
            found[1 + i] = self._padded(result[::-1], self.inputs[1 + i])
        states = [k for k in self.active if k < layout.n_states]
        for k, result in zip(states, results["mit_mot"]):
            position = layout.state_outer_input(k)
            if any(_null(inner[i]) for i in layout.state_inner_inputs(k)):
                continue
            gradient = result[::-1]
            rows = self._used_rows(k)
            if rows is not None and not _disconnected(self.given[k]):
                gradient = tensor.join(0, gradient, tensor.cast(self.given[k][rows:], gradient.dtype))
            elif op.as_while:
                extra = self.inputs[position].shape[0] - gradient.shape[0]
                gradient = tensor.join(0, gradient, self._zero_rows(extra, gradient))
            found[position] = gradient
        for i, result in zip(others, results["sit_sot"]):
            found[layout.outer_in["others"].start + i - layout.inner_in["others"].start] = result[-1]
        for position in range(len(self.inputs)):
            if not any(reach[position]):
                found[position] = DisconnectedType()()
        return found

    def _padded(self, gradient: Variable, seq: Variable) -> Variable:
        """The gradient on the rows that the loop read, with zeros for those that it did not go back to or never read."""
        if self.op.truncate_gradient != -1:
            gradient = tensor.join(0, self._zero_rows(self.steps - self.back_steps, gradient), gradient)
        missing = seq.shape[0] - self.steps
        if self.op.as_while or not self._reads_all(seq):
            gradient = tensor.join(0, gradient, self._zero_rows(missing, gradient))
        return gradient

    def _reads_all(self, seq: Variable) -> bool:
        """Whether it is seen at once that a sequence has as many rows as there are steps."""
        from theano_compat.tensor.subtensor import Subtensor

        node = seq.owner
        if node is None or not isinstance(node.op, Subtensor) or len(node.op.idx_list) != 1:
            return False
        index = node.op.idx_list[0]
        return isinstance(index, slice) and index.start is None and index.step is None and index.stop is not None

    @staticmethod
    def _zero_rows(rows: Variable, like: Variable) -> Variable:
        zeros = tensor.zeros([rows, *[like.shape[axis] for axis in range(1, like.ndim)]], dtype=like.dtype)
        return tensor.patternbroadcast(zeros, (False, *like.broadcastable[1:]))


class _NodeLike:
    """Inputs, for what asks a node for no more than these."""

    def __init__(self, inputs: list):
        self.inputs = inputs


_EMPTY: dict = {
    "n_seqs": 0, "n_mit_mot": 0, "n_mit_mot_outs": 0, "mit_mot_out_slices": [], "tap_array": [], "n_mit_sot": 0, "n_sit_sot": 0,
    "n_shared_outs": 0, "n_nit_sot": 0, "as_while": False,
}  # fmt: skip
