"""What lowerings write into: names for extents and scalars, views of variables, statements of one segment."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.dtypes import compute_type, is_supported, itemsize, literal
from theano_compat.codegen.ir import (
    Assign,
    Buffer,
    Call,
    Check,
    Load,
    LoadScalar,
    Loop,
    Statement,
    Store,
    StoreScalar,
    View,
)
from theano_compat.gof.graph import Apply, Constant, Variable

__all__ = ["Builder", "NotLowered", "is_literal"]

_LOCAL_BYTES = 512  # arrays of known size up to this live on the C stack
_integer = re.compile(r"-?\d+$").match


class NotLowered(Exception):
    """Raised by a lowering for a node that must run through its `perform`; the text says why."""


def is_literal(token: str) -> bool:
    """Tell whether a token is an integer known while generating."""
    return _integer(token) is not None


def _items(data, dtype: str) -> tuple[str, ...] | None:
    """Return the elements of a short vector of integers as tokens, None for what is none."""
    if np.ndim(data) != 1 or len(data) > 64 or not dtype.startswith(("int", "uint")):
        return None
    return tuple(literal(v, "int64") if abs(int(v)) >= 2**62 else str(int(v)) for v in data)


class Builder:
    """One segment under construction.

    Attributes
    ----------
    statements : list of Statement
    inputs : list of Variable
        What the segment reads from outside, constants included, in the order of ``frame.in``.
    nodes : list of Apply
    numbered : list of Apply
        The nodes by the number that error records hold: with those inside of loops.
    node_number : int
        Number of the node being lowered.
    views : dict of Variable to View
    messages : list of (exception type, str)
    results : set of Variable
        Outputs of the function.
    lent : set of Variable
        Inputs of the function that its caller keeps: what is done in place to them must be seen there.
    """

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.inputs: list[Variable] = []
        self.nodes: list[Apply] = []
        self.numbered: list[Apply] = []
        self.node_number = -1
        self.views: dict[Variable, View] = {}
        self.messages: list[tuple[type, str]] = []
        self.buffers: list[Buffer] = []
        self._names = 0
        self._lets: dict[str, str] = {}
        self._roots: dict[str, str] = {}
        self._negated: dict[str, str] = {}
        self._journal: list[tuple[dict, object, object]] = []
        self.results: set[Variable] = set()
        self.lent: set[Variable] = set()

    # --- attempts -------------------------------------------------------------------------------------

    def checkpoint(self) -> tuple:
        """Remember the state before a node, for `rollback`."""
        self._journal.clear()
        return (self._names, self.node_number, *map(len, self._lists()))

    def _lists(self) -> tuple[list, ...]:
        return (self.statements, self.inputs, self.nodes, self.numbered, self.messages, self.buffers)

    def rollback(self, state: tuple) -> None:
        """Forget everything since the last `checkpoint`."""
        self._names, self.node_number = state[:2]
        for items, n in zip(self._lists(), state[2:]):
            del items[n:]
        while self._journal:
            table, key, old = self._journal.pop()
            if old is None:
                del table[key]
            else:
                table[key] = old

    def begin(self, node: Apply) -> None:
        """Say which node is lowered next."""
        self.nodes.append(node)
        self.node_number = len(self.numbered)
        self.numbered.append(node)

    def _put(self, table: dict, key, value) -> None:
        self._journal.append((table, key, table.get(key)))
        table[key] = value

    # --- names, extents -------------------------------------------------------------------------------

    def name(self, prefix: str = "_v") -> str:
        """Return a fresh C name."""
        self._names += 1
        return f"{prefix}{self._names}"

    def let(self, expr: str, prefix: str = "d") -> str:
        """Return a token for an ``int64_t`` expression; equal expressions share one.

        Tokens that begin with ``d`` stand for extents and strides; a value of the user's, which may be negative, takes the prefix ``_v``.
        """
        if is_literal(expr):
            return expr
        if re.fullmatch(r"\w+", expr):
            return self.find(expr)
        token = self._lets.get(expr)
        if token is None:
            token = self.name(prefix)
            self._put(self._lets, expr, token)
            self.statements.append(Assign(token, "int64_t", expr))
        return self.find(token)

    def find(self, token: str) -> str:
        """Return the representative of a token among those proved equal."""
        while token in self._roots:
            token = self._roots[token]
        return token

    def unify(self, a: str, b: str) -> None:
        """Record that two tokens are equal from here on (a check has been emitted)."""
        a, b = self.find(a), self.find(b)
        if a != b:
            if is_literal(a):
                a, b = b, a
            if not is_literal(a):
                self._put(self._roots, a, b)

    def mul(self, *tokens: str) -> str:
        """Product of extents or strides as a token."""
        factor = 1
        names = []
        for token in map(self.find, tokens):
            if is_literal(token):
                factor *= int(token)
            else:
                names.append(token)
        if factor == 0 or not names:
            return str(factor)
        if factor != 1:
            names.append(str(factor))
        if len(names) == 1:
            return names[0]
        product = self._negated.get(names[0]) if factor == -1 and len(names) == 2 else None
        if product is None:
            product = self.let(" * ".join(names))
            if factor == -1 and len(names) == 2:
                self._put(self._negated, product, names[0])
        return self.find(product)

    def add(self, a: str, b: str) -> str:
        """Sum of two tokens as a token."""
        a, b = self.find(a), self.find(b)
        if is_literal(a) and is_literal(b):
            return str(int(a) + int(b))
        if a == "0":
            return b
        if b == "0":
            return a
        return self.let(f"{a} + {b}".replace("+ -", "- "))

    def sub(self, a: str, b: str) -> str:
        """Difference of two tokens as a token."""
        a, b = self.find(a), self.find(b)
        if a == b:
            return "0"
        if is_literal(a) and is_literal(b):
            return str(int(a) - int(b))
        return a if b == "0" else self.let(f"{a} - {b}".replace("- -", "+ "))

    # --- checks ---------------------------------------------------------------------------------------

    def check(self, condition: str, code: ErrorCode, *details: str) -> None:
        """Emit a run-time check of the current node."""
        self.emit_check(Check(condition, int(code), self.node_number, details))

    def emit_check(self, check: Check) -> None:
        """Take a finished check."""
        self.statements.append(check)

    def check_message(self, condition: str, exception: type, text: str, *details: str) -> None:
        """Emit a check with a message of its own; ``{}`` in the text take the details."""
        self.messages.append((exception, text))
        self.check(condition, ErrorCode.VALUE, str(len(self.messages) - 1), *details)

    def require_equal(self, a: str, b: str, code: ErrorCode, *details: str) -> None:
        """Check that two extents are equal, once, and treat them as one from here on."""
        a, b = self.find(a), self.find(b)
        if a != b:
            self.check(f"{a} == {b}", code, *details)
            self.unify(a, b)

    def require_equal_message(self, a: str, b: str, exception: type, text: str) -> None:
        """Check as `require_equal` does, with a message of its own; ``{}`` in the text take the two extents."""
        a, b = self.find(a), self.find(b)
        if a != b:
            self.messages.append((exception, text))
            self.require_equal(a, b, ErrorCode.VALUE, str(len(self.messages) - 1), a, b)

    # --- variables ------------------------------------------------------------------------------------

    def view(self, var: Variable) -> View:
        """Return the view of a variable, importing it into the segment where it comes from outside."""
        known = self.views.get(var)
        return known if known is not None else self._import(var)

    def bind(self, var: Variable, view: View) -> None:
        """Say what an output of the current node is."""
        self._put(self.views, var, view)

    def must_overwrite(self, view: View, out: Variable) -> bool:
        """Tell whether an op that works in place on `view` has to: where it shows, in a result or in the caller's array.

        Elsewhere a new array costs nothing, and can be fused away.
        """
        buffer = view.buffer
        if buffer is None or buffer.kind != "input":
            return False
        return out in self.results or self.inputs[buffer.index] in self.lent

    def makes(self, buffer: Buffer) -> bool:
        """Tell whether a buffer is scratch memory of the segment's own."""
        return buffer.kind == "temp"

    def is_last_reader(self, node: Apply, buffer: Buffer | None) -> bool:
        """Tell whether a node, at its one input that has memory in `buffer`, is the last to read any of that: then it may write there."""
        if buffer is None or not self.makes(buffer):
            return False
        inside = [var for var, view in self.views.items() if buffer in (view.buffer, *view.also)]
        if sum(var in inside for var in node.inputs) != 1 or any(var in self.results for var in inside):
            return False
        before = {id(n) for n in self.numbered}
        return all(client != "output" and id(client) in before for var in inside for client, _ in var.clients)

    def _import(self, var: Variable) -> View:
        dtype, ndim, broadcastable = describe(var)
        if isinstance(var, Constant):
            constant = self._import_constant(var, dtype, ndim)
            if constant is not None:
                self._put(self.views, var, constant)
                return constant
        number = len(self.inputs)
        self.inputs.append(var)
        buffer = Buffer(len(self.buffers), "input", dtype, (), index=number)
        self.buffers.append(buffer)
        shape, strides = [], []
        for axis, one in enumerate(broadcastable):
            shape.append("1" if one else self.let(f"f->in[{number}].shape[{axis}]"))
            strides.append("0" if one else self.let(f"f->in[{number}].strides[{axis}]"))
        items = None
        if isinstance(var, Constant):
            extents = np.shape(var.data)
            for axis, extent in enumerate(extents):
                self.unify(shape[axis], str(extent))
            shape = [str(extent) for extent in extents]
            items = _items(var.data, dtype)
        # an input is taken as the base of its own axes, so that permutations of it can be undone
        buffer.shape = tuple(shape)
        view = View(
            buffer, dtype, buffer.name, tuple(shape), tuple(strides), axes=tuple(range(ndim)), items=items
        )
        self._put(self.views, var, view)
        return view

    def _import_constant(self, var: Constant, dtype: str, ndim: int) -> View | None:
        data = np.asarray(var.data)
        if data.size != 1:
            return None
        return View(None, dtype, "NULL", ("1",) * ndim, ("0",) * ndim, value=literal(data.reshape(())[()], dtype), items=_items(data, dtype))

    def scalar(self, view: View, guard: str = "") -> str:
        """Return a name or literal for the element of a one-element view, which may be read where the condition `guard` holds."""
        if view.value is not None:
            return view.value
        name = self.name()
        self.statements.append(LoadScalar(name, view, guard))
        return name

    def scalar_of(self, var: Variable) -> str:
        """Return a name or literal for a 0-d variable, reading it from memory at most once."""
        view = self.view(var)
        if view.value is None:
            value = self.scalar(view)
            view = View(view.buffer, view.dtype, view.pointer, view.shape, view.strides, view.axes, value, view.items)
            self._put(self.views, var, view)
        return view.value

    def integer(self, var: Variable) -> str:
        """Return an ``int64_t`` token for a 0-d integer variable."""
        if isinstance(var, Constant):
            return str(int(var.data))
        view = self.view(var)
        if view.items is not None and len(view.items) == 1:
            return self.find(view.items[0])
        value = self.scalar_of(var)
        if view.dtype == "int64":
            return self.let(value)
        return self.let(f"(int64_t){value}", "_v")

    def integer_view(self, token: str) -> View:
        """Return the 0-d ``int64`` array of a token."""
        value = literal(int(token), "int64") if is_literal(token) else token
        return View(None, "int64", "NULL", (), (), value=value, items=(token,))

    def integers(self, var: Variable, length: int | None = None) -> tuple[str, ...]:
        """Return tokens for the elements of an integer vector; its length must be given or known while compiling."""
        view = self.view(var)
        if view.items is not None:
            return tuple(map(self.find, view.items))
        n = self.find(view.shape[0])
        if length is not None:
            self.check_message(
                f"{n} == {length}", ValueError, f"a shape vector of {length} elements was wanted, it has {{}}", n
            )
            self.unify(n, str(length))
            n = str(length)
        if not is_literal(n):
            raise NotLowered("a vector whose length is not known while compiling is used as a shape")
        view = self.in_memory(view)
        tokens = []
        for i in range(int(n)):
            offset = self.mul(view.strides[0], str(i))
            name = self.scalar(View(view.buffer, view.dtype, f"({view.pointer} + {offset})", (), ()))
            tokens.append(self.let(f"(int64_t){name}" if view.dtype != "int64" else name, "_v"))
        return tuple(tokens)

    # --- new arrays -----------------------------------------------------------------------------------

    def contiguous_strides(self, shape: Sequence[str], size: int) -> tuple[str, ...]:
        """Byte strides of a C-contiguous array as tokens."""
        strides = []
        step = str(size)
        for extent in reversed(shape):
            strides.append("0" if extent == "1" else step)
            step = self.mul(extent, step)
        return tuple(reversed(strides))

    def temp(self, dtype: str, shape: Sequence[str], local: bool = True) -> View:
        """Return a new C-contiguous array."""
        if not is_supported(dtype):
            raise NotLowered(f"dtype {dtype}")
        shape = tuple(map(self.find, shape))
        size = itemsize(dtype)
        if all(map(is_literal, shape)):
            n = 1
            for extent in shape:
                n *= int(extent)
            nbytes = str(n * size)
            kind = "local" if local and n * size <= _LOCAL_BYTES else "temp"
        else:
            names = ", ".join(e for e in shape if e != "1")
            count = sum(e != "1" for e in shape)
            nbytes = self.let(f"tc_bytes({count}, (const int64_t[]){{{names}}}, {size})")
            kind = "temp"
        buffer = Buffer(len(self.buffers), kind, dtype, shape, nbytes)
        self.buffers.append(buffer)
        return View(buffer, dtype, buffer.name, shape, self.contiguous_strides(shape, size), tuple(range(len(shape))))

    def value_view(self, value: str, dtype: str) -> View:
        """Return a 0-d array that lives in a name."""
        return View(None, dtype, "NULL", (), (), axes=None, value=value)

    def assign(self, dtype: str, expr: str, helpers: tuple[str, ...] = ()) -> str:
        """Name a scalar expression."""
        name = self.name()
        self.statements.append(Assign(name, compute_type(dtype), expr, helpers=helpers))
        return name

    def in_memory(self, view: View) -> View:
        """Return the same array with a pointer: values that live in a name are stored first."""
        if view.buffer is not None:
            return view
        cell = self.temp(view.dtype, ())
        self.statements.append(StoreScalar(cell, view.value))
        return View(cell.buffer, view.dtype, cell.pointer, view.shape, ("0",) * view.ndim, value=view.value)

    # --- views ----------------------------------------------------------------------------------------

    def permute(self, view: View, order: Sequence[int | None]) -> View:
        """DimShuffle: dimensions by number, None for a new one; dimensions left out must have extent 1."""
        shape = tuple("1" if i is None else view.shape[i] for i in order)
        strides = tuple("0" if i is None else view.strides[i] for i in order)
        axes = None if view.axes is None else tuple(None if i is None else view.axes[i] for i in order)
        return View(
            view.buffer, view.dtype, view.pointer, shape, strides, axes, view.value if view.value else None, None, view.also
        )

    def subview(self, view: View, offset: str, shape: Sequence[str], strides: Sequence[str]) -> View:
        """A view that starts `offset` bytes further, with other extents and strides."""
        pointer = view.pointer if offset == "0" else f"({view.pointer} + {offset})"
        return View(view.buffer, view.dtype, pointer, tuple(shape), tuple(strides), also=view.also)

    def is_contiguous(self, view: View) -> bool:
        """Tell whether a view is known to be C-contiguous."""
        if view.buffer is None or view.buffer.kind == "input":
            return view.ndim == 0
        if view.whole:
            return True
        step = str(itemsize(view.dtype))
        for extent, stride in zip(reversed(view.shape), reversed(view.strides)):
            if self.find(extent) != "1" and self.find(stride) != step:
                return False
            step = self.mul(extent, step)
        return True

    def packed(self, view: View, first: int = 0) -> View:
        """Return an array of the same elements that is C-contiguous in the dimensions from `first`: the view itself where it is so at run time.

        With ``first == 1`` its rows are contiguous, wherever each of them begins.
        """
        view = self.in_memory(view)
        strides = self.contiguous_strides(view.shape, itemsize(view.dtype))
        tests = [
            f"({a} == {b} || {e} == 1)"
            for a, b, e in list(zip(map(self.find, view.strides), strides, map(self.find, view.shape)))[first:]
            if e != "1" and a != b
        ]
        if self.is_contiguous(view) or (first and not tests):
            return view
        room = self.temp(view.dtype, view.shape, local=False)
        is_packed = " && ".join(tests) or "1"
        room.buffer.nbytes = self.let(f"{is_packed} ? 0 : {room.buffer.nbytes}")
        pointer = self.name("q")
        n = view.ndim
        lists = [", ".join(values) for values in (view.shape, view.strides, room.strides)]
        steps = [(self.name("d"), old, new) for old, new in zip(view.strides[:first], room.strides)]
        text = "\n".join(
            [
                f"char *{pointer} = {view.pointer};",
                *(f"int64_t {name} = {old};" for name, old, _ in steps),
                f"if (!({is_packed})) {{",
                f"    tc_copy({n}, (const int64_t[]){{{lists[0]}}}, {room.pointer}, (const int64_t[]){{{lists[2]}}}, "
                f"{view.pointer}, (const int64_t[]){{{lists[1]}}}, {itemsize(view.dtype)});",
                f"    {pointer} = {room.pointer};",
                *(f"    {name} = {new};" for name, _, new in steps),
                "}",
            ]
        )
        self.statements.append(
            Call(text, (view.buffer, *view.also), (room.buffer,), [self.node_number], headers=("copy",), label="pack")
        )
        strides = (*(name for name, _, _ in steps), *strides[first:])
        return View(room.buffer, view.dtype, pointer, view.shape, strides, also=(view.buffer, *view.also))

    def sized(self, dtype: str, nbytes: str) -> View:
        """Return scratch memory of a size in bytes, of no shape."""
        buffer = Buffer(len(self.buffers), "temp", dtype, (), nbytes)
        self.buffers.append(buffer)
        return View(buffer, dtype, buffer.name, (), ())

    def reuses(self, view: View, *extents: str) -> bool:
        """Tell whether many products have this factor, with the same extents."""
        return False

    def reused_factor(self, view: View) -> View:
        """Return the second factor of a product in the form that suits it best, if it is used often enough."""
        return view

    # --- array work -----------------------------------------------------------------------------------

    def loop(
        self,
        domain: Sequence[str],
        loads: list[Load],
        body: list[Assign],
        stores: list[Store],
        helpers: tuple[str, ...] = (),
    ) -> None:
        """Emit a nest for the current node."""
        self.statements.append(
            Loop(tuple(map(self.find, domain)), loads, body, stores, [self.node_number], helpers)
        )

    def load(self, view: View, domain: Sequence[str]) -> Load:
        """A load that walks `view` along the domain, with stride 0 where it is broadcast."""
        strides = tuple(
            "0" if self.find(extent) == "1" and self.find(whole) != "1" else stride
            for extent, stride, whole in zip(view.shape, view.strides, domain)
        )
        return Load(self.name(), view, strides)

    def copy(self, target: View, source: View) -> None:
        """Emit ``target[...] = source`` for equal ranks (`source` may have extents 1); dtypes are converted."""
        from theano_compat.codegen.scalarbody import convert

        if target.ndim == 0:
            body, value = convert(self, self.scalar(source), source.dtype, target.dtype)
            self.statements += [*body, StoreScalar(target, value)]
            return
        if source.value is not None:
            name, loads = source.value, []
        else:
            load = self.load(source, target.shape)
            name, loads = load.name, [load]
        body, value = convert(self, name, source.dtype, target.dtype)
        self.loop(target.shape, loads, body, [Store(target, target.strides, value)])

    def fill(self, target: View, value: str) -> None:
        """Emit ``target[...] = value`` for a name or literal of the right dtype."""
        if target.ndim == 0:
            self.statements.append(StoreScalar(target, value))
        else:
            self.loop(target.shape, [], [], [Store(target, target.strides, value)])

    def call(self, text: str, reads: Sequence[View], writes: Sequence[View], **more) -> None:
        """Emit C text of its own; `reads` and `writes` say which arrays it touches."""
        read = tuple(b for v in reads for b in (v.buffer, *v.also) if b is not None)
        written = tuple(b for v in writes for b in (v.buffer, *v.also) if b is not None)
        self.statements.append(Call(text, read, written, [self.node_number], **more))


def describe(var: Variable) -> tuple[str, int, tuple[bool, ...]]:
    """Return dtype, rank and broadcast pattern of a variable that generated code can hold, or raise `NotLowered`."""
    kind = type(var.type).__name__
    if kind == "Scalar":
        dtype, broadcastable = var.type.dtype, ()
    elif kind in ("TensorType", "CudaNdarrayType") and hasattr(var.type, "broadcastable"):
        dtype, broadcastable = var.type.dtype, tuple(var.type.broadcastable)
    else:
        raise NotLowered(f"a value of type {var.type}")
    if not is_supported(dtype):
        raise NotLowered(f"dtype {dtype}")
    return dtype, len(broadcastable), broadcastable
