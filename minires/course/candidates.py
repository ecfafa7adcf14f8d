"""For "write the test": the verdicts of a learner's check on right and wrong candidates."""


def verdicts(check, candidates):
    """Return description -> "accepted", or "rejected" if the check raises on the candidate.

    All are checked again in reverse order: a check that counts its calls, or draws at random, shows by two verdicts. It sees
    new functions of one name each time, so it can't recognise one.

    candidates  description -> function
    """
    found = {name: _verdict(check, function) for name, function in candidates.items()}
    for name, function in reversed(candidates.items()):
        if _verdict(check, function) != found[name]:
            found[name] = "accepted in some calls and rejected in others"
    return found


def _verdict(check, function):
    def candidate(*inputs, **options):
        return function(*inputs, **options)

    try:
        check(candidate)
    except NotImplementedError:  # the placeholder
        raise
    except Exception:  # an AssertionError, or any error that a wrong candidate causes in a check
        return "rejected"
    return "accepted"
