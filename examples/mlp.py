"""A multilayer perceptron on handwritten digits: a tanh layer below a softmax, L1 and L2 penalties, early stopping.

    python -m theano_compat data mnist
    python -m theano_compat examples/mlp.py
"""

from __future__ import print_function

import numpy
import theano
import theano.tensor as T

import digits
from logistic_regression import LogisticRegression


class HiddenLayer(object):
    """activation(x W + b), with W drawn from the interval that suits tanh (Glorot and Bengio, 2010)."""

    def __init__(self, rng, input, n_in, n_out, activation=T.tanh):
        bound = numpy.sqrt(6.0 / (n_in + n_out))
        W_values = numpy.asarray(rng.uniform(low=-bound, high=bound, size=(n_in, n_out)), dtype=theano.config.floatX)
        if activation == T.nnet.sigmoid:
            W_values *= 4
        self.W = theano.shared(value=W_values, name="W", borrow=True)
        self.b = theano.shared(value=numpy.zeros((n_out,), dtype=theano.config.floatX), name="b", borrow=True)
        linear = T.dot(input, self.W) + self.b
        self.output = linear if activation is None else activation(linear)
        self.params = [self.W, self.b]


class MLP(object):
    """One hidden layer and a softmax."""

    def __init__(self, rng, input, n_in, n_hidden, n_out):
        self.hidden = HiddenLayer(rng, input, n_in, n_hidden)
        self.top = LogisticRegression(self.hidden.output, n_hidden, n_out)
        self.L1 = abs(self.hidden.W).sum() + abs(self.top.W).sum()
        self.L2_sqr = (self.hidden.W**2).sum() + (self.top.W**2).sum()
        self.negative_log_likelihood = self.top.negative_log_likelihood
        self.errors = self.top.errors
        self.params = self.hidden.params + self.top.params


def build(args, n_hidden=500, L1_reg=0.00, L2_reg=0.0001):
    """Compile the three functions of training; returns them and the model."""
    (train_x, train_y), (valid_x, valid_y), (test_x, test_y) = digits.load_digits(args.data)
    batch_size = args.batch_size

    index = T.lscalar("index")
    x = T.matrix("x")
    y = T.ivector("y")
    classifier = MLP(numpy.random.RandomState(1234), x, 28 * 28, n_hidden, 10)
    cost = classifier.negative_log_likelihood(y) + L1_reg * classifier.L1 + L2_reg * classifier.L2_sqr
    gparams = [T.grad(cost, param) for param in classifier.params]
    updates = [(param, param - args.learning_rate * gparam) for param, gparam in zip(classifier.params, gparams)]

    def batch_of(images, labels):
        return {x: images[index * batch_size : (index + 1) * batch_size], y: labels[index * batch_size : (index + 1) * batch_size]}

    train_step = theano.function(inputs=[index], outputs=cost, updates=updates, givens=batch_of(train_x, train_y))
    valid_batch = theano.function(inputs=[index], outputs=classifier.errors(y), givens=batch_of(valid_x, valid_y))
    test_batch = theano.function(inputs=[index], outputs=classifier.errors(y), givens=batch_of(test_x, test_y))

    def mean_error(function, images):
        return lambda: numpy.mean([function(i) for i in range(digits.count_batches(images, batch_size))])

    return train_step, mean_error(valid_batch, valid_x), mean_error(test_batch, test_x), digits.count_batches(train_x, batch_size), classifier


def main():
    args = digits.options(__doc__, n_epochs=30, batch_size=20, learning_rate=0.3, picture="mlp.png", patience=10)
    train_step, valid_error, test_error, n_batches, classifier = build(args)
    if args.load:
        digits.load_parameters(args.load, classifier.params)
    digits.train(train_step, valid_error, test_error, n_batches, args.epochs, args.patience, args.quiet)
    if args.save:
        digits.save_parameters(args.save, classifier.params)
    if not args.quiet:
        filters = classifier.hidden.W.get_value().T.reshape(-1, 28, 28)
        strongest = numpy.argsort(-abs(classifier.top.W.get_value()).sum(axis=1))[:50]
        digits.save_filters(args.picture, filters[strongest], "multilayer perceptron: the 50 hidden units that count most")


if __name__ == "__main__":
    main()
