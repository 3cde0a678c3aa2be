"""``python -m theano_compat cache``: look at, check or clear the cache of compiled functions."""

from __future__ import annotations

import argparse


def main(argv: list[str]) -> int:
    """List the cache, check its entries, or clear it."""
    parser = argparse.ArgumentParser(prog="python -m theano_compat cache", description="List, check or clear the cache of compiled functions.")
    parser.add_argument("action", nargs="?", choices=["list", "check", "clear"], default="list")
    parser.add_argument("--days", type=float, default=0.0, help="clear only what was not used for so many days")
    args = parser.parse_args(argv)
    from theano_compat.codegen import cache

    if args.action == "clear":
        print(f"{cache.clear(args.days * 86400)} entries removed from {cache.folder()}")
        return 0
    files = list(cache.entries())
    print(f"{cache.folder()}: {len(files)} entries, {sum(f.stat().st_size for f in files) / 1e6:.2f} MB")
    if args.action == "check":
        broken = [f for f in files if not cache.is_whole(f)]
        for path in broken:
            print(f"broken (will be built again when it is needed): {path}")
        return 1 if broken else 0
    return 0
