"""Tests of the tensor rewrites."""
