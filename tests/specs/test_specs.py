"""Generic tests over all spec records; see the package docstring for how to add one."""
from __future__ import annotations

import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.specs.registry import all_specs, report
from tests.specs.spec import Case, OpSpec, rng_for, tolerance
from theano_compat.gof.graph import io_toposort
from theano_compat.tensor.elemwise import Elemwise

SPECS = all_specs()
PY = theano.Mode("py", None)


def pick(condition):
    """The records that fulfil a condition, as test parameters."""
    chosen = [spec for spec in SPECS if condition(spec)]
    return pytest.mark.parametrize("spec", chosen, ids=[spec.name for spec in chosen])


def symbols(case: Case) -> list:
    return [
        T.TensorType(a.dtype.name, pattern)(f"x{i}") for i, (a, pattern) in enumerate(zip(case.arrays, case.patterns()))
    ]


def as_list(x) -> list:
    return list(x) if isinstance(x, (list, tuple)) else [x]


def evaluate(spec: OpSpec, chosen, mode) -> list:
    """Compute all cases with one function; give (case, outputs' types, values)."""
    variables = [symbols(case) for case in chosen]
    outputs = [as_list(spec.build(*xs)) for xs in variables]
    function = theano.function(
        [x for xs in variables for x in xs], [o for outs in outputs for o in outs], mode=mode, on_unused_input="ignore"
    )
    values = iter(function(*[a for case in chosen for a in case.arrays]))
    return [(case, [o.type for o in outs], [next(values) for _ in outs]) for case, outs in zip(chosen, outputs)]


def reference_inputs(spec: OpSpec, case: Case, out_dtype: str):
    """Widen the inputs, so that the reference computes with less error than the op, and wraps where it wraps."""
    if not spec.wide or np.dtype(out_dtype).kind == "b":
        return case.arrays
    whole = np.dtype(out_dtype).kind in "iu"
    widest = {"c": "complex128", "f": "float64"}
    return [a.astype(widest.get(a.dtype.kind, out_dtype if whole else "float64")) for a in case.arrays]


def assert_equal(got, want, rtol, message):
    want = np.asarray(want)
    assert got.shape == want.shape, f"{message}: shape {got.shape}, wanted {want.shape}"
    with np.errstate(all="ignore"):
        if got.dtype.kind in "biu":
            np.testing.assert_array_equal(got, want.astype(got.dtype), err_msg=message)
        else:
            narrow = want.astype(got.dtype)
            scale = np.abs(narrow[np.isfinite(narrow)]).max(initial=0)
            atol = min(rtol * max(scale, 1e-30), rtol)
            wide = "complex128" if got.dtype.kind == "c" else "float64"
            np.testing.assert_allclose(got.astype(wide), narrow.astype(wide), rtol=rtol, atol=atol, err_msg=message)


@pick(lambda spec: True)
def test_perform_gives_the_reference_values_in_the_declared_dtype(spec):
    for case, types, values in evaluate(spec, spec.cases, PY):
        for i, (type_, value) in enumerate(zip(types, values)):
            want = as_list(spec.reference(*reference_inputs(spec, case, type_.dtype)))[i]
            label = f"{spec.name}, {case.label}, {case.dtypes}"
            assert isinstance(value, np.ndarray) and value.dtype == type_.dtype, label
            assert_equal(value, want, tolerance(spec, (*case.dtypes, type_.dtype)), label)


@pick(lambda spec: spec.compiled)
def test_compiled_code_agrees_with_perform(spec):
    if not has_compiler():
        pytest.skip("no C compiler on this machine")
    wanted = evaluate(spec, spec.cases, PY)
    got = evaluate(spec, spec.cases, theano.Mode("c|py", None))
    for (case, types, want), (_, _, values) in zip(wanted, got):
        for type_, w, v in zip(types, want, values):
            assert v.dtype == w.dtype
            assert_equal(v, w, tolerance(spec, (*case.dtypes, type_.dtype)), f"compiled {spec.name}, {case.label}, {case.dtypes}")


def has_compiler() -> bool:
    from theano_compat.codegen.toolchain import compiler

    try:
        return compiler() is not None
    except Exception:
        return False


@pick(lambda spec: spec.grad and any(c.differentiable for c in spec.cases))
def test_gradient_is_the_numeric_one(spec):
    for case in spec.cases:
        if case.differentiable:
            theano.gradient.verify_grad(
                lambda *xs: as_list(spec.build(*xs))[0],
                list(case.arrays),
                rng=rng_for(spec.name, case.label),
                mode=PY,
                **dict(spec.grad_kwargs),
            )


@pick(lambda spec: spec.rop and any(c.differentiable for c in spec.cases))
def test_forward_and_backward_derivatives_agree(spec):
    for case in [c for c in spec.cases if c.differentiable][:4]:
        rng = rng_for(spec.name, case.label, "rop")
        xs = symbols(case)
        out = as_list(spec.build(*xs))[0]
        directions = [x.type() for x in xs]
        weight = out.type()
        forward = (T.Rop(out, xs, directions) * weight).sum()
        backward = sum((g * d).sum() for g, d in zip(T.Lop(out, xs, weight), directions))
        function = theano.function([*xs, *directions, weight], [forward, backward], mode=PY, on_unused_input="ignore")
        shape = np.shape(spec.reference(*case.arrays))
        a, b = function(*case.arrays, *[rng.randn(*x.shape) for x in case.arrays], np.asarray(rng.randn(*shape)))
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10, err_msg=f"{spec.name}, {case.label}")


def inferred_shapes(xs, outputs) -> list:
    """Shapes of the outputs, only from the shapes of `xs` and each op's ``infer_shape``."""
    shapes = {x: tuple(x.shape[i] for i in range(x.ndim)) for x in xs}
    for node in io_toposort(xs, outputs):
        for x in node.inputs:
            if x not in shapes:
                shapes[x] = tuple(T.constant(n, dtype="int64") for n in np.shape(x.data))
        if not hasattr(node.op, "infer_shape") and not any(isinstance(out.type, T.TensorType) for out in node.outputs):
            shapes.update(dict.fromkeys(node.outputs))  # as a slice, which has no shape
            continue
        found = node.op.infer_shape(node, [shapes[x] for x in node.inputs])
        shapes.update(zip(node.outputs, found))
    return [shapes[out] for out in outputs]


@pick(lambda spec: spec.infer_shape)
def test_inferred_shape_is_the_shape(spec):
    chosen = [c for c in spec.cases if c.label in SHAPE_CASES or c is spec.cases[0]]
    for case in chosen:
        xs = symbols(case)
        outputs = as_list(spec.build(*xs))
        shapes = [T.as_tensor_variable(s) if s else T.zeros((0,), "int64") for s in inferred_shapes(xs, outputs)]
        function = theano.function(xs, [*shapes, *outputs], mode=PY, on_unused_input="ignore")
        values = function(*case.arrays)
        for shape, value in zip(values[: len(shapes)], values[len(shapes) :]):
            assert tuple(int(n) for n in shape) == value.shape, f"{spec.name}, {case.label}"


SHAPE_CASES = {"0-d", "empty", "4-d", "broadcast (3, 4) (4,)", "broadcast (3, 1) (1, 4)", "lengths one"}


@pick(lambda spec: spec.pickles)
def test_ops_survive_pickling(spec):
    xs = symbols(spec.cases[0])
    for node in io_toposort(xs, as_list(spec.build(*xs))):
        copy = pickle.loads(pickle.dumps(node.op))
        assert copy == node.op and hash(copy) == hash(node.op) and str(copy) == str(node.op)


@pick(lambda spec: spec.elementwise)
def test_in_place_form_overwrites_its_input_with_the_same_values(spec):
    tried = 0
    for case in spec.cases[:24]:
        xs = symbols(case)
        out = spec.build(*xs)
        op = out.owner.op
        if not isinstance(op, Elemwise):
            continue  # as isnan of integers, which is a constant
        for i, x in enumerate(out.owner.inputs):
            if x not in xs or x.type != out.type:
                continue
            fresh = [np.array(a, copy=True) for a in case.arrays]
            inplace = Elemwise(op.scalar_op, {0: i})
            node = inplace.make_node(*out.owner.inputs)
            arguments = [fresh[xs.index(v)] if v in xs else evaluate_leaf(v, xs, fresh) for v in node.inputs]
            plain, storage = [[None]], [[None]]
            op.perform(out.owner, [a.copy() for a in arguments], plain)
            inplace.perform(node, arguments, storage)
            assert storage[0][0] is arguments[i], f"{spec.name}, {case.label}"
            np.testing.assert_array_equal(storage[0][0], plain[0][0], err_msg=f"{spec.name}, {case.label}")
            assert inplace.destroy_map == {0: [i]}
            tried += 1
            break
    if not tried:
        pytest.skip("the output's dtype is never an input's")


def evaluate_leaf(variable, xs, arrays):
    return theano.function(xs, variable, mode=PY, on_unused_input="ignore")(*arrays)


def test_report_counts_what_there_is():
    assert f"{len(SPECS)} ops" in report()
