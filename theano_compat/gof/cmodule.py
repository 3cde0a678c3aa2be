"""Historical home of the compiler's driver and of the module cache: the names that old code uses, on the engine's tool chain.

Compiled code is kept by ``theano_compat.codegen.cache`` (content-addressed, no pickles, no locks); :class:`ModuleCache` here is a view of
that. :class:`GCC_compiler` builds Python extension modules from C text that somebody else wrote.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import logging
import os
import subprocess
import sys
import sysconfig
import tempfile
import time

from theano_compat import config
from theano_compat.gof.utils import hash_from_code

PY3 = True
string_types = (str,)
METH_VARARGS = "METH_VARARGS"
METH_NOARGS = "METH_NOARGS"
import_time = 0
_logger = logging.getLogger(__name__)


class MissingGXX(Exception):
    """There is no compiler, or it cannot do what was asked."""


def debug_counter(name: str, every: int = 1) -> None:
    """Count the calls by name, and print the count now and then."""
    counts = debug_counter.__dict__.setdefault("counts", {})
    counts[name] = counts.get(name, 0) + 1
    if counts[name] % every == 0:
        print(f"debug_counter [{name}]: {counts[name]}", file=sys.stderr)


# ------------------------------------------------------------------------------------ text of extension modules


class ExtFunction:
    """A C function of an extension module.

    Parameters
    ----------
    name : str
    code_block : str
        The function's definition.
    method : str
        ``METH_VARARGS`` or ``METH_NOARGS``.
    doc : str
    """

    def __init__(self, name: str, code_block: str, method: str, doc: str = "undocumented"):
        self.name = name
        self.code_block = code_block
        self.method = method
        self.doc = doc

    @property
    def method_decl(self) -> str:
        """The entry in the module's table of methods."""
        return f'\t{{"{self.name}", {self.name}, {self.method}, "{self.doc}"}}'


class DynamicModule:
    """The text of an extension module, put together piece by piece.

    Parameters
    ----------
    name : str, optional
        Not used: the module's name is made from its text.
    """

    def __init__(self, name: str | None = None):
        if name is not None:
            raise ValueError("The 'name' parameter of DynamicModule cannot be specified anymore. Instead, 'code_hash' will be automatically computed and can be used as the module's name.")
        self.support_code: list[str] = []
        self.functions: list[ExtFunction] = []
        self.includes = ["<Python.h>", "<iostream>", "<stdexcept>"]
        self.init_blocks: list[str] = []
        self.finalized = False
        self.code_hash: str | None = None
        self.hash_placeholder = "<<<<HASH_PLACEHOLDER>>>>"

    def add_include(self, str: str) -> None:
        """Include a header; quotes or brackets are part of its name."""
        self._check_open()
        self.includes.append(str)

    def add_init_code(self, code: str) -> None:
        """Run statements when the module is loaded."""
        self._check_open()
        self.init_blocks.append(code)

    def add_support_code(self, code: str) -> None:
        """Put code at the top of the file, once."""
        self._check_open()
        if code and code not in self.support_code:
            self.support_code.append(code)

    def add_function(self, fn: ExtFunction) -> None:
        """Add a function."""
        self._check_open()
        self.functions.append(fn)

    def _check_open(self) -> None:
        if self.finalized:
            raise ValueError("the module's text is complete: nothing can be added")

    def print_methoddef(self, stream) -> None:
        """Write the table of methods."""
        print("static PyMethodDef MyMethods[] = {", file=stream)
        for function in self.functions:
            print(function.method_decl, ",", file=stream)
        print("\t{NULL, NULL, 0, NULL}\n};", file=stream)

    def print_init(self, stream) -> None:
        """Write the module's definition and its initialisation."""
        name = self.hash_placeholder
        print(f'static struct PyModuleDef moduledef = {{PyModuleDef_HEAD_INIT, "{name}", NULL, -1, MyMethods}};', file=stream)
        print(f"PyMODINIT_FUNC PyInit_{name}(void) {{", file=stream)
        for block in self.init_blocks:
            print("  ", block, file=stream)
        print("    return PyModule_Create(&moduledef);\n}", file=stream)

    def code(self) -> str:
        """Return the file; the module's name, ``m`` and a digest of the text, is entered in it."""
        import io

        stream = io.StringIO()
        for header in self.includes:
            quoted = header if header[:1] in '<"' else f'"{header}"'
            print(f"#include {quoted}", file=stream)
        for text in [*self.support_code, *(function.code_block for function in self.functions)]:
            print(text, file=stream)
        self.print_methoddef(stream)
        self.print_init(stream)
        self.finalized = True
        text = stream.getvalue()
        self.code_hash = f"m{hash_from_code(text)}"
        return text.replace(self.hash_placeholder, self.code_hash)

    def list_code(self, ofile=None) -> None:
        """Print the file with line numbers."""
        for number, line in enumerate(self.code().split("\n"), 1):
            print(f"{number:4}", line, file=sys.stdout if ofile is None else ofile)


# ------------------------------------------------------------------------------------------------ the compiler


def get_lib_extension() -> str:
    """Return the ending of extension modules' file names, without the dot."""
    return "pyd" if sys.platform in ("win32", "cygwin") else "so"


def get_gcc_shared_library_arg() -> str:
    """Return the compiler's argument for shared objects."""
    return "-dynamiclib" if sys.platform == "darwin" else "-shared"


def std_include_dirs() -> list[str]:
    """Return the folders of Python's and NumPy's headers."""
    import numpy as np

    paths = sysconfig.get_paths()
    return list(dict.fromkeys([np.get_include(), paths["include"], paths["platinclude"]]))


def std_lib_dirs_and_libs() -> tuple[list[str], ...]:
    """Return the libraries that an extension module links, and their folders: ``(libraries, folders)``."""
    if sys.platform == "win32":
        return [f"python{sys.version_info[0]}{sys.version_info[1]}"], [os.path.join(sys.base_prefix, "libs")]
    if sys.platform == "darwin":
        return [], []
    # On Linux the interpreter brings the symbols along.
    return [], [folder for folder in [sysconfig.get_config_var("LIBDIR")] if folder]


def std_libs() -> list[str]:
    """Return the libraries that an extension module links."""
    return std_lib_dirs_and_libs()[0]


def std_lib_dirs() -> list[str]:
    """Return the folders of the libraries that an extension module links."""
    return std_lib_dirs_and_libs()[1]


def _run(command: list[str], text: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=600)


def _words(command: str) -> list[str]:
    """Return a command as a list: a path may hold blanks, a command may have arguments."""
    return [command] if os.path.exists(command) else command.split()


@functools.cache
def _version_of(command: str) -> str:
    if not command:
        return ""
    try:
        return _run([*_words(command), "-dumpversion"]).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def gcc_version() -> str:
    """Return the compiler's version, or an empty string where there is none."""
    return _version_of(config.cxx)


def __getattr__(name: str):
    if name == "gcc_version_str":  # asks the compiler, so not before somebody wants to know
        return gcc_version() or "GCC_NOT_FOUND"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _is_llvm(command: str) -> bool:
    if not command:
        return False
    try:
        done = _run([*_words(command), "--version"])
    except (OSError, subprocess.SubprocessError):
        return False
    return "llvm" in done.stdout.lower() or "clang" in done.stdout.lower()


def gcc_llvm() -> bool:
    """Return whether the compiler is LLVM's."""
    return _is_llvm(config.cxx)


class Compiler:
    """Base class of compilers; what it has is for subclasses that give the compiler's command."""

    @classmethod
    def _try_compile_tmp(
        cls, src_code, tmp_prefix="", flags=(), try_run=False, output=False, compiler=None, comp_args=True
    ):
        """Compile a program; see :meth:`GCC_compiler.try_compile_tmp`."""
        if not compiler:
            return False
        arguments = cls.compile_args() if comp_args else []
        with tempfile.TemporaryDirectory(prefix=f"theano_{tmp_prefix}") as folder:
            source, program = os.path.join(folder, "probe.c"), os.path.join(folder, "probe.exe")
            with open(source, "w", encoding="utf-8") as f:
                f.write(src_code)
            try:
                done = _run([*_words(compiler), *flags, *arguments, source, "-o", program, "-lm"])
                compiled, ran = done.returncode == 0, False
                if compiled and try_run:
                    done = _run([program])
                    ran = done.returncode == 0
            except (OSError, subprocess.SubprocessError) as e:
                return (False, False, "", str(e)) if output and try_run else (False, "", str(e)) if output else False
        if not try_run and not output:
            return compiled
        if not try_run:
            return compiled, done.stdout, done.stderr
        if not output:
            return compiled, ran
        return compiled, ran, done.stdout, done.stderr

    @classmethod
    def _try_flags(cls, flag_list, preambule="", body="", try_run=False, output=False, compiler=None, comp_args=True):
        """Compile a minimal program with flags; see :meth:`GCC_compiler.try_flags`."""
        program = f"{preambule}\nint main(int argc, char** argv) {{ (void)argc; (void)argv;\n{body}\nreturn 0; }}\n"
        return cls._try_compile_tmp(program, "try_flags_", flag_list, try_run, output, compiler, comp_args)


class GCC_compiler(Compiler):
    """The C compiler that ``config.cxx`` names."""

    march_flags: list[str] | None = None
    supports_amdlibm = True

    @staticmethod
    def version_str() -> str:
        """Return the compiler's command and version."""
        return f"{config.cxx} {gcc_version()}"

    @staticmethod
    def compile_args(march_flags: bool = True) -> list[str]:
        """Return the options that extension modules are compiled with.

        Parameters
        ----------
        march_flags : bool
            Compile for this very machine.
        """
        arguments = config.gcc.cxxflags.split()
        if march_flags and not any(arg.startswith(("-march=", "-mtune=")) for arg in arguments):
            if GCC_compiler.march_flags is None:
                native = ["-march=native"]
                GCC_compiler.march_flags = native if try_march_flag(native) else []
            arguments.extend(GCC_compiler.march_flags)
        if sys.platform != "win32":
            arguments.append("-fPIC")
        return arguments

    @classmethod
    def try_compile_tmp(cls, src_code, tmp_prefix="", flags=(), try_run=False, output=False, comp_args=True):
        """Compile, and maybe run, a program.

        Parameters
        ----------
        src_code, tmp_prefix : str
        flags : sequence of str
        try_run : bool
            Run it too.
        output : bool
            Return what was printed.
        comp_args : bool
            Use :meth:`compile_args` too.

        Returns
        -------
        bool, or a tuple: compiled, ran (with ``try_run``), stdout and stderr (with ``output``)
        """
        return cls._try_compile_tmp(src_code, tmp_prefix, flags, try_run, output, config.cxx, comp_args)

    @classmethod
    def try_flags(cls, flag_list, preambule="", body="", try_run=False, output=False, comp_args=True):
        """Return whether a minimal program compiles with flags; arguments as for :meth:`try_compile_tmp`."""
        return cls._try_flags(flag_list, preambule, body, try_run, output, config.cxx, comp_args)

    @staticmethod
    def compile_str(
        module_name, src_code, location=None, include_dirs=None, lib_dirs=None, libs=None, preargs=None, py_module=True, hide_symbols=True
    ):
        """Compile a C or C++ text to an extension module.

        Parameters
        ----------
        module_name : str
        src_code : str
        location : str, optional
            Folder for the files; default: a new one.
        include_dirs, lib_dirs, libs, preargs : list of str, optional
            For the compiler.
        py_module : bool
            Load the module and return it.
        hide_symbols : bool
            Export the module's initialisation only.

        Raises
        ------
        MissingGXX
            If there is no compiler.
        Exception
            If it fails, with what it printed.
        """
        if not config.cxx:
            raise MissingGXX("g++ not available! We can't compile c code.")
        location = tempfile.mkdtemp(prefix="theano_module_") if location is None else location
        source = os.path.join(location, "mod.cpp")
        with open(source, "w", encoding="utf-8") as f:
            f.write(src_code + "\n")
        target = os.path.join(location, f"{module_name}.{get_lib_extension()}")
        command = [*_words(config.cxx), get_gcc_shared_library_arg(), "-g", *(preargs or [])]
        if hide_symbols and sys.platform != "win32":
            command.append("-fvisibility=hidden")
        if sys.platform != "win32" and "-fPIC" not in command:
            command.append("-fPIC")
        command += [f"-I{folder}" for folder in [*std_include_dirs(), *(include_dirs or [])]]
        command += ["-o", target, source]
        command += [f"-L{folder}" for folder in [*std_lib_dirs(), *(lib_dirs or [])]]
        command += [f"-l{library}" for library in [*std_libs(), *(libs or [])]]
        if sys.platform == "darwin":
            command += ["-undefined", "dynamic_lookup"]
        done = _run(command)
        if done.returncode:
            if config.cmodule.compilation_warning or not config.cmodule.remove_gxx_opt:
                _logger.debug("%s", src_code)
            raise Exception(f"Compilation failed (return status={done.returncode}): {done.stderr[:4000]}")
        return dlimport(target) if py_module else None


def try_march_flag(flags: list[str]) -> bool:
    """Return whether a program compiled with these flags runs on this machine."""
    answer = GCC_compiler.try_flags(flags, preambule="#include <math.h>", body="double a = sqrt(argc + 1.0); if (a < 1) return 1;", try_run=True, comp_args=False)
    return isinstance(answer, tuple) and all(answer[:2])


def icc_module_compile_str(*args):
    """Intel's compiler was never supported: raise NotImplementedError."""
    raise NotImplementedError()


def dlimport(fullpath: str, suffix: str | None = None):
    """Load an extension module from a file.

    Parameters
    ----------
    fullpath : str
    suffix : str, optional
        Ending of the file's name, default: the one it has, or ``.so``.
    """
    if not os.path.isabs(fullpath):
        raise ValueError("`fullpath` must be an absolute path", fullpath)
    ending = suffix or next((s for s in (".so", ".pyd", ".dll", ".py") if fullpath.endswith(s)), "")
    name = os.path.basename(fullpath)[: len(os.path.basename(fullpath)) - len(ending) if ending else None]
    if ending == ".py":
        loader = importlib.machinery.SourceFileLoader(name, fullpath)
    else:
        loader = importlib.machinery.ExtensionFileLoader(name, fullpath)
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location(name, fullpath, loader=loader))
    loader.exec_module(module)
    module.__file__ = fullpath
    return module


def dlimport_workdir(basedir: str) -> str:
    """Make a new folder to build a module in, and return its path."""
    return tempfile.mkdtemp(dir=basedir)


def last_access_time(path: str) -> float:
    """Return when a file was read last, in seconds since the epoch."""
    return os.stat(path).st_atime


def module_name_from_dir(dirname: str, err: bool = True, files: list[str] | None = None) -> str | None:
    """Return the path of the extension module in a folder; where there is none, raise ValueError or return None."""
    files = os.listdir(dirname) if files is None else files
    found = [name for name in files if name.endswith((".so", ".pyd"))]
    if not found and not err:
        return None
    if len(found) != 1:
        raise ValueError("More than 1 compiled module in this directory:" + dirname if found else "No compiled module in this directory:" + dirname)
    return os.path.join(dirname, found[0])


def is_same_entry(entry_1: str, entry_2: str) -> bool:
    """Whether two paths lead to the same file or to the same folder in a cache."""
    return entry_1 == entry_2 or os.path.realpath(entry_1) == os.path.realpath(entry_2) or (
        os.path.basename(entry_1) == os.path.basename(entry_2)
        and os.path.basename(os.path.dirname(entry_1)) == os.path.basename(os.path.dirname(entry_2))
        and os.path.basename(os.path.dirname(entry_1)).startswith("tmp")
    )


def get_module_hash(src_code: str, key) -> str:
    """Return the name ``m`` + digest for a module: of its text and of the parts of ``key`` that matter for the build."""
    lines = [line.strip() for line in src_code.split("\n") if line.strip()]
    parts = list(key) if isinstance(key, (tuple, list)) else [key]
    return "m" + hash_from_code("\n".join(lines + [str(part) for part in parts]))


def get_safe_part(key):
    """Return the part of a module's key without its version."""
    version, rest = key[0], key[1]
    return tuple(part for part in rest if not (isinstance(part, tuple) and part[:1] == ("version",))) if version is not None else rest


class KeyData:
    """The keys that lead to one compiled module.

    Parameters
    ----------
    keys : set
    module_hash : str
    key_pkl : str
        Kept for callers of old: nothing is pickled.
    entry : str
        Path of the module.
    """

    def __init__(self, keys, module_hash, key_pkl, entry):
        self.keys = keys
        self.module_hash = module_hash
        self.key_pkl = key_pkl
        self.entry = entry

    def add_key(self, key, save_pkl: bool = True) -> None:
        """Add a key."""
        if key in self.keys:
            raise ValueError(f"{key} is there already")
        self.keys.add(key)

    def remove_key(self, key, save_pkl: bool = True) -> None:
        """Remove a key."""
        self.keys.remove(key)

    def delete_keys_from(self, entry_from_key: dict, do_manual_check: bool = True) -> None:
        """Remove all keys of this module from a map."""
        for key in [key for key, entry in entry_from_key.items() if entry == self.entry]:
            del entry_from_key[key]

    def get_entry(self) -> str:
        """Return the path of the module."""
        return self.entry

    def save_pkl(self) -> None:
        """Do nothing: keys are digests, which are the files' names."""


class ModuleCache:
    """A view of the folder of compiled code, with the names of Theano's cache.

    Parameters
    ----------
    dirname : str
        The folder.
    check_for_broken_eq, do_refresh : bool
        Kept for callers of old.
    """

    age_thresh_use = 60 * 60 * 24 * 24

    def __init__(self, dirname: str, check_for_broken_eq: bool = True, do_refresh: bool = True):
        self.dirname = dirname
        self.stats = [0, 0, 0]
        self.loaded_key_pkl: set = set()

    def refresh(self, age_thresh_use=None, delete_if_problem=False, cleanup=True) -> list[str]:
        """Return the files that are older than a number of seconds; the folder needs no upkeep."""
        limit = self.age_thresh_use if age_thresh_use is None else age_thresh_use
        from theano_compat.codegen import cache

        now = time.time()
        return [str(path) for path in cache.entries() if now - path.stat().st_mtime > limit]

    def module_from_key(self, key, lnk=None, keep_lock=False):
        """Return what the linker ``lnk`` compiles; the engine looks into the cache by itself."""
        if lnk is None:
            raise ValueError("a linker is needed to build a module")
        return lnk.make_thunk()[0]

    def check_key(self, key, key_pkl) -> None:
        """Do nothing: equal keys cannot have different code where the key is the digest of the code."""

    def clear_old(self, age_thresh_del: float | None = None, delete_if_problem: bool = False) -> None:
        """Remove what was not used for a number of seconds, by default 31 days."""
        from theano_compat.codegen import cache

        cache.clear(older_than=60 * 60 * 24 * 31 if age_thresh_del is None else age_thresh_del)

    def clear(self, unversioned_min_age=None, clear_base_files: bool = False, delete_if_problem: bool = False) -> None:
        """Remove everything."""
        from theano_compat.codegen import cache

        cache.clear()

    def clear_base_files(self) -> None:
        """Do nothing: there are no files shared by all modules."""

    def clear_unversioned(self, min_age: float | None = None) -> None:
        """Do nothing: every entry has a version, its content."""


_module_cache: ModuleCache | None = None


def get_module_cache(dirname: str, init_args=None) -> ModuleCache:
    """Return the cache of compiled code.

    Parameters
    ----------
    dirname : str
    init_args : dict, optional
        For :class:`ModuleCache`, if there is none yet.
    """
    global _module_cache
    if _module_cache is None:
        _module_cache = ModuleCache(dirname, **(init_args or {}))
    if _module_cache.dirname != dirname:
        _logger.warning("Returning module cache instance with different dirname (%s) than you requested (%s)", _module_cache.dirname, dirname)
    return _module_cache


