"""The loop IR as C99 text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.dtypes import compute_type
from theano_compat.codegen.ir import Assign, Buffer, Call, Check, LoadScalar, Loop, Repeat, Statement, StoreScalar, View
from theano_compat.codegen.print_kernel import Kernel, identity, read_element, write_element
from theano_compat.codegen.print_parts import LONG, in_parts, indented, on_stack
from theano_compat.codegen.source_file import SourceFile

__all__ = ["Printer", "identity", "read_element", "write_element"]

_words = re.compile(r"\b[A-Za-z_]\w*\b").findall


def _all(statements: Iterable[Statement]) -> Iterable[Statement]:
    """Statements, and those inside of loops."""
    for statement in statements:
        yield statement
        if isinstance(statement, Repeat):
            yield from _all(statement.body)


#: Steps before the first look at the clock, where they may not be slow and where they may.
_FIRST_STEPS = (16, 4)


def _may_be_slow(loop: Repeat) -> bool:
    """Tell whether one step of a loop may take long in work of its own: not of loops in it, which see to themselves."""
    return any(isinstance(s, Call) or isinstance(s, Loop) and not s.direct for s in loop.body)


class Printer(SourceFile):
    """A file that segments are printed into; equal kernels are printed once.

    Attributes
    ----------
    kernel_nodes : dict
        For each kernel's name the numbers of the nodes that it does the work of, for each use.
    """

    def __init__(self) -> None:
        super().__init__()
        self.watched: dict[str, str] = {}  # of the segment that is being printed: what its loops in time count
        self.kernel_nodes: dict[str, list] = {}

    def segment(
        self, symbol: str, statements, starts: dict[int, list[Buffer]], results: list[tuple[View, int, str]], buffers: Iterable[Buffer]
    ) -> None:
        """Print a segment.

        Parameters
        ----------
        symbol : str
        statements : list of Statement
        starts : dict
            Which buffers get their memory before which statement (`memory.plan`).
        results : list of (View, base, block)
            For every result: where it is, what `tc_result.base` says, the C expression of its block.
        buffers : iterable of Buffer
            All buffers, in order: what is lent, or lives on the C stack, is declared where its name is used.
        """
        everything = list(_all(statements))
        ctypes = {"": ""}
        for statement in everything:
            if isinstance(statement, Assign):
                ctypes[statement.name] = statement.ctype
            elif isinstance(statement, LoadScalar):
                ctypes[statement.name] = compute_type(statement.view.dtype)
        last: list[str] = []
        for k, (view, base, _) in enumerate(results):
            last.append(f"{{ tc_result *r = f->out + {k}; r->data = {view.pointer}; r->base = {base};")
            last += [f"  r->shape[{i}] = {e}; r->strides[{i}] = {s};" for i, (e, s) in enumerate(zip(view.shape, view.strides))]
            last.append("}")
        used = {word for line in last for word in _words(line)}
        self.watched = {}
        chunks = self._chunks(statements, starts, ctypes, used)
        # outside of all loops: an inner one, entered again and again, goes on counting
        opening, arrays = dict(self.watched), {}
        for buffer in buffers:
            if buffer.name not in used:
                continue
            if buffer.kind == "input":
                opening[buffer.name] = f"char *const {buffer.name} = f->in[{buffer.index}].data;"
            elif buffer.kind == "local":
                arrays[buffer.name] = max(int(buffer.nbytes), 1)
        text = in_parts(symbol, chunks, last, opening, arrays) if sum(map(len, chunks)) > LONG else None
        if text is None:
            lines = [*opening.values(), *(on_stack(name, size) for name, size in arrays.items())]
            lines += [line for chunk in chunks for line in chunk] + last
            text = "\n".join([f"int32_t {symbol}(tc_frame *f)", "{", *indented(lines), "    return 0;", "}"])
        self.segments.append(text)

    def _block(self, *arguments, **options) -> list[str]:
        """Print statements, as lines; the arguments are those of `_chunks`."""
        return [line for chunk in self._chunks(*arguments, **options) for line in chunk]

    def _chunks(self, statements, starts: dict[int, list[Buffer]], ctypes: dict[str, str], used: set[str], reserved: bool = False) -> list[list[str]]:
        """Print statements, each as lines, without the scalars that nothing reads; `used` holds the names that are read behind them, and then those in them.

        Parameters
        ----------
        reserved : bool
            Scratch memory of sizes that are known before has been made large enough already.
        """
        changing = {s.name for s in statements if isinstance(s, (Assign, LoadScalar))} if reserved else None
        chunks = []
        for position in range(len(statements) - 1, -1, -1):
            statement = statements[position]
            if isinstance(statement, (Assign, LoadScalar)) and statement.name not in used:
                lines = []
            elif isinstance(statement, Repeat):
                lines = self._repeat(statement, ctypes, used)
            else:
                lines = self._statement(statement, ctypes)
            for buffer in reversed(starts.get(position, ())):
                lines = self._memory(buffer, changing) + lines
            used.update(word for line in lines for word in _words(line))
            chunks.append(lines)
        return chunks[::-1]

    def _repeat(self, loop: Repeat, ctypes: dict[str, str], used: set[str]) -> list[str]:
        """Print a loop in time."""
        n = loop.counter
        end = [f"if ({loop.stop}) {{ todo--; left_{n} += todo; end_{n} = {n} -= todo; break; }}"] if loop.stop is not None else []
        end += loop.advance
        used.update(word for line in end for word in _words(line))
        body = self._block(loop.body, loop.starts, ctypes, used, reserved=True)
        changing = {s.name for s in loop.body if isinstance(s, (Assign, LoadScalar))}
        reserve = dict.fromkeys(
            f"if ({loop.count} > 0 && tc_scratch(f, {buffer.index}, {buffer.nbytes}, 0) == NULL) return TC_MEMORY;"
            for buffers in loop.starts.values()
            for buffer in buffers
            if buffer.kind == "temp" and buffer.nbytes not in changing
        )
        lines = self._branch(loop, [*body, *end]) if loop.branch else self._steps(loop, [*body, *end])
        return [*reserve, *loop.opening, f"int64_t {n} = 0;", *lines]

    def _steps(self, loop: Repeat, step: list[str]) -> list[str]:
        """Print a loop that finds out, now and then, whether to go on (csrc/watch.h).

        It is a loop over loops of some steps: in the inner one, whose steps may be short, the compiler sees no call, and no counter that outlives one.
        """
        n, left = loop.counter, f"left_{loop.counter}"
        return [
            f"int64_t end_{n} = {loop.count};",
            f"while ({n} < end_{n}) {{",
            f"    int64_t todo = end_{n} - {n} < {left} ? end_{n} - {n} : {left};",
            f"    {n} += todo;",
            f"    {left} -= todo;",
            "    for (; todo > 0; todo--) {",
            *indented(step, 2),
            "    }",
            f"    {self._look(loop)}",
            "}",
        ]

    def _branch(self, loop: Repeat, step: list[str]) -> list[str]:
        """Print a loop of one step or none. A slow step counts on its own: the steps around it may be short as long as it is not taken."""
        look = [f"    left_{loop.counter}--;", f"    {self._look(loop)}"] if _may_be_slow(loop) else []
        return [f"for (; {loop.counter} < {loop.count}; {loop.counter}++) {{", *indented(step), *look, "}"]

    def _look(self, loop: Repeat) -> str:
        """Print what looks at the clock, and ends the call if the caller wants that, where a loop has made the steps that it had left."""
        n = loop.counter
        self.headers["watch"] = None
        self.watched[f"left_{n}"] = f"int64_t left_{n} = {_FIRST_STEPS[_may_be_slow(loop)]}; tc_watch watch_{n} = {{0, 0}};"
        leave = f"return tc_fail(f, {int(ErrorCode.INTERRUPTED)}, {loop.nodes[0]}, {n}, 0, 0, 0, 0, 0);"
        return f"if (left_{n} <= 0 && (left_{n} = tc_look(f, &watch_{n})) < 0) {leave}"

    def _memory(self, buffer: Buffer, changing: set[str] | None = None) -> list[str]:
        if buffer.kind == "temp" and changing is not None and buffer.nbytes not in changing:
            return [f"char *const {buffer.name} = f->slots[{buffer.index}].block;"]
        if buffer.kind == "temp":
            maker = f"tc_scratch(f, {buffer.index}, {buffer.nbytes}, {buffer.idle:#x})"
        elif buffer.kind == "alias":
            return [f"char *const {buffer.name} = {buffer.home};"]
        elif buffer.kind == "output":
            maker = f"tc_new(f, {buffer.index}, {buffer.nbytes})"
        else:
            return []
        return [
            f"char *const {buffer.name} = {maker};",
            f"if ({buffer.name} == NULL) return TC_MEMORY;",
        ]

    def _statement(self, statement: Statement, ctypes: dict[str, str]) -> list[str]:
        if isinstance(statement, Assign):
            self.helpers.update(dict.fromkeys(statement.helpers))
            if statement.block:
                return [f"{statement.ctype} {statement.name}; {statement.expr}"]
            return [f"const {statement.ctype} {statement.name} = {statement.expr};"]
        if isinstance(statement, LoadScalar):
            view = statement.view
            guard = f"!({statement.guard}) ? 0 : " if statement.guard else ""
            return [f"const {compute_type(view.dtype)} {statement.name} = {guard}{read_element(view.pointer, view.dtype)};"]
        if isinstance(statement, StoreScalar):
            return [write_element(statement.view.pointer, statement.view.dtype, statement.value)]
        if isinstance(statement, Check):
            details = ", ".join(f"(int64_t)({d})" for d in (*statement.details, *["0"] * (6 - len(statement.details))))
            return [f"if (!({statement.condition})) return tc_fail(f, {statement.code}, {statement.node}, {details});"]
        if isinstance(statement, Loop):
            return self._loop(statement, ctypes)
        if isinstance(statement, Call):
            self.helpers.update(dict.fromkeys(statement.helpers))
            self.headers.update(dict.fromkeys(statement.headers))
            self.externals.update(dict.fromkeys(statement.externals))
            return statement.text.split("\n")
        raise TypeError(statement)

    def _loop(self, loop: Loop, ctypes: dict[str, str]) -> list[str]:
        self.helpers.update(dict.fromkeys(loop.helpers))
        kernel = Kernel(loop, ctypes)
        if not loop.direct:
            self.headers["nest"] = None
            self.externals["pool"] = None
            self.helpers.update(dict.fromkeys(kernel.parts()))
        text = kernel.direct() if loop.direct else kernel.function()
        name = self.kernels.setdefault(text, f"tc_kernel_{len(self.kernels)}")
        self.kernel_nodes.setdefault(name, []).append(loop.nodes)
        return kernel.run_directly(name) if loop.direct else kernel.run(name)
