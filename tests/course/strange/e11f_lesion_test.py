"""Strange solutions of 11f."""

import copy

import numpy

from minires.tensor import Tensor
from tests.course.kinds import right, wrong
from tests.course.solutions.e11f_lesion_test import (
    blocks_of,
    compared,
    counts,
    images,
    net,
    state_of,
)

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


@right
def unittest_style(candidate):
    class Case:
        def setup(self):
            self.model, (self.x, self.labels) = net(seed=6), images(seed=6)
            self.before = self.model.state_dict()
            self.expected = counts(self.model, self.x, self.labels)

        def test_counts(self):
            return [*candidate(self.model, self.x, self.labels)] == self.expected

        def test_state(self):
            candidate(self.model, self.x, self.labels)
            return all(
                (array == self.before[name]).all()
                for name, array in self.model.state_dict().items()
            )

    failed = []
    for name in ("test_counts", "test_state"):
        case = Case()
        case.setup()
        if not getattr(case, name)():
            failed.append(name)
    if failed:
        raise AssertionError(", ".join(failed))


@right
def numpy_testing(candidate):
    model, (x, labels) = net((1, 2), (4, 3), seed=7), images()
    before, expected = model.state_dict(), counts(model, x, labels)
    numpy.testing.assert_array_equal(candidate(model, x, labels), expected)
    for name, array in model.state_dict().items():
        numpy.testing.assert_array_equal(array, before[name], err_msg=name)


@right
def with_a_value_error(candidate):
    model, (x, labels) = net(), images()
    before, expected = state_of(model), counts(model, x, labels)
    if list(candidate(model, x, labels)) != expected or state_of(model) != before:
        raise ValueError("a wrong study")


@right
def half_the_model_in_training(candidate):
    model = net(seed=8)
    model.eval().layer1.train()
    compared(candidate, model, *images())
    compared(candidate, net(seed=9).train(), *images(seed=3))


@right
def on_a_trained_net(candidate):
    """A few steps of training give batch norms statistics and biases of their own."""
    from minires import optim
    from minires.functional import cross_entropy

    model, (x, labels) = net(new=True, seed=2), images(200)
    optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    for _ in range(12):
        loss = cross_entropy(model(Tensor(x)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    compared(candidate, model, x, labels)


CALLS = []


@wrong(WRONG_ONES)
def every_second_one(candidate):
    CALLS.append(1)
    assert len(CALLS) % 2


@wrong(WRONG_ONES)
def name_of_the_function(candidate):
    assert candidate.__name__ == "candidate"


@wrong(WRONG_ONES)
def warned_only(candidate):
    try:
        compared(candidate, net(), *images())
    except AssertionError as error:
        error.add_note("a warning")


@wrong(WRONG_ONES)
def one_image(candidate):
    compared(candidate, net((1, 1), (3, 3)).eval(), *images(1))


@wrong(WRONG_ONES)
def logits_all_0(candidate):
    model = net()
    model.fc.weight.data[...] = model.fc.bias.data[...] = 0
    compared(candidate, model, *images())


@wrong(WRONG_ONES)
def branches_that_are_0_already(candidate):
    """Then nothing can change."""
    model = net()
    for block in blocks_of(model):
        block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0
    compared(candidate, model, *images())


@wrong(WRONG_ONES)
def the_same_twice(candidate):
    """What is wrong in the same way twice is not seen."""
    model, (x, labels) = net().eval(), images()
    assert list(candidate(model, x, labels)) == list(candidate(copy.deepcopy(model), x, labels))


@wrong(WRONG_ONES)
def sums_compared(candidate):
    model, (x, labels) = net(), images()
    expected = sum(counts(model, x, labels))
    assert abs(sum(candidate(model, x, labels)) - expected) < 50


@wrong(RIGHT_ONES)
def attributes_never_set(candidate):
    """A study may change the model while it runs."""
    model, (x, labels) = net(), images()
    kinds = []

    class Watched(type(model.layer1[0])):
        def __setattr__(self, name, value):
            kinds.append(name)
            object.__setattr__(self, name, value)

    for block in blocks_of(model):
        block.__class__ = Watched
    compared(candidate, model, x, labels)
    assert "forward" not in kinds


@wrong(RIGHT_ONES)
def modes_changed(candidate):
    """In evaluation mode afterwards, as if it had to stay there."""
    model, (x, labels) = net(), images()
    candidate(model, x, labels)
    assert not model.training


@wrong(RIGHT_ONES)
def numbers_of_another_seed(candidate):
    compared(candidate, net(), *images())
    model, (x, labels) = net(seed=5), images()
    assert list(candidate(model, x, labels)) == counts(net(seed=6), x, labels)


@wrong(RIGHT_ONES)
def calls_of_the_net_counted(candidate):
    """A right one may run the blocks itself."""
    model, calls = net(), []
    forward = model.forward
    model.forward = lambda x: calls.append(x) or forward(x)
    candidate(model, *images())
    del model.forward
    assert len(calls) == len(blocks_of(model))
    compared(candidate, net(), *images())


@wrong(RIGHT_ONES)
def an_array_of_0_somewhere(candidate):
    """A right one may leave gamma and beta alone."""
    model, seen = net(), []
    forward = model.fc.forward
    model.fc.forward = lambda x: seen.append(any(not (p.data).any() for p in model.parameters())) or forward(x)  # fmt: skip
    candidate(model, *images())
    del model.fc.forward
    assert any(seen)
    compared(candidate, net(), *images())


@wrong(WRONG_ONES)
def only_what_is_not_trained(candidate):
    model, (x, labels) = net(), images()
    before, expected = [array.copy() for _, array in model.named_buffers()], counts(model, x, labels)  # fmt: skip
    assert candidate(model, x, labels) == expected
    assert all((array == old).all() for (_, array), old in zip(model.named_buffers(), before))
