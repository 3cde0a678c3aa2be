"""The examples of loops print the same numbers under real Theano: every cost of more than a hundred updates, and what was made of the parameters.

Skipped unless ``THEANO_COMPAT_REFEREE`` names an interpreter with real Theano and tqdm (CONTRIBUTING.md says how to make one); a case takes it minutes.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
REFEREE = os.environ.get("THEANO_COMPAT_REFEREE")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
#: Theano without a compiler runs fused loops element by element.
THEIR_FLAGS = "floatX=float64,cxx=,blas.ldflags=,optimizer_excluding=fusion"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not REFEREE, reason="THEANO_COMPAT_REFEREE names no interpreter with real Theano")]

CASES = {
    "char_lstm adam": "char_lstm.py --text text.txt --hidden 24 --length 30 --batch-size 16 --updates 110",
    "char_lstm adadelta": "char_lstm.py --text text.txt --hidden 16 --length 20 --batch-size 16 --updates 110 --rule adadelta",
    "char_lstm rmsprop": "char_lstm.py --text text.txt --hidden 16 --length 20 --batch-size 16 --updates 110 --rule rmsprop",
    "gru_sentiment": "gru_sentiment.py --data reviews.tsv --hidden 16 --embedding 16 --length 12 --batch-size 10 --epochs 2",
    "rbm numpy": "rbm.py --hidden 100 --batch-size 40 --epochs 1 --dream 20 --rows 2",
    "rbm mrg": "rbm.py --streams mrg --hidden 20 --batch-size 4 --steps 1 --updates 110 --epochs 1 --dream 2 --rows 1",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the data of all three, small enough for Theano without a compiler."""
    from pydoc_data.topics import topics

    from theano_compat.cli import data

    place = tmp_path_factory.mktemp("examples")
    (place / "text.txt").write_text("\n\n".join(topics[name] for name in sorted(topics)), encoding="utf-8")
    assert data.main(["mnist", "--out", str(place / "mnist.pkl.gz")]) == 0
    assert data.main(["reviews", "--out", str(place / "all.tsv")]) == 0
    lines = (place / "all.tsv").read_text(encoding="utf-8").splitlines(True)
    (place / "reviews.tsv").write_text("".join(lines[::15]), encoding="utf-8")
    return place


def run(command, flags, folder):
    """Return the text between the numbers that a program prints, and the numbers."""
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=folder, env={**os.environ, "THEANO_FLAGS": flags, "PYTHONIOENCODING": "utf-8"})
    assert done.returncode == 0, done.stderr
    return NUMBER.sub("#", done.stdout), [float(n) for n in NUMBER.findall(done.stdout)]


@pytest.mark.parametrize("case", CASES)
def test_every_cost_is_theanos_to_nine_digits(case, folder):
    script, *arguments = CASES[case].split()
    program = [str(EXAMPLES / script), *arguments, "--exact", "--quiet"]
    text, numbers = run([sys.executable, "-m", "theano_compat", *program], "floatX=float64", folder)
    their_text, theirs = run([REFEREE, *program], THEIR_FLAGS, folder)
    assert text.count("update ") >= 100
    assert text == their_text
    assert numbers == pytest.approx(theirs, rel=1e-9, abs=1e-12)
