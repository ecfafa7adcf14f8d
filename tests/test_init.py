"""Weight initialisation: the seed, the fans, the standard deviations, the dtypes."""

from threading import Event, Thread

import numpy
import pytest
from numpy.testing import assert_array_equal

import minires
from minires import nn
from minires.backend import carried, is_array, to_host
from minires.nn import init

pytestmark = pytest.mark.usefixtures("each_backend")


def draw():
    """Draw an array of each kind, on the host, as float64."""
    layers = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Linear(4, 5))
    drawn = [*layers.state_dict().values(), to_host(init.keep_mask((7,), 0.5))]
    return numpy.concatenate([array.ravel().astype(float) for array in drawn])


def test_manual_seed_repeats_exactly():
    nn.manual_seed(1)
    first, next_ = draw(), draw()
    nn.manual_seed(1)
    assert_array_equal(draw(), first)
    assert (first != next_).any()
    nn.manual_seed(2)
    assert (draw() != first).any()


def test_draws_in_another_thread_are_not_repeated_where_the_generator_is_kept():
    nn.manual_seed(3)
    expected = [draw() for _ in range(3)]
    nn.manual_seed(3)
    found, kept, drawn = [], Event(), Event()

    def keeps():
        with init.kept_generator():
            kept.set()
            drawn.wait(60)
            init.manual_seed(8)
            draw()

    thread = Thread(target=carried(keeps))
    thread.start()
    kept.wait(60)
    found.append(draw())
    drawn.set()
    thread.join()
    found += [draw(), draw()]
    assert_array_equal(found, expected)


def test_a_kept_generator_draws_on_and_is_as_before_afterwards():
    nn.manual_seed(3)
    with init.kept_generator():
        inside = draw()
    assert_array_equal(draw(), inside)
    with init.kept_generator():
        init.manual_seed(3)
        assert_array_equal(draw(), inside)


def test_manual_seed_stands_at_the_top_too():
    assert minires.manual_seed is nn.manual_seed is init.manual_seed


def test_the_generator_is_numpys_from_the_seed():
    nn.manual_seed(12)
    assert init.generator().random() == numpy.random.default_rng(12).random()
    nn.manual_seed(12)
    expected = (
        numpy.random.default_rng(12).normal(0, numpy.sqrt(2 / 6), (4, 6)).astype(numpy.float32)
    )
    assert_array_equal(to_host(init.kaiming_normal((4, 6))), expected)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((3, 5), (3, 5)),
        ((3, 3, 16, 64), (144, 576)),
        ((2, 5, 3, 7), (30, 70)),
        ((1, 1, 4, 2), (4, 2)),
    ],
)
def test_fans_are_the_inputs_of_an_output_and_the_outputs_of_an_input(shape, expected):
    assert init.fans(shape) == expected


@pytest.mark.parametrize(
    ("options", "fan"), [({}, 576), ({"mode": "fan_out"}, 576), ({"mode": "fan_in"}, 144)]
)
def test_kaiming_normal_has_the_deviation_of_its_fan(options, fan):
    nn.manual_seed(0)
    weight = to_host(init.kaiming_normal((3, 3, 16, 64), **options)).astype(float)
    assert weight.shape == (3, 3, 16, 64)
    assert abs(weight.std() / (2 / fan) ** 0.5 - 1) < 0.05
    assert abs(weight.mean()) < 0.05 * (2 / fan) ** 0.5
    within = (abs(weight) < (2 / fan) ** 0.5).mean()
    assert abs(within - 0.6827) < 0.02  # normal: a uniform spread has 0.577 there


def test_kaiming_normal_keeps_the_signal_of_a_relu_net():
    nn.manual_seed(0)
    x = numpy.random.default_rng(0).standard_normal((200, 256))
    for _ in range(10):
        x = numpy.maximum(x, 0) @ to_host(init.kaiming_normal((256, 256), mode="fan_in"))
    assert 0.5 < x.std() < 2 * numpy.sqrt(2)


def test_uniform_fills_its_bounds():
    nn.manual_seed(0)
    weight = to_host(init.uniform((100, 100), 0.25)).astype(float)
    assert -0.25 <= weight.min() < -0.249 and 0.249 < weight.max() <= 0.25
    assert abs(weight.mean()) < 0.005 and abs(weight.std() - 0.25 / 3**0.5) < 0.005


def test_keep_mask_keeps_a_share_of_one_less_p():
    nn.manual_seed(0)
    mask = to_host(init.keep_mask((100, 200), 0.3))
    assert mask.dtype == bool and mask.shape == (100, 200) and abs(mask.mean() - 0.7) < 0.01
    assert to_host(init.keep_mask((1000,), 0)).all()


def test_a_draw_of_exactly_p_is_kept_so_that_p_0_keeps_all(monkeypatch):
    class Fixed:
        def random(self, shape):
            return numpy.full(shape, 0.25)

    monkeypatch.setattr(init, "_generator", Fixed())
    assert (
        to_host(init.keep_mask((2,), 0.25)).all() and not to_host(init.keep_mask((2,), 0.26)).any()
    )


def test_all_is_float32_on_the_backend_in_use():
    for made in (
        init.kaiming_normal((2, 3)),
        init.uniform((2, 3), 1.0),
        init.zeros((2, 3)),
        init.ones((2, 3)),
    ):
        assert is_array(made) and made.dtype == numpy.float32 and made.shape == (2, 3)
    assert is_array(init.keep_mask((2,), 0.5))
    assert not to_host(init.zeros((2, 3))).any() and (to_host(init.ones((2, 3))) == 1).all()


def test_an_unknown_mode_names_the_nearest():
    with pytest.raises(ValueError) as error:
        init.kaiming_normal((3, 3), mode="fanin")
    assert (
        str(error.value)
        == "unknown mode 'fanin': choose from fan_in, fan_out; did you mean 'fan_in'?"
    )
