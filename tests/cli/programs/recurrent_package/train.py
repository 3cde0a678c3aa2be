import sys, optparse
import numpy as np
import theano
from models import ElmanRNN, layers
from models.optim import SGD
import config

parser = optparse.OptionParser(usage="%prog [options]")
parser.add_option("-e", "--epochs", type="int", default=8, help="epochs")
parser.add_option("-q", action="store_true", dest="quiet", default=False)
options, args = parser.parse_args()

rng = np.random.RandomState(config.seed)
sequences = [rng.randn(rng.randint(4, 9), config.n_in) for _ in range(6)]
targets = [np.cumsum(s[:, :1], axis=0) / 5 for s in sequences]
net = ElmanRNN(rng, config.n_in, config.n_hidden, 1)
opt = SGD(net, lr=.05)
for e in range(options.epochs):
    costs = [opt.step(x, y) for x, y in zip(sequences, targets)]
    if not options.quiet and e % 2 == 0:
        print "epoch %d" % e, "cost", round(np.mean(costs), 4)
print net, len(layers.Layer.registry), sorted(layers.Layer.registry.keys())
print net.output_layer < net.recurrent_layer, max(net.layers).name
print net[0:2], `net[1]`
