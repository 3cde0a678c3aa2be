"""A convolutional network on handwritten digits: two layers of convolution and max-pooling, a hidden layer, a softmax (after LeCun et al., 1998).

    python -m theano_compat data mnist
    python -m theano_compat examples/lenet.py
"""

from __future__ import print_function

import numpy
import theano
import theano.tensor as T
from theano.tensor.nnet import conv2d
from theano.tensor.signal import pool

import digits
from logistic_regression import LogisticRegression
from mlp import HiddenLayer


class LeNetConvPoolLayer(object):
    """tanh(max-pool(convolution of the input) + b)."""

    def __init__(self, rng, input, filter_shape, image_shape, poolsize=(2, 2)):
        assert image_shape[1] == filter_shape[1]
        fan_in = numpy.prod(filter_shape[1:])
        fan_out = filter_shape[0] * numpy.prod(filter_shape[2:]) // numpy.prod(poolsize)
        bound = numpy.sqrt(6.0 / (fan_in + fan_out))
        self.W = theano.shared(numpy.asarray(rng.uniform(low=-bound, high=bound, size=filter_shape), dtype=theano.config.floatX), borrow=True)
        self.b = theano.shared(value=numpy.zeros((filter_shape[0],), dtype=theano.config.floatX), borrow=True)
        conv_out = conv2d(input=input, filters=self.W, filter_shape=filter_shape, input_shape=image_shape)
        pooled_out = pool.pool_2d(input=conv_out, ws=poolsize, ignore_border=True)
        self.output = T.tanh(pooled_out + self.b.dimshuffle("x", 0, "x", "x"))
        self.params = [self.W, self.b]


def build(args, nkerns=(20, 50)):
    """Compile the three functions of training; returns them and the first layer."""
    rng = numpy.random.RandomState(23455)
    (train_x, train_y), (valid_x, valid_y), (test_x, test_y) = digits.load_digits(args.data)
    batch_size = args.batch_size

    index = T.lscalar("index")
    x = T.matrix("x")
    y = T.ivector("y")
    layer0_input = x.reshape((batch_size, 1, 28, 28))
    layer0 = LeNetConvPoolLayer(rng, layer0_input, image_shape=(batch_size, 1, 28, 28), filter_shape=(nkerns[0], 1, 5, 5))
    layer1 = LeNetConvPoolLayer(rng, layer0.output, image_shape=(batch_size, nkerns[0], 12, 12), filter_shape=(nkerns[1], nkerns[0], 5, 5))
    layer2 = HiddenLayer(rng, layer1.output.flatten(2), n_in=nkerns[1] * 4 * 4, n_out=500)
    layer3 = LogisticRegression(layer2.output, n_in=500, n_out=10)
    cost = layer3.negative_log_likelihood(y)
    params = layer3.params + layer2.params + layer1.params + layer0.params
    grads = T.grad(cost, params)
    updates = [(param, param - args.learning_rate * grad) for param, grad in zip(params, grads)]

    def batch_of(images, labels):
        return {x: images[index * batch_size : (index + 1) * batch_size], y: labels[index * batch_size : (index + 1) * batch_size]}

    train_step = theano.function([index], cost, updates=updates, givens=batch_of(train_x, train_y))
    valid_batch = theano.function([index], layer3.errors(y), givens=batch_of(valid_x, valid_y))
    test_batch = theano.function([index], layer3.errors(y), givens=batch_of(test_x, test_y))

    def mean_error(function, images):
        return lambda: numpy.mean([function(i) for i in range(digits.count_batches(images, batch_size))])

    return train_step, mean_error(valid_batch, valid_x), mean_error(test_batch, test_x), digits.count_batches(train_x, batch_size), (layer0, params)


def main():
    args = digits.options(__doc__, n_epochs=6, batch_size=100, learning_rate=0.1, picture="lenet.png")
    train_step, valid_error, test_error, n_batches, (layer0, params) = build(args)
    if args.load:
        digits.load_parameters(args.load, params)
    digits.train(train_step, valid_error, test_error, n_batches, args.epochs, args.patience, args.quiet)
    if args.save:
        digits.save_parameters(args.save, params)
    if not args.quiet:
        digits.save_filters(args.picture, layer0.W.get_value()[:, 0], "LeNet: the filters of the first layer")


if __name__ == "__main__":
    main()
