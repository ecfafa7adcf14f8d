"""For "write the test": what a learner's check says of candidates, right ones and wrong ones."""


def verdicts(check, candidates):
    """What a check says of each: what it is -> "accepted", or "rejected" where it raises.

    candidates  what it is -> a function
    """
    return {name: _verdict(check, candidate) for name, candidate in candidates.items()}


def _verdict(check, candidate):
    try:
        check(candidate)
    except NotImplementedError:  # the hole
        raise
    except Exception:  # an AssertionError, or whatever a wrong candidate makes a check stumble over
        return "rejected"
    return "accepted"
