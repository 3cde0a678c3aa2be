"""DebugMode, NanGuardMode, MonitorMode and profiles: what they catch, and what they say."""

import io
import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import gof
from theano_compat.compile import DebugMode, MonitorMode, ProfileStats, debugmode
from theano_compat.compile.monitormode import detect_nan
from theano_compat.compile.nanguardmode import NanGuardMode, contains_inf, contains_nan, flatten


class Broken(gof.Op):
    """An op that breaks its promises in one of several ways."""

    __props__ = ("how",)

    def __init__(self, how, **maps):
        self.how = how
        self.__dict__.update(maps)

    def make_node(self, x):
        return gof.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        (x,) = inputs
        if self.how == "destroys":
            x += 1
            outputs[0][0] = x.copy()
        elif self.how == "views":
            outputs[0][0] = x[:]
        elif self.how == "wrong dtype":
            outputs[0][0] = x.astype("float32")
        elif self.how == "nan":
            outputs[0][0] = x * np.nan
        elif self.how == "adds to storage":
            if outputs[0][0] is not None and outputs[0][0].shape == x.shape:
                outputs[0][0] += x
            else:
                outputs[0][0] = x.copy()
        else:
            outputs[0][0] = x.copy()


def run(op, **options):
    x = T.dvector("x")
    mode = DebugMode(optimizer=options.pop("optimizer", None), check_c_code=False, stability_patience=2, **options)
    return theano.function([x], op(x), mode=mode)(np.ones(3))


@pytest.mark.parametrize(
    "how, error, text",
    [
        ("destroys", debugmode.BadDestroyMap, "changed input idx: 0"),
        ("views", debugmode.BadViewMap, r"aliased to inputs: \[0\]"),
        ("wrong dtype", debugmode.InvalidValueError, r"expected a ndarray object with dtype = float64 \(got float32\)"),
        ("nan", debugmode.InvalidValueError, "non-finite elements not allowed"),
    ],
)
def test_debug_mode_catches_broken_ops(how, error, text):
    with pytest.raises(error, match=text):
        run(Broken(how))


def test_debug_mode_accepts_what_was_declared():
    assert np.array_equal(run(Broken("ok")), np.ones(3))
    assert np.array_equal(run(Broken("views", view_map={0: [0]})), np.ones(3))
    x = T.dvector("x")
    op = Broken("destroys", destroy_map={0: [0]})
    mode = DebugMode(optimizer=None, check_c_code=False, stability_patience=1)
    f = theano.function([theano.In(x, mutable=True)], op(x), mode=mode, accept_inplace=True)
    assert np.array_equal(f(np.ones(2)), [2, 2])
    assert np.isnan(run(Broken("nan"), check_isfinite=False)).all()


def test_debug_mode_tries_storage_left_from_before():
    with pytest.raises(debugmode.BadThunkOutput, match="perform \\(previous\\)"):
        run(Broken("adds to storage"), check_preallocated_output="previous")
    assert np.array_equal(run(Broken("ok"), check_preallocated_output="ALL"), np.ones(3))


def test_debug_mode_catches_bad_rewrites():
    @gof.local_optimizer([T.add])
    def forgets_a_term(node):
        return [node.inputs[0]] if node.op == T.add else False

    db = gof.EquilibriumDB()
    db.register("forgets_a_term", forgets_a_term, "all")
    x, y = T.dvectors("x", "y")
    mode = DebugMode(optimizer=db.query("+all"), check_c_code=False, stability_patience=1)
    f = theano.function([x, y], (x + y) * 2, mode=mode, on_unused_input="ignore")
    with pytest.raises(debugmode.BadOptimization, match="forgets_a_term"):
        f([1.0], [2.0])
    assert np.array_equal(f([1.0], [0.0]), [2])


def test_debug_mode_catches_rewriting_by_chance():
    @gof.local_optimizer([T.add])
    def random_choice(node):
        random_choice.turn += 1
        if node.op == T.add and random_choice.turn == 1:
            return [T.add(*node.inputs[::-1])]
        return False

    random_choice.turn = 0
    db = gof.EquilibriumDB()
    db.register("random_choice", random_choice, "all")
    x, y = T.dvectors("x", "y")
    with pytest.raises(debugmode.StochasticOrder, match="random_choice"):
        theano.function([x, y], x + y, mode=DebugMode(optimizer=db.query("+all"), stability_patience=3))


def test_debug_mode_with_the_compiled_code_updates_and_defaults():
    x, w = T.dvector("x"), theano.shared(np.zeros(2))
    f = theano.function([x], T.exp(x).sum() + x, updates=[(w, w + x)], mode=DebugMode(stability_patience=2))
    assert np.allclose(f([0.0, 1.0]), 1 + np.e + np.array([0, 1]))
    f([0.0, 1.0])
    assert np.allclose(w.get_value(), [0, 2])


def test_debug_mode_options():
    with pytest.raises(ValueError, match="DebugMode has to check at least one of c and py code"):
        DebugMode(check_c_code=False, check_py_code=False)
    with pytest.raises(Exception, match="DebugMode can only use its own linker"):
        DebugMode(linker="py")
    mode = DebugMode(stability_patience=7, check_preallocated_output="previous:strided")
    twin = pickle.loads(pickle.dumps(mode.excluding("fusion")))
    assert twin.stability_patience == 7 and twin.check_preallocated_output == ["previous", "strided"]


def guarded(**options):
    x = T.dvector("x")
    return theano.function([x], T.log(x) * 2, mode=NanGuardMode(**options))


def test_nan_guard_mode():
    f = guarded(nan_is_error=True, inf_is_error=True, big_is_error=True)
    assert np.allclose(f([1.0]), 0)
    with np.errstate(all="ignore"):
        with pytest.raises(AssertionError, match="NaN detected\nNanGuardMode found an error in the output of a node"):
            f([-1.0])
        with pytest.raises(AssertionError, match="Inf detected"):
            f([0.0])
    with pytest.raises(AssertionError, match="NaN detected\nNanGuardMode found an error in an input of the graph."):
        f([np.nan])
    with pytest.raises(AssertionError, match="Big value detected"):
        f([1e12])
    assert np.isfinite(guarded(nan_is_error=True, inf_is_error=False, big_is_error=False)([1e12])).all()


def test_nan_guard_mode_leaves_out_what_is_marked():
    x = T.dvector("x")
    y = T.log(x)
    y.tag.nan_guard_mode_check = False
    mode = NanGuardMode(nan_is_error=True, inf_is_error=False, big_is_error=False, optimizer=None)
    with np.errstate(all="ignore"):
        assert np.isnan(theano.function([x], y, mode=mode)([-1.0])).all()


def test_finding_nan_and_inf():
    assert contains_nan(np.array([1, np.nan])) and not contains_nan(np.array([1, np.inf])) and not contains_nan(np.array(1))
    assert contains_inf(np.array([np.nan, -np.inf])) and not contains_inf(np.array([np.nan]))
    assert contains_nan(np.array([1j * np.nan])) and not contains_nan("text") and not contains_nan(slice(1))
    assert flatten([1, [2, (3, {"a": 4})]]) == [1, 2, 3, 4]


def test_monitor_mode_sees_every_node():
    x = T.dvector("x")
    seen = []
    mode = MonitorMode(
        pre_func=lambda i, node, fn: seen.append((i, str(node.op), fn.inputs[0][0].tolist())),
        post_func=lambda i, node, fn: seen.append(fn.outputs[0][0].tolist()),
        optimizer="None",
    )
    theano.function([x], -T.sqr(x), mode=mode)([2.0])
    assert seen == [(0, "Elemwise{sqr,no_inplace}", [2.0]), [4.0], (1, "Elemwise{neg,no_inplace}", [4.0]), [-4.0]]
    assert mode.excluding("fusion").post_func is mode.post_func
    with pytest.raises(Exception, match="MonitorMode can only use its default linker"):
        MonitorMode(linker=gof.PerformLinker())


def test_detect_nan(capsys):
    x = T.dvector("x")
    f = theano.function([x], T.log(x) * x, mode=MonitorMode(post_func=detect_nan, optimizer="None"))
    with np.errstate(all="ignore"):
        f([-1.0])
    printed = capsys.readouterr().out
    assert printed.startswith("*** NaN detected ***\nElemwise{log,no_inplace} [id A] ''")
    assert "Inputs : [array([-1.])]\nOutputs: [array([nan])]" in printed


def test_profile_sections():
    x = T.dmatrix("x")
    profile = ProfileStats(atexit_print=False, message="mine")
    f = theano.function([x], T.exp(x).sum(0) + 1, mode=theano.Mode("vm", "fast_run"), profile=profile)
    for _ in range(3):
        f(np.ones((3, 3)))
    out = io.StringIO()
    profile.summary(file=out)
    printed = out.getvalue()
    assert printed.startswith("Function profiling\n==================\n  Message: mine\n  Time in 3 calls to Function.__call__: ")
    for heading in (
        "Class\n---", "Ops\n---", "Apply\n------", "<% time> <sum %> <apply time> <time per call>",
        "Time in all call to theano.grad()", "Theano Optimizer time:", "Here are tips",
    ):
        assert heading in printed
    assert sum(profile.class_callcount().values()) == 3 * len(f.maker.fgraph.apply_nodes)
    assert sum(profile.op_nodes().values()) == len(f.maker.fgraph.apply_nodes)
    assert abs(sum(profile.op_time().values()) - sum(profile.apply_time.values())) < 1e-9
    totals = profile.compute_total_times()
    assert max(totals.values()) <= sum(profile.apply_time.values()) + 1e-9


def test_profile_of_calls_under_the_engine_counts_calls():
    x = T.dvector("x")
    profile = ProfileStats(atexit_print=False)
    f = theano.function([x], x * 2, profile=profile)
    f([1.0])
    f([1.0])
    assert profile.fct_callcount == 2 and profile.fct_call_time >= profile.vm_call_time > 0


def test_memory_profile_counts_bytes():
    flags = theano.config.profile, theano.config.profile_memory
    config = theano.config
    minimum = config.profiling.min_peak_memory
    try:
        config.profile = config.profile_memory = config.profiling.min_peak_memory = True
        x = T.dmatrix("x")
        profile = ProfileStats(atexit_print=False)
        # Three arrays of 32 KB: two of them alive at the same time; in place, one is enough.
        f = theano.function([x], T.exp(x).T * T.exp(-x), mode=theano.Mode("vm", None), profile=profile)
        f(np.ones((64, 64)))
        out = io.StringIO()
        profile.summary(file=out)
    finally:
        config.profile, config.profile_memory = flags
        config.profiling.min_peak_memory = minimum
    printed = out.getvalue()
    # exp(x) stays while -x, exp(-x) and then the product are made.
    assert "    Max peak memory with current setting\n        CPU: 96KB (96KB)" in printed
    assert "Minimum peak from all valid apply node order is 96KB" in printed
    assert "        CPU: 128KB\n" in printed
    assert "32768B  [(64, 64)] c Elemwise{exp,no_inplace}(x)" in printed


def test_profile_mode_sums_up_its_functions():
    mode, x = theano.compile.ProfileMode(), T.dvector("x")
    f = theano.function([x], T.exp(x).sum(), mode=mode, name="first")
    g = theano.function([x], T.exp(x) * 2, mode=mode.excluding("fusion"), name="second")
    theano.function([x], x + 1, mode=mode, name="never called")
    f(np.ones(3)), f(np.ones(3)), g(np.ones(2))
    file = io.StringIO()
    mode.print_summary(file=file)
    assert [word in file.getvalue() for word in ("Message: first", "Message: second", "never called", "Elemwise")] == [True, True, False, True]
    assert [profile.fct_callcount for profile in mode.profiles] == [2, 1, 0]
    again = pickle.loads(pickle.dumps(mode))
    assert again.profiles == [] and type(again) is theano.compile.ProfileMode
    assert float(theano.function([x], x.sum(), mode="PROFILE_MODE")(np.ones(3))) == 3
    with pytest.warns(DeprecationWarning, match="gone since Theano 0.9"):
        assert theano.ProfileMode is theano.compile.ProfileMode
