"""Random numbers of Python's library as Python 2 drew them: the same seed shuffles, chooses and samples as it did then."""

from __future__ import annotations

import math
import random


class Random(random.Random):
    """A generator whose integers come from its floats: a float times the number of choices, rounded down."""

    def _below(self, n: int) -> int:
        return int(self.random() * n)

    def randrange(self, start, stop=None, step=1):
        """Return a number of ``range(start, stop, step)``."""
        choices = range(int(start)) if stop is None else range(int(start), int(stop), int(step))
        if not choices:
            raise ValueError(f"empty range for randrange: start {start}, stop {stop}, step {step}")
        return choices[self._below(len(choices))]

    def randint(self, a, b):
        """Return a whole number from a to b, both included."""
        return self.randrange(a, b + 1)

    def choice(self, seq):
        """Return an item of a sequence."""
        return seq[self._below(len(seq))]

    def shuffle(self, x, random=None):
        """Shuffle a list in place, from its end."""
        draw = self.random if random is None else random
        for last in range(len(x) - 1, 0, -1):
            other = int(draw() * (last + 1))
            x[last], x[other] = x[other], x[last]

    def sample(self, population, k):
        """Return k different items; many of few are dealt from a list, few of many are drawn until they are new."""
        n = len(population)
        if not 0 <= k <= n:
            raise ValueError(f"sample of {k} items wanted from a population of {n}")
        dealt_up_to = 21 + (4 ** math.ceil(math.log(k * 3, 4)) if k > 5 else 0)
        if n <= dealt_up_to or isinstance(population, (dict, set, frozenset)):
            return self._deal(list(population), k)
        places: dict[int, None] = {}
        while len(places) < k:
            places.setdefault(self._below(n))
        return [population[place] for place in places]

    def _deal(self, pool: list, k: int) -> list:
        taken = []
        for left in range(len(pool), len(pool) - k, -1):
            place = self._below(left)
            taken.append(pool[place])
            pool[place] = pool[left - 1]
        return taken


class _Shared(Random):
    """The generator that ``random.random`` and ``random.seed`` are of."""

    def random(self):
        return random.random()


_shared = _Shared()

#: What a Python 2 program sees in ``random``.
NAMES = {"Random": Random, **{name: getattr(_shared, name) for name in ("randrange", "randint", "choice", "shuffle", "sample")}}
