"""What Python 2 did and today's Python does otherwise, for translated programs.

===================  ===================================================================================
``division.py``      ``7 / 2``, ``__div__``
``comparing.py``     ``None < 3``, sorts with a comparing function, ``cmp``, ``max``, ``min``
``classes.py``       ``__cmp__``, ``__getslice__``, keys with ``__eq__`` alone
``strings.py``       ``s.decode(…)``, ``s.encode(…)``, ``unicode(…)``, ``s.translate(table, left_out)``
``bytestrings.py``   what ``f.read()`` gives where it is bytes, usable as a string
``numbers.py``       ``print 1 / 3.`` with 12 digits
``errors.py``        ``error.message``, ``error[0]``
``files.py``         files that take text and bytes
``drawing.py``       ``random.shuffle`` and its like
``modules.py``       ``hashlib``, ``gzip``, ``subprocess``, … that take and give text
``functions.py``     ``round``, ``map``, ``filter``, ``xrange``, … : the builtins
===================  ===================================================================================

Most files have a transformer that compiles such syntax into calls (``methods.py``: of methods), and ENTRIES: the names that a program's builtins must hold for it.
They are the program's own builtins (``namespace.py``), never those of libraries, which look there to find out which Python they run on.
"""

from __future__ import annotations

import ast

from theano_compat.cli.classic import bytestrings, classes, comparing, division, errors, functions, numbers, strings

ENTRIES = {name: value for part in (division, comparing, classes, strings, bytestrings, errors, numbers, functions) for name, value in part.ENTRIES.items()}


def transform(tree: ast.Module, true_division: bool) -> ast.Module:
    """Compile what Python 2 did otherwise into calls of the functions in ENTRIES.

    Parameters
    ----------
    tree : Module
        A program, translated to today's syntax.
    true_division : bool
        Whether it asks for ``/`` as it is today.
    """
    parts = [comparing.ClassicComparing, classes.ClassicClasses, strings.ClassicStrings, bytestrings.ClassicReading, errors.ClassicErrors, numbers.ClassicNumbers]
    for part in parts if true_division else [*parts, division.ClassicDivision]:
        tree = part().visit(tree)
    return ast.fix_missing_locations(tree)
