"""Modules of old programs find each other as they did."""

import subprocess
import sys

import pytest
from test_old_programs import write
from test_python2_values import output


def package(folder, **files):
    """Write modules; in their names __ stands for a slash."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/").replace("/init", "/__init__") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path.parent, path.name, text)


def test_modules_of_a_python2_package_come_before_those_elsewhere(tmp_path):
    package(
        tmp_path,
        models__init="from layers import Dense\nimport layers as l, inner.deep\nname = l.__name__, inner.deep.__name__\n",
        models__layers="""
            import config, os.path, random
            from inner import *
            from inner.deep import depth
            class Dense(object):
                pass
            print config.where, random.where, depth, star
            """,
        models__config="where = 'in the package'\n",
        models__random="where = 'own random'\n",
        models__inner__init="star = 7 / 2\n",
        models__inner__deep="import config2\ndepth = config2.where\n",
        models__inner__config2="where = 'deep'\n",
        config="where = 'beside the script'\n",
    )
    text = """
        import models, models.layers, config, random, cPickle
        print models.name, config.where, random.random() < 1, models.Dense is models.layers.Dense, models.Dense.__module__
        print cPickle.loads(cPickle.dumps(models.Dense)) is models.Dense
    """
    assert output(tmp_path, text) == [
        "in the package own random deep 3",
        "('models.layers', 'models.inner.deep') beside the script True True models.layers",
        "True",
    ]


def test_a_module_that_asks_for_absolute_imports_has_them(tmp_path):
    package(tmp_path, p__init="", p__a="from __future__ import absolute_import\nimport config\nprint config.where\n", p__config="where = 'own'\n", config="where = 'beside'\n")
    assert output(tmp_path, "import p.a\n") == ["beside"]
    (tmp_path / "config.py").unlink()
    assert output(tmp_path, "try:\n    import p.a\nexcept ImportError, e:\n    print e\n") == ["No module named 'config'"]


def test_a_module_that_both_pythons_can_run_looks_into_its_package_second(tmp_path):
    package(tmp_path, p__init="import config\nimport other\n", p__config="where = 'own'\n", p__other="where = 'own'\n", config="where = 'beside'\n")
    assert output(tmp_path, "import p\nprint(p.config.where, p.other.where, 7 / 2)\n") == ["beside own 3.5"]


def test_modules_of_a_python2_program_are_python2_unless_they_show_otherwise(tmp_path):
    package(tmp_path, plain="half = 7 / 2\n", new="import sys\nhalf = 7 / 2 if sys.version_info[0] > 2 else 0\n", future="from __future__ import division\nhalf = 7 / 2\n")
    assert output(tmp_path, "import plain, new, future\nprint plain.half, new.half, future.half\n") == ["3 3.5 3.5"]


def test_an_import_error_in_a_module_of_the_package_is_not_hidden(tmp_path):
    package(tmp_path, p__init="import broken\n", p__broken="import absent_module\n")
    assert output(tmp_path, "try:\n    import p\nexcept ImportError, e:\n    print e.message\n") == ["No module named 'absent_module'"]


def test_builtins_that_a_program_adds_are_seen_by_its_modules_and_not_by_libraries(tmp_path):
    package(tmp_path, user="print shared\n")
    text = """
        import __builtin__, sys
        __builtin__.shared = 'everywhere'
        import user, builtins
        print hasattr(builtins, 'shared'), hasattr(builtins, 'xrange'), hasattr(__builtin__, 'xrange')
    """
    assert output(tmp_path, text) == ["everywhere", "False False True"]


@pytest.mark.parametrize("name", ["numpy", "numpy.linalg"])
def test_what_a_program_sets_on_numpy_reaches_libraries(name, tmp_path):
    text = f"import {name}, sys, cPickle\n{name}.fresh = 3\nprint sys.modules[{name!r}].fresh, {name}.fresh\ndel {name}.fresh\nprint hasattr({name}, 'fresh')\n"
    assert output(tmp_path, text) == ["3 3", "False"]


def test_the_package_of_a_program_with_a_class_hierarchy_trains_as_theano_did(tmp_path):
    # train.txt is what Python 2.7.18 printed with Theano 1.0.5 and NumPy 1.13.3
    from test_programs import PROGRAMS

    script = PROGRAMS / "recurrent_package" / "train.py"
    done = subprocess.run([sys.executable, "-m", "theano_compat", str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == script.with_suffix(".txt").read_text()


def test_files_that_a_program_runs_in_its_namespace_are_python2(tmp_path):
    package(tmp_path, settings="rate = 7 / 2\nprint 'read', rate\n")
    text = """
        execfile('settings.py')
        other = {}
        execfile('settings.py', other)
        print rate, other['rate']
    """
    assert output(tmp_path, text) == ["read 3", "read 3", "3 3"]
