"""Named tensor types, and functions that make symbolic inputs.

Every combination of a dtype letter and a rank is a type (``fmatrix``) that makes a variable when called
(``fmatrix('x')``); without a letter it is a function of name and dtype, ``config.floatX`` by default
(``matrix('x')``). The plural makes several at once (``fmatrices('x', 'y')``).
"""

from __future__ import annotations

from theano_compat import config
from theano_compat.tensor.type import TensorType

_LETTERS = {
    "c": "complex64", "z": "complex128", "f": "float32", "d": "float64",
    "b": "int8", "w": "int16", "i": "int32", "l": "int64",
}  # fmt: skip

# name -> (broadcast pattern, plural)
_KINDS = {
    "scalar": ((), "scalars"),
    "vector": ((False,), "vectors"),
    "matrix": ((False, False), "matrices"),
    "row": ((True, False), "rows"),
    "col": ((False, True), "cols"),
    **{f"tensor{rank}": ((False,) * rank, f"tensor{rank}s") for rank in range(3, 8)},
}


def tensor(*args, **kwargs):
    """Return a variable of type ``TensorType(*args, **kwargs)``, named by the keyword `name`."""
    name = kwargs.pop("name", None)
    return TensorType(*args, **kwargs)(name=name)


def _make_constructor(kind, pattern):
    def construct(name=None, dtype=None):
        return TensorType(config.floatX if dtype is None else dtype, pattern)(name)

    construct.__name__ = construct.__qualname__ = kind
    construct.__doc__ = f"""Return a symbolic {kind}.

    Parameters
    ----------
    name : str, optional
    dtype : str, optional
        ``config.floatX`` by default.

    Returns
    -------
    TensorVariable
        With broadcast pattern ``{pattern}``.
    """
    return construct


def _multi(*fns):
    """Return for each constructor one that makes several variables: of the names given, or as many as asked."""

    def make(construct):
        def construct_several(*names):
            if len(names) == 1 and isinstance(names[0], int):
                return [construct() for _ in range(names[0])]
            if len(names) == 1 and isinstance(names[0], (str, list, tuple)):
                names = names[0]  # 'abc' means three variables
            made = [construct(name) for name in names]
            return made[0] if len(made) == 1 else made

        return construct_several

    several = [make(construct) for construct in fns]
    return several[0] if len(several) == 1 else several


def _define():
    made = {}
    for kind, (pattern, plural) in _KINDS.items():
        made[kind] = _make_constructor(kind, pattern)
        typed = {letter + kind: TensorType(dtype, pattern) for letter, dtype in _LETTERS.items()}
        made.update(typed)
        # the plural of the untyped one, and those of float and integer types that Theano had
        for letter in ("", "f", "d", "i", "l"):
            made[letter + plural] = several = _multi(made[letter + kind])
            several.__name__ = several.__qualname__ = letter + plural
            several.__doc__ = f"Return `{letter}{kind}` variables: one for each name (not in a list if it is one), or as many as a number says."
    return made


globals().update(_define())

_WORDS = {"int": "bwil", "float": "fd", "complex": "cz"}
for _word, _letters in _WORDS.items():
    for _kind in ("scalar", "vector", "matrix"):
        globals()[f"{_word}_{_kind}_types"] = tuple(globals()[_letter + _kind] for _letter in _letters)
int_types = globals()["int_scalar_types"]
float_types = globals()["float_scalar_types"]
complex_types = globals()["complex_scalar_types"]

__all__ = sorted(
    name for name in globals() if not name.startswith("_") and name not in ("annotations", "config", "TensorType")
)
