"""Theano's own tests of loops, branches and random numbers against the ledger: the quick ones; ``suite.py`` runs them all."""

import pytest

from compat_tests import sources, suite

#: test file -> how the names of tests begin that take long and are left to ``suite.py``
FILES = {
    "theano/scan_module/tests/test_scan.py": (
        "T_Scan::test_verify_second_grad_mitsot1", "T_Scan::test_verify_second_grad_sitsot", "T_Scan::test_rop", "T_Scan::test_rop2", "T_Scan::test_pushout_seqs",
        "T_Scan::test_savemem_opt_0_step", "T_Scan::test_grad_multiple_outs_taps_backwards", "test_speed_rnn", "test_speed_batchrnn",
    ),
    "theano/sandbox/tests/test_rng_mrg.py": ("test_uniform", "test_binomial", "test_normal0", "test_normal_truncation", "test_truncated_normal"),
    **dict.fromkeys(
        (
            "theano/scan_module/tests/test_scan_opt.py", "theano/scan_module/tests/test_scan_utils.py", "theano/scan_module/tests/test_scan_checkpoints.py",
            "theano/sandbox/tests/test_multinomial.py", "theano/sandbox/tests/test_multinomial_wo_replacement.py", "theano/tensor/tests/test_raw_random.py",
            "theano/tensor/tests/test_shared_randomstreams.py", "theano/tests/test_ifelse.py", "theano/gof/tests/test_lazy.py",
        ),
        (),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def theanos_sources():
    try:
        return sources.fetch()
    except RuntimeError as error:
        pytest.skip(f"Theano's source distribution is not here and could not be downloaded: {error}")


@pytest.mark.parametrize("file", FILES)
def test_theanos_tests_pass_as_in_the_ledger(file, theanos_sources):
    expected = suite.load_ledger()[file]
    outcomes = suite.run(file, options=[f"--deselect={file}::{test}" for test in FILES[file]])
    assert suite.lost(outcomes, expected) == []
    # With other releases of NumPy or SciPy other tests pass.
    gained = [
        test for test, why in expected["fails"].items()
        if outcomes.get(test, suite.Outcome("", "")).what == "passed" and not why.startswith(("NumPy", "SciPy"))
    ]  # fmt: skip
    assert gained == [], "these tests pass now: python -m compat_tests.suite --update takes them out of the ledger"
