"""Whole programs in the style of 2013 to 2017 run unchanged and print what Theano 1.0.5 printed.

Each program in ``programs`` has beside it what the real Theano printed for it (without a BLAS; Python 2 programs after 2to3, ``reading_words.py`` in
Python 2.7.18 with NumPy 1.13.3).
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")


def words(text):
    """The text between the numbers, without spaces, and the numbers."""
    return re.sub(r"\s+", "", NUMBER.sub("#", text)), [float(n) for n in NUMBER.findall(text)]


@pytest.mark.parametrize("name", ["denoising_autoencoder.py", "word_embeddings.py", "reading_words.py", "recurrent.ipynb"])
def test_program_prints_what_theano_printed(name, tmp_path):
    path = PROGRAMS / name
    done = subprocess.run([sys.executable, "-m", "theano_compat", str(path)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Optimization failure" not in done.stderr and "TRACEBACK" not in done.stderr
    printed = done.stdout
    if name.endswith(".ipynb"):
        printed = "".join(line for line in printed.splitlines(True) if not line.startswith(("CPU times", "Wall time")))
    printed = printed.replace(", dtype=bool", "")  # as NumPy 1.13 printed arrays of truth values; the record is of NumPy 1.23
    text, numbers = words(printed)
    expected_text, expected = words(path.with_suffix(".txt").read_text())
    assert text == expected_text
    assert numbers == pytest.approx(expected, rel=1e-4, abs=1e-6)
