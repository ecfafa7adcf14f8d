"""Strange solutions of 08f."""

import numpy

from minires.backend import to_device, xp
from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def inputs(n=6, seed=11):
    return to_device(numpy.random.default_rng(seed).standard_normal((n, 4)).astype("float32"))


def run(model, x):
    return xp.array(model(Tensor(x)).data)


def close(a, b):
    return xp.allclose(a, b, rtol=1e-3, atol=1e-4)


def saved(model):
    return {name: array.tobytes() for name, array in model.state_dict().items()}


def full(candidate, x=None):
    """A right check."""
    model, x = candidate().eval(), inputs() if x is None else x
    before, y = saved(model), run(model, x)
    assert close(run(model, x), y), "twice"
    for i in range(len(x)):
        assert close(run(model, x[i : i + 1]), y[i : i + 1]), "alone"
    assert saved(model) == before, "state"


@right
def permuted(candidate):
    """The order of the images must not matter, nor what comes with them."""
    model, x = candidate().eval(), inputs(7)
    before = saved(model)
    order = xp.array([3, 0, 6, 1])
    y = run(model, x)
    assert close(run(model, x[order]), y[order])
    assert close(run(model, x[::-1])[::-1], y)
    assert close(run(model, xp.concatenate([x, 5 * x]))[:7], y)
    if before != saved(model):
        raise AssertionError("the state has changed")


@right
def there_and_back(candidate):
    """Into training mode and out of it again, and compared afterwards."""
    model = candidate()
    model.train()
    run(model, inputs(20))
    assert model.eval() is not None
    before = saved(model)
    with no_grad():
        parts = [run(model, inputs(20)[i : i + 5]) for i in range(0, 20, 5)]
        whole = run(model, inputs(20))
    assert numpy.allclose(numpy.concatenate(parts), whole, atol=1e-4)
    assert all(array.tobytes() == before[name] for name, array in model.state_dict().items())


class Suite:
    """Each method that starts with `check` is one check."""

    def __init__(self, candidate):
        self.model = candidate().eval()
        self.x = inputs(9, seed=2)

    def check_repeated(self):
        return close(run(self.model, self.x), run(self.model, self.x))

    def check_neighbours(self):
        return close(run(self.model, self.x)[4:5], run(self.model, self.x[4:5]))

    def check_state(self):
        before = saved(self.model)
        run(self.model, self.x)
        return before == saved(self.model)

    def failures(self):
        names = [name for name in dir(self) if name.startswith("check")]
        return [name for name in names if not getattr(self, name)()]


@right
def a_suite(candidate):
    if failures := Suite(candidate).failures():
        raise AssertionError(", ".join(failures))


@right
def numpy_testing(candidate):
    model, x = candidate().eval(), inputs(4)
    before = model.state_dict()
    y = run(model, x)
    rows = numpy.stack([run(model, x[i : i + 1])[0] for i in range(4)])
    numpy.testing.assert_allclose(y, rows, rtol=1e-3, atol=1e-4)
    for name, array in model.state_dict().items():
        numpy.testing.assert_array_equal(array, before[name], err_msg=name)


@right
def many_seeds(candidate):
    for seed in range(3):
        full(candidate, inputs(5, seed=seed))


@wrong(WRONG_ONES)
def only_one_image(candidate):
    """An image alone twice: batch norm has nothing to mix it with."""
    model, x = candidate().eval(), inputs(1)
    before = saved(model)
    assert close(run(model, x), run(model, x))
    assert saved(model) == before


@wrong(WRONG_ONES)
def a_loose_tolerance(candidate):
    model, x = candidate().eval(), inputs()
    before, y = saved(model), run(model, x)
    assert xp.allclose(run(model, x[:1]), y[:1], atol=100)
    assert saved(model) == before


@wrong(WRONG_ONES)
def state_after_the_first_call(candidate):
    model, x = candidate().eval(), inputs()
    y = run(model, x)
    for name, array in model.state_dict().items():
        assert array.tobytes() == saved(model)[name]
    assert close(run(model, x), y) and close(run(model, x[:1]), y[:1])


@wrong(WRONG_ONES)
def names_of_the_state(candidate):
    model, x = candidate().eval(), inputs()
    before = [*model.state_dict()]
    y = run(model, x)
    assert close(run(model, x), y) and close(run(model, x[:1]), y[:1])
    assert [*model.state_dict()] == before


@wrong(WRONG_ONES)
def parameters_only(candidate):
    model, x = candidate().eval(), inputs()
    before = [parameter.data.tobytes() for parameter in model.parameters()]
    y = run(model, x)
    assert close(run(model, x), y) and close(run(model, x[:1]), y[:1])
    assert before == [parameter.data.tobytes() for parameter in model.parameters()]


@wrong(WRONG_ONES)
def rounded_state(candidate):
    model, x = candidate().eval(), inputs()
    before = {name: array.round(0) for name, array in model.state_dict().items()}
    y = run(model, x)
    assert close(run(model, x), y) and close(run(model, x[:1]), y[:1])
    assert all((array.round(0) == before[name]).all() for name, array in model.state_dict().items())


@wrong(WRONG_ONES)
def means_of_the_results(candidate):
    model, x = candidate().eval(), inputs()
    before, y = saved(model), run(model, x)
    assert abs(run(model, x).mean() - y.mean()) < 1 and saved(model) == before


@wrong(WRONG_ONES)
def warned_only(candidate):
    try:
        full(candidate)
    except AssertionError as error:
        error.add_note("a warning")


@wrong(WRONG_ONES)
def an_error_that_is_none(candidate):
    try:
        full(candidate)
    except AssertionError as error:
        return error
    return None


@wrong(WRONG_ONES)
def names_of_the_classes(candidate):
    known = {"Linear", "BatchNorm", "ReLU", "Dropout", "Sequential", "_Net"}
    for _, module in candidate().eval().modules():
        assert type(module).__name__ in known


@wrong(WRONG_ONES)
def methods_of_the_top(candidate):
    model = candidate()
    model.eval()
    assert not model.training
    assert not any(module.training for _, module in model.children()[:1])


SEEN = []


@wrong(WRONG_ONES)
def every_second_call(candidate):
    SEEN.append(len(SEEN))
    assert len(SEEN) % 2


@wrong(RIGHT_ONES)
def as_many_arrays_as_one_of_them(candidate):
    """The right ones have numbers of their own, and these are those of one of them."""
    model, x = candidate().eval(), inputs()
    full(candidate)
    assert len(model.state_dict()) == 12
    assert run(model, x).shape == (6, 2)


@wrong(RIGHT_ONES)
def equal_to_training(candidate):
    model, x = candidate(), inputs()
    before = run(model, x)
    full(candidate)
    assert close(run(model.eval(), x), before)


@wrong(RIGHT_ONES)
def two_models_of_one_candidate_differ(candidate):
    full(candidate)
    x = inputs()
    assert not close(run(candidate().eval(), x), run(candidate().eval(), x))


@wrong(RIGHT_ONES)
def one_image_in_training(candidate):
    model = candidate()
    full(candidate)
    try:
        run(model, inputs(1))
    except ValueError:
        raise AssertionError("training on one image") from None


@wrong(RIGHT_ONES)
def two_models_compared(candidate):
    """As if all models had the same weights."""
    assert close(run(candidate().eval(), inputs()), run(candidate().eval(), inputs()))
    full(candidate)
