"""Rewrites of tensor expressions, by purpose.

=====================  ==================================================================================
file                   what
=====================  ==================================================================================
`registry`             ``register_canonicalize`` and its relatives
`common`               questions and constructions that many rewrites share
`asserts`              the `Assert` op, and dropping assertions
`make_vector`          the `MakeVector` op
`shape_feature`        what is known of the shapes of everything in a graph
`shape`                rewrites of shapes
`constant_folding`     computing what depends on constants alone
`fill_alloc`           fillings and allocations
`canonizer`            one form for sums and products
`arithmetic`           signs, quotients, powers; cheap operations
`useless`              operations that do nothing
`switch_cast`          switches and casts
`reduction`            sums, products, maxima
`stabilize`            log1p, expm1, log-sum-exp, the error function
`subtensor`            reading parts of tensors
`incsubtensor`         writing parts of tensors
`reshaping`            dimshuffle, reshape, join, split, rebroadcast
`repeated_rows`        products of rows that are taken several times
`fusion`               one loop for a group of elementwise operations
`inplace`              elementwise operations over their inputs
=====================  ==================================================================================

The order of the imports below is the order of registration, which is the order in which rewrites are tried on one node.
"""

# What rewrites are written with: old programs take these names from here.
from theano_compat.tensor.basic import (  # noqa: F401  isort: skip
    Alloc,
    NotScalarConstantError,
    Reshape,
    ShapeError,
    extract_constant,
    get_scalar_constant_value,
)
from theano_compat.gof import Constant, InconsistencyError, Optimizer, TopoOptimizer, Variable  # noqa: F401  isort: skip
from theano_compat.gradient import DisconnectedType  # noqa: F401  isort: skip
from theano_compat import config
from theano_compat.gof.opt import copy_stack_trace, in2out, out2in, pre_constant_merge, pre_greedy_local_optimizer
from theano_compat.tensor.opt.registry import (
    register_canonicalize,
    register_specialize,
    register_specialize_device,
    register_stabilize,
    register_uncanonicalize,
    register_useless,
)

from theano_compat.tensor.opt.common import (  # isort: skip
    broadcast_like,
    encompasses_broadcastable,
    get_clients,
    get_clients2,
    is_an_upcast,
    is_inverse_pair,
    merge_broadcastables,
    scalarconsts_rest,
)
from theano_compat.tensor.opt.common import fill_chain as _fill_chain  # isort: skip
from theano_compat.tensor.opt.asserts import (  # isort: skip
    Assert,
    assert_,
    assert_op,
    local_remove_all_assert,
    local_remove_useless_assert,
)
from theano_compat.tensor.opt.make_vector import MakeVector, MakeVectorPrinter, make_vector  # isort: skip
from theano_compat.tensor.opt.shape_feature import ShapeFeature, ShapeOptimizer, UnShapeOptimizer  # isort: skip
from theano_compat.tensor.opt.shape import (  # isort: skip
    local_scalar_tensor_scalar,
    local_shape_to_shape_i,
    local_tensor_scalar_tensor,
    local_track_shape_i,
)
from theano_compat.tensor.opt.fill_alloc import (  # isort: skip
    local_alloc_empty_to_zeros,
    local_alloc_unary,
    local_canonicalize_alloc,
    local_elemwise_alloc,
    local_elemwise_alloc_op,
    local_fill_sink,
    local_fill_to_alloc,
    local_merge_alloc,
    local_useless_alloc,
    local_useless_fill,
)
from theano_compat.tensor.opt.useless import (  # isort: skip
    local_func_inv,
    local_useless_composite,
    local_useless_elemwise,
    local_useless_elemwise_comparison,
    local_view_op,
)
from theano_compat.tensor.opt.switch_cast import (  # isort: skip
    local_cast_cast,
    local_div_switch_sink,
    local_merge_switch_same_cond,
    local_mul_switch_sink,
    local_upcast_elemwise_constant_inputs,
    local_useless_switch,
)
from theano_compat.tensor.opt.canonizer import (  # isort: skip
    Canonizer,
    add_calculate,
    add_canonizer,
    attempt_distribution,
    check_for_x_over_absX,
    distribute_greedy,
    local_add_canonizer,
    local_greedy_distributor,
    local_mul_canonizer,
    mul_calculate,
    mul_canonizer,
)
from theano_compat.tensor.opt.arithmetic import (  # isort: skip
    local_abs_lift,
    local_abs_merge,
    local_add_specialize,
    local_div_to_inv,
    local_elemwise_sub_zeros,
    local_intdiv_by_one,
    local_inv_canon,
    local_mul_specialize,
    local_mul_to_sqr,
    local_mul_zero,
    local_neg_div_neg,
    local_neg_neg,
    local_neg_to_mul,
    local_pow_canonicalize,
    local_pow_specialize,
    local_pow_specialize_device,
    local_zero_div,
)
from theano_compat.tensor.opt.reduction import (  # isort: skip
    ALL_REDUCE,
    local_op_of_op,
    local_opt_alloc,
    local_reduce_broadcastable,
    local_reduce_join,
    local_sum_prod_all_to_none,
    local_sum_prod_div_dimshuffle,
    local_sum_prod_mul_by_scalar,
    local_sumsqr2dot,
    local_useless_reduce,
)
from theano_compat.tensor.opt.subtensor import (  # isort: skip
    local_adv_sub1_adv_inc_sub1,
    local_subtensor_inc_subtensor,
    local_subtensor_lift,
    local_subtensor_make_vector,
    local_subtensor_merge,
    local_subtensor_of_alloc,
    local_subtensor_of_dot,
    local_subtensor_remove_broadcastable_index,
    local_useless_slice,
    local_useless_subtensor,
    merge_two_slices,
)
from theano_compat.tensor.opt.incsubtensor import (  # isort: skip
    local_IncSubtensor_serialize,
    local_incsubtensor_of_zeros,
    local_incsubtensor_of_zeros_to_setsubtensor,
    local_inplace_incsubtensor1,
    local_inplace_setsubtensor,
    local_set_to_inc_subtensor,
    local_setsubtensor_of_constants,
    local_useless_inc_subtensor,
    local_useless_inc_subtensor_alloc,
)
from theano_compat.tensor.opt.reshaping import (  # isort: skip
    apply_local_dimshuffle_lift,
    apply_rebroadcast_opt,
    is_dimshuffle_useless,
    local_0_dot_x,
    local_dimshuffle_lift,
    local_flatten_lift,
    local_join_1,
    local_join_empty,
    local_join_make_vector,
    local_lift_transpose_through_dot,
    local_rebroadcast_lift,
    local_reshape_chain,
    local_reshape_lift,
    local_reshape_to_dimshuffle,
    local_useless_dimshuffle_in_reshape,
    local_useless_rebroadcast,
    local_useless_reshape,
    local_useless_split,
    local_useless_tile,
    local_useless_topk,
)
from theano_compat.tensor.opt.repeated_rows import local_add_product_to_repeated_rows, local_dot_of_repeated_rows  # isort: skip
from theano_compat.tensor.opt.stabilize import (  # isort: skip
    local_erf_minus_one,
    local_erf_neg_minus_one,
    local_erf_neg_minus_one2,
    local_expm1,
    local_grad_log_erfc_neg,
    local_log1p,
    local_log_add,
    local_log_erfc,
    local_log_sum_exp,
    local_one_add_neg_erfc,
    local_one_minus_erf,
    local_one_minus_erf2,
    local_one_minus_erfc,
    local_one_minus_erfc2,
    local_one_minus_erfc3,
    local_one_plus_erf,
    local_one_plus_neg_erf,
)
from theano_compat.tensor.opt.constant_folding import constant_folding, topo_constant_folding  # isort: skip
from theano_compat.tensor.opt.fusion import (  # isort: skip
    FusionOptimizer,
    elemwise_max_input_fct,
    fuse_seqopt,
    local_add_mul_fusion,
    local_elemwise_fusion,
    local_elemwise_fusion_op,
)
from theano_compat.tensor.opt.inplace import InplaceElemwiseOptimizer, inplace_elemwise_optimizer  # isort: skip

# Names of elsewhere that other modules have always found here too.
from theano_compat.compile.ops import Rebroadcast, Shape, Shape_i, ViewOp  # isort: skip
from theano_compat.tensor import basic as T  # isort: skip
from theano_compat.tensor.elemwise import CAReduce, DimShuffle, Elemwise  # isort: skip
from theano_compat.tensor.subtensor import (  # isort: skip
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedSubtensor1,
    IncSubtensor,
    Subtensor,
    advanced_inc_subtensor1,
    advanced_subtensor,
    advanced_subtensor1,
    get_canonical_form_slice,
    get_idx_list,
)
from theano_compat.tensor.type import values_eq_approx_remove_inf, values_eq_approx_remove_inf_nan, values_eq_approx_remove_nan  # isort: skip

integer_types = (int,)
AlgebraicCanonizer = Canonizer
