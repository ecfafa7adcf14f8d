"""Marks for solutions in tests/course/solutions: right, or wrong in a way that one claim must reject."""


def right(function):
    """A right solution, written another way than the reference."""
    function.kind = "right"
    return function


def wrong(claim, *, mistake=None, crashes=False):
    """A wrong solution.

    claim  the test that must reject it by an assertion (or by the mistake's own crash, where `crashes`)
    mistake  the known mistake that it makes, written differently from the answer file: the diagnosis must name it
    """

    def mark(function):
        function.kind = "wrong"
        function.claim = claim
        function.mistake = mistake
        function.crashes = crashes
        return function

    return mark
