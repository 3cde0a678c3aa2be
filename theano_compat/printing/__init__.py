"""Expressions and compiled functions as text and pictures.

============  ====================================================================================================
``debug``     :func:`debugprint`: a graph as an indented tree
``pretty``    :data:`pp`: an expression as a formula, and how ops say what they look like in it
``print_op``  :class:`Print`: print values while a function runs
``dot``       :func:`pydotprint`: a graph as a picture
``describe``  texts that identify expressions and values in every run
============  ====================================================================================================
"""

from __future__ import annotations

from typing import Any

from theano_compat import config  # noqa: F401
from theano_compat.gof.utils import integer_types, string_types  # noqa: F401
from theano_compat.printing.debug import debugprint  # noqa: F401
from theano_compat.printing.describe import (  # noqa: F401
    _TagGenerator,
    hex_digest,
    min_informative_str,
    position_independent_str,
    var_descriptor,
)
from theano_compat.printing.pretty import (  # noqa: F401
    VALID_ASSOC,
    DefaultPrinter,
    FunctionPrinter,
    IgnorePrinter,
    LeafPrinter,
    OperatorPrinter,
    PatternPrinter,
    PPrinter,
    PrinterState,
    default_printer,
    greek,
    leaf_printer,
    pp,
    pprint,
    special,
    use_ascii,
)
from theano_compat.printing.print_op import Print, _print_fn  # noqa: F401

# The names that users, messages and pickles know are those of this package.
for _object in list(globals().values()):
    if isinstance(_object, type) and _object.__module__.startswith(__name__ + "."):
        _object.__module__ = __name__
del _object


_IN_DOT = ("default_colorCodes", "pydot_imported", "pydot_imported_msg", "pydotprint")


def __getattr__(name: str) -> Any:
    if name in _IN_DOT:
        from theano_compat.printing import dot

        return getattr(dot, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_IN_DOT})


__all__ = sorted({name for name in (*globals(), *_IN_DOT) if not name.startswith("_")} - {"Any", "annotations", "debug", "describe", "pretty", "print_op"})
