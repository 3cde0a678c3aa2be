"""What the two recurrent examples share: padded minibatches, initial weights, clipped gradients, three rules that adapt their step, epochs."""

from __future__ import print_function

import argparse
import sys
from collections import OrderedDict

import numpy
import theano
import theano.tensor as T
from tqdm import tqdm


def minibatches(lengths, size, rng):
    """Return lists of at most `size` indices into `lengths`, each of sequences about equally long, in random order.

    Sequences are shuffled, sorted by length within pools of twenty minibatches, and cut: little padding, and yet no two epochs alike.
    """
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), 20 * size):
        pool = sorted(order[start : start + 20 * size], key=lambda i: (lengths[i], i))
        batches.extend(pool[i : i + size] for i in range(0, len(pool), size))
    return [batches[i] for i in rng.permutation(len(batches))]


def pad(sequences):
    """Lay sequences of integers side by side: (steps, n) of int64, zeros below each one's end, and a mask of floatX with ones above it."""
    steps = max(len(s) for s in sequences)
    values = numpy.zeros((steps, len(sequences)), dtype="int64")
    mask = numpy.zeros((steps, len(sequences)), dtype=theano.config.floatX)
    for column, sequence in enumerate(sequences):
        values[: len(sequence), column] = sequence
        mask[: len(sequence), column] = 1
    return values, mask


def weights(rng, name, *shape):
    """Return a shared variable of small normal numbers."""
    return theano.shared((0.1 * rng.randn(*shape)).astype(theano.config.floatX), name=name)


def orthogonal(rng, name, n, copies):
    """Return a shared (n, copies * n) of random orthogonal matrices side by side: what a recurrent layer starts with so that its state neither grows nor dies."""
    blocks = [numpy.linalg.qr(rng.randn(n, n))[0] for _ in range(copies)]
    return theano.shared(numpy.concatenate(blocks, axis=1).astype(theano.config.floatX), name=name)


def clip(grads, limit):
    """Scale gradients down together where their common norm is above `limit`."""
    norm = T.sqrt(sum(T.sum(g**2) for g in grads))
    return [T.switch(T.gt(norm, limit), g * (limit / norm), g) for g in grads]


def _like(param, suffix):
    return theano.shared(numpy.zeros_like(param.get_value(borrow=True)), name="%s_%s" % (param.name, suffix), broadcastable=param.broadcastable)


def adam(params, grads, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Kingma and Ba, 2015."""
    time = theano.shared(numpy.asarray(0, dtype=theano.config.floatX), name="time")
    now = time + 1
    rate = rate * T.sqrt(1 - beta2**now) / (1 - beta1**now)
    updates = OrderedDict([(time, now)])
    for param, grad in zip(params, grads):
        mean, square = _like(param, "mean"), _like(param, "square")
        updates[mean] = beta1 * mean + (1 - beta1) * grad
        updates[square] = beta2 * square + (1 - beta2) * grad**2
        updates[param] = param - rate * updates[mean] / (T.sqrt(updates[square]) + epsilon)
    return updates


def adadelta(params, grads, rate, decay=0.95, epsilon=1e-6):
    """Zeiler, 2012; `rate` scales its steps, which were meant to need no rate (1)."""
    updates = OrderedDict()
    for param, grad in zip(params, grads):
        square, moved = _like(param, "square"), _like(param, "moved")
        updates[square] = decay * square + (1 - decay) * grad**2
        change = grad * T.sqrt(moved + epsilon) / T.sqrt(updates[square] + epsilon)
        updates[moved] = decay * moved + (1 - decay) * change**2
        updates[param] = param - rate * change
    return updates


def rmsprop(params, grads, rate, decay=0.9, epsilon=1e-6):
    """Tieleman and Hinton, 2012: the gradient over the root of its running mean square."""
    updates = OrderedDict()
    for param, grad in zip(params, grads):
        square = _like(param, "square")
        updates[square] = decay * square + (1 - decay) * grad**2
        updates[param] = param - rate * grad / T.sqrt(updates[square] + epsilon)
    return updates


#: name of the rule -> (the rule, a rate that suits it)
RULES = {"adam": (adam, 0.002), "adadelta": (adadelta, 1.0), "rmsprop": (rmsprop, 0.002)}


def update_rule(args, cost, params):
    """The updates of the parameters that lower a cost, as the command line says."""
    rule, rate = RULES[args.rule]
    return rule(params, clip(T.grad(cost, params), args.clip), args.learning_rate or rate)


def train_epoch(args, update, batches, n_before, title):
    """Run `update(*batch())` for each of the batches; return the costs. `n_before` updates have been made before."""
    costs = []
    bar = tqdm(batches, desc=title, leave=False, disable=args.quiet, file=sys.stderr)
    for batch in bar:
        costs.append(float(update(*batch())))
        if not numpy.isfinite(costs[-1]):
            sys.exit("the cost is %s after %d updates: try a smaller --learning-rate or --clip" % (costs[-1], n_before + len(costs)))
        if args.exact:
            print("update %4d  cost %.17g" % (n_before + len(costs), costs[-1]))
        bar.set_postfix(cost="%.4f" % costs[-1])
    return costs


def option_parser(description, epochs, batch_size):
    """Return a parser of the options that the two share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--updates", type=int, help="stop after so many")
    parser.add_argument("--batch-size", type=positive, default=batch_size)
    parser.add_argument("--rule", choices=sorted(RULES), default="adam", help="how parameters are updated")
    parser.add_argument("--learning-rate", type=float, help="(default: what suits the rule)")
    parser.add_argument("--clip", type=float, default=5.0, help="the norm that gradients are clipped to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exact", action="store_true", help="print the cost of each update, with all its digits")
    parser.add_argument("--save", help="file to save the parameters to")
    parser.add_argument("--load", help="file of parameters to start from")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no picture")
    return parser


def positive(text):
    """The type of options that count something."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError("%s is not above 0" % text)
    return int(text)
