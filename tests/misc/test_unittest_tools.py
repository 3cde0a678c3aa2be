"""The helpers that test classes of Theano users inherit."""

import types
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


def test_names_of_parameterized_tests_are_identifiers():
    def test_pool():
        pass

    param = types.SimpleNamespace(args=((3, 2), True, "sum"))
    assert unittest_tools.custom_name_func(test_pool, 7, param) == "test_pool__3_2__True_sum"
