"""The helpers that test classes of Theano users inherit."""

import unittest

from theano_compat.tests import unittest_tools


def test_classes_with_the_optimization_assertions_are_collected():
    class Case(unittest.TestCase, unittest_tools.TestOptimizationMixin):
        pass

    assert getattr(Case, "__test__", True)
