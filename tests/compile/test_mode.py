"""Modes, linkers and rewrites by name, and the skeleton of the database of rewrites."""

import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.compile import mode as modes

POSITIONS = {
    "merge1": 0, "useless": 0.6, "merge1.1": 0.65, "canonicalize": 1, "merge1.2": 1.2, "stabilize": 1.5, "specialize": 2,
    "uncanonicalize": 3, "specialize_device": 48.6, "merge2": 49, "add_destroy_handler": 49.5, "merge3": 100,
    "inline_ofg_expansion": -0.01,
}  # fmt: skip


def test_standing_entries_and_positions():
    for name, position in POSITIONS.items():
        assert name in modes.optdb._names
        assert modes.optdb._position[name] == position


@pytest.mark.parametrize("linker", ["py", "vm", "vm_nogc", "cvm", "cvm_nogc", "c|py", "c|py_nogc", "c"])
@pytest.mark.parametrize("optimizer", [None, "merge", "fast_compile", "fast_run", "o3", "o2"])
def test_every_linker_with_every_set_of_rewrites_computes_the_same(linker, optimizer):
    x = T.dvector("x")
    f = theano.function([x], T.exp(x * 2).sum() + x, mode=theano.Mode(linker, optimizer))
    value = np.array([0.0, 0.5])
    assert np.allclose(f(value), np.exp(value * 2).sum() + value)


def test_names_that_are_taken_or_unknown():
    with pytest.raises(ValueError, match="Linker name already taken: py"):
        modes.register_linker("py", None)
    with pytest.raises(ValueError, match="Optimizer name already taken: merge"):
        modes.register_optimizer("merge", None)
    with pytest.raises(ValueError, match="Mode name already taken: FAST_RUN"):
        modes.register_mode("FAST_RUN", None)
    with pytest.raises(KeyError):
        theano.Mode(linker="no such linker")
    with pytest.raises(KeyError):
        theano.Mode(optimizer="no such rewrites")


def test_including_excluding_and_requiring_give_new_modes():
    mode = theano.Mode("py", "fast_run")
    names = lambda m: {getattr(o, "name", None) for o in m.optimizer}  # noqa: E731
    assert "canonicalize" in names(mode) and "canonicalize" not in names(mode.excluding("canonicalize"))
    assert "canonicalize" in names(mode)
    assert "merge1" in names(theano.Mode("py", None).including("merge"))
    assert len(names(mode.requiring("inplace"))) < len(names(mode))


def test_registered_rewrite_is_applied():
    from theano_compat.gof import local_optimizer
    from theano_compat.gof.opt import in2out

    @local_optimizer([T.sub])
    def sub_to_add(node):
        return [T.add(*node.inputs)] if node.op == T.sub else False

    x, y = T.dscalars("x", "y")
    mode = theano.Mode("py", "merge").register((in2out(sub_to_add), 1.0))
    assert float(theano.function([x, y], x - y, mode=mode)(5, 3)) == 8


def test_clone_keeps_rewrites_and_changes_garbage_collection():
    mode = theano.Mode("vm", "fast_compile")
    twin = mode.clone(link_kwargs={"allow_gc": False})
    assert twin.linker.allow_gc is False and twin.linker is not mode.linker
    assert twin.provided_optimizer == mode.provided_optimizer


def test_modes_pickle():
    mode = pickle.loads(pickle.dumps(theano.Mode("py", "fast_compile")))
    x = T.dscalar("x")
    assert theano.function([x], x + 1, mode=mode)(1) == 2
    assert isinstance(pickle.loads(pickle.dumps(modes.FAST_RUN)), theano.Mode)


def test_default_mode_follows_the_flags():
    flags = theano.config.linker, theano.config.optimizer
    try:
        theano.config.linker, theano.config.optimizer = "py", "None"
        mode = modes.get_default_mode()
        assert type(mode.linker).__name__ == "PerformLinker" and not list(mode.optimizer)
        assert modes.get_default_mode() is mode
    finally:
        theano.config.linker, theano.config.optimizer = flags


def test_get_mode():
    mode = theano.Mode("py", None)
    assert modes.get_mode(mode) is mode
    assert type(modes.get_mode("DebugMode")).__name__ == "DebugMode"
    assert type(modes.get_mode("DEBUG_MODE")).__name__ == "DebugMode"
    assert type(modes.get_mode("NanGuardMode")).__name__ == "NanGuardMode"


def test_print_current_function_graph(capsys):
    from theano_compat.gof import FunctionGraph

    x = T.dscalar("x")
    modes.PrintCurrentFunctionGraph("here").optimize(FunctionGraph([x], [x + 1]))
    text = capsys.readouterr().out
    assert text.startswith("PrintCurrentFunctionGraph: here\n") and "Elemwise{add,no_inplace} [id A]" in text


def test_add_feature_optimizer():
    from theano_compat.gof import FunctionGraph
    from theano_compat.gof.toolbox import NodeFinder

    x = T.dscalar("x")
    fgraph = FunctionGraph([x], [x + 1])
    finder = NodeFinder()
    modes.AddFeatureOptimizer(finder).optimize(fgraph)
    assert finder in fgraph._features
