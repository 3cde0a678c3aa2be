"""The function :func:`scan`: from a step written as a Python function to a :class:`Scan` node."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from theano_compat import config, gof, tensor
from theano_compat.compile import SharedVariable
from theano_compat.gof import Constant, Variable
from theano_compat.gof.op import get_test_value
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_op import Scan
from theano_compat.tensor.basic.extents import Extent, smaller
from theano_compat.tensor.type import TensorType
from theano_compat.updates import OrderedUpdates

_logger = logging.getLogger("theano.scan_module.scan")

integer_types = (int, np.integer)

__all__ = ["scan"]


def scan(
    fn: Callable,
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    n_steps: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
    profile: Any = False,
    allow_gc: bool | None = None,
    strict: bool = False,
    return_list: bool = False,
) -> tuple:
    """Loop over sequences with states.

    Parameters
    ----------
    fn : callable
        The step. It gets slices of the sequences, then earlier outputs, then the non-sequences, in the order in which they
        are given here, taps in the order given, and returns outputs, updates of shared variables, and
        ``theano.scan_module.until(condition)``, or a tuple of some of these.
    sequences : Variable or dict or list of these, optional
        What to iterate over, along the first axis. A dict has ``input`` and ``taps``, offsets of the slices.
    outputs_info : Variable or dict or None, or list of these, optional
        For each output its initial state; a dict has ``initial`` and ``taps``, which steps back are read (without: ``[-1]``;
        with others ``initial`` has a row for each step back). None: the output is not read by later steps.
    non_sequences : Variable or list of Variable, optional
        Further arguments of every step.
    n_steps : int or Variable, optional
        How many steps; by default the length of the shortest sequence. A negative number runs backwards.
    truncate_gradient : int
        How many steps the gradient goes back; -1: all.
    go_backwards : bool
        Iterate over the sequences from their ends.
    mode : Mode or str, optional
        How to compile the step.
    name : str, optional
        For messages and printed graphs.
    profile : bool or str
        Measure the step.
    allow_gc : bool, optional
        Free memory between steps; ``config.scan.allow_gc`` by default.
    strict : bool
        Shared variables that the step reads have to be listed in `non_sequences`.
    return_list : bool
        Return a list even of one output.

    Returns
    -------
    tuple
        The outputs, each with the results of all steps along its first axis (one variable, a list of them, or None), and
        the updates of shared variables, to be given to ``theano.function``.

    Examples
    --------
    >>> import theano_compat as theano
    >>> x = theano.tensor.dscalar('x')
    >>> powers, updates = theano.scan(lambda before, x: before * x, outputs_info=[theano.tensor.ones_like(x)],
    ...                               non_sequences=[x], n_steps=4)
    >>> theano.function([x], powers, updates=updates)(2.0).tolist()
    [2.0, 4.0, 8.0, 16.0]
    """
    sequence_list = [_sequence_dict(seq) for seq in _as_list(sequences)]
    states = [_state_dict(info, i) for i, info in enumerate(_as_list(outputs_info))]
    non_seqs = [v if isinstance(v, Variable) else tensor.as_tensor_variable(v) for v in _as_list(non_sequences)]
    fixed_steps = _constant_steps(n_steps)
    if fixed_steps is not None and fixed_steps < 0:
        go_backwards, n_steps, fixed_steps = not go_backwards, -fixed_steps, -fixed_steps
    builder = _Builder(sequence_list, states, non_seqs, n_steps, fixed_steps, go_backwards)
    info = {
        "truncate_gradient": truncate_gradient, "name": name, "mode": mode, "gpua": False, "profile": profile,
        "allow_gc": config.scan.allow_gc if allow_gc is None else allow_gc, "strict": strict, "destroy_map": OrderedDict(),
    }  # fmt: skip
    return builder.build(fn, info, return_list)


def _as_list(x: Any) -> list:
    if x is None:
        return []
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _sequence_dict(seq: Any) -> dict:
    """A sequence as a dict of its input and its taps."""
    if not isinstance(seq, dict):
        return {"input": tensor.as_tensor_variable(seq), "taps": [0]}
    seq = dict(seq)
    taps = seq.get("taps")
    taps = [0] if taps is None else list(taps) if isinstance(taps, (list, tuple)) else [taps]
    return {**seq, "input": tensor.as_tensor_variable(seq["input"]), "taps": taps}


def _state_dict(info: Any, position: int) -> dict:
    """What is known of an output as a dict, empty where nothing is."""
    if info is None:
        return {}
    if not isinstance(info, dict):
        return {"initial": info if isinstance(info, Variable) else tensor.as_tensor_variable(info), "taps": [-1]}
    if info.get("return_steps") is not None:
        raise ValueError("Using `return_steps` has been deprecated. Simply select the entries you need using a subtensor. Scan will optimize memory consumption, so do not worry about that.")  # fmt: skip
    info = dict(info)
    initial, taps = info.get("initial"), info.get("taps")
    if initial is None:
        if taps:
            raise ValueError("If you are using slices of an output you need to provide a initial state for it", info)
        return {}
    if taps is None:
        if "taps" in info:
            _logger.warning("Output %s ( index %d) has a initial state but taps is explicitly set to None ", getattr(initial, "name", "None"), position)
        taps = [-1]
    taps = list(taps) if isinstance(taps, (list, tuple)) else [taps]
    if any(tap >= 0 for tap in taps):
        raise ValueError("Can not use future taps of outputs", info)
    if len(set(taps)) < len(taps):
        raise ValueError("All the taps must be different in  `outputs_info`", info)
    return {**info, "initial": initial if isinstance(initial, Variable) else tensor.as_tensor_variable(initial), "taps": taps}


def _constant_steps(n_steps: Any) -> int | None:
    """The number of steps, where it is known."""
    if n_steps is None or isinstance(n_steps, (float, np.floating)) and scan_utils.isNaN_or_Inf_or_None(n_steps):
        return None
    if isinstance(n_steps, integer_types):
        return int(n_steps)
    try:
        return int(tensor.get_scalar_constant_value(n_steps))
    except tensor.NotScalarConstantError:
        return None


def _tap_name(name: str | None, tap: int) -> str | None:
    if not name:
        return None
    return f"{name}[t]" if tap == 0 else f"{name}[t{tap:+d}]"


class _Builder:
    """What a scan is built of.

    Parameters
    ----------
    sequences, states : list of dict
        Sequences and outputs with their taps.
    non_seqs : list of Variable
        Further arguments.
    n_steps : int or Variable or None
        The number of steps as given.
    fixed_steps : int or None
        The same where it is known.
    go_backwards : bool
        Read the sequences from their ends.
    """

    def __init__(self, sequences: list, states: list, non_seqs: list, n_steps: Any, fixed_steps: int | None, go_backwards: bool):
        self.sequences, self.states, self.non_seqs = sequences, states, non_seqs
        self.fixed_steps, self.go_backwards = fixed_steps, go_backwards
        self.once = fixed_steps == 1
        self.outer_seqs: list = []
        self.inner_seqs: list = []
        self._slice_sequences()
        self.n_steps = self._number_of_steps(n_steps)
        self.outer_seqs = [seq[: self.n_steps] for seq in self.outer_seqs]
        self.outer: dict[str, list] = {"mit_sot": [], "sit_sot": [], "shared": []}
        self.inner: dict[str, list] = {"mit_sot": [], "sit_sot": [], "shared": []}
        self.taps: list[list[int]] = []
        self.state_arguments: list = []
        for state in states:
            self._add_state(state)

    # ---- sequences and states -------------------------------------------------------------------------

    def _new_slice(self, row: Variable, name: str | None) -> Variable:
        """A variable that stands for a row inside the step."""
        new = row.type()
        new.name = name
        if config.compute_test_value != "off":
            try:
                new.tag.test_value = get_test_value(row)
            except AttributeError as error:
                if config.compute_test_value != "ignore":
                    _logger.info("Cannot compute test value for the inner function of scan, input value missing %s", error)
        return new

    def _slice_sequences(self) -> None:
        """One sequence for each tap, shifted so that step t reads row t."""
        for seq in self.sequences:
            whole, taps = seq["input"], seq["taps"]
            if whole.ndim == 0:
                raise ValueError(f"A sequence of scan needs a first dimension to iterate over; {whole} is a scalar")
            low, high = min(*taps, 0) if taps else 0, max(*taps, 0) if taps else 0
            for tap in taps:
                shifted = whole[tap - low :] if tap == high else whole[tap - low : -(high - tap)]
                if whole.name:
                    shifted.name = f"{whole.name}[{tap - low}:]" if tap == high else f"{whole.name}[{tap - low}:{tap - high}]"
                if self.go_backwards:
                    shifted = shifted[::-1]
                row = shifted[0] if self.go_backwards else whole[tap - low]
                if self.once:
                    self.inner_seqs.append(row)
                else:
                    self.outer_seqs.append(shifted)
                    self.inner_seqs.append(self._new_slice(row, _tap_name(whole.name, tap)))
                if self.once and not row.name and whole.name:
                    row.name = _tap_name(whole.name, tap)

    def _number_of_steps(self, n_steps: Any) -> Variable:
        if not scan_utils.isNaN_or_Inf_or_None(n_steps):
            return tensor.as_tensor_variable(n_steps)
        lengths = [seq.shape[0] for seq in self.outer_seqs]
        if not lengths:
            raise ValueError(
                "No information about the number of steps provided. Either provide a value for n_steps argument of scan or "
                "provide an input sequence"
            )
        least = Extent.of(lengths[0])
        for length in lengths[1:]:
            least = smaller(least, Extent.of(length))
        return least.as_tensor()

    def _add_state(self, state: dict) -> None:
        """Make the buffer of a state, and the variables through which the step reads it."""
        if not state:
            return
        initial, taps = state["initial"], state["taps"]
        if taps == [-1]:
            if self.once:
                self.state_arguments.append(initial)
                return
            new = scan_utils.safe_new(initial if not isinstance(initial, Constant) else initial.type().clone(), "")
            new.name = f"{initial.name}[t-1]" if initial.name else None
            if isinstance(initial, Constant) and config.compute_test_value != "off":
                new.tag.test_value = initial.data
            buffer = scan_utils.expand_empty(tensor.unbroadcast(tensor.shape_padleft(initial), 0), self.n_steps)
            self.outer["sit_sot"].append(buffer)
            self.inner["sit_sot"].append(new)
            self.state_arguments.append(new)
            return
        if initial.ndim == 0:
            raise ValueError(f"An output with the taps {taps} needs an initial state with a row for each step back; {initial} is a scalar")
        back = -min(taps)
        rows = [initial[tap + back] for tap in taps]
        if self.once:
            self.state_arguments += rows
            return
        new = [self._new_slice(row, _tap_name(initial.name, tap)) for row, tap in zip(rows, taps)]
        self.outer["mit_sot"].append(scan_utils.expand_empty(initial[:back], self.n_steps))
        self.inner["mit_sot"] += new
        self.taps.append(list(taps))
        self.state_arguments += new

    # ---- the step -------------------------------------------------------------------------------------

    def build(self, fn: Callable, info: dict, return_list: bool) -> tuple:
        """Call the step, make the op, and return what scan returns."""
        arguments = self.inner_seqs + self.state_arguments + self.non_seqs
        condition, outputs, updates = scan_utils.get_updates_and_outputs(fn(*arguments))
        if self.once:
            rows = [tensor.unbroadcast(tensor.shape_padleft(out), 0) if isinstance(out.type, TensorType) else out for out in outputs]
            return rows[0] if len(rows) == 1 and not return_list else rows or None, OrderedUpdates(_checked_updates(updates))
        self._check_count(outputs)
        states = self.states or [{}] * len(outputs)
        leaves, shared_updates = self._leaves(outputs, updates, condition)
        kinds = ["nit_sot" if not s else "sit_sot" if s["taps"] == [-1] else "mit_sot" for s in states]
        results = {kind: [out for out, k in zip(outputs, kinds) if k == kind] for kind in ("mit_sot", "sit_sot", "nit_sot")}
        replace: OrderedDict = OrderedDict()
        as_states, shared_results = self._add_shared(shared_updates, results, replace)
        others = self._others(arguments, leaves, set(shared_updates), info["strict"], replace)
        inner_inputs = self.inner_seqs + self.inner["mit_sot"] + self.inner["sit_sot"] + self.inner["shared"] + [v for _, v in others]
        inner_outputs = results["mit_sot"] + results["sit_sot"] + results["nit_sot"] + shared_results
        if condition is not None:
            inner_outputs.append(condition)
        inner_outputs = scan_utils.clone(inner_outputs, replace=replace)
        op = Scan(inner_inputs, inner_outputs, self._info(info, results, condition is not None))
        n_nit_sot = len(results["nit_sot"])
        node_inputs = (
            [self.n_steps] + self.outer_seqs + self.outer["mit_sot"] + self.outer["sit_sot"] + self.outer["shared"]
            + [self.n_steps] * n_nit_sot + [outer for outer, _ in others]
        )  # fmt: skip
        node_inputs = [v if isinstance(v, Variable) else tensor.as_tensor_variable(v) for v in node_inputs]
        outs = op(*node_inputs, return_list=True)
        return self._returned(outs, kinds, as_states, return_list)

    def _check_count(self, outputs: list) -> None:
        if self.states and len(self.states) != len(outputs):
            raise ValueError(
                "Please provide None as outputs_info for any output that does not feed back into scan (i.e. it behaves like a "
                f"map) : there are {len(outputs)} outputs and {len(self.states)} entries in outputs_info"
            )

    def _leaves(self, outputs: list, updates: Any, condition: Any) -> tuple[list, OrderedDict]:
        """The leaves of the step's graph, and all updates of shared variables in it, default ones too."""
        found = _checked_updates(updates)
        seeds = outputs + list(found.values()) + ([condition] if condition is not None else [])
        stops = set(self.inner_seqs + self.state_arguments + self.non_seqs)
        leaves: dict = OrderedDict()
        while seeds:
            fresh = [v for v in gof.graph.inputs(seeds, stops) if v not in leaves]
            leaves.update((v, None) for v in fresh)
            seeds = []
            for v in fresh:
                default = getattr(v, "default_update", None) if isinstance(v, SharedVariable) else None
                if default is not None and v not in found:
                    found[v] = v.type.filter_variable(default)
                    seeds.append(found[v])
        for v in found:
            leaves.setdefault(v, None)
        return list(leaves), found

    def _add_shared(self, updates: OrderedDict, results: dict, replace: OrderedDict) -> tuple[list, list]:
        """Shared variables with updates become states: those of tensors with buffers, others with the value alone."""
        as_states, values = [], []
        for variable, value in updates.items():
            new = scan_utils.safe_new(variable, "_copy")
            replace[variable] = new
            if isinstance(variable.type, TensorType):
                self.inner["sit_sot"].append(new)
                self.outer["sit_sot"].append(
                    scan_utils.expand_empty(tensor.unbroadcast(tensor.shape_padleft(variable), 0), self.n_steps)
                )
                results["sit_sot"].append(tensor.as_tensor_variable(value))
                as_states.append(variable)
            else:
                self.inner["shared"].append(new)
                self.outer["shared"].append(variable)
                values.append(value)
        return as_states, values

    def _others(self, arguments: list, leaves: list, updated: set, strict: bool, replace: OrderedDict) -> list[tuple]:
        """Pairs of what else the step reads: outside, and its stand-in inside."""
        given = set(self.non_seqs)
        own = set(self.inner_seqs + self.state_arguments)
        shared, plain = [], []
        for v in leaves:
            if v in own or v in updated or isinstance(v, Constant):
                continue
            if isinstance(v, SharedVariable):
                if not strict or v in given:
                    shared.append(v)
            elif v not in given:
                plain.append(v)
        listed = [v for v in self.non_seqs if not isinstance(v, (SharedVariable, Constant)) and v not in own]
        shared += [v for v in self.non_seqs if isinstance(v, SharedVariable) and v not in updated and v not in shared]
        pairs = []
        for v in dict.fromkeys(shared + listed + plain):
            new = scan_utils.safe_new(v, "_copy")
            replace[v] = new
            pairs.append((v, new))
        return pairs

    def _info(self, info: dict, results: dict, as_while: bool) -> OrderedDict:
        n_sit_sot = len(self.inner["sit_sot"])
        return OrderedDict(
            n_seqs=len(self.outer_seqs), n_mit_mot=0, n_mit_mot_outs=0, mit_mot_out_slices=[],
            tap_array=self.taps + [[-1]] * n_sit_sot, n_mit_sot=len(self.taps), n_sit_sot=n_sit_sot,
            n_shared_outs=len(self.inner["shared"]), n_nit_sot=len(results["nit_sot"]), as_while=as_while, **info,
        )  # fmt: skip

    # ---- what comes back ------------------------------------------------------------------------------

    def _returned(self, outs: list, kinds: list[str], as_states: list, return_list: bool) -> tuple:
        n_mit, n_sit = len(self.taps), len(self.inner["sit_sot"])
        mit = iter(out[-min(taps) :] for out, taps in zip(outs[:n_mit], self.taps))
        sit = iter([out[1:] for out in outs[n_mit : n_mit + n_sit - len(as_states)]])
        rest = outs[n_mit + n_sit :]
        nit = iter(rest[: len(rest) - len(self.outer["shared"])])
        by_kind = {"mit_sot": mit, "sit_sot": sit, "nit_sot": nit}
        returned = [next(by_kind[kind]) for kind in kinds]
        updates = OrderedUpdates()
        for variable, out in zip(as_states, outs[n_mit + n_sit - len(as_states) : n_mit + n_sit]):
            updates[variable] = out[-1]
        for variable, out in zip(self.outer["shared"], rest[len(rest) - len(self.outer["shared"]) :]):
            updates[variable] = out
        if len(returned) == 1 and not return_list:
            return returned[0], updates
        return (returned or None), updates


def _checked_updates(updates: Any) -> OrderedDict:
    """Updates with each value in the type of its variable."""
    result: OrderedDict = OrderedDict()
    for variable, value in OrderedDict(updates).items():
        if not isinstance(variable, SharedVariable):
            raise TypeError("update target must be a SharedVariable", variable)
        if not isinstance(value, Variable):
            value = tensor.as_tensor_variable(value)
        try:
            result[variable] = variable.type.filter_variable(value, allow_convert=False) if value.type != variable.type else value
        except TypeError as error:
            raise TypeError(
                f"An update must have the same type as the original shared variable (shared_var={variable}, "
                f"shared_var.type={variable.type}, update_val={value}, update_val.type={value.type}). If the difference is "
                "related to the broadcast pattern, you can call the tensor.unbroadcast(var, axis_to_unbroadcast[, ...]) "
                "function to remove broadcastable dimensions."
            ) from error
    return result


