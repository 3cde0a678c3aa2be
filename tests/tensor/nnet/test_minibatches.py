"""The crossentropy ops are found in minibatches cut out of shared variables, as the old tutorials do it."""

import numpy as np

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.tensor.nnet.nnet import CrossentropySoftmax1HotWithBiasDx, CrossentropySoftmaxArgmax1HotWithBias, SoftmaxGrad


def test_labels_sliced_by_givens_and_cast():
    rng = np.random.RandomState(5)
    images, labels = rng.rand(60, 7), rng.randint(0, 4, 60)
    x, y, i = T.dmatrix("x"), T.ivector("y"), T.lscalar("i")
    X, Y = theano.shared(images), T.cast(theano.shared(labels.astype("float64")), "int32")
    W, b = theano.shared(rng.rand(7, 4)), theano.shared(np.zeros(4))
    p = T.nnet.softmax(T.dot(x, W) + b)
    cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y])
    updates = [(v, v - 0.1 * T.grad(cost, v)) for v in (W, b)]
    w = W.get_value()
    step = theano.function([i], cost, updates=updates, givens={x: X[i * 10 : (i + 1) * 10], y: Y[i * 10 : (i + 1) * 10]}, mode=theano.Mode("cvm", "fast_run"))
    ops = {type(node.op) for node in step.maker.fgraph.toposort()}
    assert CrossentropySoftmaxArgmax1HotWithBias in ops and CrossentropySoftmax1HotWithBiasDx in ops and SoftmaxGrad not in ops
    batch, target = images[20:30], labels[20:30]
    e = np.exp(batch @ w)
    probability = e / e.sum(1, keepdims=True)
    np.testing.assert_allclose(step(2), -np.log(probability[range(10), target]).mean())
    probability[range(10), target] -= 1
    np.testing.assert_allclose(W.get_value(), w - 0.1 * batch.T @ probability / 10)
