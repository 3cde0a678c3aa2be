"""Tests of ``theano_compat.tensor``."""
