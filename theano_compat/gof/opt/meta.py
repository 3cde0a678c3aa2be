"""A rewrite that tries alternatives on real values and keeps the fastest."""

from __future__ import annotations

import logging
import time

import numpy as np

from theano_compat import config
from theano_compat.gof.opt.local import LocalOptimizer
from theano_compat.gof.opt.profile import label

_logger = logging.getLogger("theano.gof.opt")


class LocalMetaOptimizerSkipAssertionError(AssertionError):
    """Raised by a derived class where values to time with cannot be had."""


class LocalMetaOptimizer(LocalOptimizer):
    """Time several local rewrites of a node on test values, and keep the fastest result.

    A derived class sets ``_tracks`` and defines `provide_inputs`; rewrites are added by `register`.
    """

    _tracks = ()

    def __init__(self):
        self.verbose = config.metaopt.verbose
        self.track_dict = {}
        self.tag_dict = {}
        self._seen = set()

    def tracks(self):
        return list(self._tracks)

    def register(self, optimizer, tag_list):
        """Add an alternative.

        Parameters
        ----------
        optimizer : LocalOptimizer
        tag_list : list of str
            Tags for ``metaopt.optimizer_including`` and ``metaopt.optimizer_excluding``.
        """
        for key in optimizer.tracks() or ():
            self.track_dict.setdefault(key, []).append(optimizer)
            self._seen.add(optimizer)
        for tag in tag_list:
            self.tag_dict.setdefault(tag, []).append(optimizer)

    def get_opts(self, node):
        """Return the alternatives for a node, as the flags choose them."""
        registered = self.track_dict.get(type(node.op), []) + self.track_dict.get(node.op, [])
        excluded = config.metaopt.optimizer_excluding
        included = config.metaopt.optimizer_including
        chosen = list(dict.fromkeys(registered))
        if included:
            wanted = {id(o) for tag in included.split(":") for o in self.tag_dict.get(tag, ())}
            chosen = [o for o in chosen if id(o) in wanted]
        if excluded:
            unwanted = {id(o) for tag in excluded.split(":") for o in self.tag_dict.get(tag, ())}
            chosen = [o for o in chosen if id(o) not in unwanted]
        return chosen

    def provide_inputs(self, node, inputs):
        """Return a dictionary from each of `inputs` to a shared variable with a test value.

        Parameters
        ----------
        node : Apply
        inputs : list of Variable
        """
        raise NotImplementedError(f"{type(self).__name__} must define provide_inputs(node, inputs).")

    def transform(self, node):
        if self._tracks is not None and not (node.op in self._tracks or type(node.op) in self._tracks):
            return None
        givens = {}
        missing = []
        for variable in node.inputs:
            if hasattr(variable, "data"):
                givens[variable] = variable.data
            elif hasattr(variable, "get_value"):
                givens[variable] = variable.get_value()
            elif hasattr(variable.tag, "test_value"):
                givens[variable] = variable.tag.test_value
            else:
                missing.append(variable)
        if missing:
            try:
                givens.update(self.provide_inputs(node, missing))
            except NotImplementedError:
                raise
            except LocalMetaOptimizerSkipAssertionError:
                return None
        if any(variable not in givens for variable in missing):
            if self.verbose:
                _logger.info("%s skipping %s, not all inputs available", label(self), node)
            return None

        timings = []
        for rewrite in self.get_opts(node):
            outputs = rewrite.transform(node)
            if not outputs:
                continue
            try:
                seconds = self.time_call(self._function(outputs, node, givens))
            except AssertionError:
                continue
            except Exception:
                if self.verbose > 0:
                    _logger.exception("%s: %s", label(self), label(rewrite))
                continue
            if not np.isnan(seconds):
                timings.append((seconds, len(timings), outputs, rewrite))
        if not timings:
            return None
        seconds, _order, outputs, rewrite = min(timings, key=lambda row: row[:2])
        if self.verbose > 0:
            _logger.info("%s: best is %s with %g s", label(self), label(rewrite), seconds)
        return outputs

    def _function(self, outputs, node, givens):
        from theano_compat import function, shared

        values = {}
        for variable, value in givens.items():
            values[variable] = value if hasattr(value, "type") else variable.type.filter_variable(shared(value))
        outputs = list(outputs.values()) if isinstance(outputs, dict) else outputs
        return function([], outputs, givens=values, on_unused_input="ignore", mode=config.mode)

    def time_call(self, fn):
        """Return the seconds of one call."""
        start = time.time()
        fn()
        return time.time() - start
