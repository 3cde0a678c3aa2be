"""From segments under construction to the program: results placed, loops fused, memory planned, text printed."""

from __future__ import annotations

from theano_compat.codegen import build
from theano_compat.codegen.abi import ArraySpec, Program, SegmentSpec
from theano_compat.codegen.builder import Builder, describe
from theano_compat.codegen.fuse import fuse
from theano_compat.codegen.ir import Buffer, StoreScalar, View
from theano_compat.codegen.memory import plan
from theano_compat.codegen.print_c import Printer
from theano_compat.codegen.schedule import Segment

__all__ = ["emit"]


def emit(segments: list[Segment]) -> tuple[Program, Printer]:
    """Turn segments into one C program.

    Returns
    -------
    (program, file)
        `file` keeps what `explain` shows: kernels and the nodes that use them.
    """
    file = Printer()
    specs = [_segment(file, f"tc_segment_{k}", segment) for k, segment in enumerate(segments)]
    program = Program(file.text(build.prelude), specs, tuple(file.externals))
    return program, file


def _segment(file: Printer, symbol: str, segment: Segment) -> SegmentSpec:
    builder = segment.builder
    results = _place_results(builder, segment.outputs)
    keep = {view.buffer for view, _, _ in results}
    statements = fuse(builder.statements, keep, builder.find)
    starts, n_slots = plan(statements, keep)
    segment.statements = statements
    for view, base, _ in results:
        if base == -1 and not any(view.buffer in buffers for buffers in starts.values()):
            # nothing writes it (an uninitialised array): its memory is wanted all the same
            starts.setdefault(len(statements) - 1, []).append(view.buffer)
    file.segment(symbol, statements, starts, results, builder.buffers)
    written = {b.index for s in statements for b in s.writes() if b.kind == "input"}
    return SegmentSpec(
        symbol,
        [_spec(v) for v in builder.inputs],
        [_spec(v) for v in segment.outputs],
        tuple(sorted(written)),
        n_slots,
        list(builder.numbered),
        list(builder.messages),
    )


def _spec(var) -> ArraySpec:
    dtype, ndim, broadcastable = describe(var)
    return ArraySpec(dtype, ndim, broadcastable, scalar=type(var.type).__name__ == "Scalar")


def _place_results(builder: Builder, outputs) -> list[tuple[View, int, str]]:
    """Decide for every result whose memory it lives in."""
    owners: dict[Buffer, int] = {}
    placed = []
    for k, var in enumerate(outputs):
        view = builder.views[var]
        buffer = view.buffer
        if buffer is None or buffer.kind == "local" or view.also:
            view = _stored(builder, view, var)
            buffer = view.buffer
        if buffer.kind == "input":
            placed.append((view, buffer.index, "NULL"))
            continue
        if buffer not in owners:
            owners[buffer] = k
            buffer.kind, buffer.index = "output", k
            placed.append((view, -1, buffer.name))
        else:
            placed.append((view, -2 - owners[buffer], "NULL"))
    return placed


def _stored(builder: Builder, view: View, var) -> View:
    """Copy a value that lives in a name, on the C stack or in one of several places into an array of its own."""
    room = builder.temp(view.dtype, view.shape, local=False)
    if view.value is not None and (view.buffer is None or not view.ndim):
        if view.ndim == 0:
            builder.statements.append(StoreScalar(room, view.value))
        else:
            builder.fill(room, view.value)
    else:
        builder.copy(room, view)
    return room
