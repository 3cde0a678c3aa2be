"""A language model of characters: an LSTM (Hochreiter and Schmidhuber, 1997) learns to write like the text it reads.

    python -m theano_compat examples/char_lstm.py
    python -m theano_compat examples/char_lstm.py --text novel.txt --save lstm.pkl
    python -m theano_compat examples/char_lstm.py --text novel.txt --load lstm.pkl --epochs 0 --temperature 0.4

Without --text it reads the manual of the Python language that every Python carries (pydoc_data.topics; it differs from one Python to the next).
"""

from __future__ import print_function

import io
import os
import re
import sys
import time
from collections import OrderedDict

import numpy
import theano
import theano.tensor as T

import digits
import sequences

END = 0  # the symbol that ends a sentence, and starts the next one


def read_text(path=None):
    """Return the text of a file in UTF-8, or Python's manual."""
    if path is None:
        from pydoc_data.topics import topics

        return u"\n\n".join(topics[name] for name in sorted(topics))
    if not os.path.isfile(path):
        sys.exit("--text %s: there is no such file" % path)
    with io.open(path, encoding="utf-8") as f:
        return f.read()


def split_sentences(text, longest):
    """Return the sentences of the paragraphs that are not indented by three spaces or more (those are code), cut to `longest` characters, each one once."""
    text = re.sub(r"(?m)^[*=~^-]{3,}$", "", text)  # what headings are underlined with
    found = OrderedDict()
    for paragraph in re.split(r"\n[ \t]*\n", text):
        if not paragraph.startswith(("   ", "\t")):
            sentences = re.split(r"(?<=[.!?:])\s+", " ".join(paragraph.split()))
            found.update((s[:longest], None) for s in sentences if len(s) > 2)
    return list(found)


class CharLSTM(object):
    """p(next character | characters so far), for sequences side by side: (steps, n) of int64."""

    def __init__(self, rng, n_symbols, n_embedding, n_hidden):
        self.n_hidden = n_hidden
        self.embedding = sequences.weights(rng, "embedding", n_symbols, n_embedding)
        self.W = sequences.weights(rng, "W", n_embedding, 4 * n_hidden)
        self.U = sequences.orthogonal(rng, "U", n_hidden, 4)
        b = numpy.zeros(4 * n_hidden, dtype=theano.config.floatX)
        b[n_hidden : 2 * n_hidden] = 1  # remember at first (Gers et al., 2000)
        self.b = theano.shared(b, name="b")
        self.V = sequences.weights(rng, "V", n_hidden, n_symbols)
        self.c = theano.shared(numpy.zeros(n_symbols, dtype=theano.config.floatX), name="c")
        self.params = [self.embedding, self.W, self.U, self.b, self.V, self.c]

    def from_below(self, x):
        """What the symbols add to the four gates, for all steps at once: (..., 4 n_hidden)."""
        shape = [x.shape[i] for i in range(x.ndim)]
        return T.dot(self.embedding[x.flatten()].reshape(shape + [self.embedding.shape[1]], ndim=x.ndim + 1), self.W) + self.b

    def cell(self, below, h, memory):
        """One step of the LSTM: new output and new memory, (n, n_hidden) each."""
        gates = below + T.dot(h, self.U)
        write, keep, show, new = [gates[:, i * self.n_hidden : (i + 1) * self.n_hidden] for i in range(4)]
        memory = T.nnet.sigmoid(keep) * memory + T.nnet.sigmoid(write) * T.tanh(new)
        return T.nnet.sigmoid(show) * T.tanh(memory), memory

    def outputs(self, x, mask):
        """The outputs of all steps, (steps, n, n_hidden); where a sequence has ended its state stays."""

        def step(below, m, h, memory):
            new_h, new_memory = self.cell(below, h, memory)
            m = m.dimshuffle(0, "x")
            return m * new_h + (1 - m) * h, m * new_memory + (1 - m) * memory

        start = T.zeros((x.shape[1], self.n_hidden), dtype=theano.config.floatX)
        (h, _), _ = theano.scan(step, sequences=[self.from_below(x), mask], outputs_info=[start, start], name="lstm")
        return h

    def probabilities(self, h):
        """p of each symbol, (n, n_symbols), given the outputs of a step, (n, n_hidden)."""
        return T.nnet.softmax(T.dot(h, self.V) + self.c)

    def cost(self, x, y, mask):
        """Mean of -log p(character) over the characters that the mask lets through."""
        p = self.probabilities(self.outputs(x, mask).reshape((-1, self.n_hidden)))
        losses = T.nnet.categorical_crossentropy(p, y.flatten())
        return T.sum(losses * mask.flatten()) / T.sum(mask)


class Writer(object):
    """Writes sentences side by side, one character a call; the state of the network lies in shared variables."""

    def __init__(self, model, alphabet, n_sentences):
        self.alphabet = alphabet
        zeros = numpy.zeros((n_sentences, model.n_hidden), dtype=theano.config.floatX)
        self.state = [theano.shared(zeros, name="h"), theano.shared(zeros, name="memory")]
        x, temperature = T.lvector("x"), T.scalar("temperature")
        h, memory = model.cell(model.from_below(x), *self.state)
        sharpened = T.log(model.probabilities(h)) / temperature
        self.step = theano.function([x, temperature], T.nnet.softmax(sharpened), updates=list(zip(self.state, [h, memory])))

    def write(self, rng, temperature, longest):
        """Return the sentences; a low temperature writes what is likely, 1 what the model believes."""
        for variable in self.state:
            variable.set_value(numpy.zeros_like(variable.get_value(borrow=True)))
        symbols = numpy.full(len(self.state[0].get_value(borrow=True)), END, dtype="int64")
        written = [[] for _ in symbols]
        for _ in range(longest):
            chances = self.step(symbols, temperature).cumsum(axis=1)
            draws = rng.uniform(size=len(symbols)) * chances[:, -1]
            symbols = numpy.asarray([numpy.searchsorted(row, draw) for row, draw in zip(chances, draws)], dtype="int64")
            for sentence, symbol in zip(written, symbols):
                if not (sentence and sentence[-1] == END):
                    sentence.append(symbol)
        return [u"".join(self.alphabet[i] for i in sentence if i != END) for sentence in written]


def options():
    parser = sequences.option_parser(__doc__, epochs=10, batch_size=20)
    parser.add_argument("--text", help="a file in UTF-8 (default: the manual of the Python language)")
    parser.add_argument("--length", type=sequences.positive, default=100, help="sentences are cut to so many characters")
    parser.add_argument("--hidden", type=sequences.positive, default=128)
    parser.add_argument("--embedding", type=sequences.positive, default=32)
    parser.add_argument("--samples", type=sequences.positive, default=4, help="sentences to write after each epoch")
    parser.add_argument("--temperature", type=float, default=0.7, help="of the samples: low writes what is likely, 1 what the model believes")
    args = parser.parse_args()
    if args.temperature <= 0:
        parser.error("argument --temperature: %s is not above 0" % args.temperature)
    return args


def prepare(args):
    """Return the alphabet and the sentences as lists of symbols, those to train and those to validate."""
    sentences = split_sentences(read_text(args.text), args.length)
    if len(sentences) < 2 * args.batch_size:
        sys.exit("%s has %d sentences; at least %d are needed (or a smaller --batch-size)" % (args.text or "the manual", len(sentences), 2 * args.batch_size))
    alphabet = [u"\0"] + sorted(set(u"".join(sentences)))
    symbol = {character: i for i, character in enumerate(alphabet)}
    coded = [[symbol[character] for character in sentence] for sentence in sentences]
    order = numpy.random.RandomState(args.seed).permutation(len(coded))
    n_valid = max(args.batch_size, len(coded) // 10)
    return alphabet, [coded[i] for i in order[n_valid:]], [coded[i] for i in order[:n_valid]]


def batch(sentences):
    """Return x, y, mask of sentences: each character is to be foretold from those before it, and the end from all."""
    x, _ = sequences.pad([[END] + s for s in sentences])
    y, mask = sequences.pad([s + [END] for s in sentences])
    return x, y, mask


def compile_model(args, model):
    """Return the functions of one update and of the cost alone."""
    x, y, mask = T.lmatrix("x"), T.lmatrix("y"), T.matrix("mask")
    cost = model.cost(x, y, mask)
    update = theano.function([x, y, mask], cost, updates=sequences.update_rule(args, cost, model.params))
    return update, theano.function([x, y, mask], cost)


def mean_cost(function, sentences, batch_size):
    """Mean cost per character over all sentences."""
    ordered = sorted(sentences, key=len)
    total = count = 0
    for start in range(0, len(ordered), batch_size):
        x, y, mask = batch(ordered[start : start + batch_size])
        total += float(function(x, y, mask)) * mask.sum()
        count += mask.sum()
    return total / count


def train(args, rng, update, cost, learn, valid, after_epoch):
    """Train, and print after each epoch how many characters the model wavers between."""
    start, n_updates = time.time(), 0
    for epoch in range(1, args.epochs + 1):
        minibatches = sequences.minibatches([len(s) for s in learn], args.batch_size, rng)
        if args.updates is not None:
            minibatches = minibatches[: args.updates - n_updates]
        if not minibatches:
            break
        batches = [lambda indices=indices: batch([learn[i] for i in indices]) for indices in minibatches]
        costs = sequences.train_epoch(args, update, batches, n_updates, "epoch %2d" % epoch)
        n_updates += len(costs)
        perplexities = numpy.exp([numpy.mean(costs), mean_cost(cost, valid, args.batch_size)])
        print(("epoch %2d  perplexity of a character: train %.17g  valid %.17g" if args.exact else "epoch %2d  perplexity of a character: train %.4f  valid %.4f") % (epoch, perplexities[0], perplexities[1]))
        after_epoch(epoch)
    seconds = time.time() - start
    print("%d updates in %.1f s, %.1f ms each" % (n_updates, seconds, 1000 * seconds / max(n_updates, 1)), file=sys.stderr)


def main():
    args = options()
    rng = numpy.random.RandomState(args.seed)
    alphabet, learn, valid = prepare(args)
    print("%d sentences to train, %d to validate, %d different characters" % (len(learn), len(valid), len(alphabet) - 1))
    model = CharLSTM(rng, len(alphabet), args.embedding, args.hidden)
    saved = [theano.shared(numpy.asarray([ord(c) for c in alphabet]), name="the alphabet")] + model.params
    if args.load:
        digits.load_parameters(args.load, saved)
        if [ord(c) for c in alphabet] != saved[0].get_value().tolist():
            sys.exit("the parameters in %s were learned from a text of other characters: give that text with --text" % args.load)
    start = time.time()
    update, cost = compile_model(args, model)
    writer = Writer(model, alphabet, args.samples)
    print("compiled in %.1f s" % (time.time() - start), file=sys.stderr)

    def show_samples(epoch):
        for sentence in writer.write(numpy.random.RandomState(args.seed + epoch), args.temperature, args.length):
            print(u"    " + sentence)

    if args.epochs < 1:
        show_samples(0)
    else:
        train(args, rng, update, cost, learn, valid, show_samples)
    if args.save:
        digits.save_parameters(args.save, saved)


if __name__ == "__main__":
    main()
