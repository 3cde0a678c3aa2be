"""``python -m theano_compat config``: print the flags."""

from __future__ import annotations

import argparse


def main(argv: list[str]) -> int:
    """Print every flag with its value, or the text of ``.theanorc.example``."""
    parser = argparse.ArgumentParser(prog="python -m theano_compat config", description="Print every flag, its value and what it does.")
    parser.add_argument("--example", action="store_true", help="print the text of .theanorc.example instead")
    parser.add_argument("--changed", action="store_true", help="only the flags that are not at their default")
    args = parser.parse_args(argv)
    from theano_compat import configdefaults, configparser

    if args.example:
        print(configdefaults.example(), end="")
        return 0
    for param in configparser._config_var_list:
        if not args.changed or not param.is_default:
            print(f"{param.fullname} = {configparser.get_flag(param.fullname)}\n    {param.doc}")
    return 0
