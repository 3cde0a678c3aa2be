"""Lists of variables of one type as values of their own.

`type` has the type, `basic` the variables and ops, `opt` the rewrite that makes the ops work in place.
"""

from theano_compat.typed_list import opt  # noqa: F401
from theano_compat.typed_list.basic import *  # noqa: F403
from theano_compat.typed_list.type import TypedListType  # noqa: F401
