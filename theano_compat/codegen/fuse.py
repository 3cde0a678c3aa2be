"""Fewer loops: a loop whose result only one later loop reads, point for point, moves into it.

This is how ``sum(exp(x) * y)`` becomes one loop although the graph keeps its nodes.  A producer may be read through
permuted axes (a transpose), not through a broadcast one: its work would be repeated.
"""

from __future__ import annotations

import re

from theano_compat.codegen.ir import Buffer, Load, Loop, Statement, Store

__all__ = ["fuse"]

_MAX_OPERANDS = 40
_MAX_BODY = 120
_name = re.compile(r"\b(?:_v|_u)\d+\b")
_operand = re.compile(r"\b(?:_v|_u|d|q)\d+\b")


def fuse(statements: list[Statement], keep: set[Buffer], find) -> list[Statement]:
    """Return the statements with producers merged into consumers.

    Parameters
    ----------
    statements : list of Statement
    keep : set of Buffer
        Buffers that must be written in any case (results).
    find : callable
        Representative of an extent among those proved equal.
    """
    statements = list(statements)
    readers: dict[Buffer, list[int]] = {}
    writers: dict[Buffer, list[int]] = {}
    for position, statement in enumerate(statements):
        for buffer in set(statement.reads()):
            readers.setdefault(buffer, []).append(position)
        for buffer in set(statement.writes()):
            writers.setdefault(buffer, []).append(position)
    gone: set[int] = set()
    for position, producer in enumerate(statements):
        if not _is_simple_producer(producer):
            continue
        store = producer.stores[0]
        buffer = store.view.buffer
        if buffer in keep or buffer.kind not in ("temp", "local") or writers[buffer] != [position]:
            continue
        places = readers.get(buffer, [])
        if len(places) != 1:
            continue
        target = places[0]
        consumer = statements[target]
        if target <= position or not isinstance(consumer, Loop):
            continue
        if _is_overwritten(producer, position, target, writers):
            continue
        merged = _merge(producer, consumer, buffer, find)
        if merged is None:
            continue
        statements[target] = merged
        gone.add(position)
        for b in set(producer.reads()):
            readers[b] = sorted({p for p in readers[b] if p != position} | {target})
    return _side_by_side([s for position, s in enumerate(statements) if position not in gone], find)


_MAX_SHARED_OPERANDS = 12


def _side_by_side(statements: list[Statement], find) -> list[Statement]:
    """Merge loops over one domain that read the same array, so that it comes from memory once.

    The earlier loop moves down to the later one where nothing in between needs its results or writes what it reads.
    """
    statements = list(statements)
    latest: dict[tuple, int] = {}
    gone: set[int] = set()
    for position, statement in enumerate(statements):
        if not isinstance(statement, Loop) or not statement.loads:
            continue
        for load in statement.loads:
            key = _walk_key(statement, load, find)
            if key is None:
                continue
            earlier = latest.get(key)
            if earlier is not None and earlier not in gone and earlier != position:
                merged = _join(statements, gone, earlier, position)
                if merged is not None:
                    statements[position] = statement = merged
                    gone.add(earlier)
        for load in statement.loads:
            key = _walk_key(statement, load, find)
            if key is not None:
                latest[key] = position
    return [s for position, s in enumerate(statements) if position not in gone]


def _walk_key(loop: Loop, load: Load, find) -> tuple | None:
    """What two loops must share to be worth merging: domain, and an array walked in full in the same way."""
    if load.view.buffer is None or any(s == "0" for s, e in zip(load.strides, loop.domain) if find(e) != "1"):
        return None
    return (tuple(map(find, loop.domain)), load.view.buffer, load.view.pointer, load.strides)


def _scalars(loop: Loop) -> set[str]:
    """Return the names around a loop that its body reads: each is an operand of its kernel."""
    texts = [s.expr for s in loop.body] + [s.value for s in loop.stores]
    own = {load.name for load in loop.loads} | {s.name for s in loop.body}
    return {name for text in texts for name in _operand.findall(text)} - own


def _join(statements: list[Statement], gone: set[int], i: int, j: int) -> Loop | None:
    first, second = statements[i], statements[j]
    if len(first.loads) + len(second.loads) + len(first.stores) + len(second.stores) > _MAX_SHARED_OPERANDS:
        return None
    if len(_scalars(first) | _scalars(second)) > _MAX_OPERANDS - _MAX_SHARED_OPERANDS:
        return None
    reads, writes = set(first.reads()), set(first.writes())
    for position in range(i + 1, j + 1):
        if position in gone:
            continue
        between = statements[position]
        its_writes = set(between.writes())
        if writes & (set(between.reads()) | its_writes):
            return None
        if position < j and reads & its_writes:
            return None
    rename: dict[str, str] = {}
    seen: dict[tuple, str] = {}
    loads: list[Load] = []
    for load in (*first.loads, *second.loads):
        key = (load.view.buffer, load.view.pointer, load.view.dtype, load.strides)
        if key in seen:
            rename[load.name] = seen[key]
        else:
            seen[key] = load.name
            loads.append(load)
    stores = [*first.stores, *second.stores]
    if not _stores_are_safe(loads, stores):
        return None

    def renamed(text: str) -> str:
        return _name.sub(lambda m: _chase(rename, m.group()), text)

    body, known = [], {}
    for statement in (*first.body, *second.body):
        expr = renamed(statement.expr)
        key = (statement.ctype, expr)
        if not statement.block and key in known:
            rename[statement.name] = known[key]
            continue
        known[key] = statement.name
        body.append(type(statement)(statement.name, statement.ctype, expr, statement.block))
    stores = [Store(s.view, s.strides, renamed(s.value), s.reducer) for s in stores]
    helpers = tuple(dict.fromkeys((*first.helpers, *second.helpers)))
    return Loop(second.domain, loads, body, stores, first.nodes + second.nodes, helpers)


def _is_simple_producer(statement: Statement) -> bool:
    return (
        isinstance(statement, Loop)
        and len(statement.stores) == 1
        and statement.stores[0].reducer is None
        and statement.stores[0].view.axes is not None
        and statement.stores[0].view.whole
    )


def _is_overwritten(producer: Loop, start: int, end: int, writers: dict[Buffer, list[int]]) -> bool:
    """Tell whether something between two positions writes what the producer reads."""
    return any(start < p < end for buffer in producer.reads() for p in writers.get(buffer, ()))


def _merge(producer: Loop, consumer: Loop, buffer: Buffer, find) -> Loop | None:
    """Return the consumer with the producer's body in place of its loads of `buffer`."""
    loads = [load for load in consumer.loads if load.view.buffer is buffer]
    others = [load for load in consumer.loads if load.view.buffer is not buffer]
    maps = []
    for load in loads:
        axes = _axis_map(load, producer, consumer, find)
        if axes is None:
            return None
        maps.append(axes)
    if not maps or any(m != maps[0] for m in maps):
        return None
    if any(s.view.buffer is buffer for s in consumer.stores):
        return None
    where = maps[0]
    moved = [
        Load(load.name, load.view, tuple("0" if a is None else load.strides[a] for a in where)) for load in producer.loads
    ]
    if len(producer.body) + len(consumer.body) > _MAX_BODY:
        return None
    if len(moved) + len(others) + len(consumer.stores) + len(_scalars(producer) | _scalars(consumer)) > _MAX_OPERANDS:
        return None
    value = producer.stores[0].value
    rename = {load.name: value for load in loads}
    # one load per array and walk
    seen: dict[tuple, str] = {}
    unique: list[Load] = []
    for load in (*moved, *others):
        key = (load.view.buffer, load.view.pointer, load.view.dtype, load.strides)
        if key in seen:
            rename[load.name] = seen[key]
        else:
            seen[key] = load.name
            unique.append(load)
    if not _stores_are_safe(unique, consumer.stores):
        return None

    def renamed(text: str) -> str:
        return _name.sub(lambda m: _chase(rename, m.group()), text)

    body, known = [], {}
    for statement in (*producer.body, *consumer.body):
        expr = renamed(statement.expr)
        key = (statement.ctype, expr)
        if not statement.block and key in known:
            rename[statement.name] = known[key]
            continue
        known[key] = statement.name
        body.append(type(statement)(statement.name, statement.ctype, expr, statement.block))
    stores = [Store(s.view, s.strides, renamed(s.value), s.reducer) for s in consumer.stores]
    helpers = tuple(dict.fromkeys((*producer.helpers, *consumer.helpers)))
    return Loop(consumer.domain, unique, body, stores, producer.nodes + consumer.nodes, helpers)


def _chase(rename: dict[str, str], name: str) -> str:
    while name in rename:
        name = rename[name]
    return name


def _axis_map(load: Load, producer: Loop, consumer: Loop, find) -> tuple[int | None, ...] | None:
    """Which dimension of the producer each dimension of the consumer walks; None where they do not match."""
    axes = load.view.axes
    if axes is None or len(axes) != len(consumer.domain):
        return None
    seen = set()
    for axis, extent in zip(axes, consumer.domain):
        if axis is None:
            if find(extent) != "1":
                return None
        elif find(producer.domain[axis]) != find(extent):
            return None
        else:
            seen.add(axis)
    if any(find(e) != "1" for axis, e in enumerate(producer.domain) if axis not in seen):
        return None
    return axes


def _stores_are_safe(loads: list[Load], stores: list[Store]) -> bool:
    """In one loop, an array that is written may be read only at the very element that is written."""
    for store in stores:
        for load in loads:
            if load.view.buffer is store.view.buffer and (
                load.view.pointer != store.view.pointer or load.strides != store.strides or store.reducer is not None
            ):
                return False
    return True
