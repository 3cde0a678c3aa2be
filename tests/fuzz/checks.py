"""What must hold of a random case: values, gradients, repeated calls, untouched inputs, updates."""

from __future__ import annotations

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from tests.fuzz.generator import Case, Entry, evaluate, layouts
from theano_compat.compile.mode import Mode

__all__ = ["REWRITES_ONLY", "check_gradient", "check_updates", "check_values", "close"]

REWRITES_ONLY = Mode("py", "fast_run")


def close(got, wanted, dtype: str, factor: float = 1.0) -> str | None:
    """Return what differs between two arrays, None if nothing but rounding does."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    if got.shape != wanted.shape:
        return f"shape {got.shape}, wanted {wanted.shape}"
    if got.dtype != wanted.dtype:
        return f"dtype {got.dtype}, wanted {wanted.dtype}"
    if wanted.dtype.kind in "iub":
        return None if np.array_equal(got, wanted) else f"{got!r}\nwanted\n{wanted!r}"
    if not wanted.size:
        return None
    rtol = (2e-4 if "32" in dtype or "64" == dtype[-2:] and dtype.startswith("complex") else 1e-8) * factor
    scale = max(1.0, float(abs(wanted).max()))
    if np.allclose(got, wanted, rtol=rtol, atol=rtol * scale):
        return None
    return f"{got!r}\nwanted\n{wanted!r}"


def _least_precise(case: Case) -> str:
    return "float32" if any(e.value.dtype in (np.float32, np.complex64) or e.value.dtype.itemsize < 4 for e in case.pool) else "float64"


def _are_finite(values) -> bool:
    """Tell whether all floating-point arrays hold numbers of a size at which rounding says little."""
    floating = (v for v in map(np.asarray, values) if v.dtype.kind in "fc")
    return all(np.isfinite(v).all() and (abs(v) < 1e6).all() for v in floating)


def _outputs(case: Case) -> list[Entry]:
    late = case.pool[-8:]
    k = case.rng.randint(1, min(4, len(late)))
    chosen = case.rng.sample(late, k)
    if case.rng.random() < 0.1:
        chosen.append(chosen[0])
    return chosen


def _arguments(case: Case) -> list[np.ndarray]:
    given = [layouts(e.value, case.rng) for e in case.inputs]
    for i, e in enumerate(case.inputs):
        for j, f in enumerate(case.inputs[:i]):
            if e.value.shape == f.value.shape and e.value.dtype == f.value.dtype and np.array_equal(e.value, f.value):
                given[i] = given[j]
    return given


def _compile(case: Case, outputs: list, mode, **more):
    borrow = case.rng.random() < 0.2
    return theano.function(
        [e.var for e in case.inputs],
        [theano.Out(o, borrow=borrow) for o in outputs],
        mode=mode,
        on_unused_input="ignore",
        **more,
    ), borrow


def check_values(case: Case, mode=None, entries: list[Entry] | None = None) -> None:
    """The compiled function gives what `perform` gives, again and again, and touches nothing of the caller's."""
    entries = entries or _outputs(case)
    outputs = [e.var for e in entries]
    precision = _least_precise(case)
    f, borrow = _compile(case, outputs, mode)
    given = _arguments(case)
    before = [a.copy() for a in given]
    first = f(*given)
    for k, (got, e) in enumerate(zip(first, entries)):
        wrong = close(got, e.value, precision)
        assert wrong is None, f"output {k}: {wrong}"
    for a, b in zip(given, before):
        assert np.array_equal(a, b), "an input was changed"
    for e in case.shared:
        assert np.array_equal(e.var.get_value(borrow=True), e.value), "a shared value was changed"
    if borrow:
        return
    kept = [np.array(a) for a in first]
    other = [np.asarray(case.draw(str(a.dtype), a.shape)) if a.dtype.kind == "f" else a for a in given]
    try:
        f(*other)
    except (ValueError, IndexError, ZeroDivisionError, AssertionError):
        pass
    for k, (a, b) in enumerate(zip(first, kept)):
        assert np.array_equal(a, b, equal_nan=b.dtype.kind in "fc"), f"output {k} changed in a later call"
    for a in first:
        if isinstance(a, np.ndarray) and a.flags.writeable:
            a[...] = 77 if a.dtype.kind != "b" else True
    for k, a in enumerate(first[1:], 1):
        if isinstance(a, np.ndarray) and a.flags.writeable and a.dtype.kind != "b" and first[k - 1] is not a:
            a[...] = 78
            assert all(b is a or not np.any(np.asarray(b) == 78) for b in first), "two results share memory"
            a[...] = 77
    for a, b in zip(given, before):
        assert np.array_equal(a, b), "a result is an input's memory"
    for e in case.shared:
        assert np.array_equal(e.var.get_value(borrow=True), e.value), "a result is a shared value's memory"
    second = f(*given)
    for k, (got, e) in enumerate(zip(second, entries)):
        wrong = close(got, e.value, precision)
        assert wrong is None, f"output {k} in the third call: {wrong}"


def check_resized(case: Case, mode=None) -> None:
    """With arrays of other shapes the function gives what `perform` gives, or an error where that has one."""
    entries = _outputs(case)
    f, _ = _compile(case, [e.var for e in entries], mode)
    f(*[e.value for e in case.inputs])
    old, new = case.rng.choice(case.extents), case.rng.choice([0, 1, 2, 3, 6, 20])
    given = []
    for e in case.inputs:
        shape = tuple(
            new if n == old and not one and case.rng.random() < 0.9 else n
            for n, one in zip(e.value.shape, e.var.broadcastable)
        )
        given.append(e.value if shape == e.value.shape else case.draw(str(e.value.dtype), shape))
    env = {e.var: e.value for e in case.shared}
    env.update(zip((e.var for e in case.inputs), given))
    try:
        wanted = evaluate([e.var for e in entries], env)
    except Exception:
        wanted = None
    finite = wanted is not None and _are_finite(env.values())
    before = [a.copy() for a in given]
    try:
        found = f(*given)
    except (ValueError, IndexError, ZeroDivisionError, AssertionError, TypeError) as error:
        # a crossentropy wants a label for each row, where the indexing that it replaces would repeat the only row or label
        assert not finite or "y_idx must have same number of rows" in str(error), f"{type(error).__name__}: {str(error)[:300]}"
        return
    assert all(np.array_equal(a, b) for a, b in zip(given, before)), "an input was changed"
    if not finite:
        return
    for k, (got, value) in enumerate(zip(found, wanted)):
        wrong = close(got, value, _least_precise(case))
        assert wrong is None or not entries[k].exact and entries[k].value.dtype.kind not in "fc", f"output {k} after resizing: {wrong}"


def check_gradient(case: Case, mode=None) -> bool:
    """The compiled gradient is what `perform` gives for its graph, and what finite differences give."""
    costs = [e for e in case.pool[-10:] if e.value.dtype.kind == "f" and e.var.owner is not None and e.value.size]
    wrt = [e for e in (*case.inputs, *case.shared) if e.value.dtype.kind == "f"]
    if not costs or not wrt:
        return False
    chosen = case.rng.sample(costs, min(len(costs), 2))
    cost = sum(T.sum(e.var * case.rng.choice([1.0, 0.5, -2.0])) for e in chosen)
    gradients = T.grad(cost, [e.var for e in wrt], disconnected_inputs="ignore")
    values = [np.asarray(v) for v in evaluate(gradients, case.env)]
    if not _are_finite(values):
        return False
    f, _ = _compile(case, gradients, mode)
    given = _arguments(case)
    before = [a.copy() for a in given]
    precision = _least_precise(case)
    for again in range(2):
        for k, (got, value, e) in enumerate(zip(f(*given), values, wrt)):
            assert np.shape(got) == e.value.shape, f"gradient {k} has shape {np.shape(got)}, its variable {e.value.shape}"
            wrong = close(got, value, precision, 20)
            assert wrong is None, f"gradient {k}, call {again}: {wrong}"
    assert all(np.array_equal(a, b) for a, b in zip(given, before)), "an input was changed"
    if precision == "float64" and all(e.smooth for e in chosen):
        _finite_differences(case, cost, wrt, values)
    return True


def _finite_differences(case: Case, cost, wrt: list[Entry], gradients: list[np.ndarray]) -> None:
    directions = [case.numbers.randn(*e.value.shape) for e in wrt]
    slope = sum(float((g * d).sum()) for g, d in zip(gradients, directions))

    def at(h: float) -> float:
        env = {e.var: e.value for e in (*case.inputs, *case.shared)}
        env.update({e.var: np.asarray(e.value + h * d) for e, d in zip(wrt, directions)})
        return float(evaluate([cost], env)[0])

    h = 1e-4
    coarse, fine = (at(h) - at(-h)) / (2 * h), (at(h / 2) - at(-h / 2)) / h
    found = (4 * fine - coarse) / 3
    size = max(1.0, abs(slope), sum(float(abs(g).sum()) for g in gradients), abs(at(0.0)))
    assert abs(found - slope) < 1e-5 * size, f"finite differences give {found}, the gradient {slope}"


def check_updates(case: Case, mode=None) -> bool:
    """Updates of several shared variables happen together, from the values before the call."""
    if not case.shared:
        return False
    updates = []
    for s in case.shared:
        fits = [
            e for e in (*case.shared, *case.pool[-12:])
            if e.value.dtype == s.value.dtype and e.value.ndim == s.value.ndim and e.var is not s.var
        ]
        if fits and case.rng.random() < 0.8:
            target = case.rng.choice(fits).var
            kind = case.rng.randrange(3)
            if kind == 0 and s.value.dtype.kind == "f" and case.env[target].shape == s.value.shape:
                target = T.cast(s.var * 0.5 + target, s.var.dtype)
            elif kind == 1 and s.value.ndim and case.env[target].shape == s.value.shape:
                target = T.set_subtensor(s.var[:1], target[-1:])
        elif s.value.dtype.kind == "f":
            target = T.cast(s.var * 0.5 - 1, s.var.dtype)
        else:
            continue
        if target.broadcastable != s.var.broadcastable:
            target = T.patternbroadcast(target, s.var.broadcastable)
        updates.append((s.var, target))
    if not updates:
        return False
    entries = _outputs(case) + case.rng.sample(case.shared, 1)
    outputs = [e.var for e in entries]
    f, borrow = _compile(case, outputs, mode, updates=updates)
    given = _arguments(case)
    before = [a.copy() for a in given]
    precision = _least_precise(case)
    state = {e.var: e.value for e in case.shared}
    for call in range(3):
        env = dict(state)
        env.update({e.var: e.value for e in case.inputs})
        try:
            wanted = evaluate(outputs + [t for _, t in updates], env)
        except Exception:
            return True
        if not _are_finite(env.values()):
            return True
        found = f(*given)
        if call == 0:
            for k, (got, value) in enumerate(zip(found, wanted)):
                wrong = close(got, value, precision)
                assert wrong is None, f"output {k}, call {call}: {wrong}"
            if not borrow:
                for a in found:
                    if isinstance(a, np.ndarray) and a.flags.writeable:
                        a[...] = 1
        for (s, _), value in zip(updates, wanted[len(outputs) :]):
            state[s] = np.asarray(value)
        for e in case.shared:
            wrong = close(e.var.get_value(), state[e.var], precision, 10)
            assert wrong is None, f"{e.var} after call {call}: {wrong}"
    assert all(np.array_equal(a, b) for a, b in zip(given, before)), "an input was changed"
    return True
