import numpy as np
import theano
# the package's own configuration, not the one beside the script
import config

def init_weight(rng, (n_in, n_out)):
    return np.asarray(rng.uniform(-1, 1, (n_in, n_out)) * config.scale, dtype=theano.config.floatX)
