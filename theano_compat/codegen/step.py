"""What lowerings write into inside of a loop: a builder whose statements are made again in every step.

What does not change from step to step is emitted outside, once: an expression, a check or a read of which no part is made in the loop.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from theano_compat.codegen.builder import Builder, NotLowered, is_literal
from theano_compat.codegen.dtypes import itemsize
from theano_compat.codegen.fuse import fuse
from theano_compat.codegen.ir import Buffer, Check, Loop, Statement, Store, View
from theano_compat.gof.graph import Constant, Variable

__all__ = ["BranchBuilder", "StepBuilder"]

#: Bytes up to which a factor stays in the cache (see csrc/panel.in.h).
_SMALL_FACTOR = 1 << 18
_identifier = re.compile(r"[A-Za-z_]\w*").findall


class StepBuilder(Builder):
    """The body of a loop under construction.

    Parameters
    ----------
    outer : Builder
        Where the loop stands; itself a step's, perhaps.
    count : str
        Token of the number of steps.

    Attributes
    ----------
    own : set of str
        C names that have a meaning, or change their value, in the loop only.
    rows : set of Buffer
        What begins elsewhere in every step.
    made : set of Buffer
        Arrays of the step's own.
    choices : dict of str to tuple of str
        Extents that are, in each step, one or the other of some.
    """

    def __init__(self, outer: Builder, count: str) -> None:
        super().__init__()
        self.outer = outer
        self.count = count
        self.own: set[str] = set()
        self.rows: set[Buffer] = set()
        self.made: set[Buffer] = set()
        self._later: dict[str, str] = {}
        self.choices: dict[str, tuple[str, ...]] = outer.choices if isinstance(outer, StepBuilder) else {}
        self.node_number = outer.node_number
        self.numbered, self.messages, self.buffers, self.inputs = outer.numbered, outer.messages, outer.buffers, outer.inputs

    def varies(self, *texts: str) -> bool:
        """Tell whether an expression can have another value in the next step."""
        return any(name in self.own for text in texts for name in _identifier(text))

    # --- names ----------------------------------------------------------------------------------------

    def name(self, prefix: str = "_v") -> str:
        """Return a fresh C name of the loop."""
        name = self.outer.name(prefix)
        self.own.add(name)
        return name

    def let(self, expr: str, prefix: str = "d") -> str:
        """Return a token for an ``int64_t`` expression, computed outside of the loop where that can be."""
        if is_literal(expr):
            return expr
        if re.fullmatch(r"\w+", expr):
            return self.find(expr)
        if self.varies(expr):
            return super().let(expr, prefix)
        # without a step nothing was checked: no division by zero then
        return self.find(self.outer.let(f"{self.count} > 0 ? {expr} : 0" if "/" in expr or "%" in expr else expr, prefix))

    def find(self, token: str) -> str:
        """Return the representative of a token among those proved equal so far, here or outside."""
        token = self.known(token)
        while token in self._later:
            token = self.known(self._later[token])
        return token

    def known(self, token: str) -> str:
        """Return the representative of a token among those proved equal before the first step."""
        while True:
            found = super().find(token)
            outside = self.outer.find(found)
            if outside == token:
                return token
            token = outside

    def unify(self, a: str, b: str) -> None:
        """Record that two tokens are equal; what is known outside represents what is not.

        What is found out in a step holds from there on only: statements before it must not rely on it.
        """
        a, b = self.find(a), self.find(b)
        if a != b and self.varies(b) and not self.varies(a):
            a, b = b, a
        if a != b and self.varies(a):
            self._later[a] = b
        else:
            super().unify(a, b)

    def alternatives(self, extent: str) -> tuple[str, ...]:
        """Return what an extent can be, as tokens that do not vary; none if that is not known."""
        extent = self.find(extent)
        if not self.varies(extent):
            return (extent,)
        found = [self.alternatives(e) for e in self.choices.get(extent, ())]
        return tuple(dict.fromkeys(e for each in found for e in each)) if all(found) else ()

    def settled(self, extent: str) -> str:
        """Return an extent that is the same in every step, where it is one of some that have to be equal then; else the extent."""
        first, *others = self.alternatives(extent) or (self.find(extent),)
        for other in others:
            self.require_equal_message(first, other, ValueError, "the results of the branches of an ifelse have the extents {} and {}, in a loop that keeps them in one array")
        return self.find(first)

    def emit_check(self, check: Check) -> None:
        """Take a check; it is made before the first step if it does not depend on the step."""
        if self.varies(check.condition, *check.details):
            self.statements.append(check)
            return
        self.outer.emit_check(Check(f"{self.count} <= 0 || ({check.condition})", check.code, check.node, check.details))

    # --- variables ------------------------------------------------------------------------------------

    def view(self, var: Variable) -> View:
        """Return the view of a variable of the step, or of a constant."""
        known = self.views.get(var)
        if known is None and isinstance(var, Constant):
            known = self.outer.view(var)
        if known is None:
            raise NotLowered(f"{var} is not known in the step")
        return known

    def makes(self, buffer: Buffer) -> bool:
        """Tell whether a buffer is an array that each step makes anew."""
        return buffer.kind == "temp" and buffer in self.made

    def scalar(self, view: View, guard: str = "") -> str:
        """Return a name or literal for the element of a one-element view, read before the first step where steps do not change it."""
        if view.value is None and not self.varies(view.pointer, guard):
            # without a step no index was checked
            return self.outer.scalar(view, " && ".join(filter(None, (f"{self.count} > 0", guard))))
        return super().scalar(view, guard)

    def temp(self, dtype: str, shape: Sequence[str], local: bool = True) -> View:
        """Return a new C-contiguous array of the step."""
        view = super().temp(dtype, shape, local)
        self.own.add(view.buffer.name)
        self.made.add(view.buffer)
        return view

    def sized(self, dtype: str, nbytes: str) -> View:
        """Return scratch memory of the step's."""
        view = super().sized(dtype, nbytes)
        self.own.add(view.buffer.name)
        self.made.add(view.buffer)
        return view

    def reuses(self, view: View, *extents: str) -> bool:
        """Tell whether the products of all steps have this factor, with the same extents."""
        return view.buffer is not None and not view.dtype.startswith("complex") and not self.varies(view.pointer, *view.shape, *view.strides, *extents)

    def reused_factor(self, view: View) -> View:
        """Return a small matrix that every step reads with contiguous rows, turned once."""
        size = itemsize(view.dtype)
        if view.ndim != 2 or not self.reuses(view) or self.find(view.strides[1]) == str(size):
            return view
        outer = self.outer
        room = outer.temp(view.dtype, view.shape, local=False)
        q, s0, s1 = outer.name("q"), outer.name("d"), outer.name("d")
        lists = [", ".join(values) for values in (view.shape, room.strides, view.strides)]
        few = room.buffer.nbytes = outer.let(f"{self.count} > 0 && {room.buffer.nbytes} <= {_SMALL_FACTOR} ? {room.buffer.nbytes} : 0")
        outer.call(
            f"char *{q} = {view.pointer};\nint64_t {s0} = {view.strides[0]};\nint64_t {s1} = {view.strides[1]};\n"
            f"if ({few} > 0) {{\n"
            f"    tc_copy(2, (const int64_t[]){{{lists[0]}}}, {room.pointer}, (const int64_t[]){{{lists[1]}}}, {view.pointer}, "
            f"(const int64_t[]){{{lists[2]}}}, {size});\n"
            f"    {q} = {room.pointer}, {s0} = {room.strides[0]}, {s1} = {room.strides[1]};\n}}",
            (view,), (room,), headers=("copy",), label="turn a factor",
        )  # fmt: skip
        return View(room.buffer, view.dtype, q, view.shape, (s0, s1), also=(view.buffer, *view.also))

    def row(self, dtype: str, shape: Sequence[str], pointer: str | None = None) -> View:
        """Return a C-contiguous array that begins, in every step, where `pointer` (or a new name) points to.

        Statements take different rows for different memory.
        """
        pointer = pointer or self.name("q")
        shape = tuple(map(self.find, shape))
        buffer = Buffer(len(self.buffers), "row", dtype, shape)
        self.buffers.append(buffer)
        self.rows.add(buffer)
        return View(buffer, dtype, pointer, shape, self.contiguous_strides(shape, itemsize(dtype)), tuple(range(len(shape))))

    # --- finishing ------------------------------------------------------------------------------------

    def finished(self) -> list[Statement]:
        """Return the statements with fewer loops, and those printed in place."""
        return self.in_their_rows([self.directly(s) for s in fuse(self.statements, set(), self.known)])

    def touched_nodes(self) -> list[int]:
        """Return the numbers of the node that the loop stands for and of the nodes in it."""
        return [self.outer.node_number, *dict.fromkeys(n for s in self.statements for n in getattr(s, "nodes", ()))]

    def directly(self, statement: Statement) -> Statement:
        """Print a nest in place, where what it takes to walk the arrays well is known while compiling."""
        if not isinstance(statement, Loop):
            return statement
        keep = [i for i, extent in enumerate(map(self.known, statement.domain)) if extent != "1"]
        domain = [self.known(statement.domain[i]) for i in keep]
        walks = [[self.known(o.strides[i]) for i in keep] for o in (*statement.loads, *statement.stores)]
        for d in range(len(domain) - 2, -1, -1):
            if self.varies(domain[d], domain[d + 1], *(w[d + 1] for w in walks)):
                continue
            if all(w[d] == self.mul(w[d + 1], domain[d + 1]) for w in walks):
                domain[d] = self.mul(domain[d], domain.pop(d + 1))
                for w in walks:
                    del w[d]
        sizes = [str(itemsize(o.view.dtype)) for o in (*statement.loads, *statement.stores)]

        def walks_well(axis: int) -> bool:
            return all(w[axis] in ("0", size) for w, size in zip(walks, sizes)) and any(w[axis] != "0" for w in walks)

        if len(domain) > 2:
            return statement
        if len(domain) == 2 and not walks_well(1) and walks_well(0):
            domain.reverse()
            for w in walks:
                w.reverse()
        if domain and not walks_well(-1):
            return statement
        n = len(statement.loads)
        loads = [type(o)(o.name, o.view, tuple(w)) for o, w in zip(statement.loads, walks)]
        stores = [Store(o.view, tuple(w), o.value, o.reducer) for o, w in zip(statement.stores, walks[n:])]
        return Loop(tuple(domain), loads, statement.body, stores, statement.nodes, statement.helpers, direct=True)

    def in_their_rows(self, statements: list[Statement]) -> list[Statement]:
        """Make arrays where they end up: a temp that a later statement only copies into a row becomes that row."""
        touched: dict[Buffer, list[int]] = {}
        for position, statement in enumerate(statements):
            for buffer in {*statement.reads(), *statement.writes()}:
                touched.setdefault(buffer, []).append(position)
        gone = set()
        for position, statement in enumerate(statements):
            made = self._copied(statement)
            if made is None:
                continue
            row = statement.stores[0].view
            first = touched[made][0]
            begins_as_copy = self._is_copy(statements[first], row.buffer, made)
            if any(first + begins_as_copy <= p < position for p in touched[row.buffer]):
                continue
            made.kind, made.home = "alias", row.pointer
            gone.add(position)
            if begins_as_copy:
                gone.add(first)  # what is changed a little is changed in place
            touched[row.buffer] = sorted({*touched[row.buffer], *touched[made]})
        return [s for position, s in enumerate(statements) if position not in gone]

    def _is_copy(self, statement: Statement, source: Buffer, target: Buffer) -> bool:
        """Tell whether a loop does nothing but copy all of one array into another."""
        if not isinstance(statement, Loop) or len(statement.loads) != 1 or len(statement.stores) != 1 or statement.body:
            return False
        load, store = statement.loads[0], statement.stores[0]
        same = load.view.buffer is source and store.view.buffer is target and store.value == load.name and store.reducer is None
        whole = same and load.view.whole and store.view.whole and load.view.dtype == store.view.dtype
        return whole and all(self.known(a) == self.known(b) for a, b in zip(load.strides, store.strides))

    def _copied(self, statement: Statement) -> Buffer | None:
        """Return the temp that a loop does nothing with but copy all of it into a row."""
        if not isinstance(statement, Loop) or len(statement.loads) != 1 or len(statement.stores) != 1 or statement.body:
            return None
        load, store = statement.loads[0], statement.stores[0]
        source = load.view
        plain = store.reducer is None and store.value == load.name and store.view.buffer.kind == "row" and source.dtype == store.view.dtype
        if not plain or source.buffer is None or source.buffer.kind not in ("temp", "local") or not source.whole or source.also:
            return None
        pairs = [*zip(source.shape, store.view.shape), *zip(load.strides, store.strides)]
        if any(self.known(a) != self.known(b) for a, b in pairs):
            return None
        return source.buffer if source.buffer.name in self.own else None


class BranchBuilder(StepBuilder):
    """Statements that are made only if a condition holds: a loop of one step or none, which sees all that is around it.

    Memory is not read before the branch: it may be changed in it, and what is read may not be there where the branch is not taken.

    Parameters
    ----------
    outer : StepBuilder
    count : str
        Token that is 1 or 0.
    """

    def view(self, var: Variable) -> View:
        """Return the view of a variable of the branch, or of what is around it."""
        known = self.views.get(var)
        return self.outer.view(var) if known is None else known

    def scalar(self, view: View, guard: str = "") -> str:
        """Return a name or literal for the element of a one-element view."""
        return Builder.scalar(self, view, guard)

    def reuses(self, view: View, *extents: str) -> bool:
        """Tell that a factor is used once."""
        return False
