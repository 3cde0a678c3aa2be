"""denoising autoencoder"""
import cPickle, gzip, os, sys, time
import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

class dA(object):
    def __init__(self, numpy_rng, theano_rng=None, input=None, n_visible=784, n_hidden=500, W=None, bhid=None, bvis=None):
        self.n_visible = n_visible
        self.n_hidden = n_hidden
        if not theano_rng:
            theano_rng = RandomStreams(numpy_rng.randint(2 ** 30))
        if not W:
            initial_W = numpy.asarray(numpy_rng.uniform(low=-4 * numpy.sqrt(6. / (n_hidden + n_visible)), high=4 * numpy.sqrt(6. / (n_hidden + n_visible)), size=(n_visible, n_hidden)), dtype=theano.config.floatX)
            W = theano.shared(value=initial_W, name='W', borrow=True)
        if not bvis:
            bvis = theano.shared(value=numpy.zeros(n_visible, dtype=theano.config.floatX), borrow=True)
        if not bhid:
            bhid = theano.shared(value=numpy.zeros(n_hidden, dtype=theano.config.floatX), name='b', borrow=True)
        self.W = W; self.b = bhid; self.b_prime = bvis; self.W_prime = self.W.T
        self.theano_rng = theano_rng
        self.x = T.dmatrix(name='input') if input is None else input
        self.params = [self.W, self.b, self.b_prime]
    def get_corrupted_input(self, input, corruption_level):
        return self.theano_rng.binomial(size=input.shape, n=1, p=1 - corruption_level, dtype=theano.config.floatX) * input
    def get_hidden_values(self, input):
        return T.nnet.sigmoid(T.dot(input, self.W) + self.b)
    def get_reconstructed_input(self, hidden):
        return T.nnet.sigmoid(T.dot(hidden, self.W_prime) + self.b_prime)
    def get_cost_updates(self, corruption_level, learning_rate):
        tilde_x = self.get_corrupted_input(self.x, corruption_level)
        y = self.get_hidden_values(tilde_x)
        z = self.get_reconstructed_input(y)
        L = - T.sum(self.x * T.log(z) + (1 - self.x) * T.log(1 - z), axis=1)
        cost = T.mean(L)
        gparams = T.grad(cost, self.params)
        return cost, [(p, p - learning_rate * g) for p, g in zip(self.params, gparams)]

rng = numpy.random.RandomState(123)
data = theano.shared(numpy.asarray(rng.rand(200, 36) > .6, dtype=theano.config.floatX), borrow=True)
index = T.lscalar(); x = T.matrix('x')
da = dA(numpy_rng=rng, theano_rng=RandomStreams(rng.randint(2 ** 30)), input=x, n_visible=36, n_hidden=20)
cost, updates = da.get_cost_updates(corruption_level=.3, learning_rate=.1)
train_da = theano.function([index], cost, updates=updates, givens={x: data[index * 20: (index + 1) * 20]})
for epoch in xrange(5):
    c = []
    for batch_index in xrange(200 / 20):
        c.append(train_da(batch_index))
    print 'Training epoch %d, cost ' % epoch, round(float(numpy.mean(c)), 8)
f = open('da.pkl', 'wb')
cPickle.dump([p.get_value() for p in da.params], f, protocol=cPickle.HIGHEST_PROTOCOL)
cPickle.dump(train_da, f, protocol=2)
f.close()
f = open('da.pkl', 'rb')
ps = cPickle.load(f); g = cPickle.load(f)
print [p.shape for p in ps], round(float(g(0)), 6), round(float(train_da(0)), 6)
print >>sys.stderr, "done"
