"""The rewriting engine on small graphs of plain numbers: matching, walks, the worklist, merging, failures."""

from __future__ import annotations

import logging

import pytest

from tests.gof.toys import add, add_inplace, div, divmod_, mul, neg, number, numbers, sub, view
from theano_compat import config
from theano_compat.configparser import change_flags
from theano_compat.gof import Constant, FunctionGraph, InconsistencyError
from theano_compat.gof.opt import (
    EquilibriumOptimizer,
    LocalMetaOptimizer,
    LocalOptGroup,
    MergeFeature,
    MergeOptimizer,
    NavigatorOptimizer,
    OpKeyOptimizer,
    OpRemove,
    OpSub,
    PatternSub,
    SeqOptimizer,
    TopoOptimizer,
    check_chain,
    check_stack_trace,
    copy_stack_trace,
    in2out,
    inherit_stack_trace,
    is_same_graph_with_merge,
    local_optimizer,
    optimizer,
    out2in,
    pre_constant_merge,
    pre_greedy_local_optimizer,
)


def graph(inputs, *outputs):
    """Return a FunctionGraph on copies, so that variables can be used again."""
    return FunctionGraph(list(inputs), list(outputs))


def text(fgraph):
    """Return the graph as text, inputs by name."""
    return str(fgraph)


def constant(value):
    return Constant(number, value)


# --- substitution -----------------------------------------------------------------------------------


def rewrite_once(fgraph, *args, **kwargs):
    out2in(PatternSub(*args, **kwargs)).optimize(fgraph)
    return text(fgraph)


def test_op_sub_and_op_remove():
    x, y = numbers("xy")
    f = graph([x, y], add(neg(x), y))
    OpKeyOptimizer(OpSub(add, mul)).optimize(f)
    assert text(f) == "[Mul(Neg(x), y)]"
    OpKeyOptimizer(OpRemove(neg)).optimize(f)
    assert text(f) == "[Mul(x, y)]"


def test_pattern_binds_names_consistently():
    x, y = numbers("xy")
    f = graph([x, y], add(mul(x, y), mul(x, x)))
    assert rewrite_once(f, (mul, "a", "a"), (neg, "a")) == "[Add(Mul(x, y), Neg(x))]"


def test_nested_patterns_build_nested_results():
    x, y = numbers("xy")
    f = graph([x, y], sub(mul(x, y), x))
    assert rewrite_once(f, (sub, (mul, "a", "b"), "a"), (mul, "a", (sub, "b", "a"))) == "[Mul(x, Sub(y, x))]"


def test_inner_results_used_elsewhere_stop_a_match_unless_allowed():
    x, y = numbers("xy")

    def fresh():
        shared = mul(x, y)
        return FunctionGraph([x, y], [neg(shared), add(shared, x)])

    pattern = (neg, (mul, "a", "b")), (div, "a", "b")
    assert "Div" not in rewrite_once(fresh(), *pattern)
    assert "Div" in rewrite_once(fresh(), *pattern, allow_multiple_clients=True)


def test_constraints_and_constants_in_patterns():
    x, y = numbers("xy")
    only_leaf = {"pattern": "a", "constraint": lambda v: v.owner is None}
    f = graph([x, y], add(neg(x), neg(neg(y))))
    assert rewrite_once(f, (neg, only_leaf), (view, "a")) == "[Add(View(x), Neg(View(y)))]"
    f = graph([x], add(mul(x, constant(2.0)), mul(x, constant(3.0))))
    assert rewrite_once(f, (mul, "a", 2), (neg, "a")).startswith("[Add(Neg(x), Mul(x, ")


def test_a_pattern_must_start_with_an_op():
    with pytest.raises(TypeError, match="must start with a specific Op instance"):
        PatternSub("a", "b")


def test_skip_identities_looks_through():
    (x,) = numbers("x")
    f = graph([x], neg(view(neg(x))))
    through = lambda v: v.owner.inputs[0] if v.owner is not None and v.owner.op == view else None  # noqa: E731
    assert rewrite_once(f, (neg, (neg, "a")), "a", skip_identities_fn=through) == "[x]"


# --- walks ------------------------------------------------------------------------------------------


@local_optimizer([add])
def add_to_mul(node):
    return [mul(*node.inputs)]


@local_optimizer([mul])
def mul_to_div(node):
    return [div(*node.inputs)]


def test_walks_see_new_nodes_unless_told_to_ignore_them():
    x, y = numbers("xy")
    group = LocalOptGroup(add_to_mul, mul_to_div)
    f = graph([x, y], add(x, y))
    TopoOptimizer(group, ignore_newtrees=False).optimize(f)
    assert text(f) == "[Div(x, y)]"
    f = graph([x, y], add(x, y))
    TopoOptimizer(group, ignore_newtrees=True).optimize(f)
    assert text(f) == "[Mul(x, y)]"


def test_a_group_can_go_on_with_what_it_made():
    x, y = numbers("xy")
    f = graph([x, y], add(x, y))
    TopoOptimizer(LocalOptGroup(add_to_mul, mul_to_div, apply_all_opts=True), ignore_newtrees=True).optimize(f)
    assert text(f) == "[Div(x, y)]"


def test_tracked_rewrites_are_tried_on_their_ops_only():
    tried = []

    @local_optimizer([mul])
    def watch(node):
        tried.append(node.op)

    x, y = numbers("xy")
    f = graph([x, y], add(mul(x, y), neg(mul(y, x))))
    in2out(watch).optimize(f)
    assert tried == [mul, mul]


def test_local_optimizer_wants_sensible_tracks():
    with pytest.raises(ValueError, match="Use None instead of an empty list"):
        local_optimizer([])(lambda node: None)
    with pytest.raises(ValueError, match="Tracks are op classes or instances"):
        local_optimizer(["add"])(lambda node: None)


def test_a_dictionary_replaces_variables_elsewhere():
    x, y = numbers("xy")
    inner = mul(x, y)
    f = FunctionGraph([x, y], [neg(inner), inner], clone=False)

    @local_optimizer([neg])
    def replace_below(node):
        below = node.inputs[0]
        return {below: div(*below.owner.inputs)} if below.owner.op == mul else False

    in2out(replace_below).optimize(f)
    assert text(f) == "[Neg(*1 -> Div(x, y)), *1]"


@pytest.mark.parametrize(
    "answer, message",
    [(lambda node: [None, None], "wrong number of replacements"), (lambda node: 5, "wrong type of replacement")],
)
def test_wrong_answers_of_a_rewrite_are_errors(answer, message):
    x, y = numbers("xy")
    f = graph([x, y], add(x, y))
    with pytest.raises((ValueError, TypeError), match=message):
        TopoOptimizer(local_optimizer([add])(answer)).optimize(f)


def test_check_chain_follows_ops_classes_and_any():
    x, y = numbers("xy")
    out = neg(mul(add(x, y), y))
    assert check_chain(out, neg, mul, add)
    assert check_chain(out, neg, type(mul))
    assert check_chain(out, neg, None, add)
    assert not check_chain(out, neg, add)


def test_pre_greedy_rewrites_expressions_outside_of_graphs():
    x, y = numbers("xy")
    out = neg(add(add(x, y), y))
    new = pre_greedy_local_optimizer([add_to_mul], out)
    assert text(graph([x, y], new)) == "[Neg(Mul(Mul(x, y), y))]"
    assert text(graph([x, y], out)) == "[Neg(Add(Add(x, y), y))]"


# --- failures ---------------------------------------------------------------------------------------


@local_optimizer([add])
def broken(node):
    raise RuntimeError("this rewrite is broken")


def test_a_failing_rewrite_is_reported_and_left_out(caplog):
    x, y = numbers("xy")
    f = graph([x, y], add(x, neg(neg(y))))
    with change_flags(on_opt_error="warn"), caplog.at_level(logging.ERROR, "theano.gof.opt"):
        EquilibriumOptimizer(
            [broken, PatternSub((neg, (neg, "a")), "a")], failure_callback=NavigatorOptimizer.warn
        ).optimize(f)
    assert text(f) == "[Add(x, y)]"
    assert "Optimization failure due to: broken" in caplog.text and "this rewrite is broken" in caplog.text


def test_on_opt_error_raise_raises_and_ignore_is_silent(caplog):
    x, y = numbers("xy")
    walk = TopoOptimizer(broken, failure_callback=NavigatorOptimizer.warn)
    with change_flags(on_opt_error="raise"), pytest.raises(RuntimeError, match="broken"):
        walk.optimize(graph([x, y], add(x, y)))
    caplog.clear()
    with change_flags(on_opt_error="ignore"), caplog.at_level(logging.ERROR, "theano.gof.opt"):
        walk.optimize(graph([x, y], add(x, y)))
    assert caplog.text == ""


def test_a_sequence_goes_on_after_a_failure(caplog):
    @optimizer
    def bad(fgraph):
        raise RuntimeError("bad pass")

    x, y = numbers("xy")
    f = graph([x, y], add(x, y))
    with change_flags(on_opt_error="warn"):
        SeqOptimizer(bad, TopoOptimizer(add_to_mul), failure_callback=SeqOptimizer.warn).optimize(f)
    assert text(f) == "[Mul(x, y)]"
    with pytest.raises(RuntimeError, match="bad pass"):
        SeqOptimizer(bad).optimize(f)


# --- equilibrium ------------------------------------------------------------------------------------


def test_equilibrium_runs_until_nothing_matches():
    x, y = numbers("xy")
    out = x
    for _ in range(6):
        out = neg(out)
    f = graph([x, y], add(out, y))
    profile = EquilibriumOptimizer([PatternSub((neg, (neg, "a")), "a"), add_to_mul]).optimize(f)
    assert text(f) == "[Mul(x, y)]"
    assert profile.applied["add_to_mul"] == 1


def test_a_rewrite_that_never_ends_is_stopped_and_named(caplog):
    @local_optimizer([add])
    def swap_forever(node):
        return [add(*reversed(node.inputs))]

    x, y = numbers("xy")
    f = graph([x, y], add(x, y))
    with caplog.at_level(logging.ERROR, "theano.gof.opt"):
        EquilibriumOptimizer([swap_forever], max_use_ratio=8).optimize(f)
    assert "EquilibriumOptimizer max'ed out by 'swap_forever'" in caplog.text
    assert "optimizer_excluding=swap_forever" in caplog.text


def test_a_rewrite_that_explodes_the_graph_is_stopped_and_named(caplog, monkeypatch):
    monkeypatch.setattr("theano_compat.gof.opt.equilibrium._GROWTH_FLOOR", 500)
    @local_optimizer([neg])
    def explode(node):
        return [add(neg(mul(node.inputs[0], constant(1.0))), neg(mul(node.inputs[0], constant(2.0))))]

    (x,) = numbers("x")
    f = graph([x], neg(x))
    with caplog.at_level(logging.ERROR, "theano.gof.opt"):
        EquilibriumOptimizer([explode], max_use_ratio=1e9).optimize(f)
    assert "max'ed out by 'explode'" in caplog.text


@pytest.mark.parametrize("ignore_newtrees", [True, False])
def test_work_is_linear_in_the_size_of_the_graph(ignore_newtrees):
    """A change that ripples from the inputs to the outputs is the worst case of passes over the whole graph."""

    @local_optimizer([add])
    def ripple(node):
        first, second = node.inputs
        started = first.owner is None or first.owner.op == mul
        return [mul(first, second)] if started else False

    def tries(length):
        x, y = numbers("xy")
        out = x
        for _ in range(length):
            out = add(out, y)
        f = graph([x, y], out)
        profile = EquilibriumOptimizer([ripple], ignore_newtrees=ignore_newtrees, max_use_ratio=100).optimize(f)
        assert all(node.op == mul for node in f.apply_nodes)
        return profile.tried["ripple"]

    short, long = tries(100), tries(800)
    assert long < 9 * short


# --- merging ----------------------------------------------------------------------------------------


def merged(inputs, *outputs):
    f = graph(inputs, *outputs)
    MergeOptimizer().optimize(f)
    f.check_integrity()
    return f


def test_equal_computations_become_one():
    x, y = numbers("xy")
    f = merged([x, y], add(neg(mul(x, y)), neg(mul(x, y))))
    assert text(f) == "[Add(*1 -> Neg(Mul(x, y)), *1)]"


def test_different_computations_stay():
    x, y = numbers("xy")
    f = merged([x, y], add(mul(x, y), mul(y, x)))
    assert len(f.apply_nodes) == 3


def test_equal_constants_become_one():
    (x,) = numbers("x")
    f = merged([x], add(mul(x, constant(2.0)), mul(x, constant(2.0))))
    assert len(f.apply_nodes) == 2


def test_outputs_merge_and_names_survive():
    x, y = numbers("xy")
    first, second = mul(x, y), mul(x, y)
    second.name = "product"
    f = merged([x, y], first, second)
    assert f.outputs[0] is f.outputs[1] and f.outputs[0].name == "product"


def test_nodes_with_several_outputs_merge():
    x, y = numbers("xy")
    f = merged([x, y], add(divmod_(x, y)[0], divmod_(x, y)[1]))
    assert len(f.apply_nodes) == 2


def test_merging_in_place_operations_is_refused_where_it_would_be_wrong():
    from theano_compat.gof.destroyhandler import DestroyHandler

    x, y = numbers("xy")
    f = FunctionGraph([x, y], [add_inplace(neg(x), y), mul(neg(x), y)])
    f.attach_feature(DestroyHandler())
    MergeOptimizer().optimize(f)
    f.validate()
    f.toposort()


def test_merging_looks_at_each_node_once(monkeypatch):
    looked_at = []
    original = MergeFeature.process_node
    monkeypatch.setattr(
        MergeFeature, "process_node", lambda self, fgraph, node: looked_at.append(node) or original(self, fgraph, node)
    )
    length = 500
    (x,) = numbers("x")
    a = b = x
    for _ in range(length):
        a, b = neg(a), neg(b)
    f = merged([x], sub(a, b))
    assert len(f.apply_nodes) == length + 1
    assert len(looked_at) <= 2 * length + 1


def test_is_same_graph_with_merge():
    x, y, z = numbers("xyz")
    assert is_same_graph_with_merge(add(x, neg(y)), add(x, neg(y)))
    assert not is_same_graph_with_merge(add(x, neg(y)), add(neg(y), x))
    assert is_same_graph_with_merge(add(x, y), add(x, z), givens={z: y})


def test_pre_constant_merge_shares_constants():
    (x,) = numbers("x")
    first, second = constant(3.0), constant(3.0)
    out = add(mul(x, first), second)
    pre_constant_merge([out])
    assert out.owner.inputs[1] is out.owner.inputs[0].owner.inputs[1]


# --- the user's line --------------------------------------------------------------------------------


def test_traces_are_copied_once_and_inherited():
    x, y = numbers("xy")
    old = add(x, y)
    old.tag.trace = [[("script.py", 3, "<module>", "add(x, y)")]]
    new = mul(x, y)
    new.tag.trace = []
    copy_stack_trace(old, new)
    copy_stack_trace(old, new)
    assert new.tag.trace == old.tag.trace
    with inherit_stack_trace(old):
        made = div(x, y)
    assert old.tag.trace[0] in made.tag.trace


def test_check_stack_trace_finds_what_has_lost_it():
    x, y = numbers("xy")
    out = add(neg(x), y)
    out.tag.trace = [[("script.py", 3, "<module>", "")]]
    out.owner.inputs[0].tag.trace = []
    f = FunctionGraph([x, y], [out], clone=False)
    assert check_stack_trace(f, ops_to_check="last")
    assert not check_stack_trace(f, ops_to_check="all", bug_print="ignore")
    with pytest.raises(ValueError, match="Empty stack trace"):
        check_stack_trace(f, ops_to_check=neg)


# --- timing alternatives ------------------------------------------------------------------------------


def test_meta_optimizer_takes_the_fastest():
    x, y = numbers("xy")
    seconds = {}

    class Meta(LocalMetaOptimizer):
        _tracks = [add]

        def provide_inputs(self, node, inputs):
            return dict.fromkeys(inputs, 1.0)

        def _function(self, outputs, node, givens):
            return outputs[0].owner.op

        def time_call(self, fn):
            return seconds[fn]

    meta = Meta()
    meta.register(add_to_mul, ["slow"])
    meta.register(local_optimizer([add])(lambda node: [div(*node.inputs)]), ["quick"])
    for fastest, wanted in ((mul, "Mul"), (div, "Div")):
        seconds.update({mul: 2.0, div: 2.0, fastest: 1.0})
        f = graph([x, y], add(x, y))
        in2out(meta).optimize(f)
        assert text(f) == f"[{wanted}(x, y)]"
    with change_flags(**{"metaopt.optimizer_excluding": "quick"}):
        f = graph([x, y], add(x, y))
        in2out(meta).optimize(f)
        assert text(f) == "[Mul(x, y)]"


def test_inconsistent_replacements_are_taken_back():
    x, y = numbers("xy")

    class Refuses:
        def on_attach(self, fgraph):
            pass

        def validate(self, fgraph):
            if any(node.op == mul for node in fgraph.apply_nodes):
                raise InconsistencyError("no products")

    f = graph([x, y], add(x, y))
    f.attach_feature(Refuses())
    in2out(add_to_mul).optimize(f)
    assert text(f) == "[Add(x, y)]"
    assert config.on_opt_error in ("warn", "raise", "ignore", "pdb")
