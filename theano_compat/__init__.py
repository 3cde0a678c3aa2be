from theano_compat.configdefaults import config  # noqa: F401
