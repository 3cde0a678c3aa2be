import theano, theano.tensor as T
from layers import Dense, Recurrent

class ElmanRNN:
    def __init__(self, rng, n_in, n_hidden, n_out):
        self.x, self.y = T.dmatrix('x'), T.dmatrix('y')
        self.recurrent_layer = Recurrent(rng, n_in, n_hidden)
        self.output_layer = Dense(rng, n_hidden, n_out, 'output')
        self.layers = [self.recurrent_layer, self.output_layer]
        self.output = reduce(lambda value, layer: layer(value), self.layers, self.x)
        self.cost = ((self.output - self.y) ** 2).mean()
    def params(self):
        for layer in self.layers:
            for p in layer.params:
                yield p
    def __getslice__(self, i, j):
        return [l.name for l in self.layers[i:j]]
    def __getitem__(self, i):
        return self.layers[i]
    def __str__(self):
        return 'ElmanRNN(%s)' % ', '.join([`l` for l in self.layers])
