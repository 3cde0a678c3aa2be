"""What is said when an argument of a loop does not fit the step, in the terms of the call of ``scan``."""

from __future__ import annotations

from theano_compat import tensor
from theano_compat.gof import Variable

__all__ = ["misfit", "upcast", "users_state", "wrong_rank"]

_START = "When compiling the inner function of scan (the function called by scan in each of its iterations) the following error has been encountered: "


def users_state(state: Variable) -> tuple[Variable, bool]:
    """Find the initial state that the user gave in the buffer that ``scan`` made of it.

    Parameters
    ----------
    state : Variable
        An argument of the loop; from ``scan``, it is memory for all steps with the initial state set into its first rows.

    Returns
    -------
    given : Variable
        What the user gave; `state` itself where it has another form.
    padded : bool
        Whether ``scan`` has added the dimension of the steps.
    """
    buffer = state.owner
    if buffer is None or not isinstance(buffer.op, tensor.IncSubtensor) or not isinstance(getattr(buffer.inputs[0].owner, "op", None), tensor.AllocEmpty):
        return state, False
    rows = buffer.inputs[1]
    if rows.owner is not None and isinstance(rows.owner.op, tensor.Rebroadcast):
        rows = rows.owner.inputs[0]
    made_by = getattr(rows.owner, "op", None)
    if isinstance(made_by, tensor.DimShuffle) and made_by.new_order[:1] == ("x",):
        return rows.owner.inputs[0], True
    if isinstance(made_by, tensor.Subtensor):
        return rows.owner.inputs[0], False
    return rows, False


def misfit(what: str, outer: Variable, position: int, inner: Variable, one_more: bool) -> str:
    """Say that an argument has another dtype or rank than the variable through which the step reads it.

    Parameters
    ----------
    what : str
        What the argument is.
    outer, inner : Variable
        The argument, and what the step reads.
    position : int
        Which argument it is.
    one_more : bool
        Whether the argument has to have the dimension of the steps.
    """
    have, want = outer.type, inner.type
    hint = "\nInside the step the variable has to have this dtype and one dimension less." if one_more else ""
    return (
        f"{_START}The {what} {users_state(outer)[0]} (argument number {position}) has dtype {getattr(have, 'dtype', have)} and {getattr(have, 'ndim', 'no')} "
        f"dimension(s). The corresponding variable in the inner function of scan {inner} however has dtype {want.dtype} and {want.ndim} dimension(s).{hint}"
    )


def wrong_rank(outer: Variable, position: int, result: Variable) -> str:
    """Say that the step returns another rank than the initial state leaves for a step, and which rank to give.

    Parameters
    ----------
    outer : Variable
        The loop's argument for the state, with the dimension of the steps.
    position : int
        Which argument it is.
    result : Variable
        The state that the step returns.
    """
    given, padded = users_state(outer)
    ndim = result.type.ndim
    wanted = ndim if padded else ndim + 1
    rows = "" if padded else ", a row for each step back that the step reads"
    return (
        f"{_START}The initial state (`outputs_info` in scan nomenclature) of variable {given} (argument number {position}) has "
        f"{outer.type.ndim} dimension(s){', counting the one of the steps that scan adds' if padded else ''}, while the corresponding variable in the result of "
        f"the inner function of scan (`fn`) has {ndim} dimension(s) (it should be one less than the initial state).\n"
        f"The step returns {ndim} dimension(s) and {given} has {given.type.ndim}: give outputs_info a value of {wanted} dimension(s){rows}, "
        f"or let the step return {given.type.ndim if padded else given.type.ndim - 1}."
    )


def upcast(outer: Variable, position: int, result: Variable) -> str:
    """Say that the step returns another dtype than the state (or shared variable) has."""
    have, want = outer.type.dtype, result.type.dtype
    return (
        f"When compiling the inner function of scan the following error has been encountered: The initial state (`outputs_info` in scan nomenclature) of "
        f"variable {users_state(outer)[0]} (argument number {position}) has dtype {have}, while the result of the inner function (`fn`) has dtype {want}. "
        f"This can happen if the inner function of scan results in an upcast or downcast.\nGive the state dtype {want}, or cast what the step returns to {have}."
    )
