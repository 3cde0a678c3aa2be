"""Linear algebra under its old path; see :mod:`theano.tensor.nlinalg` and :mod:`theano.tensor.slinalg`."""

from theano_compat.sandbox.linalg.ops import psd, spectral_radius_bound
from theano_compat.tensor.nlinalg import alloc_diag, det, diag, eig, eigh, extract_diag, matrix_inverse, trace
from theano_compat.tensor.slinalg import cholesky, eigvalsh, solve
