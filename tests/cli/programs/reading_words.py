#!/usr/bin/env python
# -*- coding: utf-8 -*-
import codecs, re, string, random, sys, operator, itertools
from collections import defaultdict
import numpy as np
import theano
import theano.tensor as T

TEXT = u"Der Fluß ist tief. Das Café ist klein; der Fluß ist breit! Das Haus ist groß, das Café ist schön."
out = open('corpus.txt', 'w')
out.write(TEXT.encode('utf-8') + '\n')
out.write('plain words: the river is deep\n')
out.close()

class Vocabulary(object):
    def __init__(self, min_count=1):
        self.counts = defaultdict(int)
        self.min_count = min_count
    def scan(self, filename):
        for line in open(filename):
            line = unicode(line, 'utf-8').lower()
            for w in self.tokenize(line):
                self.counts[w] += 1
        return self
    @staticmethod
    def tokenize(line):
        return filter(None, [w.strip(string.punctuation) for w in line.split()])
    def build(self):
        items = [(w, c) for w, c in self.counts.iteritems() if c >= self.min_count]
        items.sort(lambda (w1, c1), (w2, c2): cmp(c2, c1) or cmp(w1, w2))
        self.words = [w for w, c in items]
        self.index = dict(zip(self.words, xrange(len(items))))
        return items
    def __contains__(self, w): return self.index.has_key(w)

vocab = Vocabulary().scan('corpus.txt')
items = vocab.build()
for w, c in items[:3]:
    print w.encode('utf-8'), c
print len(vocab.words), u'café' in vocab, 'fluß'.decode('utf8') in vocab, isinstance(vocab.words[0], unicode)
ids = [vocab.index[w] for line in codecs.open('corpus.txt', 'r', 'utf-8') for w in vocab.tokenize(line.lower())]
pairs = [(ids[i], ids[j]) for i in xrange(len(ids)) for j in range(max(0, i - 2), min(len(ids), i + 3)) if i != j]
rng = np.random.RandomState(1)
V, D = len(vocab.words), 5
E = theano.shared(rng.uniform(-.5, .5, (V, D)) / D, 'E')
O = theano.shared(np.zeros((V, D)), 'O')
c, o, neg = T.lvector('c'), T.lvector('o'), T.lmatrix('neg')
ve, vo, vn = E[c], O[o], O[neg]
cost = -T.log(T.nnet.sigmoid((ve * vo).sum(1))).mean() - T.log(T.nnet.sigmoid(-(ve.dimshuffle(0, 'x', 1) * vn).sum(2))).sum(1).mean()
gve, gvo, gvn = T.grad(cost, [ve, vo, vn])
lr = .5
O_new = T.inc_subtensor(T.inc_subtensor(vo, -lr * gvo)[neg], -lr * gvn)
train = theano.function([c, o, neg], cost, updates=[(E, T.inc_subtensor(ve, -lr * gve)), (O, O_new)])
cs, os_ = map(np.array, zip(*pairs))
for epoch in xrange(6):
    loss = train(cs, os_, rng.randint(0, V, (len(cs), 3)))
    if epoch % 2 == 0:
        print 'epoch', epoch, 'loss %.4f' % loss
norm = E.get_value() / np.sqrt((E.get_value() ** 2).sum(1))[:, None]
nearest = sorted([(round(float(np.dot(norm[0], norm[i])), 4), vocab.words[i]) for i in range(1, V)], reverse=True)
print repr(nearest[0][0]), nearest[0][1].encode('ascii', 'replace')
f = open('vectors.txt', 'wb')
print >>f, V, D
for w, vec in itertools.izip(vocab.words, E.get_value()):
    print >>f, w.encode('utf8'), ' '.join(map(str, vec.round(3)))
f.close()
lines = open('vectors.txt', 'rb').readlines()
header = map(int, lines[0].split())
table = dict((l.split(' ', 1)[0], map(float, l.strip().split(' ')[1:])) for l in lines[1:])
print header, len(table), table['café'] == map(float, E.get_value()[vocab.index[u'café']].round(3)), table.has_key('ist')
print max(vocab.counts.iteritems(), key=operator.itemgetter(1))[0], hash('a') == hash(u'a'), re.sub(ur'[^\w]+', ' ', u'a,b!', re.U)
