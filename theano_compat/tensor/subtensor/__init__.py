"""Indexing: reading, setting and incrementing parts of a tensor.

==================  ==========================================================
:mod:`.indices`     index templates, canonical slices, broadcast patterns
:mod:`.basic`       :class:`Subtensor`: integers and slices
:mod:`.inc`         :class:`IncSubtensor`: the same places, set or incremented
:mod:`.advanced1`   one integer vector on the first dimension
:mod:`.advanced`    any mixture of integer and boolean arrays, slices, newaxis
:mod:`.api`         :func:`inc_subtensor`, :func:`set_subtensor`, :func:`take`
==================  ==========================================================
"""

from theano_compat import config
from theano_compat.printing import pprint
from theano_compat.tensor.basic import alloc
from theano_compat.tensor.subtensor.advanced import (
    AdvancedBooleanIncSubtensor,
    AdvancedBooleanSubtensor,
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    BaseAdvancedIncSubtensor,
    BaseAdvancedSubtensor,
    advanced_boolean_inc_subtensor,
    advanced_boolean_set_subtensor,
    advanced_boolean_subtensor,
    advanced_inc_subtensor,
    advanced_set_subtensor,
    advanced_subtensor,
)
from theano_compat.tensor.subtensor.advanced1 import (
    AdvancedIncSubtensor1,
    AdvancedSubtensor1,
    advanced_inc_subtensor1,
    advanced_set_subtensor1,
    advanced_subtensor1,
)
from theano_compat.tensor.subtensor.api import inc_subtensor, set_subtensor, take
from theano_compat.tensor.subtensor.basic import Subtensor, SubtensorPrinter
from theano_compat.tensor.subtensor.inc import IncSubtensor, _sum_grad_over_bcasted_dims
from theano_compat.tensor.subtensor.indices import (
    AdvancedBooleanIndexingError,
    AdvancedIndexingError,
    adv_index_broadcastable_pattern,
    as_index_variable,
    check_advanced_indexing_dimensions,
    check_and_reject_bool,
    get_canonical_form_slice,
    get_idx_list,
    make_constant,
    slice_len,
)
from theano_compat.tensor.type_other import NoneConst, make_slice

integer_types = (int,)
sparse_module_ref = None
inplace_increment = None

__all__ = [
    "AdvancedBooleanIncSubtensor",
    "AdvancedBooleanIndexingError",
    "AdvancedBooleanSubtensor",
    "AdvancedIncSubtensor",
    "AdvancedIncSubtensor1",
    "AdvancedIndexingError",
    "AdvancedSubtensor",
    "AdvancedSubtensor1",
    "BaseAdvancedIncSubtensor",
    "BaseAdvancedSubtensor",
    "IncSubtensor",
    "NoneConst",
    "Subtensor",
    "SubtensorPrinter",
    "_sum_grad_over_bcasted_dims",
    "adv_index_broadcastable_pattern",
    "advanced_boolean_inc_subtensor",
    "advanced_boolean_set_subtensor",
    "advanced_boolean_subtensor",
    "advanced_inc_subtensor",
    "advanced_inc_subtensor1",
    "advanced_set_subtensor",
    "advanced_set_subtensor1",
    "advanced_subtensor",
    "advanced_subtensor1",
    "alloc",
    "as_index_variable",
    "check_advanced_indexing_dimensions",
    "check_and_reject_bool",
    "config",
    "get_canonical_form_slice",
    "get_idx_list",
    "inc_subtensor",
    "integer_types",
    "make_constant",
    "make_slice",
    "pprint",
    "set_subtensor",
    "slice_len",
    "take",
]
