"""Equal inputs, states and outputs of one loop become one."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from theano_compat.gof import local_optimizer
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.scan_op import Scan
from theano_compat.scan_module.scan_opt.common import describe, fresh_info, rebuilt
from theano_compat.scan_module.scan_opt.constants import _reduce


def _same(a: Any, b: Any) -> bool:
    return a is b or (a.type == b.type and scan_utils.equal_computations([a], [b]))


@local_optimizer([Scan])
def scan_merge_inouts(node: Any) -> Any:
    """Join inputs that are the same outside, states with the same start and the same step, and equal outputs."""
    if not isinstance(node.op, Scan):
        return False
    args = describe(node)
    replace: OrderedDict = OrderedDict()
    used = set(args.inner_inputs)
    seqs = _reduce(args.outer_in_seqs, args.inner_in_seqs, used, True, replace)
    others = _reduce(args.outer_in_non_seqs, args.inner_in_non_seqs, used, False, replace)
    changed = bool(replace)
    if changed:
        args.outer_in_seqs, args.inner_in_seqs = seqs
        args.outer_in_non_seqs, args.inner_in_non_seqs = others
        outputs = scan_utils.clone(args.inner_outputs, replace=replace)
        args = type(args)(args.outer_inputs, list(node.outputs), args.inner_inputs, outputs, args.info)
    first_of = _equal_outputs(args)
    doubles = {k: v for k, v in first_of.items() if k != v}
    if not changed and not doubles:
        return False
    n = len(args.outer_outputs)
    kept = [k for k in range(n) if k not in doubles]
    states = _state_variables(args)
    join = OrderedDict((mine, other) for k, v in doubles.items() for mine, other in zip(states.get(k, []), states.get(v, [])))
    args.without_outputs(set(doubles))
    new = rebuilt(fresh_info(args), join, node)
    position = {old: i for i, old in enumerate(kept)}
    return OrderedDict([("remove", [node]), *[(node.outputs[k], new[position[first_of[k]]]) for k in range(n)]])


def _state_variables(args: Any) -> dict[int, list]:
    """Position of each output that is a state, with the inner variables that read it."""
    n_mit_mot, n_mit_sot = len(args.outer_in_mit_mot), len(args.outer_in_mit_sot)
    found = dict(enumerate(args.inner_in_mit_sot, n_mit_mot))
    found.update((i, [v]) for i, v in enumerate(args.inner_in_sit_sot, n_mit_mot + n_mit_sot))
    return found


def _equal_outputs(args: Any) -> dict[int, int]:
    """For every output the first one that is equal to it."""
    n_mit_mot, n_mit_sot, n_sit_sot = len(args.outer_in_mit_mot), len(args.outer_in_mit_sot), len(args.outer_in_sit_sot)
    first_of = {k: k for k in range(len(args.outer_outputs))}
    states = _state_variables(args)
    outer = dict(enumerate(args.outer_in_mit_sot + args.outer_in_sit_sot, n_mit_mot))
    inner = dict(enumerate(args.inner_out_mit_sot + args.inner_out_sit_sot, n_mit_mot))
    taps = dict(enumerate(args.mit_sot_in_slices + [[-1]] * n_sit_sot, n_mit_mot))
    for k in states:
        for other in states:
            if other >= k:
                break
            if first_of[other] != other or taps[k] != taps[other] or inner[k].type != inner[other].type:
                continue
            same_step = scan_utils.equal_computations([inner[k]], [inner[other]], states[k], states[other])
            if same_step and _same(outer[k], outer[other]):
                first_of[k] = other
                break
    start = n_mit_mot + n_mit_sot + n_sit_sot
    seen: list[int] = []
    for k, out in enumerate(args.inner_out_nit_sot):
        for other in seen:
            same_rows = _same(args.outer_in_nit_sot[k], args.outer_in_nit_sot[other])
            if same_rows and scan_utils.equal_computations([out], [args.inner_out_nit_sot[other]]):
                first_of[start + k] = start + other
                break
        else:
            seen.append(k)
    return first_of
