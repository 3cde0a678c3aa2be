"""The loop IR: what lowerings produce, what fusion and the memory plan rearrange, what the printers print.

A segment is a flat list of statements.  Scalars (extents, strides, 0-d values) are names, written once; arrays are
`View`s into `Buffer`s.  Array work is either a `Loop` (a nest over a domain, with one expression per statement in its body)
or a `Call` (text of its own: a library routine, a gather, a sort).

Extents and strides are *tokens*: C names or integer literals, as strings.  Strides count bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = [
    "Assign",
    "Buffer",
    "Call",
    "Check",
    "Load",
    "LoadScalar",
    "Loop",
    "REDUCERS",
    "Reducer",
    "Repeat",
    "Statement",
    "Store",
    "StoreScalar",
    "View",
]


@dataclass(eq=False)
class Buffer:
    """A block of memory.

    Attributes
    ----------
    number : int
        Names it in the C text (``b<number>``).
    kind : str
        ``"input"`` (lent by the caller), ``"temp"`` (scratch, planned), ``"local"`` (on the C stack),
        ``"output"`` (handed to the caller), ``"alias"`` (the same memory as `home`), ``"row"`` (what a step of a
        `Repeat` reads or writes of a larger array).
    dtype : str
    shape : tuple of str
        Extents of the C-contiguous array that a temp or local was made for.
    nbytes : str
    index : int
        Which input or which output it is; the scratch slot of a temp once planned.
    home : str
        C name of the memory that an alias shares.
    idle : int
        Slots, bit by bit, that no array is in when a temp gets its memory.
    """

    number: int
    kind: str
    dtype: str
    shape: tuple[str, ...]
    nbytes: str = "0"
    index: int = -1
    home: str = ""
    idle: int = 0

    @property
    def name(self) -> str:
        return f"b{self.number}"


@dataclass(frozen=True, eq=False)
class View:
    """An array: where it starts, extents, strides.

    Attributes
    ----------
    buffer : Buffer or None
        None for values that live in a name or a literal only.
    dtype : str
    pointer : str
        C expression of type ``char *``.
    shape, strides : tuple of str
    axes : tuple of (int or None), or None
        Which axis of the buffer's own shape each dimension walks in full (None: an added dimension), when the
        view is the whole buffer with its axes permuted; None where it is anything else.
    value : str or None
        Name or literal of the element of a 0-d array (or of an array of one repeated element).
    items : tuple of str or None
        Names or literals of the elements of a short integer vector.
    also : tuple of Buffer
        Other buffers that the pointer may lead into.
    """

    buffer: Buffer | None
    dtype: str
    pointer: str
    shape: tuple[str, ...]
    strides: tuple[str, ...]
    axes: tuple[int | None, ...] | None = None
    value: str | None = None
    items: tuple[str, ...] | None = None
    also: tuple[Buffer, ...] = ()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def whole(self) -> bool:
        """True for the buffer's own array: all of it, in its own order."""
        return self.axes is not None and self.axes == tuple(range(len(self.buffer.shape)))


class Statement:
    """Base of what a segment consists of: says which buffers it reads and writes."""

    def reads(self) -> Iterable[Buffer]:
        return ()

    def writes(self) -> Iterable[Buffer]:
        return ()


@dataclass(frozen=True)
class Assign(Statement):
    """``const ctype name = expr;``, or, with `block`, a block of statements that sets `name`."""

    name: str
    ctype: str
    expr: str
    block: bool = False
    helpers: tuple[str, ...] = ()


@dataclass
class LoadScalar(Statement):
    """Read the one element of a view into a name; 0 where `guard`, a condition, does not hold and the element need not be there."""

    name: str
    view: View
    guard: str = ""

    def reads(self) -> Iterable[Buffer]:
        return (self.view.buffer, *self.view.also)


@dataclass
class Check(Statement):
    """Leave the segment with an error where `condition` does not hold."""

    condition: str
    code: int
    node: int
    details: tuple[str, ...] = ()


@dataclass
class StoreScalar(Statement):
    """Write a name into the one element of a view."""

    view: View
    value: str

    def writes(self) -> Iterable[Buffer]:
        return (self.view.buffer, *self.view.also)


@dataclass(frozen=True)
class Reducer:
    """How a store accumulates: ``combine`` as a format of two operands, its OpenMP clause, its start by dtype kind."""

    name: str
    combine: str
    clause: str | None
    identity: str
    nan_aware: bool = False


REDUCERS = {
    "add": Reducer("add", "({a} + {b})", "+", "0"),
    "mul": Reducer("mul", "({a} * {b})", "*", "1"),
    "maximum": Reducer("maximum", "({b} > {a} ? {b} : {a})", "max", "lowest", True),
    "minimum": Reducer("minimum", "({b} < {a} ? {b} : {a})", "min", "highest", True),
    "and_": Reducer("and_", "({a} & {b})", "&", "ones"),
    "or_": Reducer("or_", "({a} | {b})", "|", "0"),
    "xor": Reducer("xor", "({a} ^ {b})", "^", "0"),
}


@dataclass
class Load:
    """An element read per point: `name` in the body, strides per dimension of the domain."""

    name: str
    view: View
    strides: tuple[str, ...]


@dataclass
class Store:
    """An element written (or accumulated into, with `reducer`) per point."""

    view: View
    strides: tuple[str, ...]
    value: str
    reducer: Reducer | None = None


@dataclass
class Loop(Statement):
    """A nest: for every point of `domain` read `loads`, run `body`, do `stores`.

    With `direct` the strides of the (at most two) dimensions are known while compiling and the nest is printed in place;
    else a run-time routine finds the best order of the dimensions.
    """

    domain: tuple[str, ...]
    loads: list[Load]
    body: list[Assign]
    stores: list[Store]
    nodes: list[int] = field(default_factory=list)
    helpers: tuple[str, ...] = ()
    direct: bool = False

    def reads(self) -> Iterable[Buffer]:
        for load in self.loads:
            if load.view.buffer is not None:
                yield load.view.buffer
                yield from load.view.also
        for store in self.stores:
            if store.reducer is not None:
                yield store.view.buffer
                yield from store.view.also

    def writes(self) -> Iterable[Buffer]:
        for store in self.stores:
            yield store.view.buffer
            yield from store.view.also


@dataclass
class Call(Statement):
    """C text that does array work of its own (library routine, gather, sort …).

    `text` may use ``TC_CHECK``-style early returns; `helpers` are texts of functions that must stand before it,
    `externals` names of outside routines that it calls through the table.
    """

    text: str
    read: tuple[Buffer, ...]
    written: tuple[Buffer, ...]
    nodes: list[int] = field(default_factory=list)
    helpers: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    externals: tuple[str, ...] = ()
    label: str = ""

    def reads(self) -> Iterable[Buffer]:
        return self.read

    def writes(self) -> Iterable[Buffer]:
        return self.written


@dataclass
class Repeat(Statement):
    """Steps in time: `body` runs `count` times, in order, or until `stop` holds after a step.

    Attributes
    ----------
    counter : str
        Name of the number of steps made; still there after the last one.
    count : str
        Token.
    body : list of Statement
    nodes : list of int
    read, written : tuple of Buffer
        What steps reach through rows, and what is there before the first step.
    rows : frozenset of Buffer
        The rows.
    opening : tuple of str
        C lines before the first step: pointers to rows.
    advance : tuple of str
        C lines after each step: pointers to the next rows.
    stop : str or None
    label : str
        What `explain` calls it.
    branch : bool
        Whether it runs once or not at all.
    starts : dict
        As `memory.plan` returns it, for `body`.
    made : frozenset of Buffer
        Arrays of the steps' own.
    made_inside : set of Buffer
        What no one else sees.
    """

    counter: str
    count: str
    body: list[Statement]
    nodes: list[int]
    read: tuple[Buffer, ...] = ()
    written: tuple[Buffer, ...] = ()
    rows: frozenset[Buffer] = frozenset()
    opening: tuple[str, ...] = ()
    advance: tuple[str, ...] = ()
    stop: str | None = None
    label: str = "steps in C"
    branch: bool = False
    starts: dict = field(default_factory=dict)
    made: frozenset[Buffer] = frozenset()

    def __post_init__(self) -> None:
        self.made_inside = self.made | self.rows

    def reads(self) -> Iterable[Buffer]:
        yield from self.read
        yield from (b for s in self.body for b in s.reads() if b not in self.made_inside)

    def writes(self) -> Iterable[Buffer]:
        yield from self.written
        yield from (b for s in self.body for b in s.writes() if b not in self.made_inside)
