"""Containment: what would end Python, such as sys.exit(), becomes an error like any other."""

import signal
import threading
import traceback
from contextlib import contextmanager


class Ended(Exception):
    """An error in place of one that would have ended Python."""

    __module__ = "builtins"  # so that pytest calls it by its bare name


@contextmanager
def contained():
    """Context manager: raise Ended for anything that is not an Exception. Ctrl-C still raises KeyboardInterrupt."""
    pressed = []
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if main else None

    def press(*received):
        pressed.append(received)
        handler(*received)

    if callable(handler):
        signal.signal(signal.SIGINT, press)
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and pressed:
            raise
        told = "".join(traceback.format_exception_only(error)).strip()
        ended = Ended(f"{told} (which would end Python)")
        raise ended.with_traceback(error.__traceback__) from None
    finally:
        if callable(handler):
            signal.signal(signal.SIGINT, handler)
