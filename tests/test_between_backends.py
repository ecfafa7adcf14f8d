"""The same training on NumPy and on each other backend that works here, and taken over from one to the other on the way.

From one seed weights and batches are the same. What differs is the order of sums: in float64 ten steps agree to 1e-9, in float32
losses and state to 1e-3, with images for which rounding changes no sign before a ReLU. The kernels of a card take part as the shim.
"""

import numpy
import pytest

from minires import Tensor, backend, checkpoint, data, functional, models, nn, ops, optim
from minires.fast.onepass import norm_add_relu
from tests import conftest, shim

pytestmark = pytest.mark.slow

OTHERS = [name for name in conftest.BACKENDS if name != "numpy"]
OTHERS += ["shim"] * (shim.COMPILER is not None and "shim" not in OTHERS)
TOLERANCES = {"float64": (1e-9, 1e-9), "float32": (1e-3, 1e-3)}  # of losses, of the state


@pytest.fixture(params=OTHERS)
def other(request, monkeypatch):
    monkeypatch.setitem(backend.LOADERS, "shim", shim.library)
    return request.param


def dataset():
    rng = numpy.random.default_rng(7)
    images, labels = rng.integers(0, 256, (40, 12, 12, 3), numpy.uint8), rng.integers(0, 4, 40)
    return data.Dataset(
        images, labels, classes=list("abcd"), mean=(0.5,) * 3, std=(0.25,) * 3, name="noise"
    )


class Training:
    """A small residual net with its optimizer, on the backend in use."""

    def __init__(self, dtype, kind):
        nn.manual_seed(
            7
        )  # with some seeds an activation comes within rounding of 0, and ReLU takes either side
        self.model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), num_classes=4).astype(dtype)
        options = (
            {"lr": 0.02, "momentum": 0.9, "nesterov": True} if kind == "SGD" else {"lr": 0.002}
        )
        self.optimizer = getattr(optim, kind)(self.model.parameters(), weight_decay=1e-3, **options)
        self.dtype, self.step, self.losses = dtype, 0, []

    def run(self, steps):
        for _ in range(steps):
            x, labels = next(
                iter(
                    data.batches(
                        dataset(), 16, seed=1, epoch=self.step, crop=2, flip=True, cutout=3
                    )
                )
            )
            loss = functional.cross_entropy(
                self.model(Tensor(x.astype(self.dtype))), labels, label_smoothing=0.1
            )
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.item())
            self.step += 1
        return self

    def found(self):
        return numpy.array(self.losses), {**self.model.state_dict(), **self.optimizer.state_dict()}

    def save(self, folder):
        checkpoint.save_weights(folder / "weights.safetensors", self.model.state_dict())
        remembered = self.optimizer.state_dict()
        arrays = {name: value for name, value in remembered.items() if hasattr(value, "shape")}
        numbers = {name: value for name, value in remembered.items() if name not in arrays}
        packed = checkpoint.packed(arrays, {"losses": self.losses, "optimizer": numbers})
        (folder / "loop.safetensors").write_bytes(packed)

    def load(self, folder):
        state, _ = checkpoint.load_weights(folder / "weights.safetensors")
        arrays, loop = checkpoint.load(folder / "loop.safetensors")
        self.model.load_state_dict(state)
        self.optimizer.load_state_dict({**arrays, **loop["optimizer"]})
        self.losses, self.step = loop["losses"], len(loop["losses"])
        return self


def assert_agree(found, wanted, dtype):
    (losses, state) = found
    (right_losses, right_state) = wanted
    (of_losses, of_state) = TOLERANCES[dtype]
    numpy.testing.assert_allclose(losses, right_losses, rtol=of_losses)
    assert state.keys() == right_state.keys() and len(losses) == 10 and len(set(losses)) == 10
    for name, value in right_state.items():
        scale = numpy.abs(value).max() + 1e-30
        numpy.testing.assert_allclose(
            state[name], value, rtol=of_state, atol=of_state * scale, err_msg=name
        )


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ten_steps_of_training_agree_with_numpys(other, dtype, kind):
    """Losses, weights, running statistics and what the optimizer remembers."""
    with backend.using(other):
        found = Training(dtype, kind).run(10).found()
    assert_agree(found, Training(dtype, kind).run(10).found(), dtype)


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
@pytest.mark.parametrize("there", [True, False], ids=["to it", "from it"])
def test_a_training_goes_on_from_a_checkpoint_of_the_other_backend(other, kind, there, tmp_path):
    dtype = "float64"
    first, second = ("numpy", other) if there else (other, "numpy")
    with backend.using(first):
        Training(dtype, kind).run(5).save(tmp_path)
    with backend.using(second):
        found = Training(dtype, kind).load(tmp_path).run(5).found()
    assert_agree(found, Training(dtype, kind).run(10).found(), dtype)


@pytest.mark.parametrize("op, shapes, options", [
    (ops.conv2d, ((3, 9, 7, 8), (3, 3, 8, 12), (12,)), {"padding": 1}), (ops.conv2d, ((3, 9, 7, 2), (3, 2, 2, 4)), {"stride": 2}),
    (ops.max_pool2d, ((2, 9, 8, 3),), {"kernel": 3, "stride": 2, "padding": 1}), (ops.avg_pool2d, ((2, 9, 8, 3),), {"kernel": 2}),
    (norm_add_relu, ((4, 5, 6, 3), (3,), (3,), (4, 5, 6, 3)), {}), (ops.batch_norm, ((4, 5, 6, 3), (3,), (3,)), {}),
    (ops.linear, ((7, 5), (5, 4), (4,)), {}), (ops.matmul, ((2, 3, 4), (4, 5)), {}), (ops.getitem, ((6, 3),), {"index": [0, 2, 2]}),
    (ops.softmax, ((5, 4),), {}), (ops.max, ((4, 5, 3),), {"axis": 1}), (ops.var, ((4, 5, 3),), {"axis": (0, 2)}),
])  # fmt: skip
def test_results_and_gradients_of_ops_agree_in_float64(other, op, shapes, options):
    arrays = [
        numpy.random.default_rng(seed).standard_normal(shape) for seed, shape in enumerate(shapes)
    ]

    def run():
        y, backward = op(*map(backend.to_device, arrays), **options)
        g = backend.to_device(numpy.random.default_rng(99).standard_normal(y.shape))
        return [backend.to_host(array) for array in (y, *backward(g)) if array is not None]

    with backend.using(other):
        found = run()
    for a, b in zip(found, run(), strict=True):
        numpy.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
