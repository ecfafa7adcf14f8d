"""A device for experiments: the backend "strict", which refuses what a GPU refuses and counts copies to the host."""

from contextlib import ExitStack, contextmanager
from unittest import mock

from minires import backend
from minires.backend.strict import Array

COPIES = (
    "tolist",
    "item",
    "tobytes",
    "__float__",
    "__int__",
)  # methods whose results are on the host


class Device:
    """A count of the copies from the device to the host, of arrays or single elements: fetched."""

    fetched = 0


@contextmanager
def device():
    """Context manager: arrays are on the backend "strict".

    with device() as its:
        function(to_device(array))
        its.fetched  how many copies to the host there were
    """
    its, strict = Device(), backend.LOADERS["strict"]()

    def counted(array):
        its.fetched += 1
        return strict.to_host(array)

    def method(name):
        def counted(array, *args):
            its.fetched += 1
            return getattr(array._hidden, name)(*args)

        return counted

    with ExitStack() as stack:
        stack.enter_context(backend.using(strict._replace(to_host=counted)))
        for name in COPIES:
            stack.enter_context(mock.patch.object(Array, name, method(name), create=True))
        yield its
