"""A device for an experiment: the backend "strict", which refuses what a graphics card refuses, and counts what is fetched."""

from contextlib import contextmanager

from minires import backend
from minires.backend import strict
from minires.course.standin import standing_in


class Device:
    """How often arrays came back from it: fetched."""

    fetched = 0


@contextmanager
def device():
    """For a while arrays live on "strict".

    with device() as its:
        function(to_device(array))
        its.fetched  how many arrays were copied to the host
    """
    its, original = Device(), strict.to_host

    def counted(array):
        its.fetched += 1
        return original(array)

    with standing_in({"minires.backend.strict.to_host": counted}), backend.using("strict"):
        yield its
