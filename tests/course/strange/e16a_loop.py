"""Strange solutions of 16a."""

import io
import json
import pickle

import numpy

from minires.course.answers.e16a_loop import Loop as Provided
from tests.course.kinds import right, wrong
from tests.course.solutions.e16a_loop import (
    AGAIN,
    BACK,
    BETWEEN,
    FORWARD,
    MIDDLE,
    MIXED,
    NOTHING,
    PLAIN,
    STAYS,
    Base,
)

# fmt: off


@right
class AsBits(Provided):
    """Each array as its bytes."""

    def every(self):
        yield from ((f"m {name}", p.data) for name, p in self.model.named_parameters())
        yield from ((f"b {name}", a) for name, a in self.model.named_buffers())
        yield from ((f"v {i}", v) for i, v in enumerate(self.velocity))
        yield "order", self.order

    def save(self):
        return {
            "arrays": {name: array.tobytes() for name, array in self.every()},
            "place": self.place,
            "steps": self.steps,
            "rng": self.rng.bit_generator.state,
        }

    def restore(self, saved):
        for name, array in self.every():
            array[...] = numpy.frombuffer(saved["arrays"][name], array.dtype).reshape(array.shape)
        self.place, self.steps, self.rng.bit_generator.state = (saved["place"], saved["steps"], saved["rng"])


@right
class AsText(Provided):
    """Lists of floats are exact in JSON; a generator's state needs a little help with arrays."""

    def save(self):
        arrays = {**self.model.state_dict(), **{f"velocity.{i}": v for i, v in enumerate(self.velocity)}}
        text = json.dumps([{name: a.tolist() for name, a in arrays.items()}, self.order.tolist(), self.place, self.steps])
        return {"json": text, "rng": pickle.dumps(self.rng.bit_generator)}

    def restore(self, saved):
        arrays, order, self.place, self.steps = json.loads(saved["json"])
        state = self.model.state_dict()
        self.model.load_state_dict({name: numpy.array(arrays[name], state[name].dtype) for name in state})
        for i, v in enumerate(self.velocity):
            v[...] = arrays[f"velocity.{i}"]
        self.order = numpy.array(order)
        self.rng.bit_generator.state = pickle.loads(saved["rng"]).state


@right
class BatchesDone(Base):
    """The place from the number of steps."""

    def numbers(self, saved):
        per_epoch = -(-len(self.order) // self.batch_size)
        self.steps, self.rng.bit_generator.state = saved["steps"], saved["state"]
        done = (saved["steps"] - 1) % per_epoch + 1 if saved["steps"] else per_epoch
        self.place = done * self.batch_size


@right
class OwnOrder(Base):
    """A new array of the order each time."""

    def arrays(self, saved):
        super().arrays(saved)
        self.order = saved["order"].copy()


@wrong(STAYS)
class BuffersThemselves(Base):
    def save(self):
        return {**super().save(), **{f"buffer {name}": array for name, array in self.model.named_buffers()}}


@wrong(AGAIN)
class UsedUp(Base):
    """It empties what it is given."""

    def restore(self, saved):
        taken = {name: saved[name] for name in saved}
        super().restore(taken)
        for value in taken.values():
            if isinstance(value, numpy.ndarray):
                value *= 0


@wrong(MIDDLE)
class ModelMomentum(Base):
    """The velocities in reverse order where the shapes agree."""

    def arrays(self, saved):
        super().arrays(saved)
        self.velocity[1][...], self.velocity[2][...] = saved["velocity 2"], saved["velocity 1"]


@wrong(MIDDLE)
class SavedInItself(Base):
    """It remembers only what it saved itself."""

    def save(self):
        self.kept = super().save()
        return {"here": 1}

    def restore(self, saved):
        if hasattr(self, "kept"):
            super().restore(self.kept)


@wrong(PLAIN)
class WithTheGenerator(Base):
    def save(self):
        return {**super().save(), "rng": self.rng}

    def restore(self, saved):
        super().restore({name: value for name, value in saved.items() if name != "rng"})


@wrong(NOTHING)
class StepBack(Base):
    """It counts a saving as a step."""

    def save(self):
        saved = super().save()
        self.steps += 1
        return saved


@wrong(MIDDLE)
class OnlyTheRestOfTheOrder(Base):
    """What is left of the epoch comes first, and the rest is filled up in its own order."""

    def arrays(self, saved):
        left = saved["order"][saved["place"] :]
        rest = numpy.setdiff1d(numpy.arange(len(self.order)), left)
        super().arrays({**saved, "order": numpy.concatenate([rest, left]) if len(left) else rest})


@right
class Archive(Provided):
    """An npz file in memory, and the generator by repr."""

    def save(self):
        file = io.BytesIO()
        arrays = {f"v{i}": v for i, v in enumerate(self.velocity)}
        numpy.savez(
            file,
            order=self.order,
            place=self.place,
            steps=self.steps,
            **arrays,
            **{f"m.{k}": a for k, a in self.model.state_dict().items()},
        )
        return {"npz": file.getvalue(), "rng": pickle.dumps(self.rng.bit_generator.state).hex()}

    def restore(self, saved):
        with numpy.load(io.BytesIO(saved["npz"])) as file:
            self.model.load_state_dict({k[2:]: file[k] for k in file if k.startswith("m.")})
            for i, v in enumerate(self.velocity):
                v[...] = file[f"v{i}"]
            numpy.copyto(self.order, file["order"])
            self.place, self.steps = int(file["place"]), int(file["steps"])
        self.rng.bit_generator.state = pickle.loads(bytes.fromhex(saved["rng"]))


@right
class RestOfTheEpoch(Provided):
    """The place as the number of images that are left."""

    def save(self):
        left = len(self.order) - self.place
        return {
            "left": left,
            "done": self.steps,
            "w": self.model.state_dict(),
            "v": {i: v + 0 for i, v in enumerate(self.velocity)},
            "o": tuple(self.order),
            "g": self.rng.bit_generator.state,
        }

    def restore(self, saved):
        self.place = len(self.order) - saved["left"]
        self.steps = saved["done"]
        self.model.load_state_dict(saved["w"])
        for i, v in saved["v"].items():
            self.velocity[i] *= 0
            self.velocity[i] += v
        self.order[:] = saved["o"]
        self.rng.bit_generator.state = saved["g"]


@right
class AttributesInALoop(Provided):
    def save(self):
        saved = {}
        for name, value in vars(self).items():
            if name == "model":
                value = value.state_dict()
            elif name == "rng":
                value = value.bit_generator.state
            elif name in ("x", "labels", "rate", "batch_size", "momentum"):
                continue
            elif name == "velocity":
                value = [v.copy() for v in value]
            elif hasattr(value, "copy"):
                value = value.copy()
            saved[name] = value
        return saved

    def restore(self, saved):
        for name, value in saved.items():
            if name == "model":
                self.model.load_state_dict(value)
            elif name == "rng":
                self.rng.bit_generator.state = value
            elif name == "velocity":
                for v, kept in zip(self.velocity, value):
                    v[:] = kept
            else:
                setattr(self, name, value.copy() if hasattr(value, "copy") else value)


@wrong(PLAIN)
class ATuple(Base):
    def save(self):
        return tuple(super().save().items())

    def restore(self, saved):
        super().restore(dict(saved))


@wrong(MIXED)
class OnTheClass(Base):
    """What was saved is kept in the class: the last one wins."""

    def save(self):
        type(self).kept = super().save()
        return {"kept": True}

    def restore(self, saved):
        super().restore(type(self).kept)


@wrong(NOTHING)
class DrawsForItsMark(Base):
    def save(self):
        return {**super().save(), "mark": self.rng.random()}


@wrong(BETWEEN)
class NothingBeforeTheFirstStep(Base):
    def restore(self, saved):
        if saved["steps"]:
            super().restore(saved)


@wrong(FORWARD)
class NeverForward(Base):
    def restore(self, saved):
        if saved["steps"] <= self.steps or not self.steps == 0:
            super().restore(saved)


@wrong(BACK)
class NeverBack(Base):
    def restore(self, saved):
        if not getattr(self, "mine", None) or saved["steps"] >= self.steps or self.mine != saved["mine"]:
            super().restore(saved)

    def save(self):
        self.mine = getattr(self, "mine", None) or f"{id(self)} {self.rng.bit_generator.state}"
        return {**super().save(), "mine": self.mine}


@wrong(BETWEEN)
class NoSpareNumber(Base):
    def numbers(self, saved):
        super().numbers({**saved, "state": {**saved["state"], "has_uint32": 0, "uinteger": 0}})
