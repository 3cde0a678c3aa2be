"""Batch normalisation.

============  ===========================================================
`functions`   what users call
`ops`         the abstract ops, with gradients of any order
`rewrites`    the abstract ops as elementwise ops and sums on the CPU
============  ===========================================================
"""
from .functions import BNComposite, add, batch_normalization, batch_normalization_test, batch_normalization_train, mul, sub, true_div
from .ops import AbstractBatchNormInference, AbstractBatchNormTrain, AbstractBatchNormTrainGrad
from .rewrites import bn_groupopt, local_abstract_batch_norm_inference, local_abstract_batch_norm_train, local_abstract_batch_norm_train_grad

__all__ = [
    "AbstractBatchNormInference", "AbstractBatchNormTrain", "AbstractBatchNormTrainGrad", "BNComposite", "add",
    "batch_normalization", "batch_normalization_test", "batch_normalization_train", "bn_groupopt",
    "local_abstract_batch_norm_inference", "local_abstract_batch_norm_train", "local_abstract_batch_norm_train_grad",
    "mul", "sub", "true_div",
]
