"""Nothing imports upwards at module level."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "theano_compat"
#: from the bottom up; what stands on one line may know each other
LAYERS = [
    ["version"],
    ["configparser", "configdefaults"],
    ["gof"],
    ["scalar"],
    ["printing"],
    ["compile"],
    ["gradient"],
    ["tensor"],
    ["updates", "ifelse", "raise_op", "typed_list", "sparse"],
    ["scan_module"],
    ["codegen"],
    ["gpuarray"],
]
#: leaves that only users import: Theano's path puts them lower than what they are made of
LEAVES = {"scalar/sharedvar.py"}
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def module_level_imports(path):
    """Yield (line, first part below theano_compat) for imports that run when the module is imported."""
    stack = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "theano_compat" and len(parts) > 1:
                    yield node.lineno, parts[1]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "theano_compat":
            parts = node.module.split(".")
            for alias in node.names:
                yield node.lineno, parts[1] if len(parts) > 1 else alias.name
        else:
            stack.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("layer", sorted(RANK))
def test_layer_knows_only_those_below(layer):
    folder = PACKAGE / layer
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{layer}.py"]
    upwards = [
        f"{path.relative_to(PACKAGE)}:{line} imports {name}"
        for path in files
        if path.exists() and path.relative_to(PACKAGE).as_posix() not in LEAVES
        for line, name in module_level_imports(path)
        if RANK.get(name, -1) > RANK[layer]
    ]
    assert not upwards, "\n".join(upwards)


def test_no_op_knows_the_engine():
    for path in (PACKAGE / "tensor").rglob("*.py"):
        assert "codegen" not in {name for _, name in module_level_imports(path)}, path


def test_import_does_not_import_scipy_or_compile_anything():
    import subprocess
    import sys

    # Old versions of NumPy import subprocess themselves.
    code = "import numpy, sys; before = set(sys.modules); import theano_compat; print(sorted(m for m in set(sys.modules) - before if m.split('.')[0] in ('scipy', 'subprocess', 'pytest', 'matplotlib') or 'codegen' in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
