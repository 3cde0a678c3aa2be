"""The loops in plain Theano; they run under real Theano, theano_compat and PyTensor alike."""

import contextlib

import numpy as np

LSTM = ("E", "W", "U", "b", "V", "d")


@contextlib.contextmanager
def division_of_python_2(engine):
    """Let ``/`` be as it was when real Theano's scan_checkpoints was written: on Python 3 that divides a length and gets no whole number."""
    variable = engine.tensor.TensorVariable
    variable.__truediv__ = variable.__floordiv__
    try:
        yield
    finally:
        del variable.__truediv__  # what it inherits


class Dialect:
    """The few names in which PyTensor has moved away from Theano."""

    def __init__(self, engine):
        self.engine, self.moved = engine, engine.__name__ == "pytensor"
        self.sigmoid = engine.tensor.sigmoid if self.moved else engine.tensor.nnet.sigmoid

    def loop(self, step, checkpoint_every=0, **arguments):
        """Return the outputs of scan, or of scan_checkpoints, which are those after every `checkpoint_every` steps."""
        scan, division = self.engine.scan, contextlib.nullcontext()
        if self.moved:
            arguments["return_updates"] = False
        if checkpoint_every:
            if self.moved:
                from pytensor.scan.checkpoints import scan_checkpoints as scan
            else:
                scan = self.engine.scan_checkpoints
            if self.engine.__name__ == "theano":
                division = division_of_python_2(self.engine)
            arguments.update(save_every_N=checkpoint_every, padding=False)
        with division:
            found = scan(step, **arguments)
        return found if self.moved else found[0]

    def nll(self, scores, y):
        """Return the mean negative log-likelihood of ``y`` ``(n,)`` under the softmax of ``scores`` ``(n, classes)``."""
        T = self.engine.tensor
        log_p = T.special.log_softmax(scores, axis=-1) if self.moved else T.log(T.nnet.softmax(scores))
        return -T.mean(log_p[T.arange(y.shape[0]), y])


def cases(engine):
    """Return case name -> function(data) -> (callable, arguments of a call[, function that returns the parameters])."""
    T, dialect, floatX = engine.tensor, Dialect(engine), engine.config.floatX

    def shared(data, names):
        return [engine.shared(data[n], name=n, borrow=False) for n in names]

    def training(cost, params, inputs, arguments, rate):
        grads = T.grad(cost, params)
        rate = np.asarray(rate, floatX)
        function = engine.function(inputs, cost, updates=[(p, p - rate * g) for p, g in zip(params, grads)])
        return function, arguments, lambda: [p.get_value() for p in params]

    def power(data):
        A, k = T.vector("A"), T.iscalar("k")
        rows = dialect.loop(lambda row, A: row * A, outputs_info=T.ones_like(A), non_sequences=A, n_steps=k)
        return engine.function([A, k], rows[-1]), (data["A"], np.asarray(data["k"], "int32"))

    def recurrence(data):
        a, b, h0 = T.matrix("a"), T.matrix("b"), T.vector("h0")
        h = dialect.loop(lambda a_t, b_t, h: a_t * h + b_t, sequences=[a, b], outputs_info=h0)
        total = h.sum()
        return engine.function([a, b, h0], [total, *T.grad(total, [a, b, h0])]), (data["a"], data["b"], data["h0"])

    def rnn_step(p_t, h, U):
        return T.tanh(p_t + T.dot(h, U))

    def gru_step(p_t, h, U):
        hidden = U.shape[0]
        q = T.dot(h, U)
        r, z = (dialect.sigmoid(p_t[:, k * hidden : (k + 1) * hidden] + q[:, k * hidden : (k + 1) * hidden]) for k in (0, 1))
        return (1 - z) * T.tanh(p_t[:, 2 * hidden :] + r * q[:, 2 * hidden :]) + z * h

    def gates_to_state(gates, c, hidden):
        i, f, g, o = (gates[:, k * hidden : (k + 1) * hidden] for k in range(4))
        c = dialect.sigmoid(f) * c + dialect.sigmoid(i) * T.tanh(g)
        return dialect.sigmoid(o) * T.tanh(c), c

    def lstm_step(p_t, h, c, U):
        return gates_to_state(p_t + T.dot(h, U), c, U.shape[0])

    def recurrent(step, train):
        def make(data):
            x, y, h0 = T.tensor3("x"), T.matrix("y"), T.matrix("h0")
            W, U, b, v = params = shared(data, ("W", "U", "b", "v"))
            h = dialect.loop(step, sequences=[T.dot(x, W) + b], outputs_info=h0, non_sequences=U)
            prediction = T.dot(h, v)
            if not train:
                return engine.function([x, h0], prediction), (data["x"], data["h0"])
            return training(T.mean((prediction - y) ** 2), params, [x, y, h0], (data["x"], data["y"], data["h0"]), data["rate"])

        return make

    def lstm_parts(data):
        inputs = [T.imatrix("x"), T.imatrix("y"), T.matrix("h0"), T.matrix("c0")]
        return inputs, shared(data, LSTM), tuple(data[n] for n in ("x", "y", "h0", "c0"))

    def lstm(data):
        (x, y, h0, c0), params, arguments = lstm_parts(data)
        E, W, U, b, V, d = params
        projected = (T.dot(E[x.flatten()], W) + b).reshape((x.shape[0], x.shape[1], U.shape[1]))
        h, _ = dialect.loop(lstm_step, sequences=[projected], outputs_info=[h0, c0], non_sequences=U)
        scores = T.dot(h.reshape((x.shape[0] * x.shape[1], U.shape[0])), V) + d
        return training(dialect.nll(scores, y.flatten()), params, [x, y, h0, c0], arguments, data["rate"])

    def lstm_unrolled(data):
        (x, y, h0, c0), params, arguments = lstm_parts(data)
        E, W, U, b, V, d = params
        h, c, cost = h0, c0, 0
        for t in range(len(data["x"])):
            h, c = lstm_step(T.dot(E[x[t]], W) + b, h, c, U)
            cost = cost + dialect.nll(T.dot(h, V) + d, y[t])
        return training(cost / len(data["x"]), params, [x, y, h0, c0], arguments, data["rate"])

    def lstm_carried(data):
        """All of the step inside of the loop, the cost among its states; checkpoints if ``every``."""
        (x, y, h0, c0), params, arguments = lstm_parts(data)

        def step(x_t, y_t, h, c, cost, E, W, U, b, V, d):
            h, c = lstm_step(T.dot(E[x_t], W) + b, h, c, U)
            return h, c, cost + dialect.nll(T.dot(h, V) + d, y_t)

        start = [h0, c0, T.zeros((), floatX)]
        _, _, costs = dialect.loop(step, data["every"], sequences=[x, y], outputs_info=start, non_sequences=params)
        return training(costs[-1] / np.asarray(len(data["x"]), floatX), params, [x, y, h0, c0], arguments, data["rate"])

    return {
        "power": power,
        "recurrence": recurrence,
        "rnn forward": recurrent(rnn_step, False),
        "rnn training": recurrent(rnn_step, True),
        "gru forward": recurrent(gru_step, False),
        "gru training": recurrent(gru_step, True),
        "lstm training": lstm,
        "lstm unrolled": lstm_unrolled,
        "lstm carried": lstm_carried,
    }
