"""In-place safety: rules one by one, and the incremental answers against a check from scratch."""

import random

import pytest

from tests.gof.toys import add, add_aliased, add_inplace, add_same, graph, mul, neg, neg_inplace, numbers, view
from theano_compat.gof import Constant, DestroyHandler, InconsistencyError
from theano_compat.gof.destroyhandler import fast_inplace_check
from theano_compat.gof.toolbox import Feature


def env(inputs, *outputs):
    return graph(inputs, *outputs, features=[DestroyHandler()])


def test_a_reader_may_run_before_the_destroyer():
    x, y = numbers("xy")
    f = env([x, y], mul(neg(x), y), add_inplace(x, y))
    assert f.consistent()
    order = [str(node.op) for node in f.toposort()]
    assert order.index("Neg") < order.index("AddInPlace")
    assert f.destroyers(x) == [f.outputs[1].owner] and f.destroyers(y) == []
    assert f.has_destroyers([y, x]) and not f.has_destroyers([y])


def test_a_reader_must_not_need_the_destroyers_result():
    x, y = numbers("xy")
    assert not env([x, y], mul(add_inplace(x, y), x)).consistent()
    x, y = numbers("xy")
    assert not env([x, y], mul(add_inplace(x, y), view(x))).consistent()


def test_two_destroyers_of_one_memory():
    x, y, z = numbers("xyz")
    f = env([x, y, z], add_inplace(x, y), add_inplace(view(x), z))
    with pytest.raises(InconsistencyError, match="Multiple destroyers of x"):
        f.validate()


def test_constants_and_protected_variables():
    (x,) = numbers("x")
    constant = Constant(x.type, 1)
    with pytest.raises(InconsistencyError, match="Attempting to destroy indestructible variables"):
        env([x], add_inplace(constant, x)).validate()
    (x,) = numbers("x")
    x.tag.indestructible = True
    assert not env([x], neg_inplace(view(x))).consistent()


@pytest.mark.parametrize(
    "op, other, fine",
    [(add_inplace, "same", False), (add_same, "same", True), (add_same, "view", False), (add_aliased, "view", True), (add_aliased, "same", True)],
)
def test_aliased_inputs_of_the_destroyer(op, other, fine):
    (x,) = numbers("x")
    assert env([x], op(x, x if other == "same" else view(x))).consistent() is fine


def test_crossed_destroyers():
    x, y = numbers("xy")
    f = env([x, y], add(x, y), add(y, x))
    f.replace_validate(f.outputs[0], add_inplace(x, y))
    with pytest.raises(InconsistencyError, match="cycles"):
        f.replace_validate(f.outputs[1], add_inplace(y, x))
    assert f.consistent() and str(f) == "[AddInPlace(x, y), Add(y, x)]"


def test_detach_takes_its_methods_away():
    (x,) = numbers("x")
    handler = DestroyHandler()
    f = graph([x], neg_inplace(x), features=[handler])
    f.remove_feature(handler)
    assert not hasattr(f, "destroyers") and not hasattr(f, "has_destroyers")
    f.attach_feature(DestroyHandler())
    assert f.has_destroyers([x])


def test_fast_inplace_check_leaves_out_what_must_stay():
    class Supervisor(Feature):
        def __init__(self, protected):
            self.protected = protected

    x, y, z = numbers("xyz")
    low = neg(y)
    f = env([x, y, z], low, neg_inplace(z), add(x, y))
    f.attach_feature(Supervisor([x]))
    assert fast_inplace_check([x, y, z, low]) == [y]


def test_fast_cycle_detection_refuses_at_once():
    x, y = numbers("xy")
    f = graph([x, y], add(x, y), neg(x), features=[DestroyHandler(algo="fast")])
    f.replace_validate(f.outputs[0], add_inplace(x, y))
    with pytest.raises(InconsistencyError):
        f.replace_validate(f.outputs[1], neg_inplace(x))
    assert f.consistent()


def _is_safe(f):
    """Decide from scratch, by the definition: roots by walking up, all readers before the destroyer, no cycle."""

    def root(var):
        while var.owner is not None and var.index in getattr(var.owner.op, "view_map", {}):
            var = var.owner.inputs[var.owner.op.view_map[var.index][0]]
        return var

    destroyed = {}
    for node in f.apply_nodes:
        for (i,) in getattr(node.op, "destroy_map", {}).values():
            top = root(node.inputs[i])
            if top in destroyed or isinstance(top, Constant):
                return False
            destroyed[top] = node
            if any(j != i and root(v) is top for j, v in enumerate(node.inputs)):
                return False
    before = {node: {v.owner for v in node.inputs if v.owner is not None} for node in f.apply_nodes}
    for node in f.apply_nodes:
        for var in node.inputs:
            destroyer = destroyed.get(root(var))
            if destroyer is not None and destroyer is not node:
                before[destroyer].add(node)
    waiting = dict(before)
    while waiting:
        ready = [node for node, needs in waiting.items() if not any(n in waiting for n in needs)]
        if not ready:
            return False
        for node in ready:
            del waiting[node]
    return True


@pytest.mark.parametrize("seed", range(40))
def test_incremental_answers_are_those_of_a_check_from_scratch(seed):
    rng = random.Random(seed)
    leaves = numbers("abcd")
    pool = list(leaves)
    for _ in range(25):
        op = rng.choice([add, mul, neg, view, neg])
        pool.append(op(*[rng.choice(pool[-8:]) for _ in range(2 if op in (add, mul) else 1)]))
    f = env(leaves, *pool[-3:])
    swaps = {"Add": [add_inplace], "AddInPlace": [add], "Neg": [neg_inplace, view], "NegInPlace": [neg], "View": [neg], "Mul": [add_inplace]}
    accepted = refused = 0
    for _ in range(60):
        nodes = f.toposort()
        if not nodes:
            break
        node = rng.choice(nodes)
        old = str(f)
        new = rng.choice(swaps[str(node.op)])(*node.inputs)
        if rng.random() < 0.15 and node.inputs:  # a shortcut changes trees and paths
            new = rng.choice(node.inputs)
        try:
            f.replace_validate(node.outputs[0], new)
            accepted += 1
            assert _is_safe(f), f"accepted {f}, from {old}"
        except InconsistencyError:
            refused += 1
            assert str(f) == old and _is_safe(f)
            f.replace(node.outputs[0], new)
            assert not _is_safe(f), f"refused {f}"
            assert not f.consistent()
            f.replace(new, node.outputs[0])
            assert f.consistent() is _is_safe(f)
            if not _is_safe(f):
                break
        f.check_integrity()
    assert accepted


def test_many_in_place_replacements_cost_little(monkeypatch):
    (x,) = numbers("x")
    out = x
    for _ in range(1500):
        out = neg(out)
    f = env([x], out)
    full = []
    monkeypatch.setattr(DestroyHandler, "_place_all", lambda self, _original=DestroyHandler._place_all: (full.append(1), _original(self)))
    for node in f.toposort():
        f.replace_validate(node.outputs[0], neg_inplace(*node.inputs))
    assert f.consistent() and all(str(node.op) == "NegInPlace" for node in f.apply_nodes)
    assert len(full) <= 3  # each is a walk over the whole graph
