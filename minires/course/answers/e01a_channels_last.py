"""Exercise 01a: what goes wrong with CIFAR's rows as images."""

from minires.backend import to_device, to_host, xp


def in_engine(yours):
    """Return this function for the reader of CIFAR's files, which works on the host; the function runs on the device."""
    return lambda pixels: to_host(yours(to_device(pixels)))


def _planes(rows):
    return rows.reshape(-1, 3, 32, 32)


def not_transposed(rows):
    """a row is cut into groups of three in its own order, all reds first, so that three neighbouring reds look like a pixel"""
    return rows.reshape(-1, 32, 32, 3).copy()


def lying(rows):
    """height and width are swapped, so that each picture is mirrored along its diagonal"""
    return xp.ascontiguousarray(_planes(rows).transpose(0, 3, 2, 1))


def planes_kept(rows):
    """the planes stay planes: (N, 3, 32, 32) is channels first"""
    return _planes(rows).copy()


def blue_first(rows):
    """blue and red are exchanged"""
    return xp.ascontiguousarray(_planes(rows)[:, ::-1].transpose(0, 2, 3, 1))


def a_view(rows):
    """the axes are reordered but nothing is copied: the channels of a pixel are still 1,024 elements apart in memory"""
    return _planes(rows).transpose(0, 2, 3, 1)


def as_floats(rows):
    """the dtype changes: uint8 in must be uint8 out, which takes a quarter of the memory of float32"""
    return xp.ascontiguousarray(_planes(rows).transpose(0, 2, 3, 1)).astype(xp.float32)


def columns_first(rows):
    """a plane is read column by column, as with order="F": it is stored row by row"""
    return xp.ascontiguousarray(rows.reshape(-1, 3, 32, 32, order="F").transpose(0, 2, 3, 1))
