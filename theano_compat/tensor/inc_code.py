"""Historic module: C text for in-place increments, which generated loops have made needless."""


def inc_code() -> str:
    """Give C support text for increments by an index array: none is needed."""
    return ""
