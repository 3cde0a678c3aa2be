"""Every flag of ``theano.config``: name, kind, default and what it does, in one table a section.

``.theanorc.example`` is printed from these tables (``python -m theano_compat config --example``).
"""

from __future__ import annotations

import os
import platform
import shutil
import struct
import sys
import warnings

from theano_compat.configparser import (
    THEANO_FLAGS_DICT,
    AddConfigVar,
    BoolParam,
    ConfigParam,
    EnumStr,
    FloatParam,
    IntParam,
    StrParam,
    TheanoConfigParser,
    config,
    home,
)

__all__ = ["THEANO_FLAGS_DICT", "TheanoConfigParser", "config"]

# --- flags whose value needs a check of its own -------------------------------------------------------------------


class DeviceParam(ConfigParam):
    """The device to run on: ``cpu``, ``cuda``, ``cuda0`` …; ``gpu*`` is the old name of ``cuda*``."""

    def __init__(self, default, *options, **kwargs):
        super().__init__(default, None, kwargs.pop("allow_override", True))
        self.default = default
        self.written = default  # by the user, who may know the old name only

    def accept(self, value):
        if value == self.default:
            return value
        text = self.written = str(value)
        if text.startswith("gpu"):
            warnings.warn(f"{self.fullname}={text} is the name of before 2017; it is taken as cuda{text[3:]}", DeprecationWarning, stacklevel=2)
            text = "cuda" + text[3:]
        if not text.startswith(("cpu", "opencl", "cuda")):
            self._refuse(value, 'Valid options start with one of "cpu", "opencl" or "cuda".')
        return text

    def describe(self):
        return "cpu | cuda | cuda0 | cuda1 | …"

    def __str__(self):
        return f"{self.fullname} ({self.default}, opencl*, cuda*) "


class ContextsParam(ConfigParam):
    """``name->device`` pairs joined by ``;``."""

    def __init__(self):
        super().__init__("", self._check, False)

    def _check(self, value):
        for pair in value.split(";") if value else ():
            name, arrow, device = pair.partition("->")
            if not (arrow and name and device) or "->" in device:
                raise ValueError(f"Malformed context map: {value} (wanted name->device;name->device, as in dev0->cuda0;dev1->cuda1)")
            if name.startswith(("cpu", "cuda", "opencl")):
                raise ValueError(f"Cannot use {name} as context name: it is the name of a device")
        return value

    def describe(self):
        return "dev0->cuda0;dev1->cuda1"


_MODES = ("Mode", "DebugMode", "FAST_RUN", "NanGuardMode", "FAST_COMPILE", "DEBUG_MODE")


def filter_mode(value):
    """Check the flag ``mode``: one of Theano's mode names or a Mode object."""
    if value == "ProfileMode":
        warnings.warn("mode=ProfileMode is gone since Theano 0.9; use profile=True", DeprecationWarning, stacklevel=3)
        return "Mode"
    if value in _MODES or (not isinstance(value, str) and hasattr(value, "optimizer") and hasattr(value, "linker")):
        return value
    names = ", ".join(repr(m) for m in _MODES)
    raise ValueError(f"Expected one of those string {names} or an instance of Mode. Given: {value!r}")


def filter_vm_lazy(value):
    """Check the flag ``vm.lazy``: True, False or None (decide by the graph)."""
    words = {"None": None, None: None, "False": False, "0": False, False: False, "True": True, "1": True, True: True}
    try:
        return words[value]
    except (KeyError, TypeError):
        raise ValueError(f"Valid values for an vm.lazy parameter should be None, False or True, not {value!r}.") from None


def _none_or(value):
    return value


# --- defaults that depend on the machine, computed at the first read ----------------------------------------------


def get_home_dir() -> str:
    """Return the user's home folder."""
    return str(home())


def default_cxx() -> str:
    """Return the first compiler found, "" if there is none."""
    for name in ("g++", "gcc", "cc", "clang"):
        path = shutil.which(name)
        if path:
            return path
    try:
        import importlib.util

        return f"{sys.executable} -m ziglang cc" if importlib.util.find_spec("ziglang") else ""
    except ValueError:
        return ""


def local_bitwidth() -> int:
    """Return the size of a pointer in bits."""
    return struct.calcsize("P") * 8


def python_int_bitwidth() -> int:
    """Return the size of a C long in bits."""
    return struct.calcsize("l") * 8


def short_platform(r: str | None = None, p: str | None = None) -> str:
    """Return a platform's name without what changes with every kernel package: the release after its second number, and the number of the build.

    Parameters
    ----------
    r, p : str, optional
        ``platform.release()`` and ``platform.platform()`` of the machine.
    """
    release = platform.release() if r is None else r
    name = platform.platform() if p is None else p
    version, *others = release.split("-")
    parts = [".".join(version.split(".")[:2])]
    if others:
        build = others[0].split(".")
        while build and build[0].isdigit():
            del build[0]
        parts += [".".join(build), *others[1:]]
    return name.replace(release, "-".join(parts))


_FORMAT_KEYS = {
    "short_platform": short_platform,
    "platform": platform.platform,
    "processor": platform.processor,
    "python_version": platform.python_version,
    "python_bitwidth": local_bitwidth,
    "python_int_bitwidth": python_int_bitwidth,
    "hostname": platform.node,
    "device": lambda: config.device,
    "theano_version": lambda: __import__("theano_compat").__version__,
    "numpy_version": lambda: __import__("numpy").__version__,
    "gxx_version": lambda: "any",
}


class _LazyFormat(dict):
    def __missing__(self, key):
        if key not in _FORMAT_KEYS:
            raise ValueError(f"compiledir_format: unknown name %({key})s; known: {', '.join(sorted(_FORMAT_KEYS))}")
        return str(_FORMAT_KEYS[key]())


def default_base_compiledir() -> str:
    """Return the folder under which compiled functions are kept."""
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return os.path.join(os.environ["LOCALAPPDATA"], "Theano")
    return os.path.join(get_home_dir(), ".theano")


def default_compiledir() -> str:
    """Return the folder in which this Python and machine keep compiled functions."""
    name = config.compiledir_format % _LazyFormat()
    return os.path.join(config.base_compiledir, "".join(c if c.isalnum() or c in "._-" else "-" for c in name))


def _expand(path):
    return os.path.abspath(os.path.expandvars(os.path.expanduser(path)))


filter_base_compiledir = filter_compiledir = _expand

# --- the tables --------------------------------------------------------------------------------------------------

_ERR = ("ignore", "warn", "raise", "call", "print", "log")
_TEST_VALUE = ("off", "ignore", "warn", "raise", "pdb")
_RUNTIME_ALGOS = ("guess_once", "guess_on_shape_change", "time_once", "time_on_shape_change")
SUPPORTED_DNN_CONV_ALGO_RUNTIME = _RUNTIME_ALGOS
SUPPORTED_DNN_CONV_ALGO_FWD = ("small", "none", "large", "fft", "fft_tiling", "winograd", "winograd_non_fused") + _RUNTIME_ALGOS
SUPPORTED_DNN_CONV_ALGO_BWD_DATA = ("none", "deterministic", "fft", "fft_tiling", "winograd", "winograd_non_fused") + _RUNTIME_ALGOS
SUPPORTED_DNN_CONV_ALGO_BWD_FILTER = ("none", "deterministic", "fft", "small", "winograd_non_fused", "fft_tiling") + _RUNTIME_ALGOS
SUPPORTED_DNN_CONV_PRECISION = ("as_input_f32", "as_input", "float16", "float32", "float64")
_VERSIONS = ("0.3", "0.4", "0.4.1", "0.5", "0.6", "0.7", "0.8", "0.8.1", "0.8.2", "0.9", "0.10", "1.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5")
_LINKERS = ("cvm", "c|py", "py", "c", "c|py_nogc", "vm", "vm_nogc", "cvm_nogc")

GENERAL = [
    ("floatX", EnumStr("float64", "float32", "float16"), "Type of floating-point data where the program says floatX."),
    ("device", DeviceParam("cpu", allow_override=False), "Where to run: cpu, or cuda / cuda0 / cuda1 ... for an NVIDIA GPU."),
    ("init_gpu_device", DeviceParam("", allow_override=False), "Prepare this GPU but keep computing on the CPU unless the program moves data there."),
    ("force_device", BoolParam(False, allow_override=False), "Fail at import if the device cannot be used."),
    ("contexts", ContextsParam(), "Names for several GPUs: dev0->cuda0;dev1->cuda1."),
    ("print_active_device", BoolParam(True, allow_override=False), "Say at start which GPU is in use."),
    ("assert_no_cpu_op", EnumStr("ignore", "warn", "raise", "pdb"), "What to do when a function for the GPU keeps work on the CPU."),
    ("cast_policy", EnumStr("custom", "numpy+floatX"), "How types are promoted: Theano's own rules, or NumPy's with floatX for Python floats."),
    ("int_division", EnumStr("int", "raise", "floatX"), "Result of x / y on integers."),
    ("warn_float64", EnumStr("ignore", "warn", "raise", "pdb"), "What to do when a float64 variable is made."),
    ("deterministic", EnumStr("default", "more"), "'more' chooses reproducible GPU algorithms where there is a choice."),
    ("pickle_test_value", BoolParam(True), "Keep test values when variables are pickled."),
    ("print_test_value", BoolParam(False), "Show test values when variables are printed."),
    ("check_input", BoolParam(True), "Check the type and dimensions of what compiled code is given."),
    ("nocleanup", BoolParam(False), "Keep intermediate files of compilation."),
    ("on_unused_input", EnumStr("raise", "warn", "ignore"), "What to do when an input of a function is not used in its outputs."),
    ("on_shape_error", EnumStr("warn", "raise"), "What to do when the shape of an expression cannot be worked out."),
    ("exception_verbosity", EnumStr("low", "high"), "'high' adds the graph and all storage to error messages."),
    ("allow_gc", BoolParam(True), "Free intermediate results as soon as they are not needed; False trades memory for speed."),
    ("openmp", BoolParam(False), "True: loops of openmp_elemwise_minsize elements or more run on several threads; False, if given: nothing does; not given: whatever has work enough (OMP_NUM_THREADS sets how many)."),
    ("openmp_elemwise_minsize", IntParam(200000), "Smallest number of elements for which a loop uses several threads where openmp is True."),
    ("unpickle_function", BoolParam(True), "Compile a pickled function when it is loaded; False loads None in its place."),
    ("reoptimize_unpickled_function", BoolParam(False), "Rewrite the graph of a pickled function again when it is loaded."),
    ("print_global_stats", BoolParam(False), "Print at exit how much time went into which stage."),
    ("compute_test_value", EnumStr(*_TEST_VALUE), "Compute every expression on its inputs' test values while the graph is built."),
    ("compute_test_value_opt", EnumStr(*_TEST_VALUE), "The same while the graph is rewritten."),
    ("traceback.limit", IntParam(8), "How many lines of the user's program each variable remembers."),
    ("traceback.compile_limit", IntParam(0), "The same for variables made while a function is compiled; 0 keeps none."),
    ("unittests.rseed", StrParam("666"), "Seed of tests; 'random' takes a new one each time."),
    ("experimental.unpickle_gpu_on_cpu", BoolParam(False), "Load pickled GPU data as NumPy arrays."),
    ("experimental.local_alloc_elemwise", BoolParam(True), "Kept for old configuration files."),
    ("experimental.local_alloc_elemwise_assert", BoolParam(True), "Check shapes when an alloc is taken out of an elementwise expression."),
    ("lib.amdlibm", BoolParam(False), "Kept for old configuration files; vector mathematics needs no library."),
]

MODES_AND_REWRITES = [
    ("mode", ConfigParam("Mode", filter_mode), "Default mode: Mode (from linker and optimizer), FAST_RUN, FAST_COMPILE, DebugMode, NanGuardMode."),
    ("linker", EnumStr(lambda: "cvm" if config.cxx else "vm", *_LINKERS), "How functions run: cvm compiles; vm and py run NumPy."),
    ("optimizer", EnumStr("o4", "o3", "o2", "o1", "unsafe", "fast_run", "fast_compile", "merge", "None"), "Which set of rewrites."),
    ("optimizer_excluding", StrParam("", allow_override=False), "Rewrites or tags to leave out, joined by ':'."),
    ("optimizer_including", StrParam("", allow_override=False), "Rewrites or tags to add, joined by ':'."),
    ("optimizer_requiring", StrParam("", allow_override=False), "Tags that a rewrite must have, joined by ':'."),
    ("optimizer_verbose", BoolParam(False), "Print each rewrite as it is applied."),
    ("on_opt_error", EnumStr("warn", "raise", "pdb", "ignore"), "What to do when a rewrite fails."),
    ("cache_optimizations", BoolParam(False), "Kept for old configuration files; compiled code is cached always."),
    ("optdb.position_cutoff", FloatParam(float("inf")), "Run only the rewrites up to this position."),
    ("optdb.max_use_ratio", FloatParam(8.0), "A rewrite that was applied more than this many times the number of nodes is stopped and named."),
    ("cycle_detection", EnumStr("regular", "fast"), "How in-place rewrites look for cycles."),
    ("check_stack_trace", EnumStr("off", "log", "warn", "raise"), "Check that rewrites keep the user's line on what they make."),
    ("tensor.cmp_sloppy", IntParam(0, lambda i: i in (0, 1, 2), allow_override=False), "0, 1 or 2: how loosely arrays are compared in tests."),
    ("tensor.local_elemwise_fusion", BoolParam(True), "Join elementwise operations into one loop."),
    ("tensor.insert_inplace_optimizer_validate_nb", IntParam(-1), "In-place rewriting: validate after this many changes; -1 chooses."),
    ("gpu.local_elemwise_fusion", BoolParam(True), "The same on the GPU."),
    ("gpuelemwise.sync", BoolParam(True), "Kept for old configuration files."),
    ("conv.assert_shape", BoolParam(False), "Check at run time the shapes that were promised to conv2d."),
    ("metaopt.verbose", IntParam(0), "How much the meta-optimizer prints."),
    ("metaopt.optimizer_excluding", StrParam(""), "Rewrites that the meta-optimizer leaves out."),
    ("metaopt.optimizer_including", StrParam(""), "Rewrites that the meta-optimizer adds."),
    ("vm.lazy", ConfigParam("None", filter_vm_lazy), "Lazy evaluation: True, False, or None to decide by the graph."),
    ("scan.allow_gc", BoolParam(False), "Free the inner results of a scan between steps."),
    ("scan.allow_output_prealloc", BoolParam(True), "Let the steps of a scan write straight into its outputs."),
    ("scan.debug", BoolParam(False), "Print what scan does while it is built."),
]

COMPILING = [
    ("cxx", StrParam(default_cxx), "C compiler. Empty: compile nothing and run NumPy."),
    ("gcc.cxxflags", StrParam(""), "Extra flags for the compiler."),
    ("base_compiledir", ConfigParam(default_base_compiledir, _expand, allow_override=False), "Folder for compiled functions of all Pythons and machines."),
    ("compiledir_format", StrParam("compiledir_%(short_platform)s-%(processor)s-%(python_version)s-%(python_bitwidth)s", allow_override=False), "Name of the folder below it."),
    ("compiledir", ConfigParam(default_compiledir, _expand, allow_override=False), "Folder for compiled functions."),
    ("blas.ldflags", StrParam(""), "Linker flags for another BLAS, as in -lopenblas. Empty: the BLAS that NumPy (or SciPy) brings."),
    ("blas.check_openmp", BoolParam(True), "Kept for old configuration files."),
    ("cmodule.age_thresh_use", IntParam(60 * 60 * 24 * 24, allow_override=False), "Seconds after which unused compiled code is dropped from the cache."),
    ("cmodule.compilation_warning", BoolParam(False), "Print the compiler's warnings."),
    ("cmodule.debug", BoolParam(False), "Say what the cache of compiled code does."),
    ("cmodule.recall", BoolParam(True), "Find functions that were compiled before by their graph, without rewriting it again."),
    ("cmodule.preload_cache", BoolParam(False, allow_override=False), "Kept for old configuration files; the cache needs no loading."),
    ("cmodule.remove_gxx_opt", BoolParam(False), "Leave out optimisation flags of the compiler (faster compilation, slower code)."),
    ("cmodule.warn_no_version", BoolParam(False), "Warn of operations in C that carry no version number."),
    ("compile.timeout", IntParam(120, allow_override=False), "Kept for old configuration files; the cache has no lock."),
    ("compile.wait", IntParam(5, lambda i: i > 0, allow_override=False), "Kept for old configuration files; the cache has no lock."),
]

CHECKING = [
    ("DebugMode.patience", IntParam(10, lambda i: i > 0), "How often to rewrite and compare, to find unstable rewrites."),
    ("DebugMode.check_c", BoolParam(lambda: bool(config.cxx)), "Run compiled code."),
    ("DebugMode.check_py", BoolParam(True), "Run Python code."),
    ("DebugMode.check_finite", BoolParam(True), "A result with NaN or infinity is an error."),
    ("DebugMode.check_strides", IntParam(0, lambda i: i in (0, 1, 2)), "0, 1 or 2: ignore, warn of or refuse different strides from Python and C."),
    ("DebugMode.warn_input_not_reused", BoolParam(True), "Warn when an operation that may work in place does not."),
    ("DebugMode.check_preallocated_output", StrParam(""), "Memory layouts to try for outputs: initial:previous:c_contiguous:f_contiguous:strided:wrong_size:ALL."),
    ("DebugMode.check_preallocated_output_ndim", IntParam(4, lambda i: i > 0), "Try strided layouts up to this number of dimensions."),
    ("NanGuardMode.nan_is_error", BoolParam(True), "NaN is an error."),
    ("NanGuardMode.inf_is_error", BoolParam(True), "Infinity is an error."),
    ("NanGuardMode.big_is_error", BoolParam(True), "A magnitude above 1e10 is an error."),
    ("NanGuardMode.action", EnumStr("raise", "warn", "pdb"), "What to do on such an error."),
    ("numpy.seterr_all", EnumStr(*_ERR, "None", allow_override=False), "numpy.seterr(all=...) at import; None leaves NumPy as it is."),
    *((f"numpy.seterr_{kind}", EnumStr("None", *_ERR, allow_override=False), f"numpy.seterr({kind}=...) at import.") for kind in ("divide", "over", "under", "invalid")),
]

PROFILING = [
    ("profile", BoolParam(False), "Print at exit where the time of each function went."),
    ("profile_optimizer", BoolParam(False), "The same for the rewrites; needs profile."),
    ("profile_memory", BoolParam(False), "The same for memory; needs profile."),
    ("profiling.time_thunks", BoolParam(True), "Time each operation."),
    ("profiling.n_apply", IntParam(20, lambda i: i > 0), "How many nodes to list."),
    ("profiling.n_ops", IntParam(20, lambda i: i > 0), "How many kinds of operation to list."),
    ("profiling.output_line_width", IntParam(512, lambda i: i > 0), "Longest printed line."),
    ("profiling.min_memory_size", IntParam(1024, lambda i: i >= 0), "List nodes whose outputs have at least this many bytes."),
    ("profiling.min_peak_memory", BoolParam(False), "Look for the order with the least peak memory (slow)."),
    ("profiling.destination", StrParam("stderr"), "stdout, stderr, or a file's name."),
    ("profiling.debugprint", BoolParam(False), "Print the graph with the profile."),
    ("profiling.ignore_first_call", BoolParam(False), "Leave the first call out."),
]

GPU = [
    ("gpuarray.preallocate", FloatParam(0.0, lambda i: i >= 0, allow_override=False), "GPU memory to take at start: a fraction up to 1, or MiB above."),
    ("gpuarray.sched", EnumStr("default", "multi", "single"), "Scheduling of the host thread while it waits."),
    ("gpuarray.single_stream", BoolParam(True), "Use one stream a device."),
    ("gpuarray.sync", ConfigParam(False, _none_or, allow_override=False), "Kept for old configuration files."),
    ("gpuarray.cache_path", ConfigParam(lambda: os.path.join(config.compiledir, "gpuarray_kernels"), _none_or, allow_override=False), "Folder for compiled kernels."),
    ("cuda.root", StrParam("/usr/local"), "Where CUDA is installed, if it is not found by itself."),
    ("cuda.include_path", StrParam("/usr/local/include"), "Where CUDA's headers are."),
    ("dnn.enabled", EnumStr("auto", "True", "False", "no_check"), "Use cuDNN: auto if it is there, True fails if it is not."),
    ("dnn.base_path", StrParam(""), "Where cuDNN is installed."),
    ("dnn.include_path", StrParam(""), "Where its headers are."),
    ("dnn.library_path", StrParam(""), "Where its libraries are."),
    ("dnn.bin_path", StrParam(""), "Where its programs are."),
    ("dnn.conv.algo_fwd", EnumStr(*SUPPORTED_DNN_CONV_ALGO_FWD), "Convolution algorithm, forward."),
    ("dnn.conv.algo_bwd_filter", EnumStr(*SUPPORTED_DNN_CONV_ALGO_BWD_FILTER), "Convolution algorithm, gradient to the weights."),
    ("dnn.conv.algo_bwd_data", EnumStr(*SUPPORTED_DNN_CONV_ALGO_BWD_DATA), "Convolution algorithm, gradient to the images."),
    ("dnn.conv.precision", EnumStr(*SUPPORTED_DNN_CONV_PRECISION), "Type in which convolutions accumulate."),
    ("dnn.conv.algo_bwd", ConfigParam("", _none_or, allow_override=False), "Removed: use dnn.conv.algo_bwd_filter and dnn.conv.algo_bwd_data."),
    ("dnn.conv.workmem", ConfigParam("", _none_or, allow_override=False), "Removed: use dnn.conv.algo_fwd."),
    ("dnn.conv.workmem_bwd", ConfigParam("", _none_or, allow_override=False), "Removed: use dnn.conv.algo_bwd_filter and dnn.conv.algo_bwd_data."),
    ("magma.enabled", BoolParam(False), "Use the MAGMA library."),
    ("magma.include_path", StrParam(""), "Where its headers are."),
    ("magma.library_path", StrParam(""), "Where its libraries are."),
    ("ctc.root", StrParam("", allow_override=False), "Where the warp-ctc library is installed."),
]

_WARNINGS = {
    "argmax_pushdown_bug": False,
    "gpusum_01_011_0111_bug": False,
    "sum_sum_bug": False,
    "sum_div_dimshuffle_bug": False,
    "subtensor_merge_bug": False,
    "gpu_set_subtensor1": False,
    "vm_gc_bug": False,
    "signal_conv2d_interface": False,
    "reduce_join": False,
    "inc_set_subtensor1": False,
    "round": False,
    "inc_subtensor1_opt": True,
    "identify_1pexp_bug": False,
}
WARNINGS = [
    ("warn.ignore_bug_before", EnumStr("0.9", "None", "all", *_VERSIONS[:9], *_VERSIONS[10:], allow_override=False), "Kept for old configuration files: old bugs to be silent about."),
    *((f"warn.{name}", BoolParam(value), "Kept for old configuration files: warn of an old bug of Theano.") for name, value in _WARNINGS.items()),
]

TABLES = {
    "General": GENERAL,
    "Modes and rewrites": MODES_AND_REWRITES,
    "Compiling": COMPILING,
    "Checking": CHECKING,
    "Profiling": PROFILING,
    "GPU": GPU,
    "Warnings": WARNINGS,
}

# Flags that leave compiled code as it is.
_NOT_IN_KEY = {name for table in (CHECKING, PROFILING, WARNINGS) for name, _, _ in table} | {"base_compiledir", "compiledir", "compiledir_format", "traceback.limit", "traceback.compile_limit"}

for _table in TABLES.values():
    for _name, _param, _doc in _table:
        AddConfigVar(_name, _doc, _param, in_c_key=_name not in _NOT_IN_KEY)


def example() -> str:
    """Return the text of ``.theanorc.example``: every flag, what it does, what it may be and its default, commented out."""
    lines = [
        "# Configuration of theano_compat: copy it to ~/.theanorc and take away the # of the lines that you change.",
        "# Each flag can also be given for one run: THEANO_FLAGS=floatX=float32,mode=FAST_COMPILE python script.py",
        "# Several files: THEANORC=first:second. THEANO_FLAGS wins over the files, a later file over an earlier one.",
    ]
    sections: dict[str, list] = {}
    for table in TABLES.values():
        for name, param, doc in table:
            section, _, option = name.rpartition(".")
            sections.setdefault(section or "global", []).append((option, param, doc))
    for section, entries in sections.items():
        lines += ["", f"[{section}]"]
        for option, param, doc in entries:
            default = "" if callable(param.default) else param.default
            kind = "computed" if callable(param.default) and not isinstance(param, EnumStr) else param.describe()
            lines += ["", f"# {doc}", f"# ({kind})", f"#{option} = {default}"]
    return "\n".join(lines) + "\n"
