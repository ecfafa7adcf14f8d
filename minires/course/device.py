"""A device for experiments: the backend "strict", which refuses what a GPU refuses and counts copies to the host."""

from contextlib import contextmanager

from minires import backend


class Device:
    """A count of the arrays that were copied from the device to the host: fetched."""

    fetched = 0


@contextmanager
def device():
    """Context manager: arrays are on the backend "strict".

    with device() as its:
        function(to_device(array))
        its.fetched  how many arrays were copied to the host
    """
    its, strict = Device(), backend.LOADERS["strict"]()

    def counted(array):
        its.fetched += 1
        return strict.to_host(array)

    with backend.using(strict._replace(to_host=counted)):
        yield its
