"""FunctionGraph: clients, changes, features, integrity, copies."""

import time

import pytest

from tests.gof.toys import Number, Recorder, add, chain, divmod_, graph, mul, neg, number, numbers, view
from theano_compat.gof import Constant, FunctionGraph, MissingInputError
from theano_compat.gof import toolbox as tb
from theano_compat.gof.fg import CachedConstantError, InconsistencyError


def test_clients_list_every_use():
    x, y = numbers("xy")
    out = add(x, x)
    f = graph([x, y], out, x)
    assert f.clients(x) == [(out.owner, 0), (out.owner, 1), ("output", 1)]
    assert f.clients(y) == [] and f.clients(out) == [("output", 0)]
    f.check_integrity()


def test_clone_leaves_the_users_variables_alone():
    (x,) = numbers("x")
    f = FunctionGraph([x], [neg(x)])
    assert f.inputs[0] is not x and not hasattr(x, "fgraph")


def test_missing_input_tells_which_and_where_it_was_made():
    x, y = numbers("xy")
    with pytest.raises(MissingInputError) as caught:
        graph([x], add(x, y))
    text = str(caught.value)
    assert text.startswith("Input 1 of the graph (indices start from 0), used to compute Add(x, y), was not provided and not given a value.")
    assert "Backtrace when that variable is created" in text and "numbers" in text
    with pytest.raises(MissingInputError, match="Undeclared input"):
        graph([x], number("z"))


def test_cached_constants_and_foreign_variables_are_refused():
    constant = Constant(number, 1)
    constant.cached = True
    with pytest.raises(CachedConstantError):
        graph([], neg(constant))
    (x,) = numbers("x")
    out = neg(x)
    graph([x], out)
    with pytest.raises(Exception, match="already owned by another fgraph"):
        graph([x], out)


def test_inputs_must_be_leaves():
    (x,) = numbers("x")
    with pytest.raises(ValueError, match="One of the provided inputs is the output of an already existing node"):
        graph([neg(x)], neg(x))


def test_replace_prunes_what_nobody_uses():
    x, y = numbers("xy")
    low = mul(neg(x), y)
    f = graph([x, y], add(low, y))
    recorder = Recorder()
    f.attach_feature(recorder)
    f.replace(low, neg(y), reason="test")
    f.check_integrity()
    assert str(f) == "[Add(Neg(y), y)]"
    assert recorder.events == [("import", "Neg", "test"), ("prune", "Mul", "test"), ("prune", "Neg", "test"), ("change", "Add", 0)]
    assert low.owner.tag.removed_by == ["test"]


def test_replace_an_output_and_an_input():
    x, y = numbers("xy")
    f = graph([x, y], neg(x))
    f.replace(f.outputs[0], y)
    assert f.outputs == [y] and not f.apply_nodes
    f.check_integrity()
    f.replace(y, neg(x))
    assert str(f) == "[Neg(x)]"


def test_replace_by_another_type_is_refused():
    (x,) = numbers("x")
    f = graph([x], neg(x))
    other = Constant(Number("other"), 1)
    with pytest.raises(tb.BadOptimization, match="The type of the replacement must be the same"):
        f.replace(f.outputs[0], other, reason="bad")
    with pytest.raises(TypeError, match="The type of the replacement must be the same"):
        f.change_input(f.outputs[0].owner, 0, other)
    assert str(f) == "[Neg(x)]"


def test_replacing_a_variable_that_has_gone_does_nothing():
    x, y = numbers("xy")
    quotient, remainder = divmod_(x, y)
    f = graph([x, y], quotient)
    f.replace(quotient, x)
    f.replace(remainder, y)
    assert f.outputs == [x]


def test_change_of_one_use_leaves_the_others():
    x, y = numbers("xy")
    out = add(x, x)
    f = graph([x, y], out)
    f.change_input(out.owner, 1, y)
    assert str(f) == "[Add(x, y)]" and f.clients(x) == [(out.owner, 0)]
    f.check_integrity()


def test_integrity_check_notices_a_wrong_client_list():
    (x,) = numbers("x")
    f = graph([x], neg(x))
    x.clients.append((f.outputs[0].owner, 1))
    with pytest.raises(Exception, match="Client"):
        f.check_integrity()


def test_features_hear_of_attachment_and_are_attached_once():
    class Once(tb.Feature):
        def on_attach(self, fgraph):
            if hasattr(fgraph, "once"):
                raise tb.AlreadyThere()
            fgraph.once = True

        def on_detach(self, fgraph):
            del fgraph.once

    (x,) = numbers("x")
    f = graph([x], neg(x))
    first = Once()
    f.attach_feature(first)
    f.attach_feature(Once())
    assert sum(isinstance(feature, Once) for feature in f._features) == 1
    f.remove_feature(first)
    assert not hasattr(f, "once")


def test_history_takes_changes_back():
    x, y = numbers("xy")
    low = neg(x)
    f = graph([x, y], add(low, low), low)
    before = str(f)
    checkpoint = f.checkpoint()
    f.replace(low, mul(x, y))
    f.replace(f.outputs[0], y)
    assert str(f) == "[y, Mul(x, y)]"
    f.revert(checkpoint)
    assert str(f) == before
    f.check_integrity()


def test_replace_validate_takes_back_what_a_feature_objects_to():
    class NoMul(tb.Feature):
        def validate(self, fgraph):
            if any(node.op is mul for node in fgraph.apply_nodes):
                raise InconsistencyError("no Mul here")

    x, y = numbers("xy")
    f = graph([x, y], neg(x), features=[NoMul()])
    with pytest.raises(InconsistencyError, match="no Mul here"):
        f.replace_validate(f.outputs[0], mul(x, y))
    assert str(f) == "[Neg(x)]" and f.consistent()
    f.replace_all_validate([(f.outputs[0], add(x, y))], reason="fine")
    assert str(f) == "[Add(x, y)]"
    f.replace(f.outputs[0], mul(x, y))
    assert not f.consistent()


def test_replace_all_validate_remove_wants_the_nodes_gone(capsys):
    (x,) = numbers("x")
    low = neg(x)
    f = graph([x], low, view(low))
    with pytest.raises(tb.ReplacementDidntRemovedError):
        f.replace_all_validate_remove([(f.outputs[1], x)], remove=[low.owner])
    assert str(f) == "[*1 -> Neg(x), View(*1)]"
    assert "doesn't remove it" in capsys.readouterr().err


def test_node_finder_follows_changes():
    x, y = numbers("xy")
    low = mul(x, y)
    f = graph([x, y], add(low, neg(low)))
    f.attach_feature(tb.NodeFinder())
    assert f.get_nodes(mul) == [low.owner] and len(f.get_nodes(neg)) == 1
    f.replace(low, neg(y))
    assert f.get_nodes(mul) == [] and len(f.get_nodes(neg)) == 2


def test_names_and_marks_go_to_the_replacement():
    (x,) = numbers("x")
    out = neg(x)
    out.name = "result"
    out.tag.nan_guard_mode_check = True
    f = graph([x], out, features=[tb.PreserveVariableAttributes()])
    f.replace(out, view(x))
    assert f.outputs[0].name == "result" and f.outputs[0].tag.nan_guard_mode_check


def test_no_output_from_inplace():
    from tests.gof.toys import neg_inplace

    (x,) = numbers("x")
    f = graph([x], neg(x), features=[tb.NoOutputFromInplace()])
    with pytest.raises(InconsistencyError, match="outputs of the graph be prevented"):
        f.replace_validate(f.outputs[0], neg_inplace(x))
    assert str(f) == "[Neg(x)]"


def test_print_listener_prints_each_event(capsys):
    (x,) = numbers("x")
    f = graph([x], neg(x), features=[tb.PrintListener()])
    f.replace(f.outputs[0], view(x), reason="r")
    text = capsys.readouterr().out
    for event in ("-- attaching to", "-- importing: View(x), reason: r", "-- pruning: Neg(x)", "-- changing (output.inputs[0])"):
        assert event in text


def test_bad_maps_are_refused():
    from tests.gof.toys import Arithmetic

    (x,) = numbers("x")
    with pytest.raises(Exception, match="have a bad view map"):
        graph([x], Arithmetic("BadView", None, view_map={0: 0})(x))


def test_orderings_of_features_are_merged():
    class Before(tb.Feature):
        def __init__(self, node, nodes):
            self.answer = {node: nodes}

        def orderings(self, fgraph):
            return self.answer

    (x,) = numbers("x")
    a, b, c = neg(x), view(x), mul(x, x)
    f = graph([x], a, b, c, features=[Before(a.owner, [b.owner]), Before(a.owner, [c.owner, b.owner])])
    assert f.orderings() == {a.owner: [b.owner, c.owner]}
    assert f.toposort()[-1] is a.owner
    f.attach_feature(Before(b.owner, {c.owner}))
    with pytest.raises(TypeError, match="deterministic iteration order"):
        f.orderings()


def test_disown_lets_everything_go():
    x, y = numbers("xy")
    out = add(x, y)
    f = graph([x, y], out)
    f.disown()
    assert x.fgraph is None and out.owner.fgraph is None
    graph([x, y], out).check_integrity()


def test_clone_get_equiv_maps_old_to_new():
    x, y = numbers("xy")
    out = add(neg(x), y)
    f = graph([x, y], out)
    copied, equiv = f.clone_get_equiv()
    copied.check_integrity()
    assert equiv[out] is copied.outputs[0] and equiv[out.owner].fgraph is copied and str(copied) == str(f)


def test_a_large_deep_graph_is_handled_in_linear_time():
    (x,) = numbers("x")
    seconds = []
    for length in (5_000, 40_000):
        out = chain(x.clone(), length)
        (leaf,) = __import__("theano_compat").gof.graph.inputs([out])
        start = time.process_time()
        f = graph([leaf], out)
        f.check_integrity()
        f.replace(leaf.clients[0][0].outputs[0], view(leaf))
        assert len(f.toposort()) == length
        f.replace(f.outputs[0], leaf)
        assert not f.apply_nodes
        seconds.append(time.process_time() - start)
    assert seconds[1] < 8 * 5 * seconds[0]  # eight times the nodes; a quadratic cost would be sixty-four times as much
