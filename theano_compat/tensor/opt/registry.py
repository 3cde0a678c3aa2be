"""Putting rewrites into the standing databases of ``optdb``.

Each function takes a rewrite, registers it under its own name (or ``name=``) with the tag ``fast_run`` and any further tags, and
returns it, so that it works as a decorator, with or without tags::

    @register_canonicalize
    @register_stabilize("fast_compile")
    @gof.local_optimizer([T.add])
    def local_something(node): ...
"""

from __future__ import annotations

from theano_compat.compile import mode as _mode


def _registrar(find_db, doc, lead=(), **fixed):
    def register(lopt, *tags, **kwargs):
        if isinstance(lopt, str):
            # Used with tags only: the rewrite comes with the next call.
            return lambda inner: register(inner, lopt, *tags, **kwargs)
        name = kwargs.pop("name", None) or lopt.__name__
        find_db().register(name, lopt, *lead, "fast_run", *tags, **{**fixed, **kwargs})
        return lopt

    register.__doc__ = doc
    return register


def _entry(name):
    return lambda: _mode.optdb[name]


register_useless = _registrar(
    lambda: _mode.local_useless, "Register what removes useless parts before everything else.", lead=("last",)
)
register_canonicalize = _registrar(_entry("canonicalize"), "Register what leads to one form for equal expressions.")
register_stabilize = _registrar(_entry("stabilize"), "Register what makes results more accurate.")
register_specialize = _registrar(_entry("specialize"), "Register what leads to faster operations.")
register_uncanonicalize = _registrar(
    _entry("uncanonicalize"), "Register what undoes forms that only canonicalization needed."
)
register_specialize_device = _registrar(
    _entry("specialize_device"), "Register what pays off on the CPU or on the GPU only, after the transfer."
)
for _name in ("useless", "canonicalize", "stabilize", "specialize", "uncanonicalize", "specialize_device"):
    globals()[f"register_{_name}"].__name__ = f"register_{_name}"
    globals()[f"register_{_name}"].__qualname__ = f"register_{_name}"


def at_position(name, rewrite, position, *tags):
    """Put a rewrite of whole graphs into the sequence."""
    _mode.optdb.register(name, rewrite, position, *tags)
    return rewrite
