"""Historical home of experiments; what survived lives elsewhere and is found here under its old path."""


def __getattr__(name: str):
    if name == "cuda":  # ``import theano`` gave old programs theano.sandbox.cuda
        from importlib import import_module

        return import_module(f"{__name__}.cuda")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
