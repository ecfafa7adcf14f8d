"""Exercise 01a: what goes wrong with CIFAR's rows as images."""

from minires.backend import to_device, to_host, xp


def in_engine(yours):
    """What reads the files, by this function: they are read on the host, and it works on the device."""
    return lambda pixels: to_host(yours(to_device(pixels)))


def _planes(rows):
    return rows.reshape(-1, 3, 32, 32)


def not_transposed(rows):
    """a row is cut into pixels of three as it lies, all reds first, so that three reds side by side look like a pixel"""
    return rows.reshape(-1, 32, 32, 3).copy()


def lying(rows):
    """height and width are swapped, so that each picture is mirrored at its diagonal"""
    return xp.ascontiguousarray(_planes(rows).transpose(0, 3, 2, 1))


def planes_kept(rows):
    """the planes stay planes: (N, 3, 32, 32) is channels first"""
    return _planes(rows).copy()


def blue_first(rows):
    """blue is taken for red and red for blue"""
    return xp.ascontiguousarray(_planes(rows)[:, ::-1].transpose(0, 2, 3, 1))


def a_view(rows):
    """the axes change places and no number moves: the channels of a pixel still lie 1,024 apart in memory"""
    return _planes(rows).transpose(0, 2, 3, 1)


def as_floats(rows):
    """the type changes: what comes in as uint8 is to come out as uint8, a quarter of the memory of float32"""
    return xp.ascontiguousarray(_planes(rows).transpose(0, 2, 3, 1)).astype(xp.float32)


def columns_first(rows):
    """a plane is read column by column, as in order="F": it lies row by row"""
    return xp.ascontiguousarray(rows.reshape(-1, 3, 32, 32, order="F").transpose(0, 2, 3, 1))
