"""Tables of the names that are gone: ``library.py`` Python's, ``scientific.py`` those of NumPy, SciPy and their like.

A place is ``"module:attribute"``, or a function that makes what the name meant.
"""

from __future__ import annotations

from typing import Any

from theano_compat.cli.gone import library, scientific

#: module -> attribute -> where it is now
ATTRIBUTES: dict[str, dict[str, Any]] = {**library.ATTRIBUTES, **scientific.ATTRIBUTES}
#: module that is gone -> module of today, or a table of attributes, or a module of today and a table of what it has otherwise
MODULES: dict[str, Any] = {**library.MODULES, **scientific.MODULES}
