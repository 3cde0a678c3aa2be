"""Names that Theano supplied for Python 2.4 to 2.6."""

from collections import Counter, OrderedDict, defaultdict  # noqa: F401
from functools import partial  # noqa: F401
from itertools import product  # noqa: F401

DictMixin = dict
all, any = all, any  # noqa: PLW0127
