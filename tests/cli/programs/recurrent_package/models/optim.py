import theano
import theano.tensor as T
from collections import OrderedDict

class SGD:
    def __init__(self, net, lr):
        params = list(net.params())
        grads = T.grad(net.cost, params)
        updates = OrderedDict()
        for p, g in zip(params, grads):
            updates[p] = p - lr * T.clip(g, -1, 1)
        self.step = theano.function([net.x, net.y], net.cost, updates=updates)
