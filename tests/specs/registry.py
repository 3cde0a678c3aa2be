"""Finds all spec records."""
from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from tests.specs.spec import OpSpec


@cache
def all_specs() -> tuple[OpSpec, ...]:
    """Every record of every ``records_*.py`` of this folder, in order of file name."""
    found = []
    for path in sorted(Path(__file__).parent.glob("records_*.py")):
        found += import_module(f"tests.specs.{path.stem}").RECORDS
    names = [spec.name for spec in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"spec records with the same name: {sorted(twice)}")
    return tuple(found)


def report() -> str:
    """Count ops, dtypes and cases."""
    specs = all_specs()
    dtypes = {d for spec in specs for case in spec.cases for d in case.dtypes}
    pairs = {(spec.name, case.dtypes) for spec in specs for case in spec.cases}
    lines = [
        f"{len(specs)} ops, {len(dtypes)} dtypes, {len(pairs)} combinations of op and dtypes, "
        f"{sum(len(spec.cases) for spec in specs)} cases",
        f"{sum(spec.grad for spec in specs)} with gradient, "
        f"{sum(c.differentiable for s in specs if s.grad for c in s.cases)} gradient checks",
        f"{sum(spec.rop for spec in specs)} with R-operator, {sum(spec.infer_shape for spec in specs)} with inferred "
        f"shape, {sum(spec.elementwise for spec in specs)} elementwise (in-place too)",
    ]
    return "\n".join(lines)
