"""The memory plan: which scratch slot each intermediate array lives in."""

from __future__ import annotations

from theano_compat.codegen.ir import Buffer, Loop, Repeat, Statement

__all__ = ["plan"]

_IDLE = (1 << 64) - 1  # the slots that may be exchanged: the bits of an integer of C


def plan(statements: list[Statement], keep: set[Buffer], n_slots: int = 0, own: set[Buffer] | None = None) -> tuple[dict[int, list[Buffer]], int]:
    """Give every temp a slot that no other live temp has.

    Parameters
    ----------
    statements : list of Statement
        In final order.
    keep : set of Buffer
        Live until the end of the segment.
    n_slots : int
        Slots that others have.
    own : set of Buffer, optional
        What is made here; the others have their memory already. Default: all.

    Returns
    -------
    (first, n_slots)
        `first` maps the position of a statement to the temps and outputs whose memory must be there before it.

    Notes
    -----
    Sizes are known at run time only, so a slot grows to the largest of its users.  A free slot whose last user
    had the same size expression is taken first, then the one freed last: its memory is warm.  What turns out too small is exchanged
    for another slot that is free then (`tc_scratch`).  What the steps of a `Repeat` need is apart from all that is around it, and the same for one `Repeat`
    and the next; it is made large enough before the first step, and not exchanged.
    """
    first: dict[Buffer, int] = {}
    last: dict[Buffer, int] = {}
    for position, statement in enumerate(statements):
        for buffer in (*statement.reads(), *statement.writes()):
            if buffer.kind in ("temp", "output", "local", "alias") and (own is None or buffer in own):
                first.setdefault(buffer, position)
                last[buffer] = position
    starts: dict[int, list[Buffer]] = {}
    ends: dict[int, list[Buffer]] = {}
    for buffer, position in first.items():
        starts.setdefault(position, []).append(buffer)
        if buffer.kind == "temp" and buffer not in keep:
            ends.setdefault(last[buffer], []).append(buffer)
    free: list[tuple[str, int]] = []
    taken, beside = 0, {}
    for position, statement in enumerate(statements):
        dying = ends.get(position, [])
        for buffer in starts.get(position, ()):
            if buffer.kind not in ("temp", "output"):
                continue
            heir = _overwritable(statement, buffer, dying)
            if buffer.kind == "output":
                if heir is not None:
                    # the dying array is made where the result will be, and overwritten there
                    free.append((heir.nbytes, heir.index))
                    taken &= ~(1 << heir.index & _IDLE)
                    dying.remove(heir)
                    heir.kind, heir.index = "output", buffer.index
                    buffer.kind, buffer.home = "alias", heir.name
                continue
            if heir is not None:
                buffer.index = heir.index
                dying.remove(heir)
                continue
            for k in range(len(free) - 1, -1, -1):
                if free[k][0] == buffer.nbytes:
                    buffer.index = free.pop(k)[1]
                    break
            else:
                if free:
                    buffer.index = free.pop()[1]
                else:
                    buffer.index = n_slots
                    n_slots += 1
            taken |= 1 << buffer.index & _IDLE
            beside[buffer] = taken
        for buffer in dying:
            taken &= ~(1 << buffer.index & _IDLE)
            free.append((buffer.nbytes, buffer.index))
    if own is None:
        for buffer, others in beside.items():
            buffer.idle = ~others & ((1 << n_slots) - 1) & _IDLE
    most = n_slots
    for statement in statements:
        if isinstance(statement, Repeat):
            statement.starts, needed = plan(statement.body, set(), n_slots, statement.made_inside)
            most = max(most, needed)
    return starts, most


def _overwritable(statement: Statement, buffer: Buffer, dying: list[Buffer]) -> Buffer | None:
    """Return a dying array that the loop reads only at the very element of `buffer` that it writes."""
    if not isinstance(statement, Loop):
        return None
    stores = [s for s in statement.stores if s.view.buffer is buffer]
    if len(stores) != 1 or stores[0].reducer is not None or not stores[0].view.whole:
        return None
    for old in dying:
        if old.nbytes != buffer.nbytes or old.kind != "temp":
            continue
        loads = [load for load in statement.loads if load.view.buffer is old]
        if loads and all(load.strides == stores[0].strides and load.view.whole for load in loads):
            return old
    return None
