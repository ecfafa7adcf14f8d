"""Ctrl-C at every place of a file that a piece of code runs through, one at a time."""

import sys


def interrupts(run, *files):
    """Run run() once for each place at which it enters a function of the files or begins a line of theirs, with a
    KeyboardInterrupt there; yield the place each time, after it was survived. Ends with a run that nothing interrupts.

    Raises  AssertionError: the interrupt did not come out of run().
    """
    files, place = {str(file) for file in files}, 0
    while True:
        place += 1
        tracer = _Tracer(files, place)
        before = sys.gettrace()
        sys.settrace(tracer)
        try:
            run()
        except KeyboardInterrupt:
            ended = True
        else:
            ended = False
        finally:
            sys.settrace(before)
        if tracer.at is None:
            return
        assert ended, f"the interrupt at {tracer.at} was swallowed"
        yield tracer.at


class _Tracer:
    """A trace function that raises KeyboardInterrupt at the nth call or line of some files, in this thread."""

    def __init__(self, files, n):
        self.files, self.left, self.at = files, n, None

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename not in self.files:
            return None
        if event in ("call", "line"):
            self.left -= 1
            if self.left == 0:
                self.at = (
                    f"{event} {frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
                )
                sys.settrace(None)
                raise KeyboardInterrupt
        return self
