"""The half types that tests draw from. Without the package ml_dtypes, tests of bfloat16 are skipped and say so."""

from importlib.util import find_spec

import numpy
import pytest

HAS_BFLOAT16 = find_spec("ml_dtypes") is not None
needs_bfloat16 = pytest.mark.skipif(
    not HAS_BFLOAT16, reason="bfloat16 needs the package ml_dtypes, which is not installed"
)

TYPES = {"float16": numpy.dtype("float16")}
if HAS_BFLOAT16:
    import ml_dtypes

    TYPES["bfloat16"] = numpy.dtype(ml_dtypes.bfloat16)

# Both names, for pytest.mark.parametrize.
each_half = pytest.mark.parametrize(
    "half", ["float16", pytest.param("bfloat16", marks=needs_bfloat16)]
)
