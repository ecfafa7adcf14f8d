"""Batches that processes share out: parts of each, shards of each, and in evaluation every so many of them."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minires import data, nn, shards, train
from minires.backend import to_host
from minires.parallel import Alone
from minires.train import Score
from tests import ranks

pytestmark = pytest.mark.usefixtures("each_backend")


def dataset(n, seed=0):
    rng = numpy.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 5, 4, 3), numpy.uint8)
    return data.Dataset(images, numpy.arange(n) % 3, ["a", "b", "c"])


MOVES = [{}, {"crop": 2}, {"flip": True}, {"flip": "alternating"}, {"cutout": 3}, {"crop": 1, "flip": True, "cutout": 2}]  # fmt: skip


@given(
    n=st.integers(1, 40), batch_size=st.integers(1, 15), size=st.integers(1, 6), start=st.integers(0, 2),
    epoch=st.integers(0, 2), drop_last=st.booleans(), moves=st.sampled_from(MOVES), seed=st.sampled_from([None, 0, 7]))  # fmt: skip
def test_the_parts_of_a_batch_one_after_the_other_are_the_batch(
    n, batch_size, size, start, epoch, drop_last, moves, seed
):
    images = dataset(n)
    how = {"seed": seed, "epoch": epoch, "start": start, "drop_last": drop_last}
    how |= moves if seed is not None else {}
    whole = [*data.batches(images, batch_size, **how)]
    parts = [data.batches(images, batch_size, part=(rank, size), **how) for rank in range(size)]
    assert [len(part) for part in parts] == [len(whole)] * size
    for i, ((x, labels), *shared) in enumerate(zip(whole, *parts, strict=True), start):
        for found, array in ((0, x), (1, labels)):
            joined = numpy.concatenate([to_host(part[found]) for part in shared])
            assert joined.dtype == to_host(array).dtype
            assert joined.tobytes() == to_host(array).tobytes()
        assert max(len(part[1]) for part in shared) - min(len(part[1]) for part in shared) <= 1
        assert parts[-1].size_of(i) == len(labels)


@pytest.mark.parametrize(("part", "told"), [
    ((-1, 2), "rank: expected an int of at least 0, got -1"), ((2, 2), "size: expected an int of at least 3, got 2"),
    ((0, 0), "size: expected an int of at least 1, got 0"), ((0.0, 2), "rank: expected an int of at least 0, got 0.0")])  # fmt: skip
def test_a_part_that_does_not_exist_is_refused(part, told):
    with pytest.raises(ValueError, match=told):
        data.batches(dataset(4), 2, part=part)


@given(n=st.integers(8, 40), batch_size=st.integers(8, 15), number=st.sampled_from([1, 2, 4, 8]), start=st.integers(0, 1))  # fmt: skip
def test_the_shards_are_the_same_for_any_number_of_processes(n, batch_size, number, start):
    n -= n % batch_size if 0 < n % batch_size < number else 0  # a last batch with enough images
    images, how = dataset(n), {"seed": 3, "crop": 1, "flip": True, "start": start}
    whole = [*data.batches(images, batch_size, **how)]
    for size in (k for k in (1, 2, 4, 8) if k <= number):
        made = []
        for rank in range(size):
            group = ranks.Rank(rank, size, None, None)
            batches = data.batches(images, batch_size, part=(rank, size), **how)
            made.append([*shards.cut(batches, number, group)])
        for (x, labels), *found in zip(whole, *made, strict=True):
            found, begin = [shard for own in found for shard in own], 0
            assert len(found) == number
            for v, shard in enumerate(found, 1):
                end = len(labels) * v // number
                assert to_host(shard.x).tobytes() == to_host(x[begin:end]).tobytes()
                assert to_host(shard.labels).tolist() == to_host(labels[begin:end]).tolist()
                assert shard.share == (end - begin) / len(labels)
                begin = end


def test_a_batch_smaller_than_the_number_of_shards_is_refused():
    batches = data.batches(dataset(11), 8)
    cut = shards.cut(batches, 4, Alone())
    assert len(next(cut)) == 4
    with pytest.raises(ValueError, match="cannot cut a batch of 3 images into 4 shards"):
        next(cut)


@pytest.mark.parametrize(("number", "size", "told"), [
    (0, 1, "expected 1, 2, 4, 8, ... shards, got 0"), (6, 2, "expected 1, 2, 4, 8, ... shards, got 6"), (-4, 1, "shards, got -4"),
    (2, 4, "4 processes cannot share out 2 shards"), (1, 2, "2 processes cannot share out 1 shard: expected"), (4, 3, "3 processes")])  # fmt: skip
def test_shards_that_cannot_be_shared_out_are_refused(number, size, told):
    with pytest.raises(ValueError, match=told):
        shards.check(number, ranks.Rank(0, size, None, None))
    shards.check(8, ranks.Rank(0, 4, None, None))


def network():
    rng = numpy.random.default_rng(0)
    convolution = nn.Conv2d(3, 4, 3, rng=rng)
    return nn.Sequential(convolution, nn.BatchNorm(4), nn.GlobalAvgPool(), nn.Linear(4, 3, rng=rng))


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_evaluation_has_the_bits_of_one_process_whatever_their_number(size, flips):
    """Also with more processes than batches."""
    images = dataset(67)
    images.normalise()
    expected = train.evaluate(network(), data.batches(images, 10), flips=flips)
    found = ranks.run(size, lambda g: shards.evaluate(network(), images, 10, g, flips=flips))
    assert found == [expected] * size and expected.count == 67
    assert type(found[0].correct) is int and type(found[0].count) is int


def test_more_processes_than_images_evaluate_them_all():
    images = dataset(2)
    expected = train.evaluate(network(), data.batches(images, 10))
    assert ranks.run(4, lambda g: shards.evaluate(network(), images, 10, g)) == [expected] * 4


def test_evaluation_in_training_mode_gives_the_mode_back():
    model = network().train()
    shards.evaluate(model, dataset(12), 5, Alone())
    assert all(module.training for _, module in model.modules())
    assert not to_host(model[1].running_mean).any()


class Stop:
    """A stop that one rank is asked for in front of its nth batch."""

    def __init__(self, due):
        self.due, self.asked, self.seen, self.requested = due, False, 0, 0

    @property
    def requests(self):
        self.requested += 1
        return [float(self.requested == self.due)]

    def agree(self, sums):
        self.asked = bool(sums[0])


def test_a_stop_ends_evaluation_everywhere_after_the_same_number_of_batches():
    images = dataset(80)

    def follow(batches):
        for batch in batches:
            followed.append(len(batch[1]))
            yield batch

    def work(group):
        stop = Stop(2 if group.rank == 1 else 0)
        score = shards.evaluate(network(), images, 10, group, follow=follow, stop=stop)
        return score, stop.asked, stop.requested

    followed = []
    found = ranks.run(2, work)
    # Of eight batches, each process has four, and has done two of them.
    first = train.evaluate(network(), data.batches(images.part(slice(0, 20)), 10))
    second = train.evaluate(network(), data.batches(images.part(slice(40, 60)), 10))
    for score, asked, requested in found:
        assert (asked, requested, score.count) == (True, 2, 40)
        assert score.losses == pytest.approx(first.losses + second.losses, rel=1e-12)
        assert score.correct == first.correct + second.correct
    assert 4 <= len(followed) <= 6


def test_no_images_are_an_error_as_in_evaluate():
    with pytest.raises(ValueError, match="expected at least one batch, got none"):
        shards._total([])
    assert shards._total([Score(1.5, 2, 3), Score(0.25, 1, 4)]) == Score(1.75, 3, 7)


def test_an_epoch_without_batches_is_an_error():
    with pytest.raises(ValueError, match="expected at least one batch, got none"):
        shards.train_epoch(network(), [], None, Alone())


def test_batches_of_another_part_or_a_number_that_does_not_divide_are_refused_by_cut():
    train, _, _ = data.digits()
    group = ranks.Rank(1, 2, None, None)
    with pytest.raises(ValueError, match=r"expected batches with part=\(1, 2\), got part=\(0, 1\)"):
        next(shards.cut(data.batches(train, 8, seed=0), 4, group))
    with pytest.raises(ValueError, match="2 processes cannot share out 1 shard"):
        next(shards.cut(data.batches(train, 8, seed=0, part=(1, 2)), 1, group))
