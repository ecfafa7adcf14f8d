"""CuPy, where one small kernel and one small product really run; else a sentence: why not, and what to type."""


class Unusable(Exception):
    """CuPy cannot be used here."""


def load():
    """The cupy module. Any CuPy that imports and computes is accepted.

    Raises  Unusable: it is not installed, finds no card, or cannot compile or multiply.
    """
    try:
        import cupy
    except ImportError as error:
        raise Unusable(
            f"CuPy cannot be imported ({error}). Install it with: pip install 'cupy-cuda12x[ctk]' "
            "(an NVIDIA card and its driver are needed)"
        ) from error
    try:
        cards = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CUDARuntimeError, whose class differs between versions
        raise Unusable(
            f"CuPy {cupy.__version__} finds no working NVIDIA driver ({error}). `nvidia-smi` should list your card: "
            "install or update its driver, or stay with backend.use('numpy')"
        ) from error
    if cards == 0:
        raise Unusable(f"CuPy {cupy.__version__} finds no NVIDIA card: stay with backend.use('numpy')")
    try:
        square = cupy.arange(4, dtype=cupy.float32).reshape(2, 2) + 1
        works = float((square @ square).sum()) == 54.0
    except Exception as error:
        raise Unusable(
            f"CuPy {cupy.__version__} sees the card but cannot compute on it ({type(error).__name__}: {error}). "
            "Parts of CUDA are probably missing: pip install 'cupy-cuda12x[ctk]'"
        ) from error
    if not works:
        raise Unusable(f"CuPy {cupy.__version__} computes wrong results on this card")
    return cupy


def describe():
    """One line a card: name and memory. Raises Unusable where there is none."""
    cupy = load()
    lines = []
    for number in range(cupy.cuda.runtime.getDeviceCount()):
        properties = cupy.cuda.runtime.getDeviceProperties(number)
        memory = properties["totalGlobalMem"] / 2**30
        lines.append(f"{properties['name'].decode()}, {memory:.0f} GiB, CuPy {cupy.__version__}")
    return lines
