"""Changes where new objects lie in memory, so that code whose order depends on addresses shows it."""

from __future__ import annotations

import random
from datetime import datetime

__all__ = ["disturb_mem"]

#: The objects that stay until the next call.
kept: list = []


def disturb_mem() -> None:
    """Allocate a random number of objects of random sizes and keep some of them until the next call."""
    generator = random.Random(datetime.now().microsecond)
    blocks = [bytearray(generator.randrange(1, 2000)) for _ in range(generator.randrange(50, 500))]
    lists = [[object() for _ in range(generator.randrange(1, 50))] for _ in range(generator.randrange(1, 50))]
    kept[:] = generator.sample(blocks, len(blocks) // 2) + generator.sample(lists, len(lists) // 2)
