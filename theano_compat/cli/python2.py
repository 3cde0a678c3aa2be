"""Finds out whether a program is Python 2, and translates it in memory.

A file is Python 2 if today's Python cannot parse it but the translator's Python 2 grammar can, or if both can and ``detect.py`` finds what only
Python 2 could run. The translation (by fissix, the kept-up
fork of 2to3) keeps track of the program's lines, so that error traces show the user's own. What a translator of syntax cannot see
(the division of integers, say) is compiled into calls of ``classic``, and Python 2's builtins are the program's own (``namespace.py``).
"""

from __future__ import annotations

import ast
import contextlib
import functools
import re
import types
import warnings

from theano_compat.cli import detect, namespace, numpy_then


def is_python2(source: str, filename: str = "<program>", within: bool = False) -> bool:
    """Return whether a program is Python 2; ``within`` says that it is part of one that is.

    Raises
    ------
    SyntaxError
        If the text is no Python 2 either: the error of the Python that understood more of it.
    """
    try:
        with _silent_about_old_syntax():
            tree = ast.parse(source, filename)
    except SyntaxError as error:
        try:
            translate(source, filename)
        except SyntaxError as refusal:
            further = (refusal.lineno or 0) > (error.lineno or 0) and "never closed" not in error.msg  # the translator finds that at the end only
            raise (refusal if further else error) from None
        return True
    named = detect.names_interpreter(source)
    if named is not None:
        return named
    return (detect.looks_like_python2(tree) or (within and not detect.shows_python3(tree))) and translates(source, filename)


def _refusal(error: Exception, text: str, filename: str) -> SyntaxError:
    """Return the translator's complaint as a syntax error at its place."""
    context = getattr(error, "context", None)  # of its parser: (the space before the word, (line, column)); its tokenizer has the place as last argument
    line, column = context[1] if context else error.args[-1]
    lines = text.splitlines()
    return SyntaxError("invalid syntax in Python 2", (filename, line, column + 1, lines[line - 1] if line <= len(lines) else ""))


#: Fixers of taste, those that insert an import or rename modules (and miss uses on the import's own line): supply.py serves the gone names;
#: "sorted", which takes np.sort(x) and T.sort(x) for a list's sort by x; and those for which namespace.py has Python 2's builtins.
_UNWANTED_FIXERS = frozenset(
    "idioms ws_comma set_literal buffer asserts import future sorted intern operator reduce reload imports imports2 urllib types "
    "apply execfile filter itertools itertools_imports map raw_input zip".split()
)


@functools.lru_cache(maxsize=1)
def _refactoring_tool():
    import logging

    from fissix import refactor

    own = [f"theano_compat.cli.fixers.fix_{name}" for name in ("tuple_params", "unicode")]
    unwanted = _UNWANTED_FIXERS | {name.rsplit(".fix_", 1)[1] for name in own}
    names = own + [n for n in refactor.get_fixers_from_package("fissix.fixes") if n.rsplit(".fix_", 1)[1] not in unwanted]
    logging.getLogger("fissix").setLevel(logging.ERROR)
    return refactor.RefactoringTool(names)


def translates(source: str, filename: str = "<program>") -> bool:
    """Return whether a text is Python 2 to the translator."""
    try:
        translate(source, filename)
    except SyntaxError:
        return False
    return True


@functools.lru_cache(maxsize=64)  # a program is asked whether it translates before it is translated
def translate(source: str, filename: str = "<program>") -> tuple[str, list[int]]:
    """Translate a Python 2 program.

    Returns
    -------
    text : str
        The program in Python 3.
    lines : list of int
        For each line of the text the program's line that it comes from: some constructs take more lines, or fewer.

    Raises
    ------
    ImportError
        If fissix is not installed.
    SyntaxError
        If the text is not Python 2.
    """
    text = source.expandtabs(8) if re.search(r"^ *\t", source, re.M) else source
    text = text.replace("\r\n", "\n")
    from fissix.pgen2.parse import ParseError
    from fissix.pgen2.tokenize import TokenError

    try:
        tree = _refactoring_tool().refactor_string(text if text.endswith("\n") else text + "\n", filename)
    except (ParseError, TokenError) as error:
        raise _refusal(error, text, filename) from None
    except IndentationError as error:
        error.filename = filename  # its tokenizer does not know it
        raise
    return str(tree), _lines_of_origin(tree)


def _lines_of_origin(tree) -> list[int]:
    """Return for each line of a translated tree the line of the program that its first word comes from."""
    from fissix.pgen2 import token

    origin, line = {1: 1}, 1
    for leaf in tree.leaves():
        line += leaf.prefix.count("\n")
        breaks = str(leaf.value).count("\n")  # some of its words are numbers
        if leaf.lineno and leaf.type not in (token.INDENT, token.DEDENT, token.NEWLINE, token.ENDMARKER):  # words of the translator's own have line 0
            for inner in range(breaks + 1):
                origin.setdefault(line + inner, leaf.lineno + inner)
        line += breaks
    lines = []
    for number in range(1, line + 1):
        lines.append(origin.get(number, lines[-1] if lines else 1))
    return lines


def _move_to_lines(tree: ast.AST, lines: list[int]) -> None:
    """Give every node the line of the program that its line comes from."""
    if lines == list(range(1, len(lines) + 1)):
        return
    for node in ast.walk(tree):
        if getattr(node, "lineno", None) is not None:
            node.lineno = lines[node.lineno - 1]
            node.end_lineno = max(node.lineno, lines[node.end_lineno - 1])
            if node.end_lineno == node.lineno:
                node.end_col_offset = max(node.col_offset, node.end_col_offset)


def compile_program(source: str, filename: str, flags: int = 0, old: bool | None = None) -> tuple[types.CodeType, dict]:
    """Compile a program of either Python.

    Parameters
    ----------
    source : str
        The program's text.
    filename : str
        What error traces show.
    flags : int
        Of :func:`compile`.
    old : bool, optional
        Whether it is Python 2; found out by default, for a module of a Python 2 program with that in mind.

    Returns
    -------
    code : code object
    entries : dict
        What the program's namespace must hold besides its own names.
    """
    if is_python2(source, filename, namespace.program_is_python2()) if old is None else old:
        return compile_python2(*translate(source, filename), filename, flags, frozenset(f for f in ("division", "absolute_import") if _asks_for(f, source)))
    with _silent_about_old_syntax():
        tree = ast.fix_missing_locations(numpy_then.ArrayMethods().visit(ast.parse(source, filename)))
        return compile(tree, filename, "exec", flags=flags, dont_inherit=True), namespace.entries(False, "last")


def compile_python2(text: str, lines: list[int], filename: str, flags: int = 0, future: frozenset[str] = frozenset()) -> tuple[types.CodeType, dict]:
    """Compile what :func:`translate` returned; ``future`` holds what the program asks of ``__future__``. Returns what :func:`compile_program` returns."""
    from theano_compat.cli import classic, supply

    supply.note("Python 3 syntax")
    with _silent_about_old_syntax():
        try:
            tree = ast.parse(text, filename)
        except SyntaxError as error:
            error.lineno = error.end_lineno = lines[(error.lineno or 1) - 1]
            raise
        _move_to_lines(tree, lines)
        for name in sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} & set(classic.functions.GONE)):
            supply.note(name)
        tree = numpy_then.ArrayMethods().visit(classic.transform(tree, true_division="division" in future))
        ast.fix_missing_locations(tree)
        code = compile(tree, filename, "exec", flags=flags, dont_inherit=True)
    return code, namespace.entries(True, None if "absolute_import" in future else "first")


def compile_fragment(source: str, mode: str) -> types.CodeType:
    """Compile what a Python 2 program hands to ``eval`` or ``exec`` (the mode); nothing is translated that today's Python can parse."""
    from theano_compat.cli import classic

    with _silent_about_old_syntax():
        try:
            tree = ast.parse(source)
        except SyntaxError:
            tree = ast.parse(translate(source)[0])
        tree = classic.transform(tree, true_division=_asks_for("division", source))
        if mode == "eval":
            if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
                raise SyntaxError(f"invalid syntax: {source!r} is no expression")
            return compile(ast.Expression(tree.body[0].value), "<string>", "eval", dont_inherit=True)
        return compile(tree, "<string>", "exec", dont_inherit=True)


def _asks_for(feature: str, source: str) -> bool:
    return bool(re.search(rf"^\s*from __future__ import .*\b{feature}\b", source, re.M))


@contextlib.contextmanager
def _silent_about_old_syntax():
    """Invalid escapes and ``is 1`` were ordinary then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def read_source(path: str) -> str:
    """Return the text of a program, decoded as its coding line says (Python 2's default was ASCII; Latin-1 reads any of it)."""
    import io
    import tokenize

    with open(path, "rb") as file:
        data = file.read()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        return data.decode("latin-1")
