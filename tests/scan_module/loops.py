"""Random loops, compiled, against the same loops unrolled: ``python -m tests.scan_module.loops --seeds 0 1000``.

The unrolled graph is not rewritten, and each of its nodes runs through NumPy: nothing of the compiled loop has a part in it.
"""

from __future__ import annotations

import argparse
import collections
import sys
import time
import traceback
from dataclasses import dataclass, field

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from tests.scan_module.step_programs import Kind, Program, broadcast_to
from theano_compat.codegen.schedule import Island
from theano_compat.scan_module.scan_op import Scan

__all__ = ["Call", "RandomLoop", "Wild", "check", "islands"]

MODES = {
    "rewritten": lambda: theano.compile.get_mode("FAST_RUN"),
    "loops as written": lambda: theano.compile.get_mode("FAST_RUN").excluding("scan"),
    "not rewritten": lambda: theano.Mode("cvm", "fast_compile"),
}
ORACLE = theano.Mode("py", None)
TAPS_OF_STATES = [[-1], [-1], [-1], [-2, -1], [-3], [-3, -1], [-1, -2], [-4, -2, -3]]
TAPS_OF_SEQUENCES = [[0], [0], [0], [-1, 0], [0, 2], [-1, 1], [1]]
DIMS = ["", "", "a", "a", "b", "ab", "ab", "ba", "aa", "bb", "aba", "abb"]
SELECTIONS = {
    "all": lambda x: x, "last": lambda x: x[-1], "last two": lambda x: x[-2:], "every second": lambda x: x[::2], "first three": lambda x: x[:3],
    "but the first": lambda x: x[1:], "last three": lambda x: x[-3:], "in reverse": lambda x: x[::-1], "first": lambda x: x[0],
}  # fmt: skip
_NEED_A_STEP = ("last", "first")


class Wild(Exception):
    """The values of a loop grow so much that rounding decides what it gives."""


@dataclass
class Row:
    """An argument that has a row for each step, or rows before the first one."""

    kind: Kind
    taps: list[int]
    turned: bool
    variable: theano.gof.Variable

    @property
    def rows(self):
        """The variable with its rows along the first axis."""
        return self.variable.T if self.turned else self.variable


@dataclass
class Call:
    """What a function is called with."""

    n: int
    sizes: dict[str, int]
    done: int
    values: list = field(default_factory=list)


def _tensor(name: str, dtype: str, ndim: int):
    return T.TensorType(dtype, (False,) * ndim)(name)


class RandomLoop:
    """A loop drawn from a seed: its arguments, its step, and which of its rows are read.

    Parameters
    ----------
    seed : int
    prefix : str
        For the names of the arguments.
    count : Variable, optional
        The number of steps at run time, to share it with another loop.
    """

    def __init__(self, seed: int, prefix: str = "", count=None):
        rng = self.rng = np.random.RandomState(seed)
        self.dtype = "float32" if rng.rand() < 0.25 else "float64"
        self.backwards = bool(rng.rand() < 0.25)
        self.count = _tensor(prefix + "n", "int64", 0) if count is None else count
        self.limit = _tensor(prefix + "limit", "int64", 0)
        self.until = bool(rng.rand() < 0.2)
        self.fixed = None if count is not None or rng.rand() < 0.6 else int(rng.choice([2, 3, 4, 6]))
        self.seqs = [self._row(f"{prefix}s{i}", Kind(d, rng.rand() < 0.15), self._any(TAPS_OF_SEQUENCES)) for i, d in enumerate(self._dims(0, 3))]
        self.by_length = bool(self.seqs) and self.fixed is None and count is None and rng.rand() < 0.5
        self.states = [self._row(f"{prefix}i{i}", Kind(d, rng.rand() < 0.15), self._any(TAPS_OF_STATES)) for i, d in enumerate(self._dims(0, 4))]
        self.constant = [self._row(f"{prefix}c{i}", Kind(d, d == "a" and rng.rand() < 0.4), []) for i, d in enumerate(self._dims(1, 4))]
        self.shared_kinds = [Kind(d) for d in (self._dims(1, 3) if rng.rand() < 0.2 else [])]
        self.shared = [theano.shared(np.zeros((1,) * k.ndim, self.dtype), f"{prefix}w{i}") for i, k in enumerate(self.shared_kinds)]
        kinds = [r.kind for r in self.seqs for _ in r.taps] + [Kind("", True)] + [r.kind for r in self.states for _ in r.taps]
        kinds += [r.kind for r in self.constant]
        self.first_shared = len(kinds)
        self.program = Program(rng, kinds + self.shared_kinds, int(rng.randint(1, 7)))
        self.next = [self._recipe(r.kind, i) for i, r in enumerate(self.states)] + [self._recipe(k, -1) for k in self.shared_kinds]
        plain = int(rng.randint(0 if self.states else 1, 3))
        self.plain = [int(len(self.program.kinds) * rng.rand() ** 0.6) for _ in range(plain)]
        self.reads = [str(rng.choice(list(SELECTIONS), p=[0.28] + [0.09] * 8)) for _ in range(len(self.states) + plain)]
        self.second = [str(rng.choice(["all", "last", "last two"])) if rng.rand() < 0.2 else None for _ in self.reads]
        self.truncate = int(rng.randint(1, 4)) if rng.rand() < 0.12 and not self.until and not self.shared else -1
        self.chained = bool(rng.rand() < 0.15)

    # --- drawing --------------------------------------------------------------------------------------

    def _any(self, choices):
        return choices[self.rng.randint(len(choices))]

    def _dims(self, low: int, high: int) -> list[str]:
        return [self._any(DIMS) for _ in range(self.rng.randint(low, high))]

    def _row(self, name: str, kind: Kind, taps: list[int]) -> Row:
        kind = Kind(kind.dims, bool(kind.integer))
        ndim = kind.ndim + (bool(taps) if taps != [-1] or name.lstrip("xy").startswith("s") else 0)
        turned = ndim > 1 and bool(self.rng.rand() < 0.2)
        return Row(kind, taps, turned, _tensor(name, "int64" if kind.integer else self.dtype, ndim))

    def _recipe(self, kind: Kind, state: int) -> tuple:
        """How the next value of a state is made of the values of a step."""
        kinds = self.program.kinds
        equal = [i for i, k in enumerate(kinds) if k == kind]
        form = self.rng.rand()
        if equal and form < 0.45:
            # a value as it is: a row, another state, a view, what an instruction made
            return ("is", equal[self.rng.randint(len(equal))])
        parts = [i for i, k in enumerate(kinds) if k.integer == kind.integer and (broadcast_to(k, kind.dims) or self.rng.rand() < 0.3)]
        some = [parts[self.rng.randint(len(parts))] for _ in range(self.rng.randint(1, 4))] if parts else []
        return ("mix", some, [round(float(w), 2) for w in self.rng.uniform(-1, 1, size=3)], bool(form < 0.85))

    # --- the step -------------------------------------------------------------------------------------

    def _made(self, recipe: tuple, kind: Kind, before, values: list, dtype: str):
        if recipe[0] == "is":
            return T.cast(values[recipe[1]], dtype)
        _, parts, weights, bounded = recipe
        kinds = self.program.kinds
        total = before * 3 + 1 if kind.integer else before * np.float32(0.5)
        for i, w in zip(parts, weights):
            part = values[i] if broadcast_to(kinds[i], kind.dims) else values[i].sum()
            total = total + (part if kind.integer else part * np.float32(w))
        return T.cast(total % 5 if kind.integer else T.tanh(total) if bounded else total, dtype)

    def step(self, arguments: list, carried: list, sizes=None) -> tuple[list, list]:
        """Build a step: next values of the states and plain results, and next values of the shared variables."""
        values = self.program([*arguments, *carried], sizes)
        first = sum(len(r.taps) for r in self.seqs) + 1
        outs = []
        for row, recipe in zip(self.states, self.next):
            before = values[first + row.taps.index(max(row.taps))]
            outs.append(self._made(recipe, row.kind, before, values, row.variable.dtype))
            first += len(row.taps)
        outs += [values[i] for i in self.plain]
        recipes = self.next[len(self.states) :]
        return outs, [self._made(r, k, v, values, self.dtype) for r, k, v in zip(recipes, self.shared_kinds, carried)]

    # --- the loop, two times --------------------------------------------------------------------------

    @property
    def inputs(self) -> list:
        return [r.variable for r in (*self.seqs, *self.states, *self.constant)]

    def scanned(self):
        """Return the outputs of a loop, and its updates."""
        seqs = [{"input": r.rows, "taps": r.taps} for r in self.seqs]
        n = self.fixed if self.fixed is not None else None if self.by_length else self.count
        length = self.count if n is None else n
        seqs.append(T.arange(T.as_tensor_variable(np.int64(9)) if self.backwards and self.by_length else length, dtype="int64"))
        n_reads = sum(len(r.taps) for r in (*self.seqs, *self.states)) + 1 + len(self.constant)
        counter = [T.zeros((), dtype="int64")] if self.until else []

        def fn(*arguments):
            arguments = list(arguments)
            clock = arguments.pop(n_reads - len(self.constant)) if self.until else None
            outs, carried = self.step(arguments, self.shared)
            result = [*outs[: len(self.states)], *([clock + 1] if self.until else []), *outs[len(self.states) :]]
            updates = dict(zip(self.shared, carried))
            return (result, updates, theano.scan_module.until(T.ge(clock + 1, self.limit))) if self.until else (result, updates)

        info = [r.rows if r.taps == [-1] else {"initial": r.rows, "taps": r.taps} for r in self.states]
        outs, updates = theano.scan(
            fn, sequences=seqs, outputs_info=info + counter + [None] * len(self.plain), non_sequences=[r.rows for r in self.constant],
            n_steps=n, go_backwards=self.backwards, truncate_gradient=self.truncate, return_list=True,
        )  # fmt: skip
        if self.until:
            del outs[len(self.states)]
        if self.chained:
            before = T.zeros_like(T.tanh(outs[-1][0]))
            rows, _ = theano.scan(lambda row, before: T.cast(T.tanh(row + 0.5 * before), before.dtype), sequences=outs[-1], outputs_info=before)
            outs.append(rows)
        return outs, [updates[v] for v in self.shared]

    def unrolled(self, call: Call):
        """Return the same of the steps that a call makes, one after the other."""
        stop = theano.gradient.disconnected_grad
        shifted = []
        for r in self.seqs:
            low, high = min(0, *r.taps), max(0, *r.taps)
            for tap in r.taps:
                rows = r.rows[tap - low : r.rows.shape[0] - (high - tap)]
                shifted.append(rows[::-1] if self.backwards else rows)
        numbers = np.arange(9 if self.backwards and self.by_length else call.n)[:: -1 if self.backwards else 1]
        histories = [[r.rows] if r.taps == [-1] else [r.rows[i] for i in range(-min(r.taps))] for r in self.states]
        collected: list[list] = [[] for _ in range(len(self.states) + len(self.plain))]
        carried = list(self.shared)
        for t in range(call.done):
            arguments = [rows[t] for rows in shifted] + [T.constant(numbers[t], dtype="int64")]
            arguments += [h[tap] for h, r in zip(histories, self.states) for tap in r.taps]
            outs, carried = self.step([*arguments, *(r.rows for r in self.constant)], carried, call.sizes)
            if self.truncate != -1 and t < call.done - self.truncate:
                outs = [stop(o) for o in outs]
            for h, o in zip(histories, outs):
                h.append(o)
            for c, o in zip(collected, outs):
                c.append(o)
        outs = [T.stack(c) if c else None for c in collected]
        if self.chained:
            before, rows = T.zeros_like(T.tanh(outs[-1][0])), []
            for t in range(call.done):
                before = T.cast(T.tanh(outs[-1][t] + 0.5 * before), before.dtype)
                rows.append(before)
            outs.append(T.stack(rows))
        return outs, carried

    def selected(self, outs: list) -> list:
        """Return what is read of the outputs."""
        pairs = list(zip(outs, [*self.reads, "last three"], [*self.second, None]))
        return [SELECTIONS[name](out) for out, first, second in pairs for name in (first, second) if name is not None]

    # --- values ---------------------------------------------------------------------------------------

    def call(self, rng: np.random.RandomState, n: int | None = None, sizes: dict | None = None) -> Call:
        """Draw extents, a number of steps and values."""
        few = self.chained or any(name in _NEED_A_STEP for name in (*self.reads, *self.second))
        drawn = int(rng.choice([0, 1, 1, 2, 3, 4, 5, 7])) if n is None else n
        n = self.fixed if self.fixed is not None else max(drawn, 1) if few else drawn
        sizes = sizes or {letter: int(rng.choice([1, 2, 3, 5, 9])) for letter in "ab"}
        limit = int(rng.randint(1, n + 2))
        call = Call(n, sizes, min(n, limit) if self.until else n)
        spare = 0 if self.by_length else 2
        for r in self.seqs:
            extra = rng.randint(spare + 1)
            call.values.append(self._value(rng, r, n + max(0, *r.taps) - min(0, *r.taps) + extra, sizes))
        call.values += [self._value(rng, r, None if r.taps == [-1] else -min(r.taps), sizes) for r in self.states]
        call.values += [self._value(rng, r, None, sizes) for r in self.constant]
        call.values += [n, limit]
        for v, kind in zip(self.shared, self.shared_kinds):
            v.set_value(rng.uniform(-1, 1, size=[sizes[d] for d in kind.dims]).astype(self.dtype))
        return call

    def _value(self, rng, row: Row, rows: int | None, sizes: dict):
        shape = ([] if rows is None else [rows]) + [sizes[d] for d in row.kind.dims]
        shape = shape[::-1] if row.turned else shape
        value = rng.randint(0, 5, size=shape) if row.kind.integer else rng.uniform(-1, 1, size=shape).astype(self.dtype)
        return laid_out(rng, np.asarray(value))

    def __str__(self) -> str:
        lines = [f"dtype {self.dtype}, backwards {self.backwards}, until {self.until}, fixed {self.fixed}, by length {self.by_length}, truncate {self.truncate}"]
        lines += [f"  {name} {[(str(r.variable), r.kind.dims, r.kind.integer, r.taps, r.turned) for r in rows]}" for name, rows in
                  (("sequences", self.seqs), ("states", self.states), ("others", self.constant))]  # fmt: skip
        n = len(self.program.kinds) - sum(len(line.results) for line in self.program.instructions)
        lines.append(f"  arguments 0 to {n - 1}: {[k.dims + 'i' * k.integer for k in self.program.kinds[:n]]}, shared from {self.first_shared}")
        for line in self.program.instructions:
            lines.append(f"  {n}: {line.name} {line.operands} {line.drawn} -> {[k.dims + 'i' * k.integer for k in line.results]}")
            n += len(line.results)
        lines += [f"  next {self.next}", f"  plain {self.plain}, read {self.reads} {self.second}, chained {self.chained}"]
        return "\n".join(lines)


def laid_out(rng: np.random.RandomState, value: np.ndarray) -> np.ndarray:
    """Return equal elements in some layout in memory."""
    kind = rng.randint(6) if value.ndim else 0
    if kind == 1:
        return np.asfortranarray(value)
    if kind == 2:
        room = np.zeros([2 * n for n in value.shape], value.dtype)[(slice(None, None, 2),) * value.ndim]
    elif kind == 3:
        room = np.zeros_like(value)[(slice(None, None, -1),) * value.ndim]
    elif kind == 4:
        room = np.zeros((*value.shape[:-1], value.shape[-1] + 3), value.dtype)[..., 1:-2]
    else:
        return value
    room[...] = value
    return room


# --- comparing --------------------------------------------------------------------------------------------


def cost_of(outs: list, rng: np.random.RandomState):
    """A number that depends on all outputs, each in its own way."""
    total = T.zeros((), dtype="float64")
    for out in outs:
        w = round(float(rng.uniform(0.5, 1.5)), 2)
        if out.dtype.startswith("float"):
            total = total + (T.sum(out * out) if rng.rand() < 0.5 else T.sum(T.sin(out * w)))
    return total


@dataclass
class Case:
    """One or two loops, and what is asked of them: ``values``, ``gradient``, ``second`` or ``rop``."""

    seed: int
    loops: list = field(default_factory=list)
    asked: str = "values"
    mode: str = "rewritten"

    def __post_init__(self):
        rng = np.random.RandomState(self.seed + 10**6)
        self.loops = [RandomLoop(self.seed)]
        if rng.rand() < 0.12:
            first = self.loops[0]
            shared = None if first.fixed is not None or first.by_length else first.count
            self.loops.append(RandomLoop(self.seed + 2 * 10**6, "y", shared))
        self.asked = str(rng.choice(["values", "gradient", "second", "rop"], p=[0.3, 0.5, 0.08, 0.12]))
        if self.asked == "second" and any(loop.truncate != -1 or loop.dtype == "float32" for loop in self.loops):
            self.asked = "gradient"
        if self.asked == "rop" and any(loop.truncate != -1 for loop in self.loops):
            self.asked = "values"
        self.mode = str(rng.choice(list(MODES), p=[0.45, 0.1, 0.45]))
        self.single = any(loop.dtype == "float32" for loop in self.loops)

    def results(self, built: list, unrolled: bool, points: list) -> list:
        """What is compared, from the outputs and updates of each loop."""
        rng = np.random.RandomState(self.seed)
        outs = [o for loop, (outs, _) in zip(self.loops, built) for o in loop.selected(outs)]
        results = outs + [u for _, updates in built for u in updates]
        wrt = [v for loop in self.loops for v in loop.inputs if v.dtype.startswith("float")]
        if self.asked == "values" or not wrt:
            return results
        cost = cost_of(outs, rng)
        results.append(cost)
        if self.asked == "rop" and not unrolled:
            return [*results, T.Rop(cost, wrt, points)]
        first = T.grad(cost, wrt, disconnected_inputs="ignore")
        if self.asked == "rop":
            return [*results, sum(T.sum(g * p) for g, p in zip(first, points))]
        results += first
        if self.asked == "second":
            weighted = sum(T.sum(g * (1 + 0.1 * i)) for i, g in enumerate(first))
            results += T.grad(weighted, wrt, disconnected_inputs="ignore")
        return results

    def run(self, calls: int = 3) -> theano.compile.function_module.Function:
        """Compile the loops, call the function several times and compare each call with the unrolled loops.

        Returns
        -------
        Function
            The function of the loops.

        Raises
        ------
        AssertionError
            Where they differ.
        """
        inputs = [v for loop in self.loops for v in (*loop.inputs, loop.count, loop.limit)]
        inputs = list(dict.fromkeys(inputs))
        variables = [v for loop in self.loops for v in loop.inputs if v.dtype.startswith("float")]
        points = [v.clone() for v in variables] if self.asked == "rop" else []
        built = [loop.scanned() for loop in self.loops]
        results = self.results(built, False, points)
        shared = [v for loop in self.loops for v in loop.shared]
        updates = dict(zip(shared, [u for _, us in built for u in us]))
        f = theano.function([*inputs, *points], results, updates=updates, mode=MODES[self.mode](), on_unused_input="ignore")
        rng = np.random.RandomState(self.seed + 3 * 10**6)
        for k in range(calls):
            self._compare(f, inputs, points, self._calls(rng), shared, rng, k)
        return f

    def _calls(self, rng) -> list[Call]:
        calls: list[Call] = []
        for loop in self.loops:
            same = calls and loop.count is self.loops[0].count
            few = any(name in _NEED_A_STEP for l in self.loops for name in (*l.reads, *l.second)) or any(l.chained for l in self.loops)
            n = calls[0].n if same else max(1, int(rng.choice([0, 1, 2, 3, 5]))) if few and len(self.loops) > 1 else None
            calls.append(loop.call(rng, n))
        return calls

    def _compare(self, f, inputs: list, points: list, calls: list[Call], shared: list, rng, k: int) -> None:
        given = {}
        for loop, call in zip(self.loops, calls):
            given.update(zip((*loop.inputs, loop.count, loop.limit), call.values))
        values = [given[v] for v in inputs]
        like = [given[v] for loop in self.loops for v in loop.inputs if v.dtype.startswith("float")]
        values += [rng.uniform(-1, 1, size=np.shape(x)).astype(x.dtype) for x in like[: len(points)]]
        if any(call.done == 0 for call in calls):
            results = f(*values)
            for call, loop in zip(calls, self.loops):
                if call.done == 0 and len(self.loops) == 1:
                    assert all(len(r) == 0 for r in results[: len(loop.selected([T.zeros((2, 2))] * len(loop.reads)))]), "rows of no step"
            return
        wanted = self.results([loop.unrolled(call) for loop, call in zip(self.loops, calls)], True, points)
        oracle = theano.function([*inputs, *points], wanted, mode=ORACLE, on_unused_input="ignore")
        wanted = oracle(*values)
        if not all(np.all(np.abs(w) < 1e4) for w in wanted):
            raise Wild
        n_values = len(wanted)
        got = f(*values)
        assert len(got) == n_values
        n_outs = sum(len(loop.selected([T.zeros((2, 2))] * (len(loop.reads) + loop.chained))) for loop in self.loops)
        rtol, atol = (3e-3, 3e-4) if self.single else (1e-7, 1e-9)
        for i, (a, b) in enumerate(zip(got, wanted)):
            message = f"result {i} of {n_values}, call {k}, n {[c.n for c in calls]}, done {[c.done for c in calls]}, sizes {[c.sizes for c in calls]}"
            assert i >= n_outs or np.asarray(a).dtype == np.asarray(b).dtype, message
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=message)
        for v, w in zip(shared, wanted[n_outs:]):
            np.testing.assert_allclose(v.get_value(), w, rtol=rtol, atol=atol, err_msg=f"update of {v}")


def islands(f) -> list[str]:
    """What of a function runs in Python, and why; loops first."""
    steps = [s for s in f.fn.schedule.steps if isinstance(s, Island)]
    return [f"{'scan' if isinstance(s.node.op, Scan) else type(s.node.op).__name__}: {s.reason}" for s in steps]


def check(seed: int, calls: int = 3):
    """Run one case; see `Case.run`."""
    return Case(seed).run(calls)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description="Compare random loops, compiled, with their unrolling.")
    parser.add_argument("--seeds", nargs=2, type=int, default=[0, 100], metavar=("FROM", "TO"))
    parser.add_argument("--show", action="store_true", help="print the loops and the numbers of the seeds")
    options = parser.parse_args(arguments)
    counts, reasons, failures, began = collections.Counter(), collections.Counter(), [], time.time()
    for seed in range(*options.seeds):
        if options.show:
            case = Case(seed)
            print(f"seed {seed}: {case.asked}, {case.mode}", *case.loops, sep="\n", flush=True)
        try:
            f = check(seed)
        except Wild:
            counts["grows too much"] += 1
            continue
        except Exception as error:
            failures.append(seed)
            text = str(error).strip().splitlines()
            print(f"seed {seed}: {type(error).__name__}: {' | '.join(text[:8])[:600]}", flush=True)
            if options.show:
                traceback.print_exc()
            continue
        found = islands(f)
        if any(reason.endswith("no compiler") for reason in found):
            failures.append(seed)
            print(f"seed {seed}: its C text does not compile", flush=True)
            continue
        counts["with Python" if found else "all in C"] += 1
        counts["with a loop in C"] += "steps in C" in f.explain()
        reasons.update(found)
    print(f"seeds {options.seeds[0]} to {options.seeds[1]}: {len(failures)} differ {failures}; {dict(counts)}; {time.time() - began:.0f} s")
    for reason, n in reasons.most_common():
        print(f"    {n} in Python: {reason}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
