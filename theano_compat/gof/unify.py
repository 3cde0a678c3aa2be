"""Unification: find what the variables of two structures must be for the structures to be equal.

`unify(a, b)` compares nested tuples, lists and dictionaries in which :class:`Variable` objects stand for unknown parts, and
returns a :class:`Unification` (or False). Patterns of rewrites with constraints are built on it.
"""

from __future__ import annotations

from theano_compat.gof.utils import ANY_TYPE, FALL_THROUGH, comm_guard


class Variable:
    """An unknown that may be anything.

    Parameters
    ----------
    name : str
        For printing only; two variables of one name are still two variables.
    """

    def __init__(self, name="?"):
        self.name = name

    def __str__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in self.__dict__.items())})"

    __repr__ = __str__


class FreeVariable(Variable):
    """An unknown without any constraint."""


class BoundVariable(Variable):
    """An unknown with a known value."""

    def __init__(self, name, value):
        super().__init__(name)
        self.value = value


class OrVariable(Variable):
    """An unknown that must be one of some options."""

    def __init__(self, name, options):
        super().__init__(name)
        self.options = options


class NotVariable(Variable):
    """An unknown that must be none of some values."""

    def __init__(self, name, not_options):
        super().__init__(name)
        self.not_options = not_options


class VariableInList:
    """Mark of a variable that stands for the rest of a list."""

    def __init__(self, variable):
        self.variable = variable


class FVar:
    """A function of variables, computed from a unification when the structure is rebuilt."""

    def __init__(self, fn, *args):
        self.fn = fn
        self.args = args

    def __call__(self, u):
        return self.fn(*[unify_build(arg, u) for arg in self.args])


class Unification:
    """What is known of the variables: which are the same, and the best (most constrained) description of each.

    Parameters
    ----------
    inplace : bool
        Whether `merge` changes this object instead of a copy.
    """

    def __init__(self, inplace=False):
        self.unif = {}
        self.inplace = inplace

    def merge(self, new_best, *vars):
        """Declare that the variables are one, described by `new_best`.

        Returns
        -------
        Unification
            This object if it works in place, else a changed copy.
        """
        if self.inplace:
            result = self
        else:
            result = Unification(self.inplace)
            result.unif.update(self.unif)
        pool = {new_best}
        for var in (new_best, *vars):
            pool.add(var)
            pool |= result.unif.get(var, (None, ()))[1] if var in result.unif else set()
        for var in pool:
            result.unif[var] = (new_best, pool)
        return result

    def __getitem__(self, v):
        return self.unif[v][0] if v in self.unif else v


def unify_build(x, U):
    """Rebuild a structure with the variables replaced by what a unification says of them."""
    return unify_merge(x, x, U)


def unify(a, b):
    """Return the `Unification` that makes two structures equal, or False where there is none."""
    return unify_walk(a, b, Unification())


# --- what two variables imply for each other -----------------------------------------------------


def _meet(a, b):
    """Return (possible, best): what is known of an unknown that satisfies both descriptions."""
    if isinstance(a, FreeVariable):
        return True, b
    if isinstance(b, FreeVariable):
        return True, a
    if isinstance(a, BoundVariable):
        return _allows(b, a.value), a
    if isinstance(b, BoundVariable):
        return _allows(a, b.value), b
    if isinstance(a, OrVariable) and isinstance(b, OrVariable):
        options = [o for o in a.options if o in b.options]
    elif isinstance(a, OrVariable):
        options = [o for o in a.options if o not in b.not_options]
    elif isinstance(b, OrVariable):
        options = [o for o in b.options if o not in a.not_options]
    else:
        return True, NotVariable("?", list(dict.fromkeys([*a.not_options, *b.not_options])))
    if not options:
        return False, None
    if len(options) == 1:
        return True, BoundVariable("?", options[0])
    return True, OrVariable("?", options)


def _allows(variable, value):
    """Whether the description of an unknown admits a value."""
    if isinstance(variable, BoundVariable):
        return variable.value == value
    if isinstance(variable, OrVariable):
        return value in variable.options
    if isinstance(variable, NotVariable):
        return value not in variable.not_options
    return True


def unify_walk(a, b, U):
    """Extend a unification so that `a` equals `b`; False if that is not possible."""
    if isinstance(a, Variable) or isinstance(b, Variable):
        return _walk_variable(a, b, U)
    if isinstance(a, (tuple, list)) and isinstance(b, type(a)):
        return _walk_sequence(a, b, U)
    if isinstance(a, dict) and isinstance(b, dict):
        for key, value in a.items():
            if key in b:
                U = unify_walk(value, b[key], U)
                if U is False:
                    return False
        return U
    walker = getattr(type(a), "__unify_walk__", None)
    if walker is not None:
        answer = walker(a, b, U)
        if answer is not FALL_THROUGH:
            return answer
    if a is b:
        return U
    try:
        return U if bool(a == b) else False
    except (TypeError, ValueError):
        return False


def _walk_variable(a, b, U):
    a, b = (U[a] if isinstance(a, Variable) else a), (U[b] if isinstance(b, Variable) else b)
    if isinstance(a, Variable) and isinstance(b, Variable):
        if a is b:
            return U
        possible, best = _meet(a, b)
        return U.merge(best, a, b) if possible else False
    variable, value = (a, b) if isinstance(a, Variable) else (b, a)
    if not isinstance(variable, Variable):
        return unify_walk(a, b, U)
    if isinstance(variable, BoundVariable):
        return unify_walk(variable.value, value, U)
    if not _allows(variable, value):
        return False
    return U.merge(BoundVariable("?", value), variable)


def _walk_sequence(a, b, U):
    for left, right in ((a, b), (b, a)):
        if left and isinstance(left[-1], VariableInList):
            fixed = len(left) - 1
            if len(right) < fixed:
                return False
            rest = BoundVariable("?", list(right[fixed:]))
            for x, y in zip(left[:fixed], right[:fixed]):
                U = unify_walk(x, y, U)
                if U is False:
                    return False
            return unify_walk(left[-1].variable, rest, U)
    if len(a) != len(b):
        return False
    for x, y in zip(a, b):
        U = unify_walk(x, y, U)
        if U is False:
            return False
    return U


def unify_merge(a, b, U):
    """Return the structure that both `a` and `b` are under a unification."""
    if isinstance(a, Variable) or isinstance(b, Variable):
        variable, other = (a, b) if isinstance(a, Variable) else (b, a)
        best = U[variable]
        if isinstance(best, BoundVariable):
            return best.value if not isinstance(other, (tuple, list, dict)) else unify_merge(best.value, other, U)
        return best
    if isinstance(a, FVar):
        return a(U)
    if isinstance(a, (tuple, list)) and isinstance(b, type(a)):
        return type(a)(unify_merge(x, y, U) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        merged = {key: unify_merge(value, b[key], U) if key in b else unify_build(value, U) for key, value in a.items()}
        merged.update((key, unify_build(value, U)) for key, value in b.items() if key not in a)
        return merged
    merger = getattr(type(a), "__unify_merge__", None)
    if merger is not None:
        answer = merger(a, b, U)
        if answer is not FALL_THROUGH:
            return answer
    return a


_lookup_cache = {}


def var_lookup(vartype, name, *args, **kwargs):
    """Return the variable of a class and name, made at the first call."""
    key = (vartype, name)
    if key not in _lookup_cache:
        _lookup_cache[key] = vartype(name, *args, **kwargs)
    return _lookup_cache[key]


Var = V = lambda *args, **kwargs: var_lookup(FreeVariable, *args, **kwargs)  # noqa: E731
OrV = lambda *args, **kwargs: var_lookup(OrVariable, *args, **kwargs)  # noqa: E731
NV = lambda *args, **kwargs: var_lookup(NotVariable, *args, **kwargs)  # noqa: E731

__all__ = [
    "ANY_TYPE", "FALL_THROUGH", "BoundVariable", "FVar", "FreeVariable", "NotVariable", "OrVariable", "Unification",
    "Variable", "VariableInList", "comm_guard", "unify", "unify_build", "unify_merge", "unify_walk", "var_lookup",
]  # fmt: skip
