"""Historic path. Theano's writers of C loops over NumPy arrays lived here; no code of users calls them.

Loops are written by `theano_compat.codegen` from the scalar ops' C expressions, so these names only tell that.
"""
from __future__ import annotations


def _gone(name: str):
    def raise_(*args, **kwargs):
        raise NotImplementedError(
            f"{name} wrote loops for Theano's C code. In theano_compat elementwise loops come from the compiled "
            "engine: give a scalar op `c_expr` or `c_code`, and Elemwise and CAReduce over it are compiled."
        )

    raise_.__name__ = raise_.__qualname__ = name
    raise_.__doc__ = f"Raise NotImplementedError: `{name}` has no use in this engine."
    return raise_


make_declare = _gone("make_declare")
make_checks = _gone("make_checks")
make_alloc = _gone("make_alloc")
make_loop = _gone("make_loop")
make_reordered_loop = _gone("make_reordered_loop")
make_loop_careduce = _gone("make_loop_careduce")
