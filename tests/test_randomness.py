"""Random numbers: a generator that is named is drawn from, and the default one stays where it was."""

import numpy
import pytest

from minires import Tensor, models, nn
from minires.backend import to_device, to_host
from minires.nn import init

pytestmark = pytest.mark.usefixtures("each_backend")


def generator(seed=7):
    return numpy.random.default_rng(seed)


MODULES = {
    "Linear": lambda **rng: nn.Linear(3, 5, **rng),
    "Conv2d": lambda **rng: nn.Conv2d(2, 3, (3, 1), **rng),
    "basic": lambda **rng: models.ResNet(models.BasicBlock, (1, 1), (4, 8), **rng),
    "bottleneck": lambda **rng: models.ResNet(models.Bottleneck, (1,), (4,), **rng),
    "preactivation": lambda **rng: models.ResNet(
        models.BasicBlock, (1, 1), (4, 8), preactivation=True, **rng
    ),
    "resnet8": lambda **rng: models.resnet8(stem=4, widths=(4, 4, 4), **rng),
    "resnet20": lambda **rng: models.resnet20(shortcut="B", **rng),
}


@pytest.mark.parametrize("name", MODULES)
def test_weights_come_from_the_generator_that_is_named(name):
    """They are those that the default one gives from the same seed, which is not touched."""
    nn.manual_seed(7)
    expected = MODULES[name]().state_dict()
    before = init.generator().bit_generator.state
    found = MODULES[name](rng=generator()).state_dict()
    assert init.generator().bit_generator.state == before
    assert {key: array.tobytes() for key, array in found.items()} == {
        key: array.tobytes() for key, array in expected.items()
    }
    another = MODULES[name](rng=generator(8)).state_dict()
    assert any(another[key].tobytes() != array.tobytes() for key, array in expected.items())


def test_masks_come_from_the_generator_that_is_named():
    x = Tensor(to_device(numpy.ones((40, 50), numpy.float32)))
    nn.manual_seed(7)
    expected = to_host(nn.Dropout(0.3)(x).data)
    before = init.generator().bit_generator.state
    found = to_host(nn.Dropout(0.3, rng=generator())(x).data)
    assert init.generator().bit_generator.state == before
    numpy.testing.assert_array_equal(found, expected)
    assert 0.25 < (found == 0).mean() < 0.35


def test_manual_seed_seeds_the_generator_that_is_there():
    held = init.generator()
    nn.manual_seed(3)
    assert init.generator() is held
    assert held.random() == numpy.random.default_rng(3).random()


def test_the_default_is_the_default():
    assert init.generator(None) is init.generator()
    mine = generator()
    assert init.generator(mine) is mine
