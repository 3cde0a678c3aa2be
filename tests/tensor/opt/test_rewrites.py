"""Every rewrite: applied where it should be, not where it should not, and the value stays what it was.

One row per case: name of the rewrite, expression of the inputs below, whether it must have been applied (a near miss must not).
"""

from __future__ import annotations

import pytest

import theano_compat.tensor as T
from tests.tensor.opt.tools import check_values, rewritten
from theano_compat.compile.ops import Rebroadcast

x, z, w = T.dmatrices("x", "z", "w")
v, u = T.dvectors("v", "u")
s, r = T.dscalars("s", "r")
row = T.drow("row")
f = T.fmatrix("f")
im, jm = T.imatrices("im", "jm")
n = T.lscalar("n")
idx = T.lvector("idx")
t3 = T.dtensor3("t3")
INPUTS = [x, z, w, v, u, s, r, row, f, im, jm, n, idx, t3]
# x, z, w: 3 by 4; v, u: 3; t3: 3 by 4 by 2. Square products go through transposes.
SHAPES = {"v": (4,), "u": (4,)}

YES, NO = True, False

CASES = [
    # products and sums in one form
    ("local_mul_canonizer", lambda: x * z / x, YES),
    ("local_mul_canonizer", lambda: 2 * x * 3, YES),
    ("local_mul_canonizer", lambda: x * z, NO),
    ("local_add_canonizer", lambda: x + z - x, YES),
    ("local_add_canonizer", lambda: (x + 1) + 2, YES),
    ("local_add_canonizer", lambda: x + z, NO),
    ("local_greedy_distributor", lambda: (x * 2 + z) / x, YES),
    ("local_greedy_distributor", lambda: (w + z) / x, NO),
    ("local_neg_to_mul", lambda: -x, YES),
    ("local_pow_canonicalize", lambda: x**1, YES),
    ("local_pow_canonicalize", lambda: x**0, YES),
    ("local_pow_canonicalize", lambda: x**2, NO),
    ("local_mul_zero", lambda: x * 0, YES),
    ("local_mul_zero", lambda: x * 1e-300, NO),
    ("local_zero_div", lambda: 0 / x, YES),
    ("local_zero_div", lambda: z / x, NO),
    ("local_intdiv_by_one", lambda: im // 1, YES),
    ("local_intdiv_by_one", lambda: x // 1, YES),
    ("local_abs_lift", lambda: abs(x * z), YES),
    ("local_abs_lift", lambda: abs(x + z), NO),
    # cheap operations
    ("local_abs_merge", lambda: abs(x) * abs(z), YES),
    ("local_abs_merge", lambda: abs(x) * z, NO),
    ("local_mul_to_sqr", lambda: x * x, YES),
    ("local_mul_to_sqr", lambda: x * z, NO),
    ("local_div_to_inv", lambda: 1 / x, YES),
    ("local_div_to_inv", lambda: 2 / x, NO),
    ("local_mul_specialize", lambda: -x, YES),
    ("local_pow_specialize", lambda: x**2, YES),
    ("local_pow_specialize", lambda: x**-2, YES),
    ("local_pow_specialize", lambda: x**2.5, NO),
    ("local_pow_specialize_device", lambda: x**5, YES),
    ("local_pow_specialize_device", lambda: x**-7, YES),
    ("local_pow_specialize_device", lambda: x**600, NO),
    # fill and alloc
    ("local_useless_fill", lambda: T.fill(x, z), YES),
    ("local_useless_fill", lambda: T.fill(x, v), NO),
    ("local_fill_sink", lambda: T.fill(x, s) + z, YES),
    ("local_fill_to_alloc", lambda: T.fill(x, s), YES),
    ("local_elemwise_alloc", lambda: T.alloc(s, x.shape[0], x.shape[1]) * x, YES),
    ("local_elemwise_alloc", lambda: T.alloc(s, 3, 4) * r, NO),
    ("local_alloc_unary", lambda: T.exp(T.alloc(s, n + 1, n + 2)), YES),
    ("local_merge_alloc", lambda: T.alloc(T.alloc(v, 3, 4), 2, 3, 4), YES),
    ("local_canonicalize_alloc", lambda: T.alloc(v, 1, 4), YES),
    # useless
    ("local_useless_elemwise", lambda: T.eq(x, x), YES),
    ("local_useless_elemwise", lambda: T.eq(x, z), NO),
    ("local_useless_elemwise", lambda: T.and_(im, 0), YES),
    ("local_useless_elemwise", lambda: T.or_(im, 0), YES),
    ("local_useless_elemwise", lambda: T.and_(im, -1), YES),
    ("local_useless_elemwise", lambda: T.and_(im, 1), NO),
    ("local_useless_elemwise_comparison", lambda: T.lt(x, x), YES),
    ("local_useless_elemwise_comparison", lambda: T.maximum(x.shape[0], 0), YES),
    ("local_useless_elemwise_comparison", lambda: T.ge(x.shape[0], 1), NO),
    ("local_useless_elemwise_comparison", lambda: T.minimum(x.shape[0] + 1, 1), YES),
    ("local_useless_elemwise_comparison", lambda: T.gt(x.shape[0] + 1, x.shape[0] + z.shape[0] * 0), YES),
    ("local_useless_elemwise_comparison", lambda: T.le(x.shape[0], z.shape[0]), NO),
    ("local_func_inv", lambda: T.rad2deg(T.deg2rad(x)), YES),
    ("local_func_inv", lambda: T.rad2deg(T.rad2deg(x)), NO),
    ("local_func_inv", lambda: T.sinh(T.arcsinh(x)), YES),
    # switch and cast
    ("local_useless_switch", lambda: T.switch(1, x, z), YES),
    ("local_useless_switch", lambda: T.switch(0, x, row), YES),
    ("local_useless_switch", lambda: T.switch(x > 0, z, z), YES),
    ("local_useless_switch", lambda: T.switch(x > 0, x, z), NO),
    ("local_merge_switch_same_cond", lambda: T.switch(x > 0, x, z) + T.switch(x > 0, z, 1.0), YES),
    ("local_merge_switch_same_cond", lambda: T.switch(x > 0, x, z) + T.switch(x > 1, z, w), NO),
    ("local_mul_switch_sink", lambda: T.switch(x > 0, 0, x) * z, YES),
    ("local_mul_switch_sink", lambda: T.switch(x > 0, 1, x) * z, NO),
    ("local_div_switch_sink", lambda: T.switch(x > 0, x, 0) / z, YES),
    ("local_cast_cast", lambda: T.cast(T.cast(im, "int64"), "float64"), YES),
    ("local_cast_cast", lambda: T.cast(T.cast(x, "int32"), "float64"), NO),
    ("local_upcast_elemwise_constant_inputs", lambda: T.maximum(f, 2), YES),
    # reductions
    ("local_sum_prod_all_to_none", lambda: T.sum(x, axis=(0, 1)), YES),
    ("local_op_of_op", lambda: T.sum(T.sum(t3, axis=0), axis=1), YES),
    ("local_op_of_op", lambda: T.prod(T.sum(x, axis=0)), NO),
    ("local_useless_reduce", lambda: T.sum(x, axis=[]), YES),
    ("local_reduce_broadcastable", lambda: row.sum(axis=0), YES),
    ("local_reduce_broadcastable", lambda: row.sum(axis=1), NO),
    ("local_reduce_join", lambda: T.max(T.stack([x, z]), axis=0), YES),
    ("local_reduce_join", lambda: T.sum(T.stack([x, z, w]), axis=0), YES),
    ("local_sum_prod_mul_by_scalar", lambda: T.sum(s * x, axis=0), YES),
    ("local_sum_prod_mul_by_scalar", lambda: T.prod(s * x), YES),
    ("local_sum_prod_mul_by_scalar", lambda: T.sum(z * x), NO),
    ("local_sum_prod_div_dimshuffle", lambda: T.sum(t3 / v.dimshuffle("x", 0, "x"), axis=(0, 2)), YES),
    ("local_sum_prod_div_dimshuffle", lambda: T.sum(t3 / v.dimshuffle("x", 0, "x"), axis=1), NO),
    ("local_sum_prod_div_dimshuffle", lambda: T.prod(x / v, axis=0), YES),
    ("local_opt_alloc", lambda: T.sum(T.alloc(2.0, 3, n + 1)), YES),
    ("local_opt_alloc", lambda: T.prod(T.alloc(2.0, 3, n + 1), axis=0), YES),
    ("local_opt_alloc", lambda: T.sum(T.alloc(s, 3, n + 1)), NO),
    (
        "local_sumsqr2dot",
        lambda: T.sum(T.sqr(x.dimshuffle("x", 0, 1) * z.dimshuffle(0, "x", 1)), axis=(1, 2)),
        YES,
    ),
    ("local_max_and_argmax", lambda: T.max_and_argmax(x, axis=1)[0], YES),
    ("local_max_and_argmax", lambda: T.argmax(x, axis=1), YES),
    ("local_max_to_min", lambda: -T.max(-x, axis=1), YES),
    ("local_max_to_min", lambda: -T.max(x, axis=1), NO),
    # numerically better
    ("local_expm1", lambda: T.exp(x) - 1, YES),
    ("local_expm1", lambda: T.exp(x) - 2, NO),
    ("local_log1p", lambda: T.log(1 + T.sqr(x)), YES),
    ("local_log1p", lambda: T.log(1 - 0.1 * T.sqr(T.tanh(x))), YES),
    ("local_log1p", lambda: T.log(2 + T.sqr(x)), NO),
    ("local_log_add", lambda: T.log(T.exp(x) + T.exp(z)), YES),
    ("local_log_add", lambda: T.log(T.exp(x) + z**2), NO),
    ("local_log_sum_exp", lambda: T.log(T.sum(T.exp(x), axis=1)), YES),
    ("local_log_sum_exp", lambda: T.log(T.sum(T.exp(x))), YES),
    ("local_log_sum_exp", lambda: T.log(T.sum(T.exp(x), axis=1, keepdims=True)), YES),
    ("local_log_sum_exp", lambda: T.log(T.sum(T.sqr(x), axis=1)), NO),
    ("local_one_minus_erf2", lambda: 1 + -1 * T.erf(x), YES),
    ("local_one_minus_erfc3", lambda: 1 + -1 * T.erfc(x), YES),
    ("local_one_plus_erf", lambda: 1 + T.erf(x), YES),
    ("local_erf_minus_one", lambda: T.erf(x) - 1, YES),
    ("local_log_erfc", lambda: T.log(T.erfc(x)), YES),
    ("local_grad_log_erfc_neg", lambda: T.grad(T.sum(T.log(T.erfc(x))), x), YES),
    # subtensors
    ("local_useless_slice", lambda: x[0, :], YES),
    ("local_useless_slice", lambda: x[0, 1:], NO),
    ("local_useless_subtensor", lambda: x[0 : x.shape[0]], YES),
    ("local_useless_subtensor", lambda: x[T.arange(x.shape[0])], YES),
    ("local_useless_subtensor", lambda: x[0 : z.shape[0] - 1], NO),
    ("local_subtensor_merge", lambda: x[1:][0], YES),
    ("local_subtensor_merge", lambda: x[::-1][1:][0], YES),
    ("local_subtensor_merge", lambda: x[n : n + 2][::-1], YES),
    ("local_subtensor_lift", lambda: T.exp(x)[0], YES),
    ("local_subtensor_lift", lambda: (x + z)[1:], YES),
    ("local_subtensor_lift", lambda: (x + v)[1:], NO),
    ("local_subtensor_of_dot", lambda: T.dot(x, z.T)[0], YES),
    ("local_subtensor_of_dot", lambda: T.dot(x, z.T)[1, 2], YES),
    ("local_subtensor_of_dot", lambda: T.dot(x, z.T)[:, 1], YES),
    ("local_subtensor_remove_broadcastable_index", lambda: row[0], YES),
    ("local_subtensor_remove_broadcastable_index", lambda: x[0], NO),
    ("local_subtensor_of_alloc", lambda: T.alloc(v, 3, 4)[1], YES),
    ("local_subtensor_of_alloc", lambda: T.alloc(v, 3, 4)[1:, 1:3], YES),
    ("local_subtensor_make_vector", lambda: T.stack([s, r, s])[1], YES),
    ("local_subtensor_make_vector", lambda: T.stack([s, r, s])[1:], YES),
    ("local_subtensor_make_vector", lambda: T.stack([s, r, s])[n], NO),
    ("local_subtensor_inc_subtensor", lambda: T.set_subtensor(x[0], v)[0], YES),
    ("local_subtensor_inc_subtensor", lambda: T.inc_subtensor(x[0], v)[0], NO),
    ("local_subtensor_inc_subtensor", lambda: T.set_subtensor(x[0], v)[1], NO),
    ("local_adv_sub1_adv_inc_sub1", lambda: T.set_subtensor(x[T.arange(3)], z)[T.arange(3)], YES),
    ("local_adv_sub1_adv_inc_sub1", lambda: T.set_subtensor(x[idx], z)[idx], NO),
    ("local_incsubtensor_of_zeros", lambda: T.inc_subtensor(x[0], T.zeros_like(v)), YES),
    ("local_setsubtensor_of_constants", lambda: T.set_subtensor(T.zeros((3, 4))[1], 0.0), YES),
    ("local_useless_inc_subtensor", lambda: T.set_subtensor(T.exp(z)[:], z), YES),
    ("local_useless_inc_subtensor", lambda: T.set_subtensor((x + z)[1:], z[1:]), NO),
    ("local_useless_inc_subtensor", lambda: T.inc_subtensor(T.zeros_like(z)[0 : z.shape[0]], T.exp(z)), YES),
    ("local_useless_inc_subtensor", lambda: T.inc_subtensor(T.zeros_like(z)[0:, ::-1], T.exp(z)), YES),
    ("local_useless_inc_subtensor", lambda: T.inc_subtensor(T.zeros_like(z)[0 : z.shape[0] - 1], T.exp(z)[1:]), NO),
    ("local_useless_inc_subtensor_alloc", lambda: T.inc_subtensor(x[:2], T.alloc(s, 2, 4)), YES),
    ("local_set_to_inc_subtensor", lambda: T.set_subtensor(x[T.arange(3)], x[T.arange(3)] + z), YES),
    ("local_set_to_inc_subtensor", lambda: T.set_subtensor(x[idx], x[idx] + z), NO),
    (
        "local_IncSubtensor_serialize",
        lambda: T.inc_subtensor(T.zeros_like(x)[0], v) + T.inc_subtensor(T.zeros_like(x)[1], u),
        YES,
    ),
    ("local_inplace_setsubtensor", lambda: T.inc_subtensor((x * 2)[0], v), YES),
    # moving data
    ("local_dimshuffle_lift", lambda: x.T.T, YES),
    ("local_dimshuffle_lift", lambda: (x + z).T, YES),
    ("local_lift_transpose_through_dot", lambda: T.dot(x, z.T).T, YES),
    ("local_0_dot_x", lambda: T.dot(T.zeros((2, 3)), x), YES),
    ("local_useless_reshape", lambda: x.reshape(x.shape), YES),
    ("local_useless_reshape", lambda: x.reshape((z.shape[1], 3)), NO),
    ("local_reshape_chain", lambda: x.reshape((2, 6)).reshape((12,)), YES),
    ("local_reshape_to_dimshuffle", lambda: x.reshape((1, 12)), YES),
    ("local_reshape_lift", lambda: T.exp(x).reshape((2, 6)), YES),
    ("local_useless_dimshuffle_in_reshape", lambda: v.dimshuffle("x", 0, "x").reshape((2, 2)), YES),
    ("local_join_1", lambda: T.Join()(0, x), YES),
    ("local_join_make_vector", lambda: T.join(0, T.stack([s, r]), T.stack([r, s]), v), YES),
    ("local_useless_split", lambda: T.split(x, [3], 1, axis=0), YES),
    ("local_rebroadcast_lift", lambda: T.addbroadcast(T.exp(T.unbroadcast(row, 0)), 0), YES),
    ("local_useless_rebroadcast", lambda: Rebroadcast((0, True))(Rebroadcast((0, False))(row)), YES),
    ("local_useless_tile", lambda: T.Tile(2)(x, T.constant([1, 1])), YES),
    # shapes
    ("local_shape_to_shape_i", lambda: T.dot(x, z.T).shape, YES),
    # fusion and work in place
    ("FusionOptimizer", lambda: T.tanh(x + z) * w, YES),
    ("FusionOptimizer", lambda: x + z, NO),
    ("inplace_elemwise_optimizer", lambda: T.tanh(T.dot(x, z.T)), YES),
    ("inplace_elemwise_optimizer", lambda: T.tanh(x), NO),
]

# Some expressions are of positive numbers only.
_POSITIVE = {"local_log1p"}


def _case_id(case):
    name, expression, applied = case
    return f"{name}-{'match' if applied else 'near-miss'}-{CASES.index(case)}"


@pytest.mark.parametrize("case", CASES, ids=_case_id)
def test_rewrite_is_applied_where_it_matches_and_keeps_the_value(case):
    name, build, applied = case
    expression = build()
    # The early pass over what is useless applies some of the same rewrites as one group.
    function, names = rewritten(INPUTS, expression, excluding=["useless"])
    check_values(INPUTS, expression, function, shapes=SHAPES, rtol=1e-6, positive=name in _POSITIVE)
    assert (name in names) == applied, sorted(names)


@pytest.mark.parametrize("case", [c for c in CASES if c[2]], ids=_case_id)
def test_excluding_a_rewrite_by_name_keeps_it_away(case):
    name, build, _ = case
    tag = {
        "FusionOptimizer": "fusion",
        "inplace_elemwise_optimizer": "inplace_elemwise_opt",
    }.get(name, name)
    # The BLAS pass lifts dimshuffles on its own.
    _function, names = rewritten(INPUTS, build(), excluding=[tag, f"pre_{tag}", "BlasOpt"])
    assert name not in names


def test_a_rewritten_graph_is_left_alone_by_a_second_pass():
    for name, build, _ in CASES[::7]:
        expression = build()
        first, _names = rewritten(INPUTS, expression, excluding=["inplace", "fusion"])
        graph = first.maker.fgraph
        again, _names = rewritten(
            [v.variable for v in first.maker.inputs], [v.variable for v in first.maker.outputs],
            excluding=["inplace", "fusion"],
        )  # fmt: skip
        assert len(again.maker.fgraph.apply_nodes) == len(graph.apply_nodes), name


@pytest.mark.parametrize(
    "name, made", [("local_cut_useless_reduce", x.sum(axis=[])), ("local_useless_subtensor", T.Subtensor([])(s))]
)
def test_no_other_rewrite_does_the_work_of_an_excluded_one(name, made):
    def stays(**kwargs):
        function, _ = rewritten([x, s], [made], **kwargs)
        return any(type(node.op) is type(made.owner.op) for node in function.maker.fgraph.apply_nodes)

    assert stays(excluding=(name,))
    assert not stays()
