"""Rewrites of whole graphs, and what happens when one fails."""

from __future__ import annotations

import contextlib
import gc
import logging
import pdb
import sys
import time
import traceback

from theano_compat import config
from theano_compat.gof.fg import InconsistencyError
from theano_compat.gof.opt.profile import PassProfile, label
from theano_compat.gof.toolbox import ReplaceValidate

_logger = logging.getLogger("theano.gof.opt")


class Reports:
    """How often rewriting had something to tell the user: a graph that it was told about has to be rewritten anew each time, to tell it again.

    Attributes
    ----------
    count : int
    """

    count = 0


def report(message, log=_logger.error):
    """Log a message about a graph that is being rewritten."""
    Reports.count += 1
    log(message)


def report_failure(headline, details=()):
    """Log the exception in flight and do what ``config.on_opt_error`` asks for.

    Parameters
    ----------
    headline : str
        First line of the report.
    details : iterable of str
        Further lines in front of the traceback.
    """
    policy = config.on_opt_error
    error = sys.exc_info()[1]
    if policy == "ignore":
        return
    report(headline)
    for line in details:
        _logger.error(line)
    _logger.error("TRACEBACK:")
    _logger.error(traceback.format_exc())
    if policy == "raise" or isinstance(error, AssertionError):
        # A failed assertion means that the graph may be wrong: never go on with it.
        raise error
    if policy == "pdb":
        pdb.post_mortem(sys.exc_info()[2])


class Optimizer:
    """A rewrite of a whole `FunctionGraph`.

    Derived classes define `apply`, and `add_requirements` where they need features on the graph. `optimize` (or calling the
    object) runs both.
    """

    name = None

    def add_requirements(self, fgraph):
        """Attach to the graph the features that `apply` needs."""

    def apply(self, fgraph):
        """Rewrite the graph in place; may return a profile."""
        raise NotImplementedError(f"{type(self).__name__} must define apply(fgraph).")

    def optimize(self, fgraph, *args, **kwargs):
        """Attach requirements, then rewrite the graph in place.

        Parameters
        ----------
        fgraph : FunctionGraph

        Returns
        -------
        PassProfile or None
        """
        self.add_requirements(fgraph)
        return self.apply(fgraph, *args, **kwargs)

    def __call__(self, fgraph):
        return self.optimize(fgraph)

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        """Write what this rewrite consists of."""
        print(f"{' ' * level}{type(self).__name__} {getattr(self, 'name', None)} id={id(self)}", file=stream)

    @staticmethod
    def print_profile(stream, prof, level=0):
        """Write a profile that `apply` returned."""
        if prof is not None:
            prof.write(stream, level)

    @staticmethod
    def merge_profile(prof1, prof2):
        """Return the sum of two profiles."""
        if prof1 is None or prof2 is None:
            return prof1 or prof2
        return prof1.merged(prof2)


class FromFunctionOptimizer(Optimizer):
    """A rewrite whose `apply` is a function of the graph.

    Parameters
    ----------
    fn : callable
        ``fn(fgraph)``.
    requirements : sequence of callable
        Each is called with the graph beforehand, to attach features.
    """

    def __init__(self, fn, requirements=()):
        self.apply = fn
        self.requirements = requirements
        self.__name__ = getattr(fn, "__name__", type(self).__name__)

    def add_requirements(self, fgraph):
        for requirement in self.requirements:
            requirement(fgraph)

    def __call__(self, *args, **kwargs):
        return self.apply(*args, **kwargs)

    def __str__(self):
        return self.__name__

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        print(f"{' ' * level}{self.apply} id={id(self)}", file=stream)


def optimizer(f):
    """Decorator: make an `Optimizer` of a function of the graph."""
    return FromFunctionOptimizer(f)


def attach_destroy_handler(fgraph):
    """Requirement of rewrites that work in place."""
    from theano_compat.gof.destroyhandler import DestroyHandler

    fgraph.attach_feature(DestroyHandler())


def inplace_optimizer(f):
    """Decorator: like `optimizer`, for a function that makes operations work in place."""
    return FromFunctionOptimizer(f, (attach_destroy_handler,))


@contextlib.contextmanager
def _collector_paused():
    """Pause the cyclic garbage collector: it would walk all of a growing graph again and again, to find nothing."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class SeqOptimizer(Optimizer, list):
    """Several rewrites, one after another.

    Parameters
    ----------
    opts : Optimizer
        Or one list of them.
    failure_callback : callable, optional
        ``failure_callback(exception, self, optimizer)`` where one raises; without it, the exception goes up.
    """

    def __init__(self, *opts, **kw):
        if len(opts) == 1 and isinstance(opts[0], (list, tuple)):
            opts = opts[0]
        list.__init__(self, opts)
        self.failure_callback = kw.pop("failure_callback", None)
        if kw:
            raise TypeError(f"unexpected keyword arguments: {sorted(kw)}")

    @staticmethod
    def warn(exc, self, optimizer):
        """Default failure callback: report, and go on with the next rewrite unless told otherwise."""
        report_failure(f"SeqOptimizer apply {optimizer}")

    def apply(self, fgraph):
        with _collector_paused():
            return self._apply(fgraph)

    def _apply(self, fgraph):
        profile = PassProfile(self, nodes_before=len(fgraph.apply_nodes))
        begin = time.perf_counter()
        for rewrite in self:
            start, before = time.perf_counter(), len(fgraph.apply_nodes)
            try:
                part = rewrite.optimize(fgraph)
            except AssertionError:
                raise
            except Exception as error:
                if self.failure_callback is None:
                    raise
                self.failure_callback(error, self, rewrite)
                continue
            if not isinstance(part, PassProfile):
                part = PassProfile(rewrite, nodes_before=before)
            part.seconds, part.nodes_after = time.perf_counter() - start, len(fgraph.apply_nodes)
            profile.parts.append(part)
        profile.seconds, profile.nodes_after = time.perf_counter() - begin, len(fgraph.apply_nodes)
        return profile

    def __repr__(self):
        return f"SeqOpt({list.__repr__(self)})"

    def __str__(self):
        return f"SeqOpt({', '.join(label(rewrite) for rewrite in self)})"

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    def __hash__(self):
        return id(self)

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        print(f"{' ' * level}{type(self).__name__} {getattr(self, 'name', None)} ({len(self)} parts)", file=stream)
        if depth != 0:
            for rewrite in self:
                rewrite.print_summary(stream, level=level + 2, depth=depth - 1)


def require_replace_validate(fgraph):
    """Give the graph `replace_all_validate` and its relatives."""
    fgraph.attach_feature(ReplaceValidate())


__all__ = [
    "FromFunctionOptimizer", "InconsistencyError", "Optimizer", "Reports", "SeqOptimizer", "attach_destroy_handler",
    "inplace_optimizer", "optimizer", "report", "report_failure", "require_replace_validate",
]  # fmt: skip
