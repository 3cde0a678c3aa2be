"""``python -m tests.specs``: print what the spec records cover."""
from tests.specs.registry import report

if __name__ == "__main__":
    print(report())
