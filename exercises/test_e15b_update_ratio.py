"""Claims about update_ratio: the length of a step, compared with that of the parameter before it."""

import math

import numpy
from e15b_update_ratio import update_ratio

from minires import functional as F
from minires import nn, optim
from minires.backend import to_device
from minires.course import Check
from minires.tensor import Tensor

check = Check("15b", tolerance=1e-9)


def arrays(*shapes, seed=3, scale=1.0, dtype="float64"):
    rng = numpy.random.default_rng(seed)
    return {f"layer{i}.weight": to_device((scale * rng.standard_normal(shape)).astype(dtype)) for i, shape in enumerate(shapes)}  # fmt: skip


def added(before, step):
    return {name: was + step[name] for name, was in before.items()}


def told(found):
    """Return what the dict contains; its numbers by name, infinity and nan as words."""
    if not isinstance(found, dict):
        return {"what it is": type(found).__name__}
    return {
        "its names, in order": list(found),
        **{f"the ratio of {name}": float(value) if math.isfinite(value) else str(float(value)) for name, value in found.items()},
        "they are Python floats": all(type(value) is float for value in found.values()),
    }  # fmt: skip


def test_numbers_by_hand():
    # (3, 4) moves to (3, 4.5): 0.5 of 5.
    before, after = {"w": to_device(numpy.array([3.0, 4.0]))}, {"w": to_device(numpy.array([3.0, 4.5]))}  # fmt: skip
    found = check.call(update_ratio, before, after)
    check.experiment(lambda ratio: told(ratio(dict(before), dict(after))), update_ratio, "(3, 4) moves to (3, 4.5)")  # fmt: skip
    check.true(math.isclose(found["w"], 0.1), f"(3, 4) moves to (3, 4.5): expected 0.1, got {found['w']}")  # fmt: skip


def test_each_parameter_has_a_ratio_of_its_own():
    def run(ratio):
        before = arrays((3, 3, 2, 4), (4,), (5, 2), (1,))
        step = arrays((3, 3, 2, 4), (4,), (5, 2), (1,), seed=4, scale=0.01)
        return told(ratio(before, added(before, step)))

    check.experiment(run, update_ratio, "four parameters of different shapes")


def test_equal_shapes_are_not_mixed_up():
    def run(ratio):
        before, step = arrays((4, 4), (4, 4), (4, 4)), arrays((4, 4), (4, 4), (4, 4), seed=5)
        after = added(before, {name: by * 10.0**-i for i, (name, by) in enumerate(step.items())})
        return told(ratio(before, dict(reversed(after.items()))))

    check.experiment(run, update_ratio, "three parameters of one shape; after has the names in a different order")  # fmt: skip


def test_a_step_that_moves_all_numbers_equally_far():
    def run(ratio):
        before = arrays((6, 2), seed=6)
        constant = {"layer0.weight": to_device(numpy.full((3, 2), -2.0)), "one": to_device(numpy.array([7.0]))}  # fmt: skip
        return {
            "numbers that differ": told(ratio(before, {name: was + 0.25 for name, was in before.items()})),
            "numbers that are equal": told(ratio(constant, {name: was + 0.25 for name, was in constant.items()})),
        }  # fmt: skip

    check.experiment(run, update_ratio, "0.25 is added to all numbers")


def test_a_turn_is_a_step():
    def run(ratio):
        before = {"w": to_device(numpy.array([[3.0, 4.0]])), "v": to_device(numpy.array([1.0, -2.0]))}  # fmt: skip
        after = {"w": to_device(numpy.array([[-4.0, 3.0]])), "v": to_device(numpy.array([-1.0, 2.0]))}  # fmt: skip
        return told(ratio(before, after))

    check.experiment(run, update_ratio, "(3, 4) becomes (-4, 3), and (1, -2) becomes (-1, 2)")


def test_no_step_is_0():
    def run(ratio):
        before = arrays((3, 2), (4,))
        return told(ratio(before, {name: was.copy() for name, was in before.items()}))

    check.experiment(run, update_ratio, "nothing has changed")


def test_a_parameter_that_was_0():
    def run(ratio):
        zeros = {name: to_device(numpy.zeros((2, 3))) for name in ("moved", "unmoved", "tiny")}
        after = {**zeros, "moved": to_device(numpy.eye(2, 3)), "tiny": to_device(numpy.full((2, 3), 1e-30))}  # fmt: skip
        with numpy.errstate(all="ignore"):
            return told(ratio(zeros, after))

    check.experiment(run, update_ratio, "three parameters that were 0, two of which have changed")


def test_a_parameter_that_becomes_0():
    def run(ratio):
        before = arrays((2, 3), (3,))
        with numpy.errstate(all="ignore"):
            return told(ratio(before, {name: 0 * was for name, was in before.items()}))

    check.experiment(run, update_ratio, "two parameters that are 0 after the step")


def test_steps_may_be_small():
    def run(ratio):
        before = arrays((5, 4), (4,), scale=1e-22, dtype="float32")
        step = arrays((5, 4), (4,), seed=7, scale=1e-25, dtype="float32")
        with numpy.errstate(all="ignore"):
            return told(ratio(before, added(before, step)))

    check.experiment(run, update_ratio, "weights of 1e-22 and steps of 1e-25, in float32")


def test_weights_may_be_large():
    def run(ratio):
        before = {"turned": numpy.array([3e38, -2e38], "float32"), "far": numpy.full((2, 2), 1e30, "float32")}  # fmt: skip
        after = {"turned": numpy.array([-3e38, 2e38], "float32"), "far": numpy.full((2, 2), -1e24, "float32")}  # fmt: skip
        with numpy.errstate(all="ignore"):
            return told(ratio(*({name: to_device(array) for name, array in one.items()} for one in (before, after))))  # fmt: skip

    check.experiment(run, update_ratio, "weights up to 3e38 in float32")


def test_float32_arrays():
    def run(ratio):
        before = arrays((50, 40), (40,), dtype="float32")
        step = arrays((50, 40), (40,), seed=8, scale=1e-3, dtype="float32")
        return told(ratio(before, added(before, step)))

    check.experiment(run, update_ratio, "two parameters in float32")


def test_layouts_in_memory():
    def run(ratio):
        before, after = arrays((4, 6)), arrays((4, 6), seed=9)
        before["cut"], after["cut"] = before["layer0.weight"][::2, ::-1], after["layer0.weight"][::2, ::-1]  # fmt: skip
        before["turned"], after["turned"] = before["layer0.weight"].T, after["layer0.weight"].T
        return told(ratio(before, after))

    check.experiment(run, update_ratio, "arrays that are views of others, transposed and with gaps")


def test_steps_of_an_optimizer():
    def run(ratio):
        rng = numpy.random.default_rng(5)
        model = nn.Sequential(nn.Linear(4, 6, rng=rng), nn.ReLU(), nn.Linear(6, 3, rng=rng)).astype("float64")  # fmt: skip
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        found = {}
        for i in range(3):
            before = {name: one.data.copy() for name, one in model.named_parameters()}
            x = Tensor(to_device(rng.standard_normal((5, 4))))
            loss = F.cross_entropy(model(x), to_device(numpy.array([0, 1, 2, 1, 0])))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            after = {name: one.data for name, one in model.named_parameters()}
            found[f"step {i + 1}"] = told(ratio(before, after))
        return found

    check.experiment(run, update_ratio, "three steps with momentum")


def test_dicts_and_arrays_stay_as_they_were_and_no_call_depends_on_another():
    def run(ratio):
        before, after, other = arrays((3, 2), (2,)), arrays((3, 2), (2,), seed=4), arrays((3, 2), (2,), seed=5)  # fmt: skip
        kept = [one.copy() for one in (*before.values(), *after.values())]
        first = ratio(before, after)
        copied = told(first)
        ratio(before, other)
        ratio(arrays((2,), (3, 2)), arrays((2,), (3, 2), seed=6))
        now = [*before.values(), *after.values()]
        return {
            "the first result": copied,
            "the same later": told(first),
            "a second call": told(ratio(before, after)),
            "the names": [list(before), list(after)],
            "an array has changed": any((a != b).any() for a, b in zip(kept, now)),
        }

    check.experiment(run, update_ratio, "calls on two steps, one after the other")
