"""Databases of rewrites, and the queries that choose from them.

A database (:class:`DB`) maps names and tags to rewrites. A :class:`Query` says which tags to include, to require and to
exclude; asking a database with it builds one optimizer:

============================  ==========================================================================
database                      what a query builds
============================  ==========================================================================
:class:`SequenceDB`           a `SeqOptimizer`: global rewrites by position
:class:`EquilibriumDB`        an `EquilibriumOptimizer`: local rewrites until nothing changes
:class:`LocalGroupDB`         a `LocalOptGroup`: local rewrites tried in order on one node
:class:`TopoDB`               a `TopoOptimizer` over what another database gives
:class:`ProxyDB`              whatever another database gives, under a second name
============================  ==========================================================================
"""

from __future__ import annotations

import copy
import math
import sys

from theano_compat import config
from theano_compat.gof import opt

integer_types = (int,)
_PACKAGE = __name__.partition(".")[0]


def _is_called_from_outside() -> bool:
    """Tell whether what happens in the caller was asked for by other code than this package's, not by the import of one of its modules."""
    frame = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] != _PACKAGE:
            return not module.startswith("importlib.")
        frame = frame.f_back
    return False


class DB:
    """A named collection of rewrites (or of further databases), each with tags.

    The tags of an entry are its name, the name of its class, the name of the database and those given on registration.

    Attributes
    ----------
    foreign : set of str
        Names of entries of this package's databases that were put there, or tagged otherwise, by other code.
    """

    foreign: set[str] = set()

    def __init__(self):
        self._is_foreign = _is_called_from_outside()
        self.name = None
        self._names = set()
        # tag -> {entry: None}; a dict is an ordered set, so that every query is deterministic.
        self._tagged = {}

    def register(self, name, obj, *tags, **kwargs):
        """Add an entry.

        Parameters
        ----------
        name : str
            Unique name; also a tag.
        obj : DB, Optimizer or LocalOptimizer
        tags : str
            Further tags.
        use_db_name_as_tag : bool, optional
            Whether the name of this database becomes a tag too (default: yes), which is what makes
            ``excluding('canonicalize')`` drop all its entries.
        """
        use_db_name = kwargs.pop("use_db_name_as_tag", True)
        if kwargs:
            raise TypeError(f"unexpected keyword arguments: {sorted(kwargs)}")
        if not isinstance(obj, (DB, opt.Optimizer, opt.LocalOptimizer)):
            raise TypeError("Object cannot be registered in OptDB", obj)
        if name in self._tagged:
            raise ValueError(
                "The name of the object cannot be an existing tag or the name of another existing object.", obj, name
            )
        former = getattr(obj, "name", None)
        if former is not None and former != name and former in self._names:
            raise ValueError(
                f"You can't register the same optimization multiple time in a DB. Tryed to register {former!r} again "
                f"under the new name {name!r}. Use theano.gof.ProxyDB to work around that"
            )
        if use_db_name and self.name is not None:
            tags = (*tags, self.name)
        obj.name = name
        self._tagged[name] = {obj: None}
        self._names.add(name)
        self._tagged.setdefault(type(obj).__name__, {})[obj] = None
        self.add_tags(name, *tags)

    def _note_author(self, name):
        if not self._is_foreign and _is_called_from_outside():
            DB.foreign.add(name)

    def add_tags(self, name, *tags):
        """Give further tags to the entry called `name`."""
        self._note_author(name)
        (obj,) = self._tagged[name]
        for tag in tags:
            if tag in self._names:
                raise ValueError(
                    "The tag of the object collides with a name.", obj, tag
                )
            self._tagged.setdefault(tag, {})[obj] = None

    def remove_tags(self, name, *tags):
        """Take tags away from the entry called `name`."""
        self._note_author(name)
        (obj,) = self._tagged[name]
        for tag in tags:
            if tag in self._names:
                raise ValueError("The tag of the object collides with a name.", obj, tag)
            self._tagged.get(tag, {}).pop(obj, None)

    def _select(self, query):
        """Return the entries that a query selects, in order of registration of their tags."""
        chosen = {}
        for tag in query.include:
            chosen.update(self._tagged.get(tag, {}))
        for tag in query.require:
            required = self._tagged.get(tag, {})
            chosen = {obj: None for obj in chosen if obj in required}
        for tag in query.exclude:
            for obj in self._tagged.get(tag, {}):
                chosen.pop(obj, None)
        selected = []
        inner = query
        if query.extra_optimizations:
            inner = copy.copy(query)
            inner.extra_optimizations = []
        for obj in chosen:
            if isinstance(obj, DB):
                built = obj.query(query.subquery.get(obj.name, inner))
                built.name = obj.name
                selected.append(built)
            else:
                selected.append(obj)
        for extra in query.extra_optimizations:
            selected.append(extra[0] if isinstance(extra, tuple) else extra)
        return selected

    def query(self, *tags, **kwtags):
        """Select entries.

        Parameters
        ----------
        tags : Query or str
            Either one `Query`, or tags each led by ``+`` (include), ``&`` (require) or ``-`` (exclude).
        kwtags : Query
            Queries for databases inside this one, by their names.

        Returns
        -------
        list
            The selected rewrites (derived classes wrap them in one optimizer).
        """
        return self._select(as_query(tags, kwtags))

    def __getitem__(self, name):
        matches = self._tagged.get(name)
        if not matches:
            raise KeyError(f"Nothing registered for '{name}'")
        if len(matches) > 1:
            raise ValueError(f"More than one match for {name} (please use query)")
        (obj,) = matches
        return obj

    def __contains__(self, name):
        return name in self._tagged

    def print_summary(self, stream=sys.stdout):
        """Write the names and tags to a stream."""
        print(f"{type(self).__name__} (id {id(self)})", file=stream)
        print("  names", sorted(self._names), file=stream)
        tags = {tag: [getattr(o, "name", None) for o in objs] for tag, objs in self._tagged.items()}
        print("  db", tags, file=stream)


class Query:
    """Which entries of a database to take.

    Parameters
    ----------
    include : iterable of str
        Take entries with any of these tags ...
    require : iterable of str, optional
        ... that also have all of these ...
    exclude : iterable of str, optional
        ... and none of these.
    subquery : dict of str to Query, optional
        Other queries for databases inside the database asked, by name.
    position_cutoff : float
        In a `SequenceDB`, stop before this position.
    extra_optimizations : list, optional
        Further rewrites to add; ``(rewrite, position)`` pairs for a `SequenceDB`.
    """

    def __init__(
        self, include, require=None, exclude=None, subquery=None, position_cutoff=math.inf, extra_optimizations=None
    ):
        self.include = _ordered(include)
        self.require = _ordered(require)
        self.exclude = _ordered(exclude)
        self.subquery = subquery or {}
        self.position_cutoff = position_cutoff
        self.extra_optimizations = list(extra_optimizations or ())

    def __str__(self):
        return (
            f"Query{{inc={list(self.include)},ex={list(self.exclude)},require={list(self.require)},"
            f"subquery={self.subquery},position_cutoff={self.position_cutoff},"
            f"extra_opts={self.extra_optimizations}}}"
        )

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.__dict__.setdefault("extra_optimizations", [])

    def _changed(self, **fields):
        values = dict(
            include=self.include, require=self.require, exclude=self.exclude, subquery=self.subquery,
            position_cutoff=self.position_cutoff, extra_optimizations=self.extra_optimizations,
        )  # fmt: skip
        return Query(**{**values, **fields})

    def including(self, *tags):
        """Return a query that includes these tags too."""
        return self._changed(include=[*self.include, *tags])

    def excluding(self, *tags):
        """Return a query that excludes these tags too."""
        return self._changed(exclude=[*self.exclude, *tags])

    def requiring(self, *tags):
        """Return a query that requires these tags too."""
        return self._changed(require=[*self.require, *tags])

    def register(self, *optimizations):
        """Return a query that adds these rewrites to what it selects."""
        return self._changed(extra_optimizations=[*self.extra_optimizations, *optimizations])


def _ordered(tags):
    """Return the tags as an ordered set (a dict without values)."""
    if isinstance(tags, str):
        tags = [tags]
    return dict.fromkeys(tags or ())


def as_query(tags, kwtags=None):
    """Turn the arguments of `DB.query` into one `Query`."""
    if len(tags) == 1 and isinstance(tags[0], Query):
        if kwtags:
            raise TypeError("If the first argument to query is a Query, there should be no other arguments.", tags)
        return tags[0]
    groups = {"+": [], "&": [], "-": []}
    for tag in tags:
        if isinstance(tag, Query) or tag[:1] not in groups:
            raise TypeError(
                "Expected a tag that starts with '+' (include), '&' (require) or '-' (exclude), or else one Query", tags
            )
        groups[tag[0]].append(tag[1:])
    return Query(include=groups["+"], require=groups["&"], exclude=groups["-"], subquery=kwtags or {})


class EquilibriumDB(DB):
    """A set of rewrites that are applied until none of them has anything left to do.

    Parameters
    ----------
    ignore_newtrees : bool
        Whether nodes that a rewrite has just made wait for the next round.
    tracks_on_change_inputs : bool
        Whether a node is queued again at once when one of its inputs has been replaced.
    """

    def __init__(self, ignore_newtrees=True, tracks_on_change_inputs=False):
        super().__init__()
        self.ignore_newtrees = ignore_newtrees
        self.tracks_on_change_inputs = tracks_on_change_inputs
        self._final = {}
        self._cleanup = {}

    def register(self, name, obj, *tags, **kwtags):
        """Add an entry; ``final_opt=True`` runs it when a round ends, ``cleanup=True`` after each change of a round."""
        final, cleanup = kwtags.pop("final_opt", False), kwtags.pop("cleanup", False)
        if final and cleanup:
            raise ValueError(f"{name}: final_opt and cleanup exclude each other.")
        super().register(name, obj, *tags, **kwtags)
        self._final[name] = final
        self._cleanup[name] = cleanup

    def query(self, *tags, **kwtags):
        """Return an `EquilibriumOptimizer` over the selected entries."""
        chosen = super().query(*tags, **kwtags)

        def named(table):
            return [obj for obj in chosen if table.get(getattr(obj, "name", None), False)]

        final, cleanup = named(self._final), named(self._cleanup)
        return opt.EquilibriumOptimizer(
            [obj for obj in chosen if obj not in final and obj not in cleanup],
            max_use_ratio=config.optdb.max_use_ratio,
            ignore_newtrees=self.ignore_newtrees,
            tracks_on_change_inputs=self.tracks_on_change_inputs,
            failure_callback=opt.NavigatorOptimizer.warn,
            final_optimizers=final,
            cleanup_optimizers=cleanup,
        )


class SequenceDB(DB):
    """Rewrites of whole graphs, each at a position; a query runs them from low to high.

    Parameters
    ----------
    failure_callback : callable
        ``failure_callback(exception, sequence, optimizer)`` is called when one raises.
    """

    seq_opt = opt.SeqOptimizer

    def __init__(self, failure_callback=opt.SeqOptimizer.warn):
        super().__init__()
        self._position = {}
        self.failure_callback = failure_callback

    def register(self, name, obj, position, *tags):
        """Add an entry at a position: a number, or ``'last'`` for behind all that are there."""
        if position == "last":
            position = max(self._position.values()) + 1 if self._position else 0
        if not isinstance(position, (int, float)):
            raise TypeError(f"The position of {name} must be a number or 'last', not {position!r}.")
        super().register(name, obj, *tags)
        self._position[name] = position

    def query(self, *tags, **kwtags):
        """Return a `SeqOptimizer` over the selected entries; ``position_cutoff=`` stops before a position."""
        cutoff = kwtags.pop("position_cutoff", None)
        if len(tags) == 1 and isinstance(tags[0], Query):
            # A query with a cutoff of its own wins over the flag.
            if cutoff is None:
                cutoff = min(tags[0].position_cutoff, config.optdb.position_cutoff)
        elif cutoff is None:
            cutoff = config.optdb.position_cutoff
        selected = super().query(*tags, **kwtags)

        extra = tags[0].extra_optimizations if len(tags) == 1 and isinstance(tags[0], Query) else ()
        registered = {id(rewrite): where for rewrite, where in extra}  # these may be without a name

        def place(rewrite):
            return registered[id(rewrite)] if id(rewrite) in registered else self._position[rewrite.name]

        selected = sorted((rewrite for rewrite in selected if place(rewrite) < cutoff), key=lambda rewrite: (place(rewrite), rewrite.name or ""))
        sequence = self.seq_opt(selected, failure_callback=self.failure_callback)
        return sequence

    def print_summary(self, stream=sys.stdout):
        """Write names, tags and positions to a stream."""
        super().print_summary(stream)
        print("  position", sorted(self._position.items(), key=lambda item: (item[1], item[0])), file=stream)

    def __str__(self):
        parts = [f"{name}@{where}" for name, where in sorted(self._position.items(), key=lambda i: (i[1], i[0]))]
        return f"{type(self).__name__}({', '.join(parts)})"


class LocalGroupDB(DB):
    """Local rewrites that are tried one after another on the same node.

    Parameters
    ----------
    apply_all_opts : bool
        Whether to go on with the new node after a rewrite has matched, instead of stopping at the first.
    profile : bool
        Whether the group records times and counts.
    local_opt : class
        What a query builds; called with the rewrites.
    """

    def __init__(self, apply_all_opts=False, profile=False, local_opt=opt.LocalOptGroup):
        super().__init__()
        self.apply_all_opts = apply_all_opts
        self.profile = profile
        self.local_opt = local_opt
        self._position = {}

    def register(self, name, obj, *tags, **kwargs):
        """Add an entry; ``position=`` is a number or ``'last'`` (default)."""
        position = kwargs.pop("position", "last")
        if position == "last":
            position = max(self._position.values()) + 1 if self._position else 0
        if not isinstance(position, (int, float)):
            raise TypeError(f"The position of {name} must be a number or 'last', not {position!r}.")
        super().register(name, obj, *tags, **kwargs)
        self._position[name] = position

    def query(self, *tags, **kwtags):
        """Return one group over the selected entries, ordered by position."""
        chosen = super().query(*tags, **kwtags)
        chosen.sort(key=lambda obj: (self._position.get(obj.name, math.inf), obj.name))
        return self.local_opt(*chosen, apply_all_opts=self.apply_all_opts, profile=self.profile)


class TopoDB(DB):
    """Wrap a database of local rewrites: a query gives one walk over the graph that applies them.

    Parameters
    ----------
    db : DB
        Gives the local rewrite.
    order, ignore_newtrees, failure_callback
        As for `TopoOptimizer`.
    """

    def __init__(self, db, order="in_to_out", ignore_newtrees=False, failure_callback=None):
        super().__init__()
        self.db = db
        self.order = order
        self.ignore_newtrees = ignore_newtrees
        self.failure_callback = failure_callback

    def query(self, *tags, **kwtags):
        """Return a `TopoOptimizer` that applies what the inner database gives."""
        return opt.TopoOptimizer(
            self.db.query(*tags, **kwtags), self.order, self.ignore_newtrees, self.failure_callback
        )


class ProxyDB(DB):
    """A second name for a database, since one object cannot be registered twice in the same database.

    Parameters
    ----------
    db : DB
        The database that answers.
    """

    def __init__(self, db):
        if not isinstance(db, DB):
            raise TypeError(f"ProxyDB wraps a DB, not {db!r}.")
        super().__init__()
        self.db = db

    def query(self, *tags, **kwtags):
        """Return what the wrapped database gives."""
        return self.db.query(*tags, **kwtags)
