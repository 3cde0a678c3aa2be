"""Rewrites of loops, and where they stand among the other rewrites.

====================  ==========================================================
``keep_products``     products that a loop and its gradient both make
``constants``         constants, unused and double inputs
``pushout_nonseq``    what is the same in every step
``pushout_seq``       elementwise work on sequences
``pushout_dot``       products
``merge``             loops side by side
``merge_inouts``      equal inputs, states and outputs of one loop
``savemem``           rows and steps that nobody needs
``inplace``           initial states overwritten
====================  ==========================================================
"""

from sys import maxsize

from theano_compat.compile import optdb
from theano_compat.compile.ops import deep_copy_op
from theano_compat.gof import EquilibriumDB, SequenceDB
from theano_compat.gof.opt import in2out
from theano_compat.scan_module.scan_opt.common import info, warning
from theano_compat.scan_module.scan_opt.constants import remove_constants_and_unused_inputs_scan
from theano_compat.scan_module.scan_opt.inplace import ScanInplaceOptimizer
from theano_compat.scan_module.scan_opt.keep_products import REASON as _keep_products
from theano_compat.scan_module.scan_opt.keep_products import KeepProducts
from theano_compat.scan_module.scan_opt.merge import ScanMerge, has_duplicates, make_equiv
from theano_compat.scan_module.scan_opt.merge_inouts import scan_merge_inouts
from theano_compat.scan_module.scan_opt.pushout_dot import PushOutDot1, PushOutScanOutput
from theano_compat.scan_module.scan_opt.pushout_nonseq import PushOutNonSeqScan
from theano_compat.scan_module.scan_opt.pushout_seq import PushOutSeqScan
from theano_compat.scan_module.scan_opt.savemem import ScanSaveMem
from theano_compat.tensor import opt as _tensor_opt

integer_types = (int,)
list_opt_slice = [
    getattr(_tensor_opt, name)
    for name in ("local_abs_merge", "local_mul_switch_sink", "local_upcast_elemwise_constant_inputs", "local_useless_switch", "constant_folding")
    if hasattr(_tensor_opt, name)
]

scan_eqopt1 = EquilibriumDB()
scan_seqopt1 = SequenceDB()
scan_eqopt2 = EquilibriumDB()

_remove_constants = "remove_constants_and_unused_inputs_scan"


def _removal() -> object:
    return in2out(remove_constants_and_unused_inputs_scan, ignore_newtrees=True)


scan_seqopt1.register(_keep_products, KeepProducts(), 0.5, "fast_run", "scan", "more_mem")
#: the rewrites before merging: name, rewrite, further tags, in this order
for _position, (_name, _rewrite, _tags) in enumerate(
    [
        ("scanOp_remove_constants_and_unused_inputs0", _removal(), [_remove_constants]),
        ("scanOp_pushout_nonseqs_ops", PushOutNonSeqScan(), []),
        ("scanOp_pushout_seqs_ops", PushOutSeqScan(), []),
        ("scan_pushout_dot1", PushOutDot1(), ["more_mem"]),
        ("scanOp_pushout_output", PushOutScanOutput(), ["more_mem"]),
    ],
    1,
):
    scan_seqopt1.register(_name, _rewrite, _position, "fast_run", "scan", *_tags)

#: the rewrites that are tried in turn until nothing changes
for _name, _rewrite, _tags in [
    ("constant_folding_for_scan2", in2out(_tensor_opt.constant_folding, ignore_newtrees=True), [1]),
    ("scanOp_remove_constants_and_unused_inputs1", _removal(), [2, _remove_constants]),
    ("scanOp_merge", ScanMerge(), [4]),
    ("scanop_remove_constants_and_unused_inputs2", _removal(), [5, _remove_constants]),
    ("scanOp_merge_inouts", in2out(scan_merge_inouts, ignore_newtrees=True), [6]),
    ("scanOp_remove_constants_and_unused_inputs3", _removal(), [8, _remove_constants]),
]:
    scan_eqopt2.register(_name, _rewrite, *map(str, _tags[:1]), "fast_run", "scan", *_tags[1:])

scan_eqopt1.register("all_pushout_opt", scan_seqopt1, "1", "fast_run", "scan")
optdb.register("scan_eqopt1", scan_eqopt1, 0.05, "fast_run", "scan")
optdb.register("scan_eqopt2", scan_eqopt2, 1.6, "fast_run", "scan")
optdb.register("scanOp_save_mem", ScanSaveMem(), 1.61, "fast_run", "scan")
optdb.register("scanOp_make_inplace", ScanInplaceOptimizer(typeInfer=None, gpua_flag=False), 75, "fast_run", "inplace", "scan")

__all__ = [
    "KeepProducts", "PushOutDot1", "PushOutNonSeqScan", "PushOutScanOutput", "PushOutSeqScan", "ScanInplaceOptimizer", "ScanMerge", "ScanSaveMem",
    "deep_copy_op", "has_duplicates", "info", "list_opt_slice", "make_equiv", "maxsize", "optdb",
    "remove_constants_and_unused_inputs_scan", "scan_eqopt1", "scan_eqopt2", "scan_merge_inouts", "scan_seqopt1", "warning",
]  # fmt: skip
