"""The loop of `minires train`: epochs, evaluations, checkpoints, and all of its state, which can be saved and restored."""

import time
from contextlib import contextmanager, nullcontext
from itertools import islice

from tqdm import tqdm

from minires import checkpoint, data, models, nn, show, watch
from minires.backend import to_host
from minires.cli import settings, weights
from minires.runs import RunError
from minires.train import Score, evaluate, train_epoch

WHITENED = 5000  # images that the first convolution is made of
PART = 20  # steps between two looks at the losses, at the clock and at the wish to stop


class Loop:
    """A model in training, as settings say.

    config  the settings    parts  (train, validation or None, test), Datasets
    start  (state, facts) of weights to begin with, or None    begun  what became of them, a sentence
    epoch, step  how many are done    log  a row for each epoch that is    score  of the one that is not    seconds  spent so far
    """

    def __init__(self, config, parts, start=None):
        self.config, (self.train, self.validation, self.test) = config, parts
        if len(self.train.classes) < 2:
            raise ValueError(f"{self.train.name} has one class, {self.train.classes[0]}: there is nothing to tell apart")
        _, h, w, c = self.train.images.shape
        self.model, options = settings.model(config, num_classes=len(self.train.classes), in_channels=c)
        self.facts = {
            "model": config["model"], "options": options, "classes": self.train.classes, "size": [h, w, c],
            "mean": self.train.mean, "std": self.train.std, "data": self.train.name, **settings.resizing(config),
        }  # fmt: skip
        if config.get("whiten"):
            self._whiten()
        self.begun = start and weights.take_over(self.model, *start, self.train.classes)
        if config.get("freeze"):
            models.freeze(self.model, config["freeze"])
        self.optimizer = settings.optimizer(config, self.model)
        self.scaler = settings.scaler(config)
        self.augmentation = settings.augmentation(config["augment"])
        self.epochs, self.steps = config["epochs"], len(self.batches(0))  # steps of an epoch
        if not self.steps:
            raise ValueError(f"{len(self.train)} images make no batch of {config['batch_size']}: choose a smaller --batch-size")
        self.schedule = settings.schedule(config, self.epochs * self.steps)
        self.average = settings.average(config, self.model, self.epochs * self.steps)
        self.watched = watch.Watch(self.model) if config.get("watch") else None
        self.epoch, self.step, self.log, self.score, self.seconds = 0, 0, [], Score(), 0.0
        self._read_at = self._saved_at = time.monotonic()

    def _whiten(self):
        if not hasattr(self.model, "whiten"):
            raise ValueError(f"--whiten: {self.config['model']} has no first convolution for it; resnet8 has")
        if self.config.get("weights"):
            raise ValueError("--whiten computes the first convolution, --weights brings one: which of them?")
        x, _ = next(iter(data.batches(self.train, min(len(self.train), WHITENED))))
        self.model.whiten(to_host(x))

    @property
    def images(self):
        """How many images come by in all epochs."""
        return self.epochs * self.batches(0).images

    def batches(self, epoch, start=0):
        """An epoch's batches of training images from the one of number `start` on, see data.batches."""
        options = {"seed": self.config["seed"], "epoch": epoch, "start": start, "drop_last": self.config["drop_last"]}
        return data.batches(self.train, self.config["batch_size"], **options, **self.augmentation)

    # What is saved and restored.

    def save(self, run):
        """Keep a checkpoint of everything.

        Raises  FloatingPointError: weights are not finite; nothing is saved then. OSError: it cannot be written.
        """
        state, now = self.model.state_dict(), time.monotonic()
        broken = checkpoint.first_not_finite(state)
        if broken:
            raise FloatingPointError(f"{broken} is not finite after step {self.step}; the last loss was {self.score.last:.4g}. "
                                     "A smaller learning rate or a warm-up usually helps")  # fmt: skip
        self.seconds, self._read_at, self._saved_at = self.seconds + now - self._read_at, now, now
        remembered = self.optimizer.state_dict()
        averaged = self.average.state_dict() if self.average else {}
        remembered.update((f"average.{name}", value) for name, value in averaged.items())
        arrays = {name: value for name, value in remembered.items() if hasattr(value, "shape")}
        loop = {"epoch": self.epoch, "step": self.step, "log": self.log, "score": list(self.score), "seconds": self.seconds,
                "optimizer": {name: value for name, value in remembered.items() if name not in arrays},
                "generator": nn.init.generator().bit_generator.state,
                "scaler": self.scaler and self.scaler.state_dict()}  # fmt: skip
        if self.watched and self.watched.rows:  # before the checkpoint: rows too many are left out when it is taken up
            watch.write(run.folder / "layers.csv", self.watched.rows)
        run.save(self.step, (state, {**self.facts, "epoch": self.epoch, "step": self.step}), (arrays, loop))

    def restore(self, run, complain):
        """Take over the newest whole checkpoint. `complain` is told of one that is not.

        Raises  RunError: there is none, or it is of another model or optimizer.
        """
        state, facts, arrays, loop = run.newest(complain)
        try:
            self.model.load_state_dict(state)
            remembered = {**arrays, **loop["optimizer"]}
            averaged = {name: remembered.pop(name) for name in list(remembered) if name.startswith("average.")}
            self.optimizer.load_state_dict(remembered)
            if self.average:
                self.average.load_state_dict({name.removeprefix("average."): value for name, value in averaged.items()})
        except ValueError as error:
            raise RunError(
                f"{run.folder}: its checkpoint is of another model ({facts.get('model')}) or optimizer: {error}"
            ) from None
        nn.init.generator().bit_generator.state = loop["generator"]
        if self.scaler:
            self.scaler.load_state_dict(loop["scaler"])
        self.epoch, self.step, self.log = loop["epoch"], loop["step"], loop["log"]
        self.score, self.seconds, self._read_at = Score(*loop["score"]), loop["seconds"], time.monotonic()
        run.forget_after(self.step)
        run.write_log(self.log)
        layers = run.folder / "layers.csv"
        if self.watched and layers.exists():
            try:
                self.watched = watch.Watch(self.model, watch.read(layers, before=self.step))
            except ValueError as error:
                complain(f"{error}. Going on without the rows so far")

    # The way to the end.

    def go(self, run, stop, *, save_every):
        """Train until the last epoch is done or `stop` is asked for; save at the end, and every so many seconds.

        Raises  FloatingPointError: the loss or the weights are not finite any more.
        """
        size = self.config["batch_size"]
        bar = tqdm(total=self.epochs * self.steps * size, initial=self.step * size, unit=" images", unit_scale=True,
                   smoothing=0.05, leave=False, disable=None)  # fmt: skip
        with bar, self._drawn(run):
            try:
                while self.epoch < self.epochs and not stop.asked:
                    self._parts_of_epoch(run, bar, stop, save_every)
                    held = None
                    if self.validation and not stop.asked:
                        held = self.evaluated(self.validation, stop)
                    if not stop.asked:
                        self._end_epoch(run, bar, held)
            except BrokenPipeError:  # nobody reads what is printed any more
                self.save(run)
                raise
            self.save(run)

    def _parts_of_epoch(self, run, bar, stop, save_every):
        """The steps of an epoch that are not done yet, a part at a time."""
        end = (self.epoch + 1) * self.steps
        coming = iter(self.batches(self.epoch, self.steps - (end - self.step)))
        while self.step < end and not stop.asked:
            batches = _Part(stop.until(islice(coming, PART)), lambda: time.monotonic() - self._saved_at >= save_every)
            options = {"step": self.step, "schedule": self.schedule, "label_smoothing": self.config["label_smoothing"],
                       "scaler": self.scaler, "average": self.average}  # fmt: skip
            with self.watched.each(first=self.step, every=self.config["watch"]) if self.watched else nullcontext():
                self.score = train_epoch(self.model, batches, self.optimizer, **options, score=self.score, bar=bar)
            self.step += batches.count
            if batches.due() and not stop.asked:
                self.save(run)

    def evaluated(self, part, stop, flips=False):
        """The Score on a part, as far as `stop` lets it go. flips  see train.evaluate"""
        return evaluate(self.model, stop.until(data.batches(part, 256)), flips=flips)

    def _end_epoch(self, run, bar, held):
        now = time.monotonic()
        self.log.append({
            "epoch": self.epoch + 1, "step": self.step, "lr": self.optimizer.lr,
            "train_loss": self.score.loss, "train_accuracy": self.score.accuracy,
            "validation_loss": held and held.loss, "validation_accuracy": held and held.accuracy,
            "seconds": round(self.seconds + now - self._read_at, 2),
        })  # fmt: skip
        run.write_log(self.log)
        line = f"epoch {self.epoch + 1:2d}   train: {self.score}" + (f"   validation: {held}" if held else "")
        self.epoch, self.score = self.epoch + 1, Score(last=self.score.last)
        bar.write(line)

    @contextmanager
    def _drawn(self, run):
        """A context after which, however it ends, what was watched is written, drawn, and told in sentences."""
        try:
            yield
        finally:
            if self.watched and self.watched.rows:
                path = run.folder / "layers.csv"
                watch.write(path, self.watched.rows)
                show.layers(self.watched.rows, title=run.folder.name).save(path.with_suffix(".png"))
                print("\n".join([f"layers in {path} and {path.with_suffix('.png')}", *watch.findings(self.watched.rows)]))


class _Part:
    """Items until it is time to save; it knows how many it has given."""

    def __init__(self, items, due):
        self.items, self.due, self.count = items, due, 0

    def __iter__(self):
        for item in self.items:
            self.count += 1
            yield item
            if self.due():
                return
