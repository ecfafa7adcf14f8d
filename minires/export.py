"""Exporting a network as an ONNX file, so that it runs where minires does not: in browsers, on phones, in other languages.

The model runs once, on zeros, and each op that it calls adds the ONNX node that computes the same. So you can export any model
whose ops have such a node here. In the file, images are (N, C, H, W), and N may be any number.
Source  github.com/onnx/onnx, docs/Operators.md, version 17.
"""

import copy
import inspect
import json

import numpy

from minires import files
from minires.backend import to_host, using, xp
from minires.ops.forms import FUNCTIONS, standing_in
from minires.ops.windows import window
from minires.tensor import Tensor, no_grad

__all__ = ["export"]

OPSET, IR = 17, 8  # of 2022: common runtimes read them
AXES = (0, 2, 3, 1)  # the axes of (N, H, W, C) in (N, C, H, W)


def export(model, path, size, **facts):
    """Write a model in evaluation mode as an ONNX file: from "images", normalised floats (N, C, H, W), to "logits".

    size  (H, W, C) of an image    facts  saved in the file as JSON: classes, mean, std

    Raises  ValueError: the package onnx is missing, an op of the model has no counterpart, or numbers are not finite.
    OSError: the file cannot be written; no partial file is left.
    """
    try:
        from onnx import checker, helper, numpy_helper
    except ImportError:
        raise ValueError("export: the package onnx is missing: pip install onnx") from None
    model = copy.deepcopy(model).eval()
    graph = _Graph(helper, model)
    x = Tensor(xp.zeros((1, *size), dtype=xp.float32))
    graph.names[id(x.data)] = "images"
    with no_grad(), graph.recording():
        logits = model(x)
    if not numpy.isfinite(to_host(logits.data)).all():
        raise ValueError("export: the logits of an image of zeros are not finite")
    graph.node("Identity", [graph.name(logits)], output="logits")
    h, w, c = size
    real = helper.make_tensor_value_info
    made = helper.make_graph(graph.nodes, type(model).__name__, [real("images", 1, ["N", c, h, w])],
                             [real("logits", 1, ["N", *logits.shape[1:]])],
                             [numpy_helper.from_array(array, name) for name, array in graph.constants.items()])  # fmt: skip
    whole = helper.make_model(
        made, producer_name="minires", ir_version=IR, opset_imports=[helper.make_opsetid("", OPSET)]
    )
    helper.set_model_props(whole, {name: json.dumps(fact) for name, fact in facts.items()})
    checker.check_model(whole, full_check=True)
    files.write(path, whole.SerializeToString())


class _Graph:
    """ONNX nodes and constants, recorded while a model runs."""

    def __init__(self, helper, model):
        self.helper, self.nodes, self.constants, self.held = helper, [], {}, []
        self.names = {}  # id of an array -> its name in the file
        self.known = {id(value.data): name for name, value in model.named_parameters()}
        self.known.update((id(value), name) for name, value in model.named_buffers())

    def recording(self):
        """Context manager: record each op that runs in this context; other threads do not notice."""
        return standing_in(
            {
                name: self.stand_in(function)
                for name, function in FUNCTIONS.items()
                if function.is_op
            }
        )

    def stand_in(self, function):
        """Return the op, which also records its node."""
        write = getattr(self, f"_op_{function.name}", None)
        signature = inspect.signature(function.plain)

        def op(*operands, **options):
            if write is None:
                raise ValueError(
                    f"export: the model uses {function.name}, which has no counterpart here"
                )
            with using(stand_ins={}):  # ops that it calls in turn are not recorded
                made = function.default(*operands, **options)
            given = signature.bind(*operands, **options)
            given.apply_defaults()
            self.names[id(made[0])] = write(**given.arguments)
            self.held.append(made)  # so that no other array gets its id
            return made

        return op

    def node(self, kind, inputs, *, output=None, **attributes):
        """Add a node, and return the name of its result."""
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def name(self, value):
        """Return the name of a tensor, an array or a number, and add it as a constant if it is new. A name is returned unchanged."""
        if isinstance(value, str):
            return value
        array = value.data if isinstance(value, Tensor) else value
        if id(array) in self.names:
            return self.names[id(array)]
        return self.constant(array)

    def constant(self, array, axes=None):
        """Add a constant, transposed if there are `axes`, and return its name: the model's, if it has one."""
        array = array.data if isinstance(array, Tensor) else array
        name = self.known.get(id(array), f"constant_{len(self.constants)}")
        array = to_host(array) if hasattr(array, "shape") else numpy.float32(array)
        if not numpy.isfinite(array).all():
            raise ValueError(f"export: {name} contains NaN or infinity, expected finite numbers")
        self.constants[name] = array if axes is None else array.transpose(axes).copy()
        return name

    def ints(self, numbers):
        """Add a constant of ints, and return its name."""
        return self.constant(numpy.array(numbers, numpy.int64))

    # One method per op: it takes the op's arguments, and returns the name of the result.

    def _op_conv2d(self, x, weight, bias, stride, padding):
        inputs = [
            self.name(x),
            self.constant(weight, (3, 2, 0, 1)),
            *([] if bias is None else [self.name(bias)]),
        ]
        return self.node("Conv", inputs, **_window(weight.shape[:2], stride, padding))

    def _op_max_pool2d(self, x, kernel, stride, padding):
        return self.node("MaxPool", [self.name(x)], **_window(kernel, stride, padding))

    def _op_avg_pool2d(self, x, kernel, stride, padding):
        return self.node(
            "AveragePool", [self.name(x)], count_include_pad=1, **_window(kernel, stride, padding)
        )

    def _op_global_avg_pool(self, x):
        return self.node("Flatten", [self.node("GlobalAveragePool", [self.name(x)])])

    def _op_batch_norm_frozen(self, x, gamma, beta, mean, var, eps):
        return self.node(
            "BatchNormalization",
            [self.name(value) for value in (x, gamma, beta, mean, var)],
            epsilon=eps,
        )

    def _op_linear(self, x, weight, bias):
        return self.node(
            "Gemm", [self.name(x), self.name(weight), *([] if bias is None else [self.name(bias)])]
        )

    def _op_relu(self, x):
        return self.node("Relu", [self.name(x)])

    def _op_add(self, a, b):
        return self.node("Add", [self.name(a), self.name(b)])

    def _op_multiply(self, a, b):
        return self.node("Mul", [self.name(a), self.name(b)])

    def _op_pad(self, x, widths):
        before, after = (_turned([pair[side] for pair in widths]) for side in (0, 1))
        return self.node("Pad", [self.name(x), self.ints([*before, *after])])

    def _op_pad_shortcut(self, x, channels, stride):
        pixels = self.name(x)
        if stride > 1:
            ends = x.shape[1:3]
            pixels = self.node(
                "Slice", [pixels, *map(self.ints, ((0, 0), ends, (2, 3), (stride, stride)))]
            )
        before = (channels - x.shape[-1]) // 2
        after = channels - x.shape[-1] - before
        return self.node("Pad", [pixels, self.ints([0, before, 0, 0, 0, after, 0, 0])])

    def _op_getitem(self, x, index):
        parts = index if isinstance(index, tuple) else (index,)
        if not all(isinstance(part, slice) and (part.step or 1) > 0 for part in parts):
            raise ValueError(
                f"export: the model indexes an array with {index}: only slices have a counterpart here"
            )
        cut = {
            axis: part.indices(x.shape[axis])
            for axis, part in enumerate(parts)
            if part != slice(None)
        }
        if 0 in cut:
            raise ValueError(
                f"export: the model indexes an array with {index}: the number of images is not known in the file"
            )
        if not cut:
            return self.name(x)
        begin, end, step = zip(*cut.values())
        axes = [AXES[axis] if x.ndim == 4 else axis for axis in cut]
        return self.node("Slice", [self.name(x), *map(self.ints, (begin, end, axes, step))])

    def _op_reshape(self, x, shape):
        if x.ndim == 4 and len(shape) == 2:  # nn.Flatten: features in our order
            return self.node("Flatten", [self.node("Transpose", [self.name(x)], perm=(0, 2, 3, 1))])
        raise ValueError(
            f"export: the model reshapes {x.shape} to {shape}: only Flatten has a counterpart here"
        )


def _window(kernel, stride, padding):
    kernel, stride, padding = window(kernel, kernel if stride is None else stride, padding)
    return {"kernel_shape": kernel, "strides": stride, "pads": 2 * padding}


def _turned(widths):
    """Numbers for the axes (N, H, W, C), in the order (N, C, H, W)."""
    return [widths[0], widths[3], widths[1], widths[2]] if len(widths) == 4 else widths
