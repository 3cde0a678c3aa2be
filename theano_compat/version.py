"""The version of theano_compat, and the version of Theano whose behaviour it has."""

version = "0.1.0"
full_version = version
short_version = version
git_revision = ""
#: Theano's has it; false in a development version.
release = True
#: What old scripts that look at ``theano.__version__`` are told.
theano_version = "1.0.5"
