"""For "write the test": the verdicts of a learner's check on right and wrong candidates."""


def verdicts(check, candidates):
    """Return description -> "accepted", or "rejected" if the check raises on the candidate.

    candidates  description -> function
    """
    return {name: _verdict(check, candidate) for name, candidate in candidates.items()}


def _verdict(check, candidate):
    try:
        check(candidate)
    except NotImplementedError:  # the placeholder
        raise
    except Exception:  # an AssertionError, or any error that a wrong candidate causes in a check
        return "rejected"
    return "accepted"
