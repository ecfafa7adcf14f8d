"""Solutions of 16a."""

import copy
import json
import pickle

import numpy

from minires.course.answers.e16a_loop import Loop as Provided
from tests.course.kinds import right, wrong

MIDDLE, BETWEEN = (
    "test_a_new_loop_goes_on_in_the_middle_of_an_epoch",
    "test_a_new_loop_goes_on_between_two_epochs",
)
STAYS, AGAIN, HELD = (
    "test_what_was_saved_stays_as_it_is_while_training_goes_on",
    "test_what_was_saved_can_be_restored_again",
    "test_others_hold_the_arrays_and_the_generator",
)
BITS, PLAIN, NOTHING = (
    "test_not_a_bit_is_lost",
    "test_saved_is_a_dict_of_plain_things",
    "test_save_and_restore_change_nothing_else",
)
BACK, MIXED, FORWARD = (
    "test_the_same_loop_goes_back",
    "test_two_savings_do_not_mix",
    "test_an_earlier_loop_goes_forward",
)

# fmt: off


class Base(Provided):
    """The loop as provided, and a right pair of methods in other words, from which others leave something out."""

    def save(self):
        saved = {"steps": self.steps, "place": self.place}
        saved["state"] = copy.deepcopy(self.rng.bit_generator.state)
        saved["order"] = numpy.array(self.order)
        for i, v in enumerate(self.velocity):
            saved[f"velocity {i}"] = v.copy()
        for name, parameter in self.model.named_parameters():
            saved[f"parameter {name}"] = parameter.data.copy()
        for name, array in self.model.named_buffers():
            saved[f"buffer {name}"] = array.copy()
        return saved

    def restore(self, saved):
        self.numbers(saved)
        self.arrays(saved)

    def numbers(self, saved):
        self.steps = saved["steps"]
        self.place = saved["place"]
        self.rng.bit_generator.state = saved["state"]

    def arrays(self, saved):
        self.order[:] = saved["order"]
        for i, v in enumerate(self.velocity):
            numpy.copyto(v, saved[f"velocity {i}"])
        for name, parameter in self.model.named_parameters():
            parameter.data[...] = saved[f"parameter {name}"]
        for name, array in self.model.named_buffers():
            array[...] = saved[f"buffer {name}"]


@right
class OneByOne(Base):
    pass


@right
class Deep(Provided):
    """One deepcopy at each end."""

    def save(self):
        names = ("velocity", "order", "place", "steps")
        found = {name: getattr(self, name) for name in names}
        return copy.deepcopy({**found, "model": self.model.state_dict(), "rng": self.rng.bit_generator.state})

    def restore(self, saved):
        saved = copy.deepcopy(saved)
        self.order, self.place, self.steps = saved["order"], saved["place"], saved["steps"]
        [numpy.copyto(v, kept) for v, kept in zip(self.velocity, saved["velocity"])]
        self.model.load_state_dict(saved["model"])
        self.rng.bit_generator.state = saved["rng"]


@right
class Pickled(Provided):
    """All of it as the bytes of a file."""

    def save(self):
        state = self.rng.bit_generator.state
        return {"bytes": pickle.dumps((self.model.state_dict(), self.velocity, self.order, self.place, self.steps, state))}

    def restore(self, saved):
        model, velocity, order, place, steps, state = pickle.loads(saved["bytes"])
        self.model.load_state_dict(model)
        for i in range(len(velocity)):
            self.velocity[i][:] = velocity[i]
        self.order, self.place, self.steps = order, place, steps
        self.rng.bit_generator.state = state


@right
class Flat(Provided):
    """All arrays in one."""

    def arrays(self):
        return [p.data for p in self.model.parameters()] + [b for _, b in self.model.named_buffers()] + self.velocity

    def save(self):
        flat = numpy.concatenate([array.ravel() for array in self.arrays()])
        return {
            "flat": flat,
            "numbers": (self.place, self.steps),
            "order": self.order.tolist(),
            "rng": self.rng.bit_generator.state,
        }

    def restore(self, saved):
        start = 0
        for array in self.arrays():
            array[...] = saved["flat"][start : start + array.size].reshape(array.shape)
            start += array.size
        self.place, self.steps = saved["numbers"]
        self.order = numpy.array(saved["order"])
        self.rng.bit_generator.state = saved["rng"]


@wrong(MIDDLE, mistake="no_velocity")
class MomentumForgotten(Base):
    def arrays(self, saved):
        super().arrays({**saved, **{f"velocity {i}": v for i, v in enumerate(self.velocity)}})


@wrong(MIDDLE, mistake="velocity_from_zero")
class MomentumCleared(Base):
    def restore(self, saved):
        super().restore(saved)
        for v in self.velocity:
            v.fill(0)


@wrong(MIDDLE, mistake="parameters_only")
class NoBuffers(Base):
    def arrays(self, saved):
        super().arrays({**saved, **{f"buffer {name}": array for name, array in self.model.named_buffers()}})


@wrong(MIDDLE, mistake="no_place")
class NoPlace(Base):
    def numbers(self, saved):
        self.steps, self.rng.bit_generator.state = saved["steps"], saved["state"]


@wrong(MIDDLE, mistake="epoch_from_its_start")
class EpochAgain(Base):
    def numbers(self, saved):
        super().numbers(saved)
        self.place = 0


@wrong(MIDDLE, mistake="no_order")
class OrderForgotten(Base):
    def restore(self, saved):
        order = self.order.copy()
        super().restore(saved)
        self.order[...] = order


@wrong(MIDDLE, mistake="no_steps")
class StepsForgotten(Base):
    def numbers(self, saved):
        self.place, self.rng.bit_generator.state = saved["place"], saved["state"]


@wrong(MIDDLE, mistake="no_generator")
class GeneratorForgotten(Base):
    def numbers(self, saved):
        self.place, self.steps = saved["place"], saved["steps"]


@wrong(STAYS, mistake="weights_shared")
class WeightsThemselves(Base):
    def save(self):
        return {**super().save(), **{f"parameter {name}": p.data for name, p in self.model.named_parameters()}}


@wrong(STAYS, mistake="velocity_shared")
class VelocityThemselves(Base):
    def save(self):
        return {**super().save(), **{f"velocity {i}": v for i, v in enumerate(self.velocity)}}


@wrong(STAYS, mistake="order_shared")
class OrderItself(Base):
    def save(self):
        return {**super().save(), "order": self.order[:]}


@wrong(HELD, mistake="velocity_replaced")
class VelocityAssigned(Provided):
    def restore(self, saved):
        self.model.load_state_dict(saved["model"])
        self.velocity, self.place, self.steps = saved["velocity"], saved["place"], saved["steps"]
        self.order = numpy.array(saved["order"])
        self.rng.bit_generator.state = saved["rng"]


@wrong(AGAIN, mistake="order_replaced")
class OrderAssigned(Base):
    def arrays(self, saved):
        super().arrays(saved)
        self.order = saved["order"]


@wrong(HELD, mistake="copies_in_the_place_of_arrays")
class VelocityCopied(Base):
    def arrays(self, saved):
        super().arrays({**saved, **{f"velocity {i}": v for i, v in enumerate(self.velocity)}})
        self.velocity = [numpy.array(saved[f"velocity {i}"]) for i in range(len(self.velocity))]


@wrong(HELD, mistake="weights_replaced")
class WeightsAssigned(Base):
    def arrays(self, saved):
        own = {f"parameter {name}": p.data for name, p in self.model.named_parameters()}
        super().arrays({**saved, **own})
        for name, p in self.model.named_parameters():
            p.data = saved[f"parameter {name}"].copy()


@wrong(HELD, mistake="generator_replaced")
class GeneratorAssigned(Base):
    def numbers(self, saved):
        super().numbers({**saved, "state": self.rng.bit_generator.state})
        kind = getattr(numpy.random, saved["state"]["bit_generator"])
        self.rng = numpy.random.Generator(kind(0))
        self.rng.bit_generator.state = saved["state"]


@wrong(BITS)
class SinglePrecision(Base):
    def save(self):
        return {name: value.astype("float32") if name.startswith("velocity") else value for name, value in super().save().items()}


@wrong(BITS)
class WrittenWithTwelveDigits(Base):
    def save(self):
        return {
            name: numpy.array([float(f"{v:.12g}") for v in value.ravel()]).reshape(value.shape).astype(value.dtype)
            if getattr(value, "dtype", None) == float
            else value
            for name, value in super().save().items()
        }


@wrong(PLAIN)
class TheLoopItself(Base):
    def save(self):
        return {**super().save(), "model": self.model}


@right
class OrderInAList(Base):
    def arrays(self, saved):
        self.order = self.order if isinstance(self.order, list) else [0] * len(self.x)
        super().arrays({**saved, "order": list(saved["order"])})


@wrong("test_the_order_of_many_images")
class OrderInTwoBytes(Base):
    def save(self):
        return {**super().save(), "order": numpy.array(self.order, "uint16")}


@wrong("test_other_kinds_of_generators", crashes=True)
class GeneratorAsJson(Base):
    """The state of some kinds has arrays in it."""

    def save(self):
        return {**super().save(), "state": json.dumps(self.rng.bit_generator.state)}

    def numbers(self, saved):
        super().numbers({**saved, "state": json.loads(saved["state"])})
