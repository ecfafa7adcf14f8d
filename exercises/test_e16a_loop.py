"""Claims about a loop that is saved and restored: it continues as if nothing had happened."""

import pickle

import numpy
from e16a_loop import Loop as yours

from minires import nn
from minires.course import Check

check = Check("16a", tolerance=1e-9)


def made(
    Loop, seed=0, *, n=10, batch_size=4, dtype="float64", kind=numpy.random.PCG64, dropout=False
):
    """Return a loop whose weights and generator come from this seed, on images that do not depend on it."""
    data = numpy.random.default_rng(16)
    x, labels = data.standard_normal((n, 3, 4, 2)).astype(dtype), data.integers(0, 3, n)
    rng = numpy.random.Generator(kind(seed))
    layers = [
        nn.Conv2d(2, 3, 3, padding=1, bias=False, rng=rng),
        nn.BatchNorm(3),
        nn.ReLU(),
        nn.GlobalAvgPool(),
    ]
    last = [nn.Dropout(0.5, rng=rng)] if dropout else []
    model = nn.Sequential(*layers, *last, nn.Linear(3, 3, rng=rng)).astype(dtype)
    return Loop(
        model, x, labels, batch_size=batch_size, rate=lambda step: 0.3 / (1 + step), rng=rng
    )


def trained(loop, steps):
    return [loop.step() for _ in range(steps)]


def filed(saved):
    return pickle.loads(pickle.dumps(saved))


def after(loop, steps=5, **more):
    """Train on, and return what came out: the losses, and the state of the loop."""
    losses = trained(loop, steps)
    return {"the losses after it": numpy.array(losses), **more, **state(loop)}


def state(loop):
    return {
        "the number of steps": loop.steps,
        "the place in the epoch": loop.place,
        **{f"{name} of the model": array for name, array in loop.model.state_dict().items()},
        **{f"velocity[{i}]": v.copy() for i, v in enumerate(loop.velocity)},
        "the order": numpy.array(loop.order, dtype=int),  # a list or other integers do the same
        "the next numbers of the generator": loop.rng.random(3),
    }


def moved(steps, into=7, **options):
    """Experiment: save after some steps, through a file, and restore in a new loop that has done `into` steps of its own."""

    def run(Loop):
        first = made(Loop, **options)
        trained(first, steps)
        saved = filed(first.save())
        second = made(Loop, seed=1, **options)
        trained(second, into)
        second.restore(saved)
        return after(second)

    return run


def tried(run, about):
    __tracebackhide__ = True
    check.experiment(run, yours, about)


def test_a_new_loop_goes_on_in_the_middle_of_an_epoch():
    tried(
        moved(4),
        "a loop of three steps per epoch, saved after step 4, and restored in one that has done 7 steps",
    )
    tried(
        moved(5, into=0),
        "a loop of three steps per epoch, saved after step 5, and restored in a new one",
    )
    tried(
        moved(7, n=11, batch_size=2, dtype="float32"),
        "the same in float32, with six steps per epoch, saved after step 7",
    )


def test_a_new_loop_goes_on_between_two_epochs():
    tried(
        moved(6, into=1),
        "a loop of three steps per epoch, saved after step 6, and restored in one that has done 1 step",
    )
    tried(
        moved(0, into=2),
        "a loop saved before its first step, and restored in one that has done 2 steps",
    )
    tried(
        moved(4, into=0, n=8),
        "a loop of two full batches per epoch, saved after step 4, and restored in a new one",
    )


def test_the_same_loop_goes_back():
    def run(Loop):
        loop = made(Loop, seed=2)
        trained(loop, 2)
        saved = loop.save()
        trained(loop, 6)
        loop.restore(saved)
        return after(loop)

    tried(run, "a loop saved after step 2, that has gone on to step 8, and gone back")


def test_an_earlier_loop_goes_forward():
    def run(Loop):
        loop, early = made(Loop, seed=2), made(Loop, seed=2)
        start = early.save()
        trained(loop, 5)
        late = loop.save()
        early.restore(late)
        first = after(early, 2)
        early.restore(start)
        return {**first, "the losses from the start": numpy.array(trained(early, 4))}

    tried(run, "a loop that goes from step 0 to a saved step 5, and then back to the start")


def test_what_was_saved_stays_as_it_is_while_training_goes_on():
    def run(Loop):
        first = made(Loop, seed=3)
        trained(first, 4)
        saved = first.save()
        trained(first, 4)
        second = made(Loop, seed=4)
        second.restore(saved)
        return after(second)

    tried(
        run,
        "a loop saved after step 4, which then trains on, and only then is restored in another one",
    )


def test_what_was_saved_can_be_restored_again():
    def run(Loop):
        loop = made(Loop, seed=5)
        trained(loop, 4)
        saved = filed(loop.save())
        second, third = made(Loop, seed=6), made(Loop, seed=7)
        second.restore(saved)
        trained(second, 4)
        third.restore(saved)
        trained(third, 1)
        second.restore(saved)
        return {"the losses of the third loop": numpy.array(trained(third, 4)), **after(second)}

    tried(
        run,
        "what was saved after step 4, restored in a second loop, in a third one, and in the second one again",
    )


def test_two_savings_do_not_mix():
    def run(Loop):
        loop, other = made(Loop, seed=8), made(Loop, seed=9)
        trained(loop, 1)
        trained(other, 4)
        one, two = loop.save(), other.save()
        trained(loop, 3)
        three = loop.save()
        found = {}
        for name, saved in (
            ("first", one),
            ("second", two),
            ("third", three),
            ("first again", one),
        ):
            loop.restore(saved)
            found[f"losses from the {name} one"] = numpy.array(trained(loop, 3))
        return {**found, **state(loop)}

    tried(run, "three savings of two loops, restored in turn")


def test_others_hold_the_arrays_and_the_generator():
    def run(Loop):
        loop, other = made(Loop, seed=10, dropout=True), made(Loop, seed=11, dropout=True)
        trained(other, 4)
        velocity, rng = [*loop.velocity], loop.rng
        arrays = [parameter.data for parameter in loop.model.parameters()]
        arrays += [array for _, array in loop.model.named_buffers()]
        loop.restore(filed(other.save()))
        losses = numpy.array(trained(loop, 3))
        held = {f"array {i} that others hold": array.copy() for i, array in enumerate(arrays)}
        held |= {f"velocity {i} that others hold": v.copy() for i, v in enumerate(velocity)}
        return {
            "the losses with dropout": losses,
            **held,
            "the generator that others hold": rng.random(2),
            **state(loop),
        }

    tried(
        run,
        "a loop with dropout, whose arrays and generator others hold from the start, restored after step 4",
    )


def test_other_kinds_of_generators():
    tried(
        moved(4, kind=numpy.random.MT19937), "a loop with the generator MT19937, saved after step 4"
    )
    tried(
        moved(5, kind=numpy.random.Philox), "a loop with the generator Philox, saved after step 5"
    )


def test_save_and_restore_change_nothing_else():
    def run(Loop):
        loop = made(Loop, seed=12)
        found = [loop.step()]
        for _ in range(5):
            loop.save()
            found.append(loop.step())
        saved = loop.save()
        loop.restore(saved)
        return {"the losses, with save() before each step": numpy.array(found), **after(loop)}

    tried(run, "a loop that is saved before each step")


def test_not_a_bit_is_lost():
    loop, second = made(yours, seed=13), made(yours, seed=14)
    trained(loop, 5)
    second.restore(filed(loop.save()))
    for _ in range(6):
        check.true(
            loop.step() == second.step(),
            "a loop restored after step 5: a loss differs in its last bits from the loss of the loop that was saved",
        )
    theirs = state(second)
    for name, value in state(loop).items():
        check.true(
            numpy.array_equal(value, theirs[name]),
            f"a loop restored after step 5, six steps later: {name} differs in its last bits",
        )


def test_the_order_of_many_images():
    loop, second = (made(yours, seed=seed, n=66_000, dtype="float32") for seed in (17, 18))
    trained(loop, 2)
    trained(second, 1)
    second.restore(filed(loop.save()))
    check.true(
        [*map(int, second.order)] == [*map(int, loop.order)],
        "a loop of 66,000 images, saved after step 2 and restored in a new one: the order differs",
    )
    losses = trained(loop, 2), trained(second, 2)
    check.true(
        losses[0] == losses[1],
        f"a loop of 66,000 images, restored after step 2: expected the losses {losses[0]}, got {losses[1]}",
    )


def test_saved_is_a_dict_of_plain_things():
    loop = made(yours, seed=15)
    trained(loop, 2)
    saved = loop.save()
    check.true(isinstance(saved, dict), f"save(): expected a dict, got a {type(saved).__name__}")
    for value in opened(saved):
        plain = value is None or isinstance(
            value, (bool, int, float, complex, str, bytes, numpy.ndarray, numpy.generic)
        )
        check.true(
            plain,
            f"save(): expected numbers, strings, arrays, lists, tuples and dicts in the dict, got a {type(value).__name__}",
        )


def opened(value):
    if isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from opened(part)
    else:
        yield value
