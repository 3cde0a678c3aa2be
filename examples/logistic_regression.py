"""Logistic regression on handwritten digits: one softmax layer, stochastic gradient descent, early stopping.

    python -m theano_compat data mnist
    python -m theano_compat examples/logistic_regression.py
"""

from __future__ import print_function

import numpy
import theano
import theano.tensor as T

import digits


class LogisticRegression(object):
    """p(class | x) = softmax(x W + b)."""

    def __init__(self, input, n_in, n_out):
        self.W = theano.shared(numpy.zeros((n_in, n_out), dtype=theano.config.floatX), name="W", borrow=True)
        self.b = theano.shared(numpy.zeros((n_out,), dtype=theano.config.floatX), name="b", borrow=True)
        self.p_y_given_x = T.nnet.softmax(T.dot(input, self.W) + self.b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)
        self.params = [self.W, self.b]

    def negative_log_likelihood(self, y):
        """Mean of -log p(y | x) over the minibatch."""
        return -T.mean(T.log(self.p_y_given_x)[T.arange(y.shape[0]), y])

    def errors(self, y):
        """Share of the minibatch that is classified wrongly."""
        if y.ndim != self.y_pred.ndim:
            raise TypeError("y should have the shape of self.y_pred", ("y", y.type, "y_pred", self.y_pred.type))
        return T.mean(T.neq(self.y_pred, y))


def build(args):
    """Compile the three functions of training; returns them and the model."""
    (train_x, train_y), (valid_x, valid_y), (test_x, test_y) = digits.load_digits(args.data)
    batch_size = args.batch_size

    index = T.lscalar("index")
    x = T.matrix("x")
    y = T.ivector("y")
    classifier = LogisticRegression(x, n_in=28 * 28, n_out=10)
    cost = classifier.negative_log_likelihood(y)
    g_W, g_b = T.grad(cost, [classifier.W, classifier.b])
    updates = [
        (classifier.W, classifier.W - args.learning_rate * g_W),
        (classifier.b, classifier.b - args.learning_rate * g_b),
    ]

    def batch_of(images, labels):
        return {x: images[index * batch_size : (index + 1) * batch_size], y: labels[index * batch_size : (index + 1) * batch_size]}

    train_step = theano.function([index], cost, updates=updates, givens=batch_of(train_x, train_y))
    valid_batch = theano.function([index], classifier.errors(y), givens=batch_of(valid_x, valid_y))
    test_batch = theano.function([index], classifier.errors(y), givens=batch_of(test_x, test_y))

    def mean_error(function, images):
        return lambda: numpy.mean([function(i) for i in range(digits.count_batches(images, batch_size))])

    return train_step, mean_error(valid_batch, valid_x), mean_error(test_batch, test_x), digits.count_batches(train_x, batch_size), classifier


def main():
    args = digits.options(__doc__, n_epochs=30, batch_size=50, learning_rate=0.13, picture="logistic_regression.png")
    train_step, valid_error, test_error, n_batches, classifier = build(args)
    if args.load:
        digits.load_parameters(args.load, classifier.params)
    digits.train(train_step, valid_error, test_error, n_batches, args.epochs, args.patience, args.quiet)
    if args.save:
        digits.save_parameters(args.save, classifier.params)
    if not args.quiet:
        digits.save_filters(args.picture, classifier.W.get_value().T.reshape(10, 28, 28), "logistic regression: the weights of each digit")


if __name__ == "__main__":
    main()
