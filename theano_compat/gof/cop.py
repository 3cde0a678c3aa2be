"""Ops with C code in files (COp, ExternalCOp) and ops that may use OpenMP (OpenMPOp)."""

from __future__ import annotations

import os
import re
import warnings

from theano_compat import config
from theano_compat.gof.op import Op
from theano_compat.gof.params_type import ParamsType
from theano_compat.gof.utils import MethodNotDefined


class OpenMPOp(Op):
    """An op whose C code may run on several threads.

    Parameters
    ----------
    openmp : bool, optional
        Default ``config.openmp``.
    """

    #: Whether the compiler can do OpenMP; found out when first needed.
    gxx_support_openmp: bool | None = None

    def __init__(self, openmp: bool | None = None):
        self.openmp = config.openmp if openmp is None else openmp

    def __setstate__(self, d) -> None:
        self.__dict__.update(d)
        if not hasattr(self, "openmp"):
            self.openmp = False

    def c_compile_args(self):
        self.update_self_openmp()
        return ["-fopenmp"] if self.openmp else []

    def c_headers(self):
        self.update_self_openmp()
        return ["omp.h"] if self.openmp else []

    @staticmethod
    def test_gxx_support() -> bool:
        """Return whether the C compiler builds and links a file with OpenMP pragmas."""
        from theano_compat.gof.cmodule import GCC_compiler

        program = """
        #include <omp.h>
        int main(void) { int n = 0;
        #pragma omp parallel for reduction(+:n)
        for (int i = 0; i < 8; ++i) n += omp_get_num_threads() > 0;
        return n == 8 ? 0 : 1; }
        """
        return bool(GCC_compiler.try_compile_tmp(program, tmp_prefix="openmp_", flags=["-fopenmp"], try_run=False))

    def update_self_openmp(self) -> None:
        """Switch OpenMP off, with a warning at the first time, where the compiler cannot do it."""
        if not self.openmp:
            return
        if OpenMPOp.gxx_support_openmp is None:
            OpenMPOp.gxx_support_openmp = OpenMPOp.test_gxx_support()
            if not OpenMPOp.gxx_support_openmp:
                warnings.warn(
                    "Your g++ compiler fails to compile OpenMP code. We know this happen with some version of the EPD "
                    "mingw compiler and LLVM compiler on Mac OS X. We disable openmp everywhere in Theano. To remove "
                    "this warning set the theano flags `openmp` to False.",
                    stacklevel=3,
                )
        if not OpenMPOp.gxx_support_openmp:
            self.openmp = False
            config.openmp = False

    def prepare_node(self, node, storage_map, compute_map, impl):
        if impl == "c":
            self.update_self_openmp()


class COp(Op):
    """An op whose C code is in files of its own.

    Parameters
    ----------
    func_files : str or list of str
        Paths; relative ones are taken from the folder of the module that defines the subclass.
    func_name : str, optional
        The C function to call: it gets the inputs, the addresses of the outputs, and the parameters if there are any, and
        returns 0 for success. Default: the files give the code in a section ``code``.

    Notes
    -----
    A file is divided by lines ``#section name``: ``support_code``, ``support_code_apply``, ``support_code_struct``,
    ``init_code``, ``init_code_apply``, ``init_code_struct``, ``cleanup_code_struct``, ``code``, ``code_cleanup``, ``version``.
    In the sections for one node, ``APPLY_SPECIFIC(name)`` makes a name unique, and ``DTYPE_INPUT_0``, ``TYPENUM_INPUT_0``,
    ``ITEMSIZE_INPUT_0`` (and those of outputs) describe the arrays; in ``code`` there are ``INPUT_0``, ``OUTPUT_0``, ``FAIL`` and ``PARAMS``.
    """

    section_re = re.compile(r"^#section ([a-zA-Z0-9_]+)$", re.MULTILINE)
    backward_re = re.compile(r"^THEANO_(APPLY|SUPPORT)_CODE_SECTION$", re.MULTILINE)
    SECTIONS = {
        "init_code",
        "init_code_apply",
        "init_code_struct",
        "support_code",
        "support_code_apply",
        "support_code_struct",
        "cleanup_code_struct",
        "code",
        "code_cleanup",
    }

    @classmethod
    def get_path(cls, f: str) -> str:
        """Return the path of a file that is given relative to the module of this class."""
        if os.path.isabs(f):
            return f
        import inspect

        return os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(inspect.getfile(cls))), f))

    def __init__(self, func_files, func_name: str | None = None):
        if not isinstance(func_files, list):
            func_files = [func_files]
        self.func_name = func_name
        self.func_files = [self.get_path(f) for f in func_files]
        self.load_c_code(func_files)
        if not self.code_sections:
            raise ValueError("No sections where defined in C files")
        if self.func_name is not None:
            for section in ("op_code", "op_code_cleanup", "code", "code_cleanup"):
                if section in self.code_sections:
                    raise ValueError(f'Cannot have an "{section}" section and specify the func_name')

    def load_c_code(self, func_files) -> None:
        """Read the files and divide them into ``self.code_sections``."""
        self.func_codes = []
        self.code_sections: dict[str, str] = {}
        for path in (self.get_path(f) for f in func_files):
            with open(path) as f:
                self.func_codes.append(f.read())
        for path, code in zip(self.func_files, self.func_codes):
            old_style = self.backward_re.split(code)
            if len(old_style) > 1:
                if old_style[0].strip():
                    raise ValueError(f"Stray code before first #section statement (in file {path}): {old_style[0]}")
                for kind, text in zip(old_style[1::2], old_style[2::2]):
                    self._add_section({"APPLY": "support_code_apply", "SUPPORT": "support_code"}[kind], text)
                continue
            parts = self.section_re.split(code)
            if len(parts) == 1:
                # A file without sections is support code, once for each node.
                self._add_section("support_code_apply", code)
                continue
            if parts[0].strip():
                raise ValueError(f"Stray code before first #section statement (in file {path}): {parts[0]}")
            for name, text in zip(parts[1::2], parts[2::2]):
                if name not in self.SECTIONS:
                    raise ValueError(f"Unknown section type (in file {path}): {name}")
                self._add_section(name, text)

    def _add_section(self, name: str, text: str) -> None:
        self.code_sections[name] = self.code_sections.get(name, "") + text

    def __get_op_params(self) -> list[tuple[str, object]]:
        """Return macros for the parameters: their type's name, and one for each NumPy-typed field."""
        params_type = getattr(self, "params_type", None)
        if params_type is None:
            return []
        if isinstance(params_type, ParamsType):
            macros: list[tuple[str, object]] = [("PARAMS_TYPE", params_type.name)]
            for name, t in zip(params_type.fields, params_type.types):
                try:
                    number = t.c_element_type()
                except MethodNotDefined:
                    continue
                if number:
                    macros.append((f"DTYPE_PARAM_{name}", number))
            return macros
        declared = params_type.c_declare("PARAMS", {}).strip().removesuffix(";").rsplit("PARAMS", 1)[0].strip()
        return [("PARAMS_TYPE", declared.removesuffix("*").strip() if declared.endswith("*") else declared)]

    def c_code_cache_version(self):
        from theano_compat.gof.utils import hash_from_code

        version = (hash_from_code("\n".join(self.func_codes)),)
        params_type = getattr(self, "params_type", None)
        if params_type is not None:
            version += (params_type.c_code_cache_version(),)
        return version

    def c_init_code(self):
        if "init_code" in self.code_sections:
            return [self.code_sections["init_code"]]
        raise MethodNotDefined("c_init_code", type(self), self.__class__.__name__)

    def _apply_section(self, section: str, node, name: str, extra: list | None = None) -> str:
        code = self.code_sections.get(section)
        if code is None:
            raise MethodNotDefined(f"c_{section}", type(self), self.__class__.__name__)
        define, undefine = self.get_c_macros(node, name)
        lines = [define]
        if extra:
            lines.extend(f"#define {macro} {value}" for macro, value in extra)
        lines.append(code)
        if extra:
            lines.extend(f"#undef {macro}" for macro, _ in extra)
        lines.append(undefine)
        return "\n".join(lines)

    def c_support_code(self):
        if "support_code" not in self.code_sections:
            raise MethodNotDefined("c_support_code", type(self), self.__class__.__name__)
        return self.code_sections["support_code"]

    def c_init_code_apply(self, node, name):
        return self._apply_section("init_code_apply", node, name)

    def c_support_code_apply(self, node, name):
        return self._apply_section("support_code_apply", node, name)

    def c_support_code_struct(self, node, name):
        return self._apply_section("support_code_struct", node, name)

    def c_cleanup_code_struct(self, node, name):
        return self._apply_section("cleanup_code_struct", node, name)

    def c_init_code_struct(self, node, name, sub):
        return self._apply_section("init_code_struct", node, name, self.get_sub_macros_list(sub))

    def format_c_function_args(self, inp, out) -> str:
        """Return the argument list for the C function: inputs, addresses of outputs."""
        arguments = list(inp)
        missing = getattr(self, "_cop_num_inputs", len(arguments)) - len(arguments)
        arguments.extend(["NULL"] * missing)
        outputs = [f"&{name}" for name in out]
        missing = getattr(self, "_cop_num_outputs", len(outputs)) - len(outputs)
        outputs.extend(["NULL"] * missing)
        return ", ".join(arguments + outputs)

    def get_c_macros(self, node, name: str, check_input: bool | None = None) -> tuple[str, str]:
        """Return the macro definitions for one node, and the lines that take them back."""
        if check_input is None:
            check_input = getattr(self, "check_input", True)
        macros: list[tuple[str, object]] = []
        if check_input:
            for kind, variables in (("INPUT", node.inputs), ("OUTPUT", node.outputs)):
                for i, var in enumerate(variables):
                    if not hasattr(var.type, "dtype_specs"):
                        continue
                    dtype_specs = var.type.dtype_specs()
                    macros.append((f"DTYPE_{kind}_{i}", dtype_specs[1]))
                    macros.append((f"TYPENUM_{kind}_{i}", dtype_specs[2]))
                    itemsize = getattr(var.type, "itemsize", None)
                    if itemsize is None:
                        import numpy as np

                        itemsize = np.dtype(var.type.dtype).itemsize
                    macros.append((f"ITEMSIZE_{kind}_{i}", itemsize))
        macros.append(("APPLY_SPECIFIC(str)", f"str##_{name}"))
        macros.extend(self.__get_op_params())
        define = "\n".join(f"#define {macro} {self._lquote_macro(str(value))}" for macro, value in macros)
        undefine = "\n".join(f"#undef {macro.split('(')[0]}" for macro, _ in macros)
        return define, undefine

    def _lquote_macro(self, txt: str) -> str:
        """Return a text with line ends continued, as the value of a macro."""
        return " \\\n".join(txt.split("\n"))

    def get_sub_macros_list(self, sub) -> list[tuple[str, str]]:
        """Return the macros ``FAIL`` and ``PARAMS`` as pairs."""
        macros = [("FAIL", self._lquote_macro(sub["fail"]))]
        if "params" in sub:
            macros.append(("PARAMS", sub["params"]))
        return macros

    def get_sub_macros(self, sub) -> tuple[str, str]:
        """Return the definitions of ``FAIL`` and ``PARAMS``, and the lines that take them back."""
        macros = self.get_sub_macros_list(sub)
        return "\n".join(f"#define {m} {v}" for m, v in macros), "\n".join(f"#undef {m}" for m, _ in macros)

    def get_io_macros(self, inputs, outputs) -> tuple[str, str]:
        """Return the definitions of ``INPUT_0``, …, ``OUTPUT_0``, …, and the lines that take them back."""
        macros = [(f"INPUT_{i}", name) for i, name in enumerate(inputs)]
        macros += [(f"OUTPUT_{i}", name) for i, name in enumerate(outputs)]
        return "\n".join(f"#define {m} {v}" for m, v in macros), "\n".join(f"#undef {m}" for m, _ in macros)

    def c_code(self, node, name, inp, out, sub):
        if self.func_name is not None:
            if "code" in self.code_sections:
                raise ValueError("a COp has either func_name or a section named code")
            define, undefine = self.get_c_macros(node, name, check_input=False)
            arguments = self.format_c_function_args(inp, out)
            params = f", {sub['params']}" if "params" in sub else ""
            return f"""
            {define}
            {{
              if ({self.func_name}({arguments}{params}) != 0) {{
                {sub["fail"]}
              }}
            }}
            {undefine}
            """
        return self._code_with_io("code", node, name, inp, out, sub)

    def c_code_cleanup(self, node, name, inputs, outputs, sub):
        return self._code_with_io("code_cleanup", node, name, inputs, outputs, sub)

    def _code_with_io(self, section, node, name, inputs, outputs, sub) -> str:
        code = self.code_sections.get(section)
        if code is None:
            raise MethodNotDefined(f"c_{section}", type(self), self.__class__.__name__)
        parts = [self.get_c_macros(node, name), self.get_sub_macros(sub), self.get_io_macros(inputs, outputs)]
        return "\n".join([*(define for define, _ in parts), "{", code, "}", *(undefine for _, undefine in reversed(parts))])


#: The name of COp in Theano's successors, which some old branches used.
ExternalCOp = COp
