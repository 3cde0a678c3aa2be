"""Where the time of compiled functions goes: per function, class of ops, op and node; and how much memory they need.

The flag ``profile=True`` measures every function and prints when the program ends; the parameter of that name
of :func:`theano.function` measures one. The figures are kept in :class:`ProfileStats`.
"""

from __future__ import annotations

import atexit
import copy
import heapq
import logging
import operator
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TextIO

import numpy as np

from theano_compat import config

__all__ = ["ProfileStats", "ScanProfileStats", "print_global_stats", "register_profiler_printer"]

_logger = logging.getLogger("theano.compile.profiling")

theano_imported_time: float = time.time()
# Totals over all functions of the program.
total_fct_exec_time: float = 0.0
total_graph_opt_time: float = 0.0
total_time_linker: float = 0.0

_atexit_print_list: list[ProfileStats] = []
_atexit_registered = False
_profiler_printers: list[Callable[..., Any]] = []


def register_profiler_printer(fct: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``fct(message, compile_time, fct_call_time, apply_time, apply_cimpl, outputs_size, file)`` add to summaries."""
    _profiler_printers.append(fct)
    return fct


def print_global_stats() -> None:
    """Print the totals of the program to the destination of the profiles."""
    stream = _destination()
    try:
        print("=" * 50, file=stream)
        print(
            f"Global stats: Time elasped since Theano import = {time.time() - theano_imported_time:6.3f}s, "
            f"Time spent in Theano functions = {total_fct_exec_time:6.3f}s, Time spent compiling Theano functions: "
            f" optimization = {total_graph_opt_time:6.3f}s, linker = {total_time_linker:6.3f}s ",
            file=stream,
        )
        print("=" * 50, file=stream)
    finally:
        _close(stream)


def _destination() -> TextIO:
    name = config.profiling.destination
    if name in ("stderr", "stdout"):
        return getattr(sys, name)
    return open(name, "a")


def _close(stream: TextIO) -> None:
    if stream not in (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__):
        stream.close()


def _print_at_exit() -> None:
    """Print all profiles, the slowest function first, and their sum if there are several."""
    shown = sorted(_atexit_print_list, key=lambda p: p.compile_time + p.fct_call_time, reverse=True)
    if config.profile or any(p.fct_callcount or p.compile_time for p in shown):
        stream = _destination()
        try:
            limit = config.profiling.n_ops
            for profile in shown:
                if profile.fct_callcount or profile.compile_time or config.profiling.debugprint:
                    profile.summary(file=stream, n_ops_to_print=limit, n_apply_to_print=config.profiling.n_apply)
            if len(shown) > 1:
                total = _sum_of(shown)
                total.summary(file=stream, n_ops_to_print=limit, n_apply_to_print=config.profiling.n_apply)
        finally:
            _close(stream)
    if config.print_global_stats:
        print_global_stats()


_SUMMED_NUMBERS = (
    "compile_time", "fct_call_time", "fct_callcount", "vm_call_time", "optimizer_time", "linker_time",
    "validate_time", "import_time", "linker_node_make_thunks", "nb_nodes",
)
_SUMMED_DICTS = ("apply_time", "apply_callcount", "apply_cimpl", "output_size", "variable_shape", "variable_strides")


def _sum_of(profiles: Sequence[ProfileStats]) -> ProfileStats:
    total = copy.copy(profiles[0])
    total.message = f"Sum of all({len(profiles)}) printed profiles at exit excluding Scan op profile."
    for name in _SUMMED_NUMBERS:
        setattr(total, name, sum(getattr(p, name) for p in profiles if not isinstance(p, ScanProfileStats)))
    for name in _SUMMED_DICTS:
        merged: dict[Any, Any] = {}
        for profile in profiles:
            merged.update(getattr(profile, name))
        setattr(total, name, merged)
    total.linker_make_thunk_time = {}
    return total


def _bytes_text(amount: float) -> str:
    return f"{int(round(amount / 1024.0))}KB"


class ProfileStats:
    """The times of one function.

    Parameters
    ----------
    atexit_print : bool
        Print the summary when the program ends.
    flag_time_thunks : bool, optional
        Time each node; ``config.profiling.time_thunks`` if not given.
    gpu_checks : bool
        Historic, without effect.
    **kwargs : object
        Attributes to set, such as ``message``.

    Attributes
    ----------
    message : str
        The heading.
    compile_time, optimizer_time, linker_time, validate_time, import_time : float
        Seconds of compiling, and of its parts.
    fct_callcount, fct_call_time, vm_call_time : int, float, float
        Calls, seconds in them, seconds of the running graph.
    apply_time, apply_callcount, apply_cimpl : dict
        For each node its seconds, its calls, whether it is compiled.
    variable_shape, variable_strides : dict
        What the memory profile has seen.
    """

    # Deepest level of the tables, and how a column of percentages is headed.
    def __init__(
        self, atexit_print: bool = True, flag_time_thunks: bool | None = None, gpu_checks: bool = True, **kwargs: Any
    ):
        self.compile_time = 0.0
        self.fct_call_time = 0.0
        self.vm_call_time = 0.0
        self.fct_callcount = 0
        self.optimizer_time = 0.0
        self.validate_time = 0.0
        self.linker_time = 0.0
        self.import_time = 0.0
        self.linker_node_make_thunks = 0.0
        self.linker_make_thunk_time: dict[Any, float] = {}
        self.nb_nodes = -1
        self.line_width = config.profiling.output_line_width
        self.optimizer_profile: Any = None
        self.message: str | None = None
        self.ignore_first_call = config.profiling.ignore_first_call
        self.apply_time: dict[Any, float] = {}
        self.apply_callcount: dict[Any, int] = {}
        self.apply_cimpl: dict[Any, bool] = {}
        self.output_size: dict[Any, int] = {}
        self.variable_shape: dict[Any, Any] = {}
        self.variable_strides: dict[Any, Any] = {}
        self.variable_offset: dict[Any, Any] = {}
        self.dependencies: Any = None
        self.flag_time_thunks = config.profiling.time_thunks if flag_time_thunks is None else flag_time_thunks
        self.__dict__.update(kwargs)
        if atexit_print:
            global _atexit_registered
            _atexit_print_list.append(self)
            if not _atexit_registered:
                atexit.register(_print_at_exit)
                _atexit_registered = True

    def reset(self) -> None:
        """Forget the calls; what is known of compiling stays."""
        self.fct_call_time = self.vm_call_time = 0.0
        self.fct_callcount = 0
        for table in (self.apply_time, self.apply_callcount, self.apply_cimpl, self.output_size):
            table.clear()

    # ---- figures per class and op ---------------------------------------------------------------------

    def _grouped(self, key: Callable[[Any], Any], table: dict[Any, Any] | None) -> dict[Any, Any]:
        """Sums over nodes; of ones if there is no table."""
        sums: dict[Any, Any] = {}
        for node in self.apply_time:
            group = key(node)
            sums[group] = sums.get(group, 0) + (1 if table is None else table.get(node, 0))
        return sums

    def _implementations(self, key: Callable[[Any], Any]) -> dict[Any, str]:
        kinds: dict[Any, set[str]] = defaultdict(set)
        for node in self.apply_time:
            kinds[key(node)].add("C" if self.apply_cimpl.get(node) else "Py")
        return {group: "Py" if found == {"Py"} else "C" if found == {"C"} else "C/Py" for group, found in kinds.items()}

    @staticmethod
    def _class_of(node: Any) -> type:
        return node.op.__class__

    @staticmethod
    def _op_of(node: Any) -> Any:
        return node.op

    def class_time(self) -> dict[type, float]:
        """Seconds for each class of ops."""
        return self._grouped(self._class_of, self.apply_time)

    def class_callcount(self) -> dict[type, int]:
        """Calls for each class of ops."""
        return self._grouped(self._class_of, self.apply_callcount)

    def class_nodes(self) -> dict[type, int]:
        """Nodes for each class of ops."""
        return self._grouped(self._class_of, None)

    def class_impl(self) -> dict[type, str]:
        """For each class of ops how it is implemented: ``C``, ``Py`` or both."""
        return self._implementations(self._class_of)

    def op_time(self) -> dict[Any, float]:
        """Seconds for each op."""
        return self._grouped(self._op_of, self.apply_time)

    def op_callcount(self) -> dict[Any, int]:
        """Calls for each op."""
        return self._grouped(self._op_of, self.apply_callcount)

    def op_nodes(self) -> dict[Any, int]:
        """Nodes for each op."""
        return self._grouped(self._op_of, None)

    def op_impl(self) -> dict[Any, str]:
        """For each op how it is implemented."""
        return self._implementations(self._op_of)

    def fill_node_total_time(self, node: Any, total_times: dict[Any, float]) -> None:
        """Put into `total_times` the seconds of `node` and of all that lies before it."""
        stack = [node]
        while stack:
            current = stack[-1]
            sources = {v.owner for v in current.inputs if v.owner is not None}
            missing = [n for n in sources if n not in total_times]
            if current in total_times:
                stack.pop()
            elif missing:
                stack.extend(missing)
            else:
                total_times[current] = self.apply_time.get(current, 0.0) + sum(total_times[n] for n in sources)
                stack.pop()

    def compute_total_times(self) -> dict[Any, float]:
        """For each node its seconds and those of all that lies before it."""
        total_times: dict[Any, float] = {}
        for node in self.apply_time:
            self.fill_node_total_time(node, total_times)
        return total_times

    # ---- tables ---------------------------------------------------------------------------------------

    def _table(
        self,
        file: TextIO,
        title: str,
        header: str,
        rows: Iterable[tuple[float, str, str, list[str]]],
        limit: int,
        remaining: str,
    ) -> None:
        """Print rows of (seconds, columns, name, further lines), the slowest first, as shares of the whole."""
        ordered = sorted(rows, key=lambda row: row[0], reverse=True)
        whole = sum(row[0] for row in ordered)
        if not whole:
            return
        print(title, file=file)
        print("------" if title == "Apply" else "---", file=file)
        print(header, file=file)
        so_far = 0.0
        for seconds, columns, name, details in ordered[:limit]:
            so_far += seconds
            line = (
                f"{seconds / whole * 100:6.1f}%   {so_far / whole * 100:5.1f}%     {seconds:7.3f}s     {columns}   {name}"
            )
            print(line[: self.line_width], file=file)
            for detail in details:
                print(detail, file=file)
        rest = ordered[limit:]
        share = sum(row[0] for row in rest) / whole * 100
        print(
            f"   ... (remaining {len(rest)} {remaining} {share:6.2f}%({sum(row[0] for row in rest):.2f}s) of the runtime)"
            if remaining != "Apply instances account for"
            else f"   ... (remaining {len(rest)} {remaining} {share:.2f}%({sum(row[0] for row in rest):.2f}s) of the runtime)",
            file=file,
        )
        print("", file=file)

    def _group_rows(
        self, times: dict[Any, float], calls: dict[Any, int], nodes: dict[Any, int], kinds: dict[Any, str],
        name: Callable[[Any], str], width: int,
    ) -> list[tuple[float, str, str, list[str]]]:
        return [
            (
                seconds,
                f"{seconds / max(calls[group], 1):.2e}s     {kinds[group]:>2s}   {calls[group]:5d}   {nodes[group]:{width}d}",
                name(group),
                [],
            )
            for group, seconds in times.items()
        ]

    def summary_class(self, file: TextIO = sys.stderr, N: int | None = None) -> None:
        """Print the seconds per class of ops."""
        if not self.apply_time:
            _logger.warning("summary_class called when total time is 0")
            return
        rows = self._group_rows(
            self.class_time(), self.class_callcount(), self.class_nodes(), self.class_impl(),
            lambda c: f"{c.__module__}.{c.__name__}".replace("theano_compat.", "theano.", 1), 1,
        )
        header = "<% time> <sum %> <apply time> <time per call> <type> <#call> <#apply> <Class name>"
        self._table(file, "Class", header, rows, N or len(rows), "Classes account for")

    def summary_ops(self, file: TextIO = sys.stderr, N: int | None = None) -> None:
        """Print the seconds per op."""
        if not self.apply_time:
            _logger.warning("summary_ops called when total time is 0")
            return
        rows = self._group_rows(self.op_time(), self.op_callcount(), self.op_nodes(), self.op_impl(), str, 2)
        header = "<% time> <sum %> <apply time> <time per call> <type> <#call> <#apply> <Op name>"
        self._table(file, "Ops", header, rows, N or len(rows), "Ops account for")

    def _node_details(self, node: Any) -> list[str]:
        lines = []
        for what, variables in (("input", node.inputs), ("output", node.outputs)):
            for position, variable in enumerate(variables):
                shape = self.variable_shape.get(variable, "no shape")
                strides = self.variable_strides.get(variable, "no strides")
                dtype = getattr(variable.type, "dtype", "no dtype")
                lines.append(f"    {what} {position}: dtype={dtype}, shape={shape}, strides={strides}")
        return lines

    def summary_nodes(self, file: TextIO = sys.stderr, N: int | None = None) -> None:
        """Print the seconds per node, with the shapes that were seen."""
        if not self.apply_time:
            _logger.warning("summary_nodes called when total time is 0")
            return
        position_of: dict[Any, int] = {}
        for fgraph in {node.fgraph for node in self.apply_time if getattr(node, "fgraph", None) is not None}:
            position_of.update({node: position for position, node in enumerate(fgraph.toposort())})
        rows = []
        for node, seconds in self.apply_time.items():
            calls = self.apply_callcount.get(node, 0)
            columns = f"{seconds / max(calls, 1):.2e}s   {calls:4d} {position_of.get(node, -1):5d}"
            rows.append((seconds, columns, str(node), self._node_details(node)))
        header = "<% time> <sum %> <apply time> <time per call> <#call> <id> <Apply name>"
        self._table(file, "Apply", header, rows, N or len(rows), "Apply instances account for")

    def summary_function(self, file: TextIO) -> None:
        """Print the seconds of the function as a whole and of its compilation."""
        print("Function profiling", file=file)
        print("==================", file=file)
        print(f"  Message: {self.message}", file=file)
        if self.fct_callcount > 0:
            in_thunks = sum(self.apply_time.values())
            whole = max(self.fct_call_time, 1e-12)
            print(f"  Time in {self.fct_callcount} calls to Function.__call__: {self.fct_call_time:e}s", file=file)
            print(
                f"  Time in Function.fn.__call__: {self.vm_call_time:e}s ({self.vm_call_time / whole * 100:.3f}%)", file=file
            )
            if in_thunks:
                print(f"  Time in thunks: {in_thunks:e}s ({in_thunks / whole * 100:.3f}%)", file=file)
        if self.compile_time:
            print(f"  Total compile time: {self.compile_time:e}s", file=file)
            print(f"    Number of Apply nodes: {self.nb_nodes}", file=file)
            print(f"    Theano Optimizer time: {self.optimizer_time:e}s", file=file)
            print(f"       Theano validate time: {self.validate_time:e}s", file=file)
            print(
                f"    Theano Linker time (includes C, CUDA code generation/compiling): {self.linker_time:e}s", file=file
            )
            print(f"       Import time {self.import_time:e}s", file=file)
            print(f"       Node make_thunk time {self.linker_node_make_thunks:e}s", file=file)
            slowest = sorted((self.linker_make_thunk_time or {}).items(), key=operator.itemgetter(1), reverse=True)
            for node, seconds in slowest[:5]:
                print(f"           Node {node} time {seconds:e}s", file=file)
        print("", file=file)

    def summary_globals(self, file: TextIO) -> None:
        """Print the seconds in all calls of grad and since the import."""
        from theano_compat import gradient

        print(f"Time in all call to theano.grad() {gradient.grad_time:e}s", file=file)
        print(f"Time since theano import {time.time() - theano_imported_time:.3f}s", file=file)

    # ---- memory ---------------------------------------------------------------------------------------

    def _variable_bytes(self, variable: Any) -> int:
        shape = self.variable_shape.get(variable)
        dtype = getattr(variable.type, "dtype", None)
        if shape is None or isinstance(shape, str) or dtype is None:
            return 0
        return int(np.prod([int(extent) for extent in shape], dtype="int64")) * np.dtype(dtype).itemsize

    def _peaks(self, order: Sequence[Any], ignore_maps: bool) -> tuple[int, int]:
        """The most bytes alive at one time when buffers are freed after their last use, and the sum of all."""
        uses: dict[Any, int] = defaultdict(int)
        for node in order:
            for variable in set(node.inputs):
                uses[variable] += 1
        for node in order:
            for variable in node.outputs:
                # What is returned has one more user, who never lets go.
                uses[variable] += any(client == "output" for client, _ in variable.clients)
        alive = peak = total = 0
        owner_of: dict[Any, Any] = {}
        left = dict(uses)
        for node in order:
            maps = {} if ignore_maps else {
                **(getattr(node.op, "view_map", None) or {}), **(getattr(node.op, "destroy_map", None) or {})
            }
            for position, variable in enumerate(node.outputs):
                if maps.get(position):
                    source = node.inputs[maps[position][0]]
                    owner_of[variable] = owner_of.get(source)
                    left[owner_of[variable]] = left.get(owner_of[variable], 0) + left.get(variable, 0)
                    continue
                owner_of[variable] = variable
                alive += self._variable_bytes(variable)
                total += self._variable_bytes(variable)
            peak = max(peak, alive)
            for variable in set(node.inputs):
                root = owner_of.get(variable)
                if root is None:
                    continue
                left[root] = left.get(root, 1) - 1
                if left[root] == 0:
                    alive -= self._variable_bytes(root)
        return peak, total

    def _minimum_peak(self, order: Sequence[Any], limit: int = 50_000) -> int | None:
        """The least peak of bytes over all orders that the graph allows; None if there are too many to try.

        Notes
        -----
        A state is the set of nodes that have run. What is alive depends on that set alone, so that the path with the
        lowest highest point is found as shortest paths are.
        """
        position = {node: i for i, node in enumerate(order)}
        owner_of: dict[Any, Any] = {}
        for node in order:
            maps = {**(getattr(node.op, "view_map", None) or {}), **(getattr(node.op, "destroy_map", None) or {})}
            for i, variable in enumerate(node.outputs):
                owner_of[variable] = owner_of.get(node.inputs[maps[i][0]]) if maps.get(i) else variable
        users: dict[Any, int] = defaultdict(int)
        needs, makes = [], []
        for node in order:
            needs.append(sum(1 << position[n] for n in {v.owner for v in node.inputs if v.owner in position}))
            makes.append([v for v in node.outputs if owner_of[v] is v])
            for variable in node.inputs:
                root = owner_of.get(variable)
                if root is not None:
                    users[root] |= 1 << position[node]
        kept = {owner_of.get(v) for node in order for v in node.outputs if any(c == "output" for c, _ in v.clients)}
        cost = {root: self._variable_bytes(root) for root in owner_of.values() if root is not None}

        def alive(done: int) -> int:
            return sum(
                size
                for root, size in cost.items()
                if done >> position[root.owner] & 1 and (root in kept or users[root] & ~done)
            )

        everything = (1 << len(order)) - 1
        heap, best = [(0, 0)], {0: 0}
        while heap:
            peak, done = heapq.heappop(heap)
            if done == everything:
                return peak
            if len(best) > limit:
                return None
            before = alive(done)
            for i in range(len(order)):
                if done >> i & 1 or needs[i] & ~done:
                    continue
                reached = done | 1 << i
                height = max(peak, before + sum(cost[v] for v in makes[i]))
                if height < best.get(reached, height + 1):
                    best[reached] = height
                    heapq.heappush(heap, (height, reached))
        return 0

    def summary_memory(self, file: TextIO, N: int | None = None) -> None:
        """Print how much memory the nodes' outputs took, for functions compiled under ``profile_memory=True``."""
        fgraphs = {node.fgraph for node in self.apply_time if getattr(node, "fgraph", None) is not None}
        if not self.variable_shape or not fgraphs:
            return
        orders = [fgraph.toposort() for fgraph in fgraphs]
        peaks = [self._peaks(order, False) for order in orders]
        without = [self._peaks(order, True) for order in orders]
        print("Memory Profile", file=file)
        print("(Sparse variables are ignored)", file=file)
        print("(For values in brackets, it's for linker = c|py", file=file)
        print("---", file=file)
        current, plain = max(p for p, _ in peaks), max(p for p, _ in without)
        for title, amount, brackets in (
            ("Max peak memory with current setting", current, True),
            ("Max peak memory with current setting and Theano flag optimizer_excluding=inplace", plain, True),
            ("Max peak memory if allow_gc=False (linker don't make a difference)", max(t for _, t in peaks), False),
        ):
            text, nothing = _bytes_text(amount), "0KB"
            if brackets:
                text, nothing = f"{text} ({text})", "0KB (0KB)"
            print(f"    {title}\n        CPU: {text}\n        GPU: {nothing}\n        CPU + GPU: {text}", file=file)
        if config.profiling.min_peak_memory:
            start = time.perf_counter()
            least = [self._minimum_peak(order) for order in orders]
            if None not in least:
                print(
                    f"---\n    Minimum peak from all valid apply node order is {_bytes_text(max(least))}"
                    f"(took {time.perf_counter() - start:.3f}s to compute)",
                    file=file,
                )
        print("---\n", file=file)
        print(
            "    <Sum apply outputs (bytes)> <Apply outputs shape> <created/inplace/view> <Apply node>\n",
            file=file,
        )
        rows = []
        for order in orders:
            for node in order:
                amount = sum(self._variable_bytes(v) for v in node.outputs)
                destroy = getattr(node.op, "destroy_map", None) or {}
                view = getattr(node.op, "view_map", None) or {}
                kinds = [
                    "i" if destroy.get(i) else "v" if view.get(i) else "c" for i in range(len(node.outputs))
                ]
                shapes = [str(self.variable_shape.get(v, "no shape")) for v in node.outputs]
                rows.append((amount, ", ".join(shapes), ", ".join(kinds), str(node)))
        rows.sort(key=lambda row: row[0], reverse=True)
        smallest = config.profiling.min_memory_size
        for amount, shapes, kinds, node in [row for row in rows if row[0] >= smallest][:N]:
            print(f"     {amount:9d}B  [{shapes}] {kinds} {node}"[: self.line_width], file=file)
        small = [row for row in rows if row[0] < smallest]
        share = sum(row[0] for row in small)
        whole = max(sum(row[0] for row in rows), 1)
        print(
            f"   ... (remaining {len(small)} Apply account for {share:4d}B/{whole}B ({share / whole * 100:.2f}%) of the "
            "Apply with dense outputs sizes)\n\n"
            "    <created/inplace/view> is what the op declares. Nodes marked inplace or view may still allocate memory;\n"
            "    DebugMode shows that.\n",
            file=file,
        )

    # ---- the whole ------------------------------------------------------------------------------------

    def summary(self, file: TextIO = sys.stderr, n_ops_to_print: int = 20, n_apply_to_print: int = 20) -> None:
        """Print everything.

        Parameters
        ----------
        file : file object
            Where.
        n_ops_to_print, n_apply_to_print : int
            How many rows the tables have.
        """
        self.summary_function(file)
        self.summary_globals(file)
        if sum(self.apply_time.values()) > 0:
            self.summary_class(file, n_ops_to_print)
            self.summary_ops(file, n_ops_to_print)
            self.summary_nodes(file, n_apply_to_print)
        elif self.fct_callcount > 0:
            print("  No execution time accumulated (hint: try config profiling.time_thunks=1)", file=file)
        if config.profiling.debugprint and self.apply_time:
            from theano_compat.printing import debugprint

            for fgraph in {node.fgraph for node in self.apply_time if getattr(node, "fgraph", None) is not None}:
                debugprint(fgraph, file=file, print_type=True)
        if self.variable_shape:
            self.summary_memory(file, n_apply_to_print)
        if self.optimizer_profile:
            print("Optimizer Profile", file=file)
            print("-----------------", file=file)
            optimizer, data = self.optimizer_profile
            optimizer.print_profile(file, data)
        self.print_extra(file)
        self.print_tips(file)

    def print_tips(self, file: TextIO) -> None:
        """Print what may make the function faster."""
        print(
            "Here are tips to potentially make your code run faster\n"
            "                 (if you think of new ones, suggest them on the mailing list).\n"
            "                 Test them first, as they are not guaranteed to always provide a speedup.",
            file=file,
        )
        tips = []
        dtypes = {
            getattr(v.type, "dtype", None) for node in self.apply_time for v in [*node.inputs, *node.outputs]
        }
        if config.floatX == "float64" and "float64" in dtypes:
            tips.append("Try the Theano flag floatX=float32")
        slow = [
            op for op, seconds in self.op_time().items()
            if self.op_impl().get(op) == "Py" and seconds > 0.1 * max(sum(self.apply_time.values()), 1e-12)
        ]
        if slow and any(impl == "C" for impl in self.op_impl().values()):
            tips.append("These ops run in Python and take much of the time: " + ", ".join(map(str, slow[:5])))
        if self.fct_callcount and self.fct_call_time > 2 * max(self.vm_call_time, 1e-12):
            tips.append("Most of the time goes into the call itself: set f.trust_input = True, or do more in one call")
        for tip in tips or ["Sorry, no tip for today."]:
            print(f"  - {tip}" if tips else f"  {tip}", file=file)

    def print_extra(self, file: TextIO) -> None:
        """Print what the registered printers add."""
        for printer in _profiler_printers:
            printer(
                self.message, self.compile_time, self.fct_call_time, self.apply_time, self.apply_cimpl,
                self.output_size, file,
            )


class ScanProfileStats(ProfileStats):
    """The times of one scan.

    Parameters
    ----------
    atexit_print : bool
        Print the summary when the program ends.
    name : str, optional
        The scan's name.

    Attributes
    ----------
    callcount, nbsteps : int
        Calls of the op, and steps in all of them.
    call_time : float
        Seconds in them.
    """

    def __init__(self, atexit_print: bool = True, name: str | None = None, **kwargs: Any):
        super().__init__(atexit_print, **kwargs)
        self.call_time = 0.0
        self.callcount = 0
        self.nbsteps = 0
        self.name = name

    def summary_globals(self, file: TextIO) -> None:
        """Print nothing: the totals belong to functions."""

    def summary_function(self, file: TextIO) -> None:
        """Print the seconds of the scan as a whole."""
        if self.callcount == 0:
            return
        heading = "Scan Op profiling (" + (f" {self.name} )" if self.name is not None else " )")
        print(heading, file=file)
        print("==================", file=file)
        print(f"  Message: {self.message}", file=file)
        print(
            f"  Time in {self.callcount} calls of the op (for a total of {self.nbsteps} steps) {self.call_time:e}s\n",
            file=file,
        )
        whole = max(self.call_time, 1e-12)
        in_thunks = sum(self.apply_time.values())
        print(f"  Total time spent in calling the VM {self.vm_call_time:e}s ({self.vm_call_time / whole * 100:.3f}%)", file=file)
        overhead = self.call_time - self.vm_call_time
        print(f"  Total overhead (computing slices..) {overhead:e}s ({overhead / whole * 100:.3f}%)", file=file)
        if in_thunks:
            print(f"  Time in thunks: {in_thunks:e}s ({in_thunks / whole * 100:.3f}%)", file=file)
        print("", file=file)


