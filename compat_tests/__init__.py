"""Original text that nobody here wrote, run unchanged with ``theano`` meaning this package.

``sources.py`` fetches Theano 1.0.5's source distribution from PyPI into a cache outside the repository and checks its hash; ``doc_examples.py`` runs the
examples of a documentation page; ``theano_tests.py`` and the pytest plugin ``graft.py`` let Theano's own tests run, ``suite.py`` drives them and compares with ``ledgers/theano_suite.json``, ``test_theano_suite.py`` is its quick part;
``test_documentation.py`` compares each page with the ledger of what passes (``ledgers/documentation.json``).
"""
