"""Convolution in two and three dimensions, independent of how and where it is computed.

=============  ==================================================================
`shapes`       image, filters and output: the shape of each from the others
`ops`          the abstract ops, forward and both gradients
`functions`    conv2d, conv3d, their gradients, separable and causal convolution
`upsampling`   bilinear upsampling as a transposed convolution
=============  ==================================================================
"""
import numpy as _np

from .functions import (
    causal_conv1d,
    conv2d,
    conv2d_grad_wrt_inputs,
    conv2d_grad_wrt_weights,
    conv3d,
    conv3d_grad_wrt_inputs,
    conv3d_grad_wrt_weights,
    separable_conv2d,
    separable_conv3d,
)
from .ops import (
    AbstractConv,
    AbstractConv2d,
    AbstractConv2d_gradInputs,
    AbstractConv2d_gradWeights,
    AbstractConv3d,
    AbstractConv3d_gradInputs,
    AbstractConv3d_gradWeights,
    AbstractConv_gradInputs,
    AbstractConv_gradWeights,
    BaseAbstractConv,
)
from .shapes import (
    assert_conv_shape,
    assert_shape,
    border_mode_to_pad,
    check_conv_gradinputs_shape,
    get_conv_gradinputs_shape,
    get_conv_gradinputs_shape_1axis,
    get_conv_gradweights_shape,
    get_conv_gradweights_shape_1axis,
    get_conv_output_shape,
    get_conv_shape_1axis,
)
from .upsampling import bilinear_kernel_1D, bilinear_kernel_2D, bilinear_upsampling, frac_bilinear_upsampling

#: NumPy computes the abstract ops here; SciPy's convolutions are not needed.
imported_scipy_signal = True
integer_types = (int, _np.integer)

__all__ = [
    "AbstractConv", "AbstractConv2d", "AbstractConv2d_gradInputs", "AbstractConv2d_gradWeights", "AbstractConv3d",
    "AbstractConv3d_gradInputs", "AbstractConv3d_gradWeights", "AbstractConv_gradInputs", "AbstractConv_gradWeights",
    "BaseAbstractConv", "assert_conv_shape", "assert_shape", "bilinear_kernel_1D", "bilinear_kernel_2D",
    "bilinear_upsampling", "border_mode_to_pad", "causal_conv1d", "check_conv_gradinputs_shape", "conv2d",
    "conv2d_grad_wrt_inputs", "conv2d_grad_wrt_weights", "conv3d", "conv3d_grad_wrt_inputs", "conv3d_grad_wrt_weights",
    "frac_bilinear_upsampling", "get_conv_gradinputs_shape", "get_conv_gradinputs_shape_1axis",
    "get_conv_gradweights_shape", "get_conv_gradweights_shape_1axis", "get_conv_output_shape", "get_conv_shape_1axis",
    "imported_scipy_signal", "integer_types", "separable_conv2d", "separable_conv3d",
]
