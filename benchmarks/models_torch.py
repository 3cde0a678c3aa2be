"""The cases in PyTorch, eager."""

import numpy as np
import torch
import torch.nn.functional as F


def cases():
    """Return case name -> function(data) -> (callable, arguments of a call)."""

    def training(loss, params, data, rate):
        state = [torch.tensor(p, requires_grad=True) for p in params]

        def call(x, y):
            cost = loss(state, torch.from_numpy(x), torch.from_numpy(y).long())
            grads = torch.autograd.grad(cost, state)
            with torch.no_grad():
                for p, g in zip(state, grads):
                    p -= rate * g
            return cost.detach().numpy()

        return call, (data["x"], data["y"])

    def logistic(data):
        dtype = data["x"].dtype
        return training(lambda p, x, y: F.cross_entropy(x @ p[0] + p[1], y), [np.zeros((784, 10), dtype), np.zeros(10, dtype)], data, 0.13)

    def mlp(data):
        def loss(p, x, y):
            h = torch.tanh(x @ p[0] + p[1])
            return F.cross_entropy(h @ p[2] + p[3], y) + 0.0001 * ((p[0] ** 2).sum() + (p[2] ** 2).sum())

        return training(loss, [data[n] for n in ("W1", "b1", "W2", "b2")], data, 0.01)

    def lenet(data):
        def convolve(image, K, c):
            return torch.tanh(F.max_pool2d(F.conv2d(image, K.flip(2, 3)), 2) + c[None, :, None, None])

        def loss(p, x, y):
            image = convolve(convolve(x.reshape(-1, 1, 28, 28), p[0], p[1]), p[2], p[3])
            return F.cross_entropy(torch.tanh(image.flatten(1) @ p[4] + p[5]) @ p[6] + p[7], y)

        return training(loss, [data[n] for n in ("K1", "c1", "K2", "c2", "W3", "b3", "W4", "b4")], data, 0.1)

    def plain(function, *names):
        def make(data):
            arguments = tuple(np.asarray(3, data["u"].dtype) if n is None else data[n] for n in names)
            return (lambda *args: function(*(torch.as_tensor(a) for a in args)).numpy()), arguments

        return make

    return {
        "logistic": logistic,
        "mlp": mlp,
        "lenet": lenet,
        "x + 1": plain(lambda x: x + 1, None),
        "chain": plain(lambda x, y: torch.sum(torch.exp(-(x**2)) * y + torch.tanh(x - y)), "u", "v"),
        "softmax": plain(lambda x: torch.softmax(x, -1), "m"),
        "polynomial": plain(lambda x: 1 + x * (2 + x * (3 + x * (4 + x * 5))), "u"),
    }
