"""Parameters that are tuples: ``lambda (a, b), c: a + b + c`` too, where the translator's own fixer knows one parameter only."""

from fissix import pytree
from fissix.fixer_util import Name, syms
from fissix.fixes import fix_tuple_params
from fissix.pgen2 import token


class FixTupleParams(fix_tuple_params.FixTupleParams):
    """The translator's fixer; a lambda's body becomes the body of an inner lambda that is called with the parts."""

    PATTERN = """
              funcdef< 'def' any parameters< '(' args=any ')' > ['->' any] ':' suite=any+ >
              |
              lambda=lambdef< 'lambda' args=any ':' body=any >
              """

    def transform_lambda(self, node, results):
        """``lambda (a, (b, c)), d=1: body`` becomes ``lambda t, d=1: (lambda a, b, c: body)(t[0], t[1][0], t[1][1])``."""
        arguments = results["args"]
        tuples = [arguments] if arguments.type == syms.vfpdef else [c for c in arguments.children if c.type == syms.vfpdef]
        names, parts = [], []
        for parameter in tuples:
            parameter_name = self.new_name()
            for name, path in self._leaves(parameter, ""):
                names.append(name)
                parts.append(parameter_name + path)
            parameter.replace(Name(parameter_name, prefix=parameter.prefix or " " * (parameter is arguments)))
        if not names:
            return
        body = results["body"]
        inner = body.clone()
        inner.prefix = ""
        call = [pytree.Leaf(token.NAME, f"(lambda {', '.join(names)}: "), inner, pytree.Leaf(token.NAME, f")({', '.join(parts)})")]
        body.replace(pytree.Node(syms.power, call, prefix=body.prefix or " "))

    def _leaves(self, parameter, path):
        """Yield the names in a parameter, each with its place in the tuple."""
        if parameter.type == token.NAME:
            yield parameter.value, path
        elif parameter.type == syms.vfpdef:
            yield from self._leaves(parameter.children[1], path)
        else:  # a list of parameters
            for number, child in enumerate(c for c in parameter.children if c.type != token.COMMA):
                yield from self._leaves(child, f"{path}[{number}]")
