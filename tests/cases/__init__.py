"""What every function with faster forms is called with, for tests/test_forms.py; and every op.

A new form finds its inputs here: one whose function has none fails the test.
"""

from tests.cases.modules import MODULES
from tests.cases.ops import OPS
from tests.cases.parts import PARTS
from tests.cases.refusals import REFUSED

CASES = {**OPS, **PARTS, **MODULES}  # name of a function -> a function that yields its cases

__all__ = ["CASES", "OPS", "REFUSED"]
