"""The cases in plain Theano; they run under real Theano and under theano_compat alike."""

import numpy as np


def cases(theano):
    """Return case name -> function(data) -> (compile, arguments of a call)."""
    T = theano.tensor
    floatX = theano.config.floatX

    def layer(values):
        return theano.shared(np.asarray(values, floatX), borrow=True)

    def training(cost, params, inputs, rate):
        grads = T.grad(cost, params)
        return theano.function(inputs, cost, updates=[(p, p - np.asarray(rate, floatX) * g) for p, g in zip(params, grads)])

    def nll(p, y):
        return -T.mean(T.log(p)[T.arange(y.shape[0]), y])

    def logistic(data):
        x, y = T.matrix("x"), T.ivector("y")
        W, b = layer(np.zeros((784, 10))), layer(np.zeros(10))
        return training(nll(T.nnet.softmax(T.dot(x, W) + b), y), [W, b], [x, y], 0.13), (data["x"], data["y"])

    def mlp(data):
        x, y = T.matrix("x"), T.ivector("y")
        W1, b1, W2, b2 = (layer(data[n]) for n in ("W1", "b1", "W2", "b2"))
        h = T.tanh(T.dot(x, W1) + b1)
        cost = nll(T.nnet.softmax(T.dot(h, W2) + b2), y) + 0.0001 * ((W1**2).sum() + (W2**2).sum())
        return training(cost, [W1, b1, W2, b2], [x, y], 0.01), (data["x"], data["y"])

    def lenet(data):
        from importlib import import_module

        pool_2d = import_module(theano.__name__ + ".tensor.signal.pool").pool_2d
        x, y = T.matrix("x"), T.ivector("y")
        K1, c1, K2, c2, W3, b3, W4, b4 = params = [layer(data[n]) for n in ("K1", "c1", "K2", "c2", "W3", "b3", "W4", "b4")]
        n = len(data["x"])

        def convolve(image, K, c, shape):
            out = pool_2d(T.nnet.conv2d(image, K, input_shape=shape, filter_shape=K.get_value(borrow=True).shape), (2, 2), ignore_border=True)
            return T.tanh(out + c.dimshuffle("x", 0, "x", "x"))

        first = convolve(x.reshape((n, 1, 28, 28)), K1, c1, (n, 1, 28, 28))
        second = convolve(first, K2, c2, (n, 20, 12, 12))
        hidden = T.tanh(T.dot(second.flatten(2), W3) + b3)
        return training(nll(T.nnet.softmax(T.dot(hidden, W4) + b4), y), params, [x, y], 0.1), (data["x"], data["y"])

    def add_one(data):
        x = T.scalar("x")
        return theano.function([x], x + 1), (np.asarray(3, floatX),)

    def chain(data):
        x, y = T.vector("x"), T.vector("y")
        return theano.function([x, y], T.sum(T.exp(-(x**2)) * y + T.tanh(x - y))), (data["u"], data["v"])

    def softmax(data):
        x = T.matrix("x")
        return theano.function([x], T.nnet.softmax(x)), (data["m"],)

    def polynomial(data):
        x = T.vector("x")
        return theano.function([x], 1 + x * (2 + x * (3 + x * (4 + x * 5)))), (data["u"],)

    return {"logistic": logistic, "mlp": mlp, "lenet": lenet, "x + 1": add_one, "chain": chain, "softmax": softmax, "polynomial": polynomial}
