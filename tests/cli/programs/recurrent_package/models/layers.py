import numpy as np, theano, theano.tensor as T
from utils import init_weight, config

class Layer(object):
    registry = {}
    def __init__(self, name):
        self.name, self.params = name, []
        if Layer.registry.has_key(name):
            raise ValueError, "layer %s exists" % name
        Layer.registry[name] = self
    def add(self, values, name):
        p = theano.shared(values, name=self.name + '.' + name)
        self.params.append(p)
        return p
    def __cmp__(self, other):
        return cmp(self.size(), other.size())
    def size(self):
        return sum(map(lambda p: p.get_value().size, self.params))
    def __repr__(self):
        return "<%s %s %d>" % (self.__class__.__name__, self.name, self.size())

class Dense(Layer):
    def __init__(self, rng, n_in, n_out, name='dense'):
        super(Dense, self).__init__(name)
        self.W = self.add(init_weight(rng, (n_in, n_out)), 'W')
        self.b = self.add(np.zeros(n_out, theano.config.floatX), 'b')
    def __call__(self, x):
        return T.dot(x, self.W) + self.b

class Recurrent(Dense):
    def __init__(self, rng, n_in, n_hidden, name='recurrent'):
        Dense.__init__(self, rng, n_in, n_hidden, name)
        self.U = self.add(init_weight(rng, (n_hidden, n_hidden)), 'U')
        self.h0 = self.add(np.zeros(n_hidden, theano.config.floatX), 'h0')
    def __call__(self, x):
        def step(x_t, h_tm1):
            return T.tanh(x_t + T.dot(h_tm1, self.U))
        h, updates = theano.scan(step, sequences=Dense.__call__(self, x), outputs_info=self.h0)
        assert not updates
        return h
