"""The directional derivative of a loop: one loop that computes the states and their derivatives."""

from __future__ import annotations

from typing import Any

from theano_compat import tensor
from theano_compat.gof import Variable
from theano_compat.gradient import DisconnectedType, Rop
from theano_compat.scan_module import scan_utils
from theano_compat.scan_module.layout import ScanDescription

__all__ = ["directional"]


def _missing(point: Any) -> bool:
    return point is None or isinstance(point.type, DisconnectedType)


def directional(op: Any, inputs: list, eval_points: list) -> list:
    """The derivatives of the outputs of a scan in the direction `eval_points`.

    Parameters
    ----------
    op : Scan
        The loop.
    inputs : list of Variable
        Of its node.
    eval_points : list of Variable or None
        The direction; None where an input does not move.

    Returns
    -------
    list of Variable or None
        One for each output; None for shared values.
    """
    layout = op.layout
    step_in, step_out = scan_utils.reconstruct_graph(op.inputs, op.outputs)
    eval_points = [point if _missing(point) else _fit(point, v) for point, v in zip(eval_points, inputs)]
    moving = _moving_states(op, eval_points)
    points: dict[int, Variable] = {}  # inner input -> its direction
    outer_points: dict[int, Variable] = {}
    for i in range(layout.n_seqs):
        if not _missing(eval_points[1 + i]):
            points[i] = scan_utils.safe_new(step_in[i], "_evalpoint")
            outer_points[1 + i] = eval_points[1 + i]
    for k in moving:
        position = layout.state_outer_input(k)
        given = eval_points[position]
        outer_points[position] = tensor.zeros_like(inputs[position]) if _missing(given) else given
        for i in layout.state_inner_inputs(k):
            points[i] = scan_utils.safe_new(step_in[i], "_evalpoint")
    others = range(*layout.inner_in["others"].indices(len(step_in)))
    for i in others:
        position = layout.outer_in["others"].start + i - others.start
        if not _missing(eval_points[position]):
            points[i] = scan_utils.safe_new(step_in[i], "_evalpoint")
            outer_points[position] = eval_points[position]
    n_results = layout.inner_out["nit_sot"].stop
    wrt = [step_in[i] for i in points]
    derivatives = _derivatives(step_out[:n_results], wrt, list(points.values()))

    both = ScanDescription(list(inputs), [], step_in, step_out, op.info)
    _extend(op, both, moving, points, outer_points, derivatives, others, inputs)
    from theano_compat.scan_module.scan_op import Scan

    inner_in, inner_out = scan_utils.reconstruct_graph(both.inner_inputs, both.inner_outputs)
    name = op.info.get("name")
    both.other_info["name"] = f"rop_of_{name}" if name else None
    new = Scan(inner_in, inner_out, both.info)
    results = ScanDescription(both.outer_inputs, new(*both.outer_inputs, return_list=True), inner_in, inner_out, both.info)
    return _select(op, moving, results)


def _derivatives(outs: list, wrt: list, points: list) -> list:
    if not wrt:
        return [None] * len(outs)
    # Rop of every output by itself: an output may be one of the inputs.
    found = []
    for out in outs:
        if out in wrt:
            found.append(points[wrt.index(out)])
            continue
        derivative = Rop([out], wrt, points, disconnected_outputs="ignore", return_disconnected="none")
        found.append(derivative[0] if isinstance(derivative, (list, tuple)) else derivative)
    return found


def _moving_states(op: Any, eval_points: list) -> list[int]:
    """The states that depend on an input that moves."""
    layout, pattern = op.layout, op.inner_connection()
    maps = layout.mappings()["inner_inp_from_outer_inp"]
    moved = {i for position, point in enumerate(eval_points) if not _missing(point) for i in maps.get(position, [])}
    moving: set[int] = set()
    changed = True
    while changed:
        changed = False
        for k in range(layout.n_states):
            reads = layout.state_inner_inputs(k)
            if k in moving:
                continue
            if set(reads) & moved or any(pattern[i][o] for i in moved for o in layout.state_inner_outputs(k)):
                moving.add(k)
                moved |= set(reads)
                changed = True
    return sorted(moving)


def _fit(derivative: Any, like: Variable) -> Variable:
    if derivative is None or isinstance(getattr(derivative, "type", None), DisconnectedType):
        return tensor.zeros_like(like)
    if not hasattr(like.type, "dtype"):
        return derivative
    if derivative.dtype != like.dtype:
        derivative = tensor.cast(derivative, like.dtype)
    if derivative.broadcastable != like.broadcastable:
        derivative = tensor.patternbroadcast(derivative, like.broadcastable)
    return derivative


def _extend(op: Any, both: ScanDescription, moving: list[int], points: dict, outer_points: dict, derivatives: list, others: range, inputs: list) -> None:
    """Append the derivatives to the loop, each kind behind its own."""
    layout = op.layout
    for i in range(layout.n_seqs):
        if i in points:
            both.inner_in_seqs.append(points[i])
            both.outer_in_seqs.append(outer_points[1 + i])
    for k in moving:
        kind = layout.state_kind(k)
        reads = [points[i] for i in layout.state_inner_inputs(k)]
        writes = [_fit(derivatives[o], op.outputs[o] if derivatives[o] is not None else both.inner_outputs[o]) for o in layout.state_inner_outputs(k)]
        buffer = outer_points[layout.state_outer_input(k)]
        if kind == "sit_sot":
            both.inner_in_sit_sot.append(reads[0])
            both.inner_out_sit_sot.append(writes[0])
            both.outer_in_sit_sot.append(buffer)
        elif kind == "mit_sot":
            both.inner_in_mit_sot.append(reads)
            both.inner_out_mit_sot.append(writes[0])
            both.outer_in_mit_sot.append(buffer)
            both.mit_sot_in_slices.append(list(layout.in_taps[k]))
        else:
            both.inner_in_mit_mot.append(reads)
            both.inner_out_mit_mot.append(writes)
            both.outer_in_mit_mot.append(buffer)
            both.mit_mot_in_slices.append(list(layout.in_taps[k]))
            both.mit_mot_out_slices.append(list(layout.out_taps[k]))
    start = layout.inner_out["nit_sot"].start
    rows = list(both.inner_out_nit_sot)
    for i, out in enumerate(rows):
        both.inner_out_nit_sot.append(_fit(derivatives[start + i], out))
        both.outer_in_nit_sot.append(inputs[layout.outer_in["nit_sot"].start + i])
    for i in others:
        if i in points:
            both.inner_in_non_seqs.append(points[i])
            both.outer_in_non_seqs.append(outer_points[layout.outer_in["others"].start + i - others.start])


def _select(op: Any, moving: list[int], results: ScanDescription) -> list:
    """Of the loop's outputs those that are derivatives, in the order of the op's outputs."""
    layout = op.layout
    new: dict[str, Any] = {
        "mit_mot": iter(results.outer_out_mit_mot[layout.n_mit_mot :]),
        "mit_sot": iter(results.outer_out_mit_sot[layout.n_mit_sot :]),
        "sit_sot": iter(results.outer_out_sit_sot[layout.n_sit_sot :]),
    }
    found: list[Any] = [next(new[layout.state_kind(k)]) if k in moving else None for k in range(layout.n_states)]
    found += results.outer_out_nit_sot[layout.n_nit_sot :]
    return found + [None] * layout.n_shared
