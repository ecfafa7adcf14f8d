"""Reading a pickle without running what it may hold.

A pickle is a program: it names functions and calls them. Here a name in it is looked up in a short list of stand-ins, and nowhere
else; what these are called with they check themselves. A pickle that is made to take long can still do so.
"""

import pickle
import pickletools


class PickleError(ValueError):
    """A pickle that is damaged, or asks for more than it may."""


class Unpickler(pickle.Unpickler):
    """Names in the pickle are looked up in ADMITTED, and nowhere else."""

    ADMITTED = {}  # (module, name) -> what stands for it
    NEEDED = "nothing here needs"  # what to say of a name that is not among them

    def find_class(self, module, name):
        """What stands for a name."""
        if (module, name) not in self.ADMITTED:
            raise PickleError(
                f"the pickle asks for {module}.{name}, which {self.NEEDED}: it was not run. Do not trust it"
            )
        return self.ADMITTED[module, name]

    def persistent_load(self, _):
        """What stands for an object that the pickle does not hold itself."""
        raise PickleError("the pickle refers to something outside it")


def load(unpickler, file, **options):
    """What the pickle holds that begins where a file of bytes stands; afterwards it stands behind that.

    unpickler  Unpickler, or what is made of it    options  for it

    Raises  PickleError: a name that is not admitted, before any of it is run; or the pickle is damaged.
    """
    begin = file.tell()
    try:
        _check_places(file)
        file.seek(begin)
        return unpickler(file, **options).load()
    except PickleError:
        raise
    except Exception as error:  # a damaged pickle fails in any way it likes
        raise PickleError(
            f"the pickle is damaged or cut off ({type(error).__name__}: {error})"
        ) from None


def _check_places(file):
    """Refuse a number of a place for things to come back to that is higher than there are things: memory is taken up to it."""
    for i, (code, argument, _) in enumerate(pickletools.genops(file)):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > i:
            raise PickleError(
                f"the pickle asks for {argument:,} places, and holds {i:,} things: do not trust this file"
            )
