"""The helpers that test classes of Theano users inherit."""

import unittest

import theano_compat.tensor as T
from theano_compat.tests import unittest_tools


def test_classes_with_the_optimization_assertions_are_collected():
    class Case(unittest.TestCase, unittest_tools.TestOptimizationMixin):
        pass

    assert getattr(Case, "__test__", True)


class TestContractOfAnOp(unittest_tools.T_OpContractMixin, unittest.TestCase):
    """The mixin's own default of a differing op is enough."""

    ops = (T.dot, T.Reshape(2))

    def clone(self, op):
        return op
