"""A restricted Boltzmann machine learns what handwritten digits look like, and dreams some: persistent contrastive divergence (Tieleman, 2008).

    python -m theano_compat data mnist
    python -m theano_compat examples/rbm.py
    python -m theano_compat examples/rbm.py --streams mrg --save rbm.pkl
"""

from __future__ import print_function

import argparse
import sys
import time

import numpy
import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams
from tqdm import tqdm

import digits
import sequences

STREAMS = {"numpy": RandomStreams, "mrg": MRG_RandomStreams}


class RBM(object):
    """p(v, h) in proportion to exp(v W h + v a + h b), for visible units v and hidden units h that are 0 or 1."""

    def __init__(self, rng, streams, n_visible, n_hidden):
        self.streams = streams
        self.n_visible = n_visible
        self.W = theano.shared((0.01 * rng.randn(n_visible, n_hidden)).astype(theano.config.floatX), name="W")
        self.a = theano.shared(numpy.zeros(n_visible, dtype=theano.config.floatX), name="a")
        self.b = theano.shared(numpy.zeros(n_hidden, dtype=theano.config.floatX), name="b")
        self.params = [self.W, self.a, self.b]

    def free_energy(self, v):
        """-log of the sum of exp(v W h + v a + h b) over all h, (n,) for v of (n, n_visible)."""
        return -T.dot(v, self.a) - T.sum(T.nnet.softplus(T.dot(v, self.W) + self.b), axis=1)

    def draw(self, p):
        """Ones with probability p, and zeros."""
        return self.streams.binomial(size=p.shape, n=1, p=p, dtype=theano.config.floatX)

    def gibbs(self, v):
        """Draw hidden units given the visible ones, and visible ones given those; returns p of the visible units, and them."""
        h = self.draw(T.nnet.sigmoid(T.dot(v, self.W) + self.b))
        p = T.nnet.sigmoid(T.dot(h, self.W.T) + self.a)
        return p, self.draw(p)

    def chain(self, v, n_steps):
        """The last p and the last visible units of a Gibbs chain that starts at v, and what its random streams update."""
        (p, v), updates = theano.scan(self.gibbs, outputs_info=[None, v], n_steps=n_steps, name="gibbs")
        return p[-1], v[-1], updates

    def pseudo_likelihood(self, v, pixels):
        """Estimate the mean of log p(v) from one pixel given the others, times their number; the pixel changes from call to call.

        Returns the estimate and the update that brings the next of `pixels`, a permutation of them all.
        """
        turn = theano.shared(0, name="turn")
        pixel = theano.shared(pixels, name="pixels")[turn]
        flipped = T.set_subtensor(v[:, pixel], 1 - v[:, pixel])
        estimate = self.n_visible * T.mean(T.log(T.nnet.sigmoid(self.free_energy(flipped) - self.free_energy(v))))
        return estimate, (turn, (turn + 1) % self.n_visible)


def compile_update(args, rbm, rng, images):
    """Return a function of a minibatch's index and of the learning rate that makes an update and returns the pseudo-likelihood."""
    index, rate, v = T.lscalar("index"), T.scalar("rate"), T.matrix("v")
    start = theano.shared(numpy.zeros((args.batch_size, rbm.n_visible), dtype=theano.config.floatX), name="persistent")
    _, end, updates = rbm.chain(start, args.steps)
    cost = T.mean(rbm.free_energy(v)) - T.mean(rbm.free_energy(end))
    grads = T.grad(cost, rbm.params, consider_constant=[end])
    for param, grad in zip(rbm.params, grads):
        updates[param] = param - rate * grad
    updates[start] = end
    estimate, turn = rbm.pseudo_likelihood(v, rng.permutation(rbm.n_visible))
    batch = images[index * args.batch_size : (index + 1) * args.batch_size]
    return theano.function([index, rate], estimate, updates=list(updates.items()) + [turn], givens={v: batch}, name="update")


def train(args, update, n_batches):
    """Train for the epochs asked for, ever more slowly."""
    start, n_updates = time.time(), 0
    for epoch in range(1, args.epochs + 1):
        rate = args.learning_rate * (1 - (epoch - 1.0) / args.epochs)
        n_left = n_batches if args.updates is None else min(n_batches, args.updates - n_updates)
        if n_left < 1:
            break
        bar = tqdm(range(n_left), desc="epoch %2d" % epoch, leave=False, disable=args.quiet, file=sys.stderr)
        estimates = []
        for i in bar:
            estimates.append(float(update(i, rate)))
            n_updates += 1
            if not numpy.isfinite(estimates[-1]):
                sys.exit("the pseudo-likelihood is %s after %d updates: try a smaller --learning-rate" % (estimates[-1], n_updates))
            if args.exact:
                print("update %4d  pseudo-likelihood %.17g" % (n_updates, estimates[-1]))
            bar.set_postfix(log_p="%.2f" % estimates[-1])
        print("epoch %2d  pseudo-likelihood %.10f" % (epoch, numpy.mean(estimates)))
    seconds = time.time() - start
    print("%d updates in %.1f s, %.1f ms each" % (n_updates, seconds, 1000 * seconds / max(n_updates, 1)), file=sys.stderr)


def dream(args, rbm, images):
    """Run Gibbs chains from ten images of the test set; return them and p of the pixels after every --dream steps: (1 + rows, 10, n_visible)."""
    state = theano.shared(images.get_value(borrow=True)[:10], name="state")
    p, v, updates = rbm.chain(state, args.dream)
    updates[state] = v
    step = theano.function([], p, updates=updates, name="dream")
    return numpy.asarray([state.get_value()] + [step() for _ in range(args.rows)])


def load_binary_digits(path):
    """Return the images to train and those to test, shared variables of (n, 784), each pixel 0 or 1."""
    (train_images, _), _, (test_images, _) = digits.load_digits(path)
    for images in (train_images, test_images):
        images.set_value((images.get_value(borrow=True) > 0.5).astype(theano.config.floatX))
    return train_images, test_images


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist.pkl.gz")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--updates", type=int, help="stop after so many")
    parser.add_argument("--batch-size", type=sequences.positive, default=20)
    parser.add_argument("--hidden", type=sequences.positive, default=200)
    parser.add_argument("--steps", type=sequences.positive, default=5, help="of the Gibbs chain in each update")
    parser.add_argument("--learning-rate", type=float, default=0.05, help="at first; it falls to 0")
    parser.add_argument("--streams", choices=sorted(STREAMS), default="numpy", help="where random numbers come from: NumPy's generator, or MRG31k3p in the graph")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dream", type=sequences.positive, default=500, help="steps of the Gibbs chain between two rows of samples")
    parser.add_argument("--rows", type=int, default=6, help="rows of samples")
    parser.add_argument("--picture", default="rbm", help="start of the names of the two pictures")
    parser.add_argument("--exact", action="store_true", help="print the pseudo-likelihood of each update, with all its digits")
    parser.add_argument("--save", help="file to save the parameters to")
    parser.add_argument("--load", help="file of parameters to start from")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no pictures")
    return parser.parse_args()


def main():
    args = options()
    rng = numpy.random.RandomState(args.seed)
    train_images, test_images = load_binary_digits(args.data)
    n_batches = digits.count_batches(train_images, args.batch_size)
    if n_batches < 1:
        sys.exit("%s has too few digits for one minibatch of %d: give a smaller --batch-size" % (args.data, args.batch_size))
    rbm = RBM(rng, STREAMS[args.streams](args.seed), train_images.get_value(borrow=True).shape[1], args.hidden)
    if args.load:
        digits.load_parameters(args.load, rbm.params)
    start = time.time()
    update = compile_update(args, rbm, rng, train_images)
    print("compiled in %.1f s" % (time.time() - start), file=sys.stderr)
    train(args, update, n_batches)
    samples = dream(args, rbm, test_images)
    print("share of ink: %.10f in digits, %.10f in samples" % (samples[0].mean(), samples[1:].mean() if args.rows else 0))
    if args.save:
        digits.save_parameters(args.save, rbm.params)
    if not args.quiet:
        strongest = numpy.argsort(-(rbm.W.get_value() ** 2).sum(axis=0))[:60]
        digits.save_filters(args.picture + "_filters.png", rbm.W.get_value().T[strongest].reshape(-1, 28, 28), "Boltzmann machine: the 60 strongest hidden units")
        title = "digits, and below them what the machine makes of them in %d steps each" % args.dream
        digits.save_images(args.picture + "_samples.png", samples.reshape(-1, 28, 28), title)


if __name__ == "__main__":
    main()
