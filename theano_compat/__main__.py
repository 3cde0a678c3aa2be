"""``python -m theano_compat``: see :mod:`theano_compat.cli`."""

import sys

from theano_compat.cli import main

if __name__ == "__main__":
    sys.exit(main())
