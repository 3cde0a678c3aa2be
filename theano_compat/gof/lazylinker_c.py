"""Historical: Theano's virtual machine in C was built and loaded here. Its place is taken by the compiled engine.

``CLazyLinker`` is not there, which is what ``from theano.gof.lazylinker_c import CLazyLinker`` is asked in a ``try`` for.
"""

from __future__ import annotations

import os

from theano_compat import config

version = 0.211
actual_version = version
force_compile = False
location = os.path.join(config.compiledir, "lazylinker_ext")
init_file = os.path.join(location, "__init__.py")


def try_import() -> None:
    """Raise ImportError: there is no such extension."""
    raise ImportError("theano_compat has no lazylinker extension; the linker 'cvm' is theano_compat.codegen")


def try_reload() -> None:
    """Raise ImportError: there is no such extension."""
    try_import()
