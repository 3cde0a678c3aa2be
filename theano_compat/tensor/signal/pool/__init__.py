"""Pooling: the maximum, sum or average of windows.

=============  =================================================
`functions`    pool_2d, pool_3d, max_pool_2d_same_size
`ops`          the ops, with gradients of any order
`numeric`      pooling on NumPy arrays
=============  =================================================
"""
from .functions import max_pool_2d_same_size, pool_2d, pool_3d
from .ops import AveragePoolGrad, DownsampleFactorMaxGradGrad, MaxPoolGrad, MaxPoolRop, Pool, PoolGrad, PoolingMode_t, bool_t

__all__ = ["AveragePoolGrad", "DownsampleFactorMaxGradGrad", "MaxPoolGrad", "MaxPoolRop", "Pool", "PoolGrad",
           "PoolingMode_t", "bool_t", "max_pool_2d_same_size", "pool_2d", "pool_3d"]
