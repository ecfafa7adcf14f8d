"""Layouts of arrays in memory: the same numbers, transposed, all or some, with gaps, read backwards, or broadcast."""

import numpy

__tracebackhide__ = True


class Layout:
    """A layout of an op's inputs and upstream gradient. The methods return copies that have it.

    about, advice  words for a message: the end of its first line, and lines below
    """

    about, advice = "", ()

    def of_input(self, array):
        """Return a copy of an array."""
        return numpy.array(array, order="K")

    def of_inputs(self, values):
        """Return the inputs, the arrays among them as copies that have it."""
        return [
            self.of_input(value) if isinstance(value, numpy.ndarray) else value for value in values
        ]

    def of_gradient(self, g):
        """Return a copy of an upstream gradient."""
        return self.of_input(g)

    def of_result(self, gradient):
        """Return a gradient that backward returned, as it is compared."""
        return gradient

    def differs(self, inputs):
        """Return True if one of the inputs has a different layout from what NumPy gives a new array."""
        return any(
            isinstance(value, numpy.ndarray) and self.of_input(value).strides != value.strides
            for value in inputs
        )


class _Transposed(Layout):
    about = ", with its arrays transposed in memory (as x.T is)"
    advice = ("In contiguous arrays the same numbers come out right.",)

    def of_input(self, array):
        """Return a copy of an array whose axes are in reverse order in memory."""
        return numpy.array(array.T, order="C").T


class _Apart(Layout):
    about = ", with arrays that are not contiguous in memory (as x[::2] is)"
    advice = _Transposed.advice

    def of_input(self, array):
        """Return every second element of a larger array, read backwards along the last axis."""
        if not array.ndim:
            return array.copy()
        between = numpy.full([2 * size for size in array.shape], 77, array.dtype)
        view = between[(*[slice(None, None, 2)] * (array.ndim - 1), slice(None, None, -2))]
        view[...] = array
        return view

    def of_gradient(self, g):
        """Return a gradient that is the same along all axes but the last: a broadcast view, which nobody can write to."""
        row = g[(0,) * (g.ndim - 1)] if g.size else g
        return numpy.broadcast_to(row, g.shape)

    def of_result(self, gradient):
        """Return zeros for what rounding leaves: such a gradient cancels out in a softmax or a normalisation."""
        floats = getattr(getattr(gradient, "dtype", None), "kind", "") == "f"
        return numpy.where(abs(gradient) < 1e-10, 0, gradient) if floats else gradient


class _Mixed(_Transposed):
    about = ", with only some of its arrays transposed in memory (as x.T is)"
    advice = ("If all arrays have the same layout, the same numbers come out right.",)

    def of_inputs(self, values):
        """Transpose the first input in memory, not the second, and so on."""
        turned, kept = super().of_inputs(values), AS_IT_IS.of_inputs(values)
        return [(turned, kept)[i % 2][i] for i in range(len(values))]

    def of_gradient(self, g):
        """Return a copy that has the layout of g."""
        return AS_IT_IS.of_gradient(g)


AS_IT_IS = Layout()
OTHERS = (_Transposed(), _Apart(), _Mixed())
