# word2vec-ish
from __future__ import division
import theano, numpy
from theano import tensor as T
rng = numpy.random.RandomState(7)
V, d, cs = 30, 6, 5
fX = theano.config.floatX
emb = theano.shared((0.2 * rng.uniform(-1.0, 1.0, (V + 1, d))).astype(fX), 'embeddings')
Wx = theano.shared((0.2 * rng.uniform(-1.0, 1.0, (d * cs, 8))).astype(fX)); Wo = theano.shared(rng.randn(8, 4).astype(fX))
idxs = T.imatrix(); y = T.ivector('y'); lr = T.scalar('lr')
sub = emb[idxs]
x = sub.reshape((idxs.shape[0], d * cs))
p = T.nnet.softmax(T.dot(T.nnet.sigmoid(T.dot(x, Wx)), Wo))
nll = -T.log(p)[T.arange(y.shape[0]), y].mean()
gs, gWx, gWo = T.grad(nll, [sub, Wx, Wo])
ups = [(emb, T.inc_subtensor(sub, -lr * gs)), (Wx, Wx - lr * gWx), (Wo, Wo - lr * gWo)]
train = theano.function([idxs, y, lr], nll, updates=ups, allow_input_downcast=True)
normalize = theano.function([], updates={emb: emb / T.sqrt((emb ** 2).sum(axis=1)).dimshuffle(0, 'x')})
I = rng.randint(0, V, (12, cs)).astype('int32'); Y = rng.randint(0, 4, 12).astype('int32')
for e in xrange(20):
    c = train(I, Y, 0.5)
    normalize()
print '[learning] %.6f %.6f' % (c, emb.get_value()[3].sum())
g = T.grad(nll, emb)
print theano.function([idxs, y], [g.shape, abs(g).sum().astype('float32')])(I, Y)[0]
v = T.vector('v'); i = T.lvector('i'); m = T.matrix('m')
show = lambda ins, o, *a: map(lambda q: q, [theano.function(ins, o, allow_input_downcast=True)(*a)])[0]
print show([v, i], T.inc_subtensor(v[i], 1.), numpy.zeros(4), [1, 1, 2])
print show([v, i], T.set_subtensor(v[i], 1. * i), numpy.zeros(4), [1, 1, 2])
print show([m], T.set_subtensor(m[1:, ::2], 9), numpy.arange(12.).reshape(3, 4))
print show([m], T.inc_subtensor(m[:, 1], m[:, 0]), numpy.arange(12.).reshape(3, 4))
print show([m], m[::-1, [0, 2]], numpy.arange(12.).reshape(3, 4))
print show([m], m[(m > 5).nonzero()], numpy.arange(12.).reshape(3, 4))
print show([m], T.switch(T.gt(m, 5), m, -m), numpy.arange(12.).reshape(3, 4))
print show([m], [m.max(axis=0), m.argmax(), m.std(), m.var(axis=1), m.norm(2), m.prod(), m.T.ravel()[:3], T.concatenate([m, m], axis=1).shape, T.stack([m, m]).shape, T.tile(m, (2, 1)).shape, T.repeat(m, 2, axis=0).shape, m.cumsum(axis=0), T.sort(m[0])[::-1], T.argsort(-m, axis=1)], numpy.arange(12.).reshape(3, 4))
print show([i], [T.eq(i, 2), T.extra_ops.to_one_hot(i, 4), T.bincount(i), i % 2, i // 2, i / 2, -i ** 2, T.cast(i, 'int8')], [0, 2, 3])
t = T.tensor3('t')
print show([t], [T.batched_dot(t, t.dimshuffle(0, 2, 1)).sum(), t.mean(axis=(0, 2)), t.swapaxes(0, 2).shape, T.roll(t, 1, axis=1)[0, 0], t[..., 1].shape, t[:, 0].shape], numpy.arange(8.).reshape(2, 2, 2))
