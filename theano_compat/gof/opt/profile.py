"""Times and counts of rewrites, and how they are printed."""

from __future__ import annotations

import dataclasses


def merge_dict(d1, d2):
    """Return a dictionary with the keys of both; values of common keys are added."""
    merged = dict(d1)
    for key, value in d2.items():
        merged[key] = merged[key] + value if key in merged else value
    return merged


def label(rewrite):
    """Return the name under which a rewrite is shown to the user."""
    return getattr(rewrite, "name", None) or getattr(rewrite, "__name__", None) or type(rewrite).__name__


@dataclasses.dataclass
class PassProfile:
    """What one run of a rewrite over a graph cost and did.

    Attributes
    ----------
    rewrite : Optimizer
        What ran.
    seconds : float
        Wall time of the whole run.
    nodes_before, nodes_after : int
        Apply nodes in the graph.
    rounds : int
        Rounds until nothing changed (1 for a single walk).
    times : dict
        Seconds by the name of each inner rewrite.
    applied : dict
        Number of successful applications by the name of each inner rewrite.
    tried : dict
        Number of attempts by name.
    counters : dict
        Further named numbers.
    parts : list of PassProfile
        Profiles of inner rewrites that are passes themselves.
    """

    rewrite: object
    seconds: float = 0.0
    nodes_before: int = 0
    nodes_after: int = 0
    rounds: int = 1
    times: dict = dataclasses.field(default_factory=dict)
    applied: dict = dataclasses.field(default_factory=dict)
    tried: dict = dataclasses.field(default_factory=dict)
    counters: dict = dataclasses.field(default_factory=dict)
    parts: list = dataclasses.field(default_factory=list)

    def merged(self, other):
        """Return the sum of this profile and another of the same rewrite."""
        by_name = {label(part.rewrite): part for part in self.parts if part is not None}
        for part in other.parts:
            if part is not None:
                name = label(part.rewrite)
                by_name[name] = by_name[name].merged(part) if name in by_name else part
        return PassProfile(
            self.rewrite,
            self.seconds + other.seconds,
            self.nodes_before + other.nodes_before,
            self.nodes_after + other.nodes_after,
            self.rounds + other.rounds,
            merge_dict(self.times, other.times),
            merge_dict(self.applied, other.applied),
            merge_dict(self.tried, other.tried),
            merge_dict(self.counters, other.counters),
            list(by_name.values()),
        )

    def write(self, stream, level=0):
        """Write the profile, indented by its depth."""
        pad = "    " * level
        head = f"{pad}{type(self.rewrite).__name__} {label(self.rewrite)}"
        print(
            f"{head} time {self.seconds:.3f}s for {self.nodes_before}/{self.nodes_after} nodes before/after "
            f"optimization, {self.rounds} round(s)",
            file=stream,
        )
        for name, value in self.counters.items():
            print(f"{pad}  {name}: {value}", file=stream)
        rows = sorted(self.times.items(), key=lambda item: -item[1])
        for name, seconds in rows:
            applied, tried = self.applied.get(name, 0), self.tried.get(name, 0)
            if applied or seconds > 1e-3:
                print(f"{pad}  {seconds:.6f}s  {applied:6d} applied of {tried:7d} tried  {name}", file=stream)
        for part in sorted((p for p in self.parts if p is not None), key=lambda p: -p.seconds):
            part.write(stream, level + 1)
