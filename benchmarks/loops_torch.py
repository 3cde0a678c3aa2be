"""The loops in PyTorch: plain loops, plain loops through TorchScript, and the layers of torch.nn where they compute the same.

A step through torch.compile is not among them: it costs some hundred microseconds a call, and a loop of a thousand steps is too long for it to unroll.
"""

import functools

import torch
import torch.nn.functional as F

LSTM = ("E", "W", "U", "b", "V", "d")


def power_loop(A: torch.Tensor, k: int) -> torch.Tensor:
    row = torch.ones_like(A)
    for _ in range(k):
        row = row * A
    return row


def recurrence_loop(a: torch.Tensor, b: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    rows = []
    for a_t, b_t in zip(a.unbind(0), b.unbind(0)):
        h = a_t * h + b_t
        rows.append(h)
    return torch.stack(rows)


def rnn_loop(p: torch.Tensor, h: torch.Tensor, c: torch.Tensor, U: torch.Tensor) -> torch.Tensor:
    rows = []
    for p_t in p.unbind(0):
        h = torch.tanh(torch.addmm(p_t, h, U))
        rows.append(h)
    return torch.stack(rows)


def gru_loop(p: torch.Tensor, h: torch.Tensor, c: torch.Tensor, U: torch.Tensor) -> torch.Tensor:
    rows = []
    for p_t in p.unbind(0):
        pr, pz, pn = p_t.chunk(3, 1)
        qr, qz, qn = torch.mm(h, U).chunk(3, 1)
        n = torch.tanh(pn + torch.sigmoid(pr + qr) * qn)
        h = n + torch.sigmoid(pz + qz) * (h - n)
        rows.append(h)
    return torch.stack(rows)


def lstm_loop(p: torch.Tensor, h: torch.Tensor, c: torch.Tensor, U: torch.Tensor) -> torch.Tensor:
    rows = []
    for p_t in p.unbind(0):
        i, f, g, o = torch.addmm(p_t, h, U).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        rows.append(h)
    return torch.stack(rows)


def tensors(arguments):
    """Return arrays as tensors, whole numbers as PyTorch wants its indices."""
    found = [torch.as_tensor(a) for a in arguments]
    return [a if a.is_floating_point() else a.long() for a in found]


def training(loss, params, arguments, parameters, rate):
    """Return a Program's parts for a step of gradient descent on leaf tensors."""

    def call(*arguments):
        cost = loss(*tensors(arguments))
        grads = torch.autograd.grad(cost, params)
        with torch.no_grad():
            for p, g in zip(params, grads):
                p.sub_(g, alpha=rate)
        return cost.detach().numpy()

    return call, arguments, parameters


def leaves(data, names):
    return [torch.tensor(data[n], requires_grad=True) for n in names]


def power(loop, data):
    def call(A, k):
        with torch.no_grad():
            return loop(torch.from_numpy(A), k).numpy()

    return call, (data["A"], data["k"])


def recurrence(loop, data):
    def call(*arguments):
        leaf = [torch.from_numpy(a).requires_grad_() for a in arguments]
        total = loop(*leaf).sum()
        return [total.detach().numpy(), *(g.numpy() for g in torch.autograd.grad(total, leaf))]

    return call, (data["a"], data["b"], data["h0"])


def cell_of(loop, data):
    """Return a plain loop's function (x, h0, c0) -> states, its parameters W, U, b, and what gives them as arrays."""
    W, U, b = params = leaves(data, ("W", "U", "b"))
    return (lambda x, h0, c0: loop(x @ W + b, h0, c0, U)), params, lambda: [p.detach().numpy() for p in params]


def layer_of(layer, data):
    """Return the same of a layer of torch.nn, which keeps its weights transposed and has a second bias, here zero and not trained."""
    net = layer(data["W"].shape[0], data["U"].shape[0])
    params = [net.weight_ih_l0, net.weight_hh_l0, net.bias_ih_l0]
    net.bias_hh_l0.requires_grad_(False)
    with torch.no_grad():
        for p, name in zip(params, "WUb"):
            p.copy_(torch.from_numpy(data[name].T))
        net.bias_hh_l0.zero_()

    def states(x, h0, c0):
        return net(x, (h0[None], c0[None]) if layer is torch.nn.LSTM else h0[None])[0]

    return states, params, lambda: [p.detach().numpy().T for p in params]


def recurrent(make_cell, how, train, data):
    states, params, arrays = make_cell(how, data)
    (v,) = leaves(data, "v")
    if not train:

        def predict(x, h0):
            with torch.no_grad():
                h0 = torch.from_numpy(h0)
                return (states(torch.from_numpy(x), h0, h0) @ v).numpy()

        return predict, (data["x"], data["h0"])

    def loss(x, y, h0):
        return torch.mean((states(x, h0, h0) @ v - y) ** 2)

    return training(loss, [*params, v], (data["x"], data["y"], data["h0"]), lambda: [*arrays(), v.detach().numpy()], data["rate"])


def lstm(make_cell, how, data):
    states, params, arrays = make_cell(how, data)
    E, V, d = scores = leaves(data, ("E", "V", "d"))

    def loss(x, y, h0, c0):
        h = states(F.embedding(x, E), h0, c0)
        return F.cross_entropy(torch.addmm(d, h.reshape(-1, h.shape[-1]), V), y.reshape(-1))

    def parameters():
        e, *rest = (p.detach().numpy() for p in scores)
        return [e, *arrays(), *rest]

    return training(loss, [*params, *scores], tuple(data[n] for n in ("x", "y", "h0", "c0")), parameters, data["rate"])


def cases():
    """Return case name -> variant -> function(data) -> (callable, arguments of a call[, function that returns the parameters])."""

    def loops(make, loop):
        return {"loop": functools.partial(make, loop), "TorchScript": lambda data: make(torch.jit.script(loop), data)}

    def cells(make, loop, layer, *arguments):
        def with_cell(make_cell, how):
            return functools.partial(make, make_cell, how, *arguments)

        script = lambda data: with_cell(cell_of, torch.jit.script(loop))(data)
        return {"nn." + layer.__name__: with_cell(layer_of, layer), "loop": with_cell(cell_of, loop), "TorchScript": script}

    return {
        "power": loops(power, power_loop),
        "recurrence": loops(recurrence, recurrence_loop),
        "rnn forward": cells(recurrent, rnn_loop, torch.nn.RNN, False),
        "rnn training": cells(recurrent, rnn_loop, torch.nn.RNN, True),
        "gru forward": cells(recurrent, gru_loop, torch.nn.GRU, False),
        "gru training": cells(recurrent, gru_loop, torch.nn.GRU, True),
        "lstm training": cells(lstm, lstm_loop, torch.nn.LSTM),
    }
