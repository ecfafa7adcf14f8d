"""Strange solutions of 15g."""

import itertools

import numpy

from minires import data
from minires.backend import to_host
from minires.train import evaluate
from tests.course.kinds import right, wrong
from tests.course.solutions.e15g_smoke import (
    Seen,
    by_the_library,
    digits,
    epochs_seen,
    known,
    losses_and_orders,
    net,
    order_of,
)

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


@right
def unittest_style(train):
    class Case:
        def test_losses(self):
            numpy.testing.assert_allclose(
                train(net(5), digits(12), epochs=4, lr=0.05, seed=9),
                by_the_library(net(5), digits(12), 4, 0.05),
                rtol=1e-3,
            )

        def test_batches(self):
            seen, _ = epochs_seen(train, n=19, epochs=2)
            self.equal([len(call[0]) for call in itertools.chain(*seen)], [16, 3, 16, 3])
            self.equal(set(order_of(seen[0])), set(order_of(seen[1])))
            self.equal(len(set(order_of(seen[0]))), 19)
            self.equal(order_of(seen[0]) == order_of(seen[1]), False)

        def test_rate(self):
            seen, _ = epochs_seen(train, n=20, epochs=2)
            self.equal(bool((seen[1][0][2] == seen[1][1][2]).all()), False)

        def equal(self, one, other):
            if one != other:
                raise AssertionError(f"expected {other}, got {one}")

    case = Case()
    for name in sorted(dir(case)):
        if name.startswith("test_"):
            getattr(case, name)()


@right
def with_a_value_error(train):
    try:
        losses_and_orders(train)
    except AssertionError:
        raise ValueError("a wrong training function") from None


@right
def other_sizes(train):
    known(train, n=9, epochs=5, lr=0.3)
    seen, _ = epochs_seen(train, n=50, epochs=2)
    orders = [order_of(epoch) for epoch in seen]
    assert len(orders[0]) == len({*orders[0]}) == 50 == len(orders[1]) and orders[0] != orders[1]
    assert (seen[1][-1][2] != seen[1][-2][2]).any()


@right
def two_seeds(train):
    for seed in (0, 123):
        few = digits(13)
        found = train(net(seed), few, epochs=3, lr=0.15, seed=seed)
        assert numpy.allclose(found, by_the_library(net(seed), few, 3, 0.15), rtol=1e-3)
        model = Seen(net())
        train(model, digits(18), epochs=3, lr=0.1, seed=seed)
        calls = list(model.calls)
        assert [len(x) for x, _, _ in calls] == [16, 2] * 3
        assert len({tuple(order_of(calls[i : i + 2])) for i in (0, 2, 4)}) == 3
        assert (calls[-1][2] != calls[-2][2]).any()


CALLS = []


@wrong(WRONG_ONES)
def every_second_one(train):
    CALLS.append(1)
    assert len(CALLS) % 2


@wrong(WRONG_ONES)
def name_of_the_function(train):
    assert train.__name__ == "candidate"


@wrong(WRONG_ONES)
def warned_only(train):
    try:
        losses_and_orders(train)
    except AssertionError as error:
        error.add_note("a warning")


@wrong(WRONG_ONES)
def accuracy_at_the_end(train):
    model = net()
    train(model, digits(48), epochs=10, lr=0.1, seed=0)
    assert evaluate(model, data.batches(digits(48), 48)).accuracy > 0.3


@wrong(WRONG_ONES)
def twice_the_same(train):
    """What is wrong in the same way twice isn't seen."""
    assert train(net(), digits(21), epochs=2, lr=0.1, seed=3) == train(net(), digits(21), epochs=2, lr=0.1, seed=3)  # fmt: skip


@wrong(WRONG_ONES)
def labels_of_one_class(train):
    """Labels that are all equal can't be shuffled apart."""
    few = digits(16)
    few.labels[:] = 1
    expected = by_the_library(net(), few, 3, 0.1)
    assert numpy.allclose(train(net(), few, epochs=3, lr=0.1, seed=4), expected, rtol=1e-3)
    seen, _ = epochs_seen(train)
    assert order_of(seen[0]) != order_of(seen[1]) and len(order_of(seen[0])) == 21
    assert (seen[2][0][2] != seen[2][1][2]).any()


@wrong(WRONG_ONES)
def the_last_loss_only(train):
    few = digits(16)
    found = train(net(), few, epochs=1, lr=0.1, seed=4)
    assert abs(found[-1] - by_the_library(net(), few, 1, 0.1)[-1]) < 1e-3


@wrong(WRONG_ONES)
def one_image(train):
    few = digits(1)
    expected = by_the_library(net(norm=False), few, 3, 0.1)
    assert numpy.allclose(train(net(norm=False), few, epochs=3, lr=0.1, seed=4), expected, rtol=1e-3)  # fmt: skip


@wrong(WRONG_ONES)
def a_rate_of_almost_0(train):
    """Nothing is learned, right or wrong."""
    few = digits(16)
    expected = by_the_library(net(), few, 3, 1e-9)
    assert numpy.allclose(train(net(), few, epochs=3, lr=1e-9, seed=4), expected, rtol=1e-3)
    seen, _ = epochs_seen(train)
    assert order_of(seen[0]) != order_of(seen[1]) and len(order_of(seen[0])) == 21


@wrong(RIGHT_ONES)
def bit_by_bit(train):
    """Sums in another order are rounded differently."""
    few = digits(16)
    assert train(net(), few, epochs=3, lr=0.1, seed=4) == by_the_library(net(), few, 3, 0.1)
    assert train(net(), few, epochs=3, lr=0.1, seed=5) == by_the_library(net(), few, 3, 0.1)


@wrong(RIGHT_ONES)
def evaluated_afterwards(train):
    """The losses are those before the steps."""
    model, few = net(), digits(16)
    losses = train(model, few, epochs=3, lr=0.1, seed=4)
    assert abs(evaluate(model, data.batches(few, 16)).loss - losses[-1]) < 1e-3


@wrong(RIGHT_ONES)
def evaluation_mode_at_the_end(train):
    model = net()
    train(model, digits(16), epochs=1, lr=0.1, seed=4)
    assert not model.training


@wrong(RIGHT_ONES)
def without_momentum(train):
    from minires import optim

    model, few = net(), digits(16)
    optimizer = optim.SGD(model.parameters(), lr=optim.cosine(0.1, steps=3))
    from minires.train import train_epoch

    expected = [train_epoch(model, data.batches(few, 16), optimizer).loss for _ in range(3)]
    assert numpy.allclose(train(net(), few, epochs=3, lr=0.1, seed=4), expected, rtol=1e-3)


@wrong(RIGHT_ONES)
def pixels_from_0_to_1(train):
    seen, _ = epochs_seen(train)
    assert all(0 <= to_host(x).min() and x.max() <= 1 for epoch in seen for x, _, _ in epoch)


@wrong(RIGHT_ONES)
def a_list_of_arrays(train):
    losses = train(net(), digits(20), epochs=2, lr=0.1, seed=0)
    assert all(isinstance(loss, numpy.ndarray) for loss in losses)
