"""What the examples share: the digits, the training loop with early stopping, saved parameters, pictures of filters."""

from __future__ import print_function

import gzip
import os
import pickle
import sys
import time

import numpy
import theano
from tqdm import tqdm


def load_digits(path="mnist.pkl.gz"):
    """Return (train, valid, test), each a pair of shared variables: images (n, 784) of floatX and labels (n,) cast to int32."""
    if not os.path.isfile(path):
        sys.exit("%s is not there; make it with: python -m theano_compat data mnist --out %s" % (path, path))
    with gzip.open(path, "rb") as f:
        splits = pickle.load(f)

    def shared_split(split):
        images, labels = split
        x = theano.shared(numpy.asarray(images, dtype=theano.config.floatX), borrow=True)
        y = theano.shared(numpy.asarray(labels, dtype=theano.config.floatX), borrow=True)
        # Labels are kept as floatX, as for a GPU, and cast where they are used as indices.
        return x, theano.tensor.cast(y, "int32")

    return [shared_split(split) for split in splits]


def count_batches(images, batch_size):
    """Return how many whole minibatches there are."""
    return images.get_value(borrow=True).shape[0] // batch_size


def train(train_step, valid_error, test_error, n_batches, n_epochs, patience, quiet=False):
    """Train until the validation error has not improved for `patience` epochs; return the best validation and its test error.

    `train_step(i)` returns the cost of minibatch i; `valid_error()` and `test_error()` return a mean error rate.
    """
    best_valid, best_test, best_epoch = numpy.inf, numpy.inf, 0
    start, steps = time.time(), 0
    for epoch in range(1, n_epochs + 1):
        batches = tqdm(range(n_batches), desc="epoch %2d" % epoch, leave=False, disable=quiet, file=sys.stderr)
        costs = []
        for i in batches:
            costs.append(float(train_step(i)))
            if i % 20 == 0:
                batches.set_postfix(cost="%.4f" % costs[-1])
        steps += n_batches
        valid = valid_error()
        print("epoch %2d  cost %.10f  validation error %.6f %%" % (epoch, numpy.mean(costs), 100 * valid))
        if valid < best_valid:
            best_valid, best_epoch, best_test = valid, epoch, test_error()
            print("          best so far, test error %.6f %%" % (100 * best_test))
        elif epoch - best_epoch >= patience:
            print("no better for %d epochs: stopping" % patience)
            break
    seconds = time.time() - start
    print("best validation error %.6f %% at epoch %d, test error %.6f %%" % (100 * best_valid, best_epoch, 100 * best_test))
    print("%d steps in %.1f s, %.3f ms each" % (steps, seconds, 1000 * seconds / steps), file=sys.stderr)
    return best_valid, best_test


def save_parameters(path, params):
    """Pickle the values of shared variables."""
    with open(path, "wb") as f:
        for p in params:
            pickle.dump(p.get_value(borrow=True), f, protocol=2)


def load_parameters(path, params):
    """Put pickled values back into shared variables; all of them, or none where the file is of another model."""
    if not os.path.isfile(path):
        sys.exit("--load %s: there is no such file" % path)
    try:
        with open(path, "rb") as f:
            values = [pickle.load(f) for _ in params]
    except (EOFError, pickle.UnpicklingError) as error:
        sys.exit("%s is no file of %d parameters, as --save writes it: %s" % (path, len(params), error))
    for p, value in zip(params, values):
        wanted = p.get_value(borrow=True)
        if value.shape != wanted.shape:
            sys.exit("%s was saved by a model of other sizes: it has %s for %s, where %s is wanted" % (path, value.shape, p.name or "a parameter", wanted.shape))
        p.set_value(value.astype(wanted.dtype), borrow=True)


def save_filters(path, filters, title, columns=10):
    """Draw filters of shape (n, rows, columns) in a grid: red above 0, blue below, white at 0."""
    limits = [abs(image).max() or 1 for image in filters]
    _save_grid(path, filters, title, columns, "RdBu_r", [(-limit, limit) for limit in limits])


def save_images(path, images, title, columns=10):
    """Draw images of shape (n, rows, columns), with values from 0 to 1, in a grid: black on white."""
    _save_grid(path, images, title, columns, "gray_r", [(0, 1)] * len(images))


def _save_grid(path, images, title, columns, colours, limits):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(columns, rows + 0.4), squeeze=False)
    for axis in axes.ravel():
        axis.axis("off")
    for axis, image, (low, high) in zip(axes.ravel(), images, limits):
        axis.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    figure.suptitle(title)
    figure.savefig(path, dpi=100)
    plt.close(figure)
    print("picture: %s" % path, file=sys.stderr)


def options(description, n_epochs, batch_size, learning_rate, picture, patience=5):
    """Parse the command line that the examples share."""
    import argparse

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", default="mnist.pkl.gz")
    parser.add_argument("--epochs", type=int, default=n_epochs)
    parser.add_argument("--batch-size", type=int, default=batch_size)
    parser.add_argument("--learning-rate", type=float, default=learning_rate)
    parser.add_argument("--patience", type=int, default=patience, help="epochs without improvement before stopping")
    parser.add_argument("--picture", default=picture)
    parser.add_argument("--save", help="file to save the parameters to")
    parser.add_argument("--load", help="file of parameters to start from")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no picture")
    return parser.parse_args()
