"""The sentiment of sentences: a GRU (Cho et al., 2014) reads a sentence of a film review and says whether it praises or blames.

    python -m theano_compat data reviews
    python -m theano_compat examples/gru_sentiment.py

The sentences are real, and some twenty people rated each of them from -4 to 4 (Hutto and Gilbert, 2014). Sentences that they
rated between -0.5 and 0.5 are left out (--margin), the others are to be told apart by the sign of the rating. Any file with a number,
a tab and a sentence on each line will do (--data).
"""

from __future__ import print_function

import io
import os
import re
import sys
import time
from collections import Counter

import numpy
import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams

import digits
import sequences

UNKNOWN = 0  # the index of words that are seen less than twice


def read_sentences(path, margin):
    """Return (text, words, 1 for praise or 0 for blame) of each sentence whose rating is at least `margin` away from 0."""
    if not os.path.isfile(path):
        sys.exit("%s is not there; make it with: python -m theano_compat data reviews --out %s" % (path, path))
    found = []
    with io.open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            try:
                rating, text = line.rstrip("\n").split("\t")
                rating = float(rating)
            except ValueError:
                sys.exit("%s, line %d: wanted are a number, a tab and a sentence, not %r" % (path, number, line[:60]))
            words = re.findall(r"\w+(?:'\w+)?|[!?.,;]", text.lower(), re.UNICODE)
            if words and rating and abs(rating) >= margin:
                found.append((text, words, int(rating > 0)))
    return found


class Reviews(object):
    """The sentences in three parts, train, valid and test, each a list of (indices of words, label), and the vocabulary of the first."""

    def __init__(self, sentences, longest, seed):
        order = numpy.random.RandomState(seed).permutation(len(sentences))
        tenth = len(order) // 10
        parts = [[sentences[i] for i in part] for part in (order[2 * tenth :], order[:tenth], order[tenth : 2 * tenth])]
        counts = Counter(word for _, words, _ in parts[0] for word in words)
        self.vocabulary = sorted(word for word, count in counts.items() if count > 1)
        index = {word: i for i, word in enumerate(self.vocabulary, UNKNOWN + 1)}
        self.train, self.valid, self.test = [[([index.get(w, UNKNOWN) for w in words[:longest]], label) for _, words, label in part] for part in parts]
        self.test_texts = [text for text, _, _ in parts[2]]


class GRUClassifier(object):
    """p(praise or blame | sentence): words, a GRU, the mean of its outputs, softmax; with dropout before and after the GRU where it learns."""

    def __init__(self, rng, n_words, n_embedding, n_hidden, n_classes=2):
        self.n_hidden = n_hidden
        self.embedding = sequences.weights(rng, "embedding", n_words, n_embedding)
        self.W = sequences.weights(rng, "W", n_embedding, 3 * n_hidden)
        self.b = theano.shared(numpy.zeros(3 * n_hidden, dtype=theano.config.floatX), name="b")
        self.U_gates = sequences.orthogonal(rng, "U_gates", n_hidden, 2)
        self.U = sequences.orthogonal(rng, "U", n_hidden, 1)
        self.V = sequences.weights(rng, "V", n_hidden, n_classes)
        self.c = theano.shared(numpy.zeros(n_classes, dtype=theano.config.floatX), name="c")
        self.params = [self.embedding, self.W, self.b, self.U_gates, self.U, self.V, self.c]

    def step(self, below, m, h, U_gates, U):
        """One word on: `below` is what it adds to the three gates, (n, 3 n_hidden); where the sentence has ended, h stays."""
        n = self.n_hidden
        gates = T.nnet.sigmoid(below[:, : 2 * n] + T.dot(h, U_gates))
        reset, update = gates[:, :n], gates[:, n:]
        new = T.tanh(below[:, 2 * n :] + T.dot(reset * h, U))
        new = (1 - update) * h + update * new
        return T.switch(m.dimshuffle(0, "x"), new, h)

    def probabilities(self, x, mask, drop=lambda values: values):
        """p of each class, (n, 2), for sentences side by side, (steps, n); `drop` takes features away at random."""
        below = T.dot(drop(self.embedding[x]), self.W) + self.b
        start = T.zeros((x.shape[1], self.n_hidden), dtype=theano.config.floatX)
        h, _ = theano.scan(self.step, sequences=[below, mask], outputs_info=start, non_sequences=[self.U_gates, self.U], strict=True, name="gru")
        mean = T.sum(h * mask.dimshuffle(0, 1, "x"), axis=0) / T.sum(mask, axis=0).dimshuffle(0, "x")
        return T.nnet.softmax(T.dot(drop(mean), self.V) + self.c)


class Dropout(object):
    """Puts a share of the values it is called with at 0, and makes the others larger for it."""

    def __init__(self, share, seed):
        self.share = share
        self.streams = MRG_RandomStreams(seed)

    def __call__(self, values):
        kept = self.streams.binomial(values.shape, p=1 - self.share, n=1, dtype=theano.config.floatX)
        return values * kept / (1 - self.share)


def compile_model(args, model):
    """Return two functions: one update, and the probabilities alone."""
    x, mask, labels = T.lmatrix("x"), T.matrix("mask"), T.lvector("labels")
    noisy = model.probabilities(x, mask, Dropout(args.dropout, args.seed))
    cost = T.mean(T.nnet.categorical_crossentropy(noisy, labels)) + args.decay * T.sum(model.V**2)
    update = theano.function([x, mask, labels], cost, updates=sequences.update_rule(args, cost, model.params))
    return update, theano.function([x, mask], model.probabilities(x, mask))


def batch(part, indices):
    """Return x, mask and labels of some sentences."""
    x, mask = sequences.pad([part[i][0] for i in indices])
    return x, mask, numpy.asarray([part[i][1] for i in indices], dtype="int64")


def predict(probabilities, part, batch_size):
    """Return p(praise) of each sentence of a part."""
    order = sorted(range(len(part)), key=lambda i: len(part[i][0]))
    praise = numpy.zeros(len(part))
    for start in range(0, len(part), batch_size):
        indices = order[start : start + batch_size]
        praise[indices] = probabilities(*batch(part, indices)[:2])[:, 1]
    return praise


def accuracy(praise, part):
    """Share of the sentences whose class is the likelier one."""
    return numpy.mean((praise > 0.5) == numpy.asarray([label == 1 for _, label in part]))


def train(args, rng, update, probabilities, reviews, params):
    """Train until the validation set has not been told apart better for `patience` epochs; leave the best parameters, return the curves."""
    curves, best, start, n_updates = [], (-1, 0, None), time.time(), 0
    for epoch in range(1, args.epochs + 1):
        minibatches = sequences.minibatches([len(words) for words, _ in reviews.train], args.batch_size, rng)
        if args.updates is not None:
            minibatches = minibatches[: args.updates - n_updates]
        if not minibatches:
            break
        batches = [lambda indices=indices: batch(reviews.train, indices) for indices in minibatches]
        costs = sequences.train_epoch(args, update, batches, n_updates, "epoch %2d" % epoch)
        n_updates += len(costs)
        learned, valid = [accuracy(predict(probabilities, part, args.batch_size), part) for part in (reviews.train, reviews.valid)]
        curves.append((numpy.mean(costs), learned, valid))
        print("epoch %2d  cost %.10f  accuracy: train %.3f %%  valid %.3f %%" % (epoch, curves[-1][0], 100 * learned, 100 * valid))
        if valid > best[0]:
            best = valid, epoch, [p.get_value() for p in params]
        elif epoch - best[1] >= args.patience:
            print("no better for %d epochs: stopping" % args.patience)
            break
    if best[2] is not None:
        for param, value in zip(params, best[2]):
            param.set_value(value)
        print("best validation accuracy %.3f %% at epoch %d" % (100 * best[0], best[1]))
    seconds = time.time() - start
    print("%d updates in %.1f s, %.1f ms each" % (n_updates, seconds, 1000 * seconds / max(n_updates, 1)), file=sys.stderr)
    return curves


def save_curves(path, curves):
    """Draw cost and accuracy over the epochs."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    epochs = numpy.arange(1, len(curves) + 1)
    costs, learned, valid = numpy.asarray(curves).T
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
    left.plot(epochs, costs, "o-", color="tab:red")
    left.set_ylabel("cost with dropout")
    right.plot(epochs, 100 * learned, "o-", label="train")
    right.plot(epochs, 100 * valid, "s-", label="valid")
    right.set_ylabel("accuracy in %")
    right.legend()
    for axis in (left, right):
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    figure.suptitle("GRU: the sentiment of sentences")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
    print("picture: %s" % path, file=sys.stderr)


def options():
    parser = sequences.option_parser(__doc__, epochs=12, batch_size=32)
    parser.add_argument("--data", default="reviews.tsv")
    parser.add_argument("--margin", type=float, default=0.5, help="sentences whose rating is nearer to 0 are left out")
    parser.add_argument("--length", type=sequences.positive, default=40, help="sentences are cut to so many words")
    parser.add_argument("--hidden", type=sequences.positive, default=48)
    parser.add_argument("--embedding", type=sequences.positive, default=48)
    parser.add_argument("--dropout", type=float, default=0.6, help="share of the features that words and sentences do without while it learns")
    parser.add_argument("--decay", type=float, default=0.0001, help="of the weights of the softmax")
    parser.add_argument("--patience", type=int, default=3, help="epochs without improvement before stopping")
    parser.add_argument("--picture", default="gru_sentiment.png")
    args = parser.parse_args()
    if not 0 <= args.dropout < 1:
        parser.error("argument --dropout: %s is not from 0 to below 1" % args.dropout)
    return args


def main():
    args = options()
    rng = numpy.random.RandomState(args.seed)
    reviews = Reviews(read_sentences(args.data, args.margin), args.length, args.seed)
    if min(len(reviews.train), len(reviews.valid)) < 1:
        sys.exit("%s has too few sentences with a rating of at least %s either way: ten are the least" % (args.data, args.margin))
    sizes = len(reviews.train), len(reviews.valid), len(reviews.test), len(reviews.vocabulary)
    print("%d sentences to train, %d to validate, %d to test, %d words" % sizes)
    model = GRUClassifier(rng, len(reviews.vocabulary) + 1, args.embedding, args.hidden)
    if args.load:
        digits.load_parameters(args.load, model.params)
    start = time.time()
    update, probabilities = compile_model(args, model)
    print("compiled in %.1f s" % (time.time() - start), file=sys.stderr)
    curves = train(args, rng, update, probabilities, reviews, model.params)
    praise = predict(probabilities, reviews.test, args.batch_size)
    share = numpy.mean([label for _, label in reviews.test])
    print("test accuracy %.3f %% (always the commoner class: %.3f %%)" % (100 * accuracy(praise, reviews.test), 100 * max(share, 1 - share)))
    for i in numpy.argsort(praise)[[0, 1, -2, -1]]:
        print("    p(praise) = %.4f: %s" % (praise[i], reviews.test_texts[i]))
    if args.save:
        digits.save_parameters(args.save, model.params)
    if curves and not args.quiet:
        save_curves(args.picture, curves)


if __name__ == "__main__":
    main()
