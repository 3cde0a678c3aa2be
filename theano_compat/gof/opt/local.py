"""Rewrites of one node at a time."""

from __future__ import annotations

import sys
import time

from theano_compat import config
from theano_compat.gof.opt.base import attach_destroy_handler
from theano_compat.gof.opt.dispatch import Dispatch
from theano_compat.gof.opt.profile import label, merge_dict


class LocalOptimizer:
    """A rewrite that looks at one node and its neighbourhood.

    Derived classes define `transform`, and `tracks` to be tried only where they can match.
    """

    name = None

    def tracks(self):
        """Return the op classes and op instances (and scalar op classes) to be tried on; None for all nodes."""
        return None

    def transform(self, node):
        """Return replacements for the outputs of a node.

        Parameters
        ----------
        node : Apply

        Returns
        -------
        False, list or dict
            False (or None) if this rewrite does not apply; a list with one variable (or None: keep) for each output; or a
            dictionary from old to new variables anywhere in the graph, with the optional key ``'remove'`` for variables
            that must be gone afterwards.
        """
        raise NotImplementedError(f"{type(self).__name__} must define transform(node).")

    def add_requirements(self, fgraph):
        """Attach to the graph the features that `transform` needs."""

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        """Write what this rewrite is."""
        print(f"{' ' * level}{type(self).__name__} id={id(self)}", file=stream)


class FromFunctionLocalOptimizer(LocalOptimizer):
    """A local rewrite whose `transform` is a function.

    Parameters
    ----------
    fn : callable
        ``fn(node)``.
    tracks : list, optional
        See `LocalOptimizer.tracks`.
    requirements : sequence of callable
        Each is called with the graph beforehand.
    """

    def __init__(self, fn, tracks=None, requirements=()):
        self.transform = fn
        self._tracks = tracks
        self.requirements = requirements
        self.__name__ = getattr(fn, "__name__", type(self).__name__)
        self.__doc__ = fn.__doc__

    def add_requirements(self, fgraph):
        for requirement in self.requirements:
            requirement(fgraph)

    def tracks(self):
        return self._tracks

    def __str__(self):
        return getattr(self, "__name__", "<FromFunctionLocalOptimizer instance>")

    def __repr__(self):
        return f"FromFunctionLocalOptimizer({self})"

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        print(f"{' ' * level}{self.transform} id={id(self)}", file=stream)


def local_optimizer(tracks, inplace=False, requirements=()):
    """Decorator: make a `LocalOptimizer` of a function of a node.

    Parameters
    ----------
    tracks : list or None
        Op classes, op instances or scalar op classes whose nodes it is tried on; None for every node.
    inplace : bool
        Whether it makes operations work in place (the graph then needs a destroy handler).
    requirements : sequence of callable
        Each is called with the graph beforehand.
    """
    if inplace:
        requirements = (*requirements, attach_destroy_handler)

    def decorate(function):
        if tracks is not None:
            if len(tracks) == 0:
                raise ValueError(
                    "Use None instead of an empty list to register to all nodes.", function.__module__, function.__name__
                )
            for key in tracks:
                if not (isinstance(key, type) or hasattr(key, "make_node")):
                    raise ValueError(
                        "Tracks are op classes or instances", key, function.__module__, function.__name__
                    )
        return FromFunctionLocalOptimizer(function, tracks, requirements)

    return decorate


class LocalOptGroup(LocalOptimizer):
    """Local rewrites that are tried in order on the same node.

    Parameters
    ----------
    optimizers : LocalOptimizer
        Or one list of them.
    apply_all_opts : bool
        Whether to go on with the node that a match has made, until none matches.
    profile : bool
        Whether to count and time each of them.
    """

    def __init__(self, *optimizers, **kwargs):
        if len(optimizers) == 1 and isinstance(optimizers[0], (list, tuple)):
            optimizers = tuple(optimizers[0])
        self.apply_all_opts = kwargs.pop("apply_all_opts", False)
        self.profile = kwargs.pop("profile", False)
        if kwargs:
            raise TypeError(f"unexpected keyword arguments: {sorted(kwargs)}")
        self.opts = optimizers
        self.reentrant = any(getattr(rewrite, "reentrant", True) for rewrite in optimizers)
        self.retains_inputs = all(getattr(rewrite, "retains_inputs", False) for rewrite in optimizers)
        self._dispatch = Dispatch(optimizers)
        self.time_opts, self.process_count, self.applied_true = {}, {}, {}

    def __str__(self):
        return getattr(self, "__name__", f"LocalOptGroup({','.join(str(rewrite) for rewrite in self.opts)})")

    def tracks(self):
        keys = {}
        for rewrite in self.opts:
            tracked = rewrite.tracks()
            if tracked is None:
                return None
            keys.update(dict.fromkeys(tracked))
        # An empty group matches nothing; a list keeps that apart from None (everything).
        return list(keys)

    def _try(self, rewrite, node):
        if not self.profile:
            return rewrite.transform(node)
        name, start = label(rewrite), time.perf_counter()
        result = rewrite.transform(node)
        self.time_opts[name] = self.time_opts.get(name, 0.0) + time.perf_counter() - start
        self.process_count[name] = self.process_count.get(name, 0) + 1
        if result:
            self.applied_true[name] = self.applied_true.get(name, 0) + 1
        return result

    def transform(self, node):
        replaced = None
        while True:
            for rewrite in self._dispatch(node.op):
                result = self._try(rewrite, node)
                if result:
                    break
            else:
                return replaced
            replaced = result
            if not self.apply_all_opts:
                return replaced
            fresh = [v for k, v in result.items() if k != "remove"] if isinstance(result, dict) else list(result)
            owners = {variable.owner if variable is not None else None for variable in fresh}
            if len(owners) != 1 or None in owners or len(next(iter(owners)).outputs) != len(fresh):
                # Nothing single to go on with.
                return replaced
            (node,) = owners
            if config.compute_test_value_opt != "off":
                from theano_compat.gof.op import compute_test_value

                compute_test_value(node)

    def add_requirements(self, fgraph):
        for rewrite in self.opts:
            rewrite.add_requirements(fgraph)

    def print_summary(self, stream=sys.stdout, level=0, depth=-1):
        print(f"{' ' * level}{type(self).__name__} id={id(self)}", file=stream)
        if depth != 0:
            for rewrite in self.opts:
                rewrite.print_summary(stream, level=level + 2, depth=depth - 1)

    @staticmethod
    def print_profile(stream, prof, level=0):
        """Write the ``(times, tried, applied)`` of a group."""
        if prof is None:
            return
        times, tried, applied = prof
        for name, seconds in sorted(times.items(), key=lambda item: -item[1]):
            print(
                f"{'    ' * level}{seconds:.6f}s  {applied.get(name, 0)} applied of {tried.get(name, 0)} tried  {name}",
                file=stream,
            )

    @staticmethod
    def merge_profile(prof1, prof2):
        """Return the sum of two group profiles."""
        return tuple(merge_dict(a, b) for a, b in zip(prof1, prof2))


class GraphToGPULocalOptGroup(LocalOptGroup):
    """The rewrites that turn one host operation into its device counterpart.

    `transform` takes the parts of a node instead of the node, since the node is built on the device straight away.
    """

    def __init__(self, *optimizers, **kwargs):
        super().__init__(*optimizers, **kwargs)
        if self.apply_all_opts:
            raise ValueError("GraphToGPULocalOptGroup stops at the first match: apply_all_opts must be False.")

    def transform(self, op, context_name, inputs, outputs):
        for rewrite in self._dispatch(op):
            result = rewrite.transform(op, context_name, inputs, outputs)
            if result:
                return result
        return None
