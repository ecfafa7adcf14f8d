"""A device for an experiment: the backend "strict", which refuses what a GPU refuses, and counts what is fetched."""

from contextlib import contextmanager

from minires import backend


class Device:
    """How many arrays were copied from it to the host: fetched."""

    fetched = 0


@contextmanager
def device():
    """A context in which arrays live on "strict".

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
