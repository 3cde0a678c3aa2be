"""theano.config: where values come from, what is refused, what errors say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from theano_compat import config, configparser
from theano_compat.configdefaults import example
from theano_compat.configparser import AddConfigVar, BoolParam, EnumStr, IntParam, StrParam, change_flags, get_flag, parse_config_string

ROOT = Path(__file__).parent.parent


def ask(code, flags="", rc="", cwd=None, home=None, **env):
    environment = {**os.environ, "THEANO_FLAGS": flags, **env}
    if rc:
        environment["THEANORC"] = rc
    if home:
        environment["HOME"] = home
        environment.pop("THEANORC", None)
    code = "from theano_compat.configdefaults import config; from theano_compat import configparser; " + code
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**environment, "PYTHONPATH": str(ROOT)}, cwd=cwd)


def test_flags_win_over_files_and_later_files_over_earlier(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("[global]\nfloatX = float32\nallow_gc = False\n[scan]\ndebug = True\n[gcc]\ncxxflags = -O3 -DX=1\n")
    second.write_text("[global]\nfloatX = float16\n")
    done = ask("print(config.floatX, config.allow_gc, config.scan.debug, config.gcc.cxxflags, config.profile)", "profile=True", f"{first}{os.pathsep}{second}")
    assert done.stdout.split() == ["float16", "False", "True", "-O3", "-DX=1", "True"], done.stderr
    assert ask("print(config.floatX)", "floatX=float64", f"{first}").stdout == "float64\n"


def test_theanorc_of_the_home_folder_but_not_of_the_working_folder(tmp_path):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir(), work.mkdir()
    (work / ".theanorc").write_text("[global]\nfloatX = float16\n")
    assert ask("print(config.floatX)", cwd=work, home=str(home)).stdout == "float64\n"
    (home / ".theanorc").write_text("[global]\nfloatX = float32\n")
    assert ask("print(config.floatX)", cwd=work, home=str(home)).stdout == "float32\n"


def test_unreadable_file_is_named_and_left_out(tmp_path):
    (tmp_path / "rc").write_text("floatX = float32\n")
    done = ask("print(config.floatX)", rc=str(tmp_path / "rc"))
    assert done.stdout == "float64\n" and str(tmp_path / "rc") in done.stderr


@pytest.mark.parametrize(
    "flags, words",
    [
        ("floatX=float63", ['Invalid value ("float63") for configuration variable "floatX"', "('float64', 'float32', 'float16')"]),
        ("device=xpu", ['Invalid value ("xpu") for configuration variable "device"', '"cpu", "opencl" or "cuda"']),
        ("scan.debug=maybe", ["maybe", "scan.debug"]),
        ("mode=FAST", ["Expected one of those string", "'FAST_COMPILE'"]),
        ("contexts=cuda0", ["Malformed context map", "dev0->cuda0"]),
    ],
)
def test_bad_value_is_refused_with_what_is_valid(flags, words):
    done = ask("", flags)
    assert done.returncode != 0
    for word in words:
        assert word in done.stderr


def test_mistyped_flag_is_answered_with_the_closest():
    assert "floatX" in ask("configparser.warn_unknown_flags()", "flotX=float32").stderr
    with pytest.raises(AttributeError, match="no attribute 'flotX'.*floatX"):
        config.flotX
    with pytest.raises(AssertionError, match="optimizer_verbose"):
        change_flags(optimizer_verbos=True)
    with pytest.warns(configparser.TheanoConfigWarning, match="compute_test_value"):
        config.compute_test_valu = "raise"
    del config.__dict__["compute_test_valu"]


def test_a_gpu_that_cannot_be_used_is_an_error_and_the_old_name_means_cuda():
    done = ask("", "device=gpu1", PYTHONWARNINGS="always")
    assert done.returncode != 0 and "DeprecationWarning" in done.stderr
    assert "it is taken as cuda1" in done.stderr
    assert "device=gpu1 asks for a GPU" in done.stderr and "Set device=cpu" in done.stderr
    assert "device=cuda" not in done.stderr
    assert "init_gpu_device=gpu asks for a GPU" in ask("", "init_gpu_device=gpu").stderr


def test_assignment_is_checked_and_root_flags_are_fixed():
    with pytest.raises(ValueError, match="Did you mean 'raise'"):
        config.compute_test_value = "raize"
    with pytest.raises(Exception, match="Can't change the value of this config parameter after initialization!"):
        config.device = "cuda"
    with pytest.raises(AttributeError, match="is a section"):
        config.gcc = 3


def test_change_flags_restores_also_after_an_error():
    @change_flags(floatX="float16")
    def inner():
        assert config.floatX == "float16"
        raise KeyError

    before = config.floatX, config.scan.debug
    with pytest.raises(KeyError):
        inner()
    with pytest.raises(ValueError):
        with change_flags({"scan.debug": True, "floatX": "nonsense"}):
            pass
    assert (config.floatX, config.scan.debug) == before


def test_program_adds_flags():
    AddConfigVar("test_suite.level", "a flag", IntParam(3, lambda i: i > 0))
    AddConfigVar("test_suite.name", "a flag", EnumStr("a", "b"))
    AddConfigVar("test_suite.lazy", "a flag", StrParam(lambda: "made"))
    assert (config.test_suite.level, config.test_suite.name, config.test_suite.lazy) == (3, "a", "made")
    with pytest.raises(ValueError):
        config.test_suite.level = 0
    with pytest.raises(AttributeError, match="already taken"):
        AddConfigVar("floatX", "again", BoolParam(True))


def test_parse_config_string():
    assert parse_config_string("a=1, b.c = x=y ,a=2,,") == {"a": "2", "b.c": "x=y"}


def test_every_flag_is_in_the_example_file():
    text = (ROOT / ".theanorc.example").read_text()
    assert text == example(), "run: python -m theano_compat config --example > .theanorc.example"


def test_values_are_plain_attributes():
    # Reading a flag happens in hot paths: no lookup machinery may run.
    get_flag("floatX")
    assert "floatX" in config.__dict__


def test_all_flags_of_theano_with_its_defaults():
    reference = ROOT.parent / "shared" / "reference" / "config_flags.json"
    if not reference.exists():
        pytest.skip("reference data not at hand")
    machine_dependent = {"linker", "DebugMode.check_c"}
    for flag in json.loads(reference.read_text()):
        param = configparser._by_name[flag["name"]]
        if flag["default"] != "<computed>" and flag["name"] not in machine_dependent and param.is_default:
            value = get_flag(flag["name"])
            assert value == flag["default"] or str(value) == str(flag["default"]), flag["name"]


def test_flags_of_the_list_are_descriptors():
    (param,) = [p for p in configparser._config_var_list if p.fullname == "compute_test_value"]
    (nested,) = [p for p in configparser._config_var_list if p.fullname == "scan.allow_gc"]
    before, nested_before = param.__get__(True, None), nested.__get__(True, None)
    assert before == config.compute_test_value and nested_before is config.scan.allow_gc
    try:
        param.__set__(None, "warn")
        nested.__set__(None, not nested_before)
        assert config.compute_test_value == "warn" and config.scan.allow_gc is (not nested_before)
        with pytest.raises(ValueError):
            param.__set__(None, "never heard of")
    finally:
        param.__set__(None, before)
        nested.__set__(None, nested_before)
