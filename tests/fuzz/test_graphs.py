"""Random graphs with fixed seeds: values, other shapes, gradients, updates; rewritten alone, and compiled."""

import warnings

import numpy as np
import pytest

from tests.fuzz import checks
from tests.fuzz.generator import Case

CHECKS = [checks.check_values, checks.check_resized, checks.check_gradient, checks.check_updates]


def run(check, seeds, mode) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for seed in seeds:
            try:
                check(Case(seed), mode)
            except Exception as error:
                raise AssertionError(f"{check.__name__}(Case({seed})): {error}") from error


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_rewritten_graph_gives_what_perform_gives(check):
    run(check, range(60), checks.REWRITES_ONLY)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("part", range(2))
def test_compiled_function_gives_what_perform_gives(check, part):
    run(check, range(1000 + 6 * part, 1006 + 6 * part), None)
