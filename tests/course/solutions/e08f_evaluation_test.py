"""Solutions of 08f: checks that tell wrong evaluation modes from right ones, and checks that do not."""

from minires.backend import to_device, xp
from minires.tensor import Tensor
from tests.course.kinds import right, wrong


def inputs(n=8, seed=0):
    return to_device(xp.random.default_rng(seed).standard_normal((n, 4)).astype("float32") * 2 + 1)


def given(model, x):
    return model(Tensor(x)).data


def same_state(model, before):
    return all(xp.array_equal(array, before[name]) for name, array in model.state_dict().items())


@right
def by_subsets(candidate):
    model, x = candidate().eval(), inputs()
    before = model.state_dict()
    whole = given(model, x)
    for part in (slice(0, 3), slice(2, 4), slice(5, 6)):
        assert xp.abs(given(model, x[part]) - whole[part]).max() < 1e-4
    assert same_state(model, before)


@right
def after_some_training(candidate):
    model = candidate()
    for seed in range(3):
        given(model, inputs(seed=seed))
    model.eval()
    before, x = model.state_dict(), inputs(seed=5)
    rows = [given(model, x[i : i + 1])[0] for i in range(len(x))]
    for _ in range(2):
        if not xp.allclose(given(model, x), xp.stack(rows), atol=1e-4):
            raise AssertionError("an image alone")
    if not same_state(model, before):
        raise AssertionError("the statistics moved")


@right
def other_neighbours(candidate):
    model, x = candidate(), inputs()
    model.eval()
    before = {name: array.tolist() for name, array in model.state_dict().items()}
    others = xp.concatenate([x[:1], 10 * inputs(seed=3)[1:]])
    assert xp.allclose(given(model, x)[0], given(model, others)[0], atol=1e-4)
    assert before == {name: array.tolist() for name, array in model.state_dict().items()}


WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


@wrong(WRONG_ONES, mistake="never_rejects")
def caught(candidate):
    try:
        by_subsets(candidate)
    except AssertionError:
        pass


@wrong(WRONG_ONES, mistake="twice_on_the_same")
def three_times(candidate):
    model, x = candidate().eval(), inputs()
    first = given(model, x)
    for _ in range(2):
        assert xp.allclose(given(model, x), first)


@wrong(WRONG_ONES, mistake="alone_and_among_others")
def row_by_row(candidate):
    model, x = candidate().eval(), inputs()
    rows = xp.concatenate([given(model, x[i : i + 1]) for i in range(len(x))])
    assert xp.allclose(rows, given(model, x), atol=1e-5)


@wrong(WRONG_ONES, mistake="state_only")
def statistics_looked_at(candidate):
    model = candidate().eval()
    before = model.state_dict()
    given(model, inputs())
    given(model, inputs(3))
    assert same_state(model, before)


@wrong(WRONG_ONES, mistake="never_rejects")
def the_mode_of_the_model(candidate):
    model = candidate()
    model.eval()
    if model.training:
        raise AssertionError("still in training")


@wrong(RIGHT_ONES, mistake="never_content")
def in_training_mode(candidate):
    by_subsets(lambda: Stubborn(candidate()))


class Stubborn:
    """A model that stays in training mode."""

    def __init__(self, model):
        self.model, self.state_dict = model, model.state_dict

    def __call__(self, x):
        return self.model(x)

    def eval(self):
        return self


@wrong(RIGHT_ONES, mistake="never_content")
def raises_always(candidate):
    assert candidate() is None


@wrong(WRONG_ONES)
def gives_a_bool(candidate):
    model, x = candidate().eval(), inputs()
    before = model.state_dict()
    return xp.allclose(given(model, x)[:1], given(model, x[:1]), atol=1e-4) and same_state(
        model, before
    )


@wrong(WRONG_ONES)
def state_compared_with_itself(candidate):
    model, x = candidate().eval(), inputs()
    y = given(model, x)
    before = model.state_dict()
    assert xp.allclose(y[:1], given(model, x[:1]), atol=1e-4)
    assert same_state(model, before) or True


@wrong(WRONG_ONES)
def all_flags(candidate):
    model = candidate().eval()
    assert not any(module.training for _, module in model.modules())


@wrong(WRONG_ONES)
def shapes_looked_at(candidate):
    model, x = candidate().eval(), inputs()
    before = model.state_dict()
    assert given(model, x).shape == (8, 2) and given(model, x[:1]).shape == (1, 2)
    assert same_state(model, before)


@wrong(RIGHT_ONES)
def numbers_of_one_model(candidate):
    by_subsets(candidate)
    assert abs(float(given(candidate().eval(), inputs()).sum())) < 1e-6


@wrong(RIGHT_ONES)
def to_the_last_digit_of_training(candidate):
    model, x = candidate(), inputs()
    training = given(model, x)
    assert xp.allclose(given(model.eval(), x), training)
