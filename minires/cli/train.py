"""minires train: the loop over epochs, and stops of all kinds, each of which can be resumed."""

import platform
import shlex
import signal
import sys
import time
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path

from tqdm import tqdm

from minires import __version__, backend, checkpoint, data, nn, runs
from minires.backend import machine
from minires.cli import settings
from minires.runs import Run, RunError
from minires.train import Score, evaluate, train_epoch

PART = 20  # steps between two looks at the losses, at the clock and at the wish to stop
SMALL = 16  # images below so many pixels make small products: two BLAS threads would get in each other's way


def train(options):
    """Run the command. Returns the exit status."""
    run = Run(runs.find(options.resume)) if options.resume else None
    config = run.config if run else _config(options)
    if options.backend:
        config = {**config, "backend": options.backend}
    if config.get("backend"):
        backend.use(config["backend"])
    nn.manual_seed(config["seed"])
    parts = settings.datasets(config)
    images, mark = parts[0].images, settings.fingerprint(parts[0])
    if config.setdefault("fingerprint", mark) != mark:
        raise RunError(f"{run.folder}: these are not the images that this run began with: {parts[0].name}, {parts[0].source}")
    work = _Work(config, parts)
    with ExitStack() as stack:
        if images.shape[1] < SMALL:
            stack.enter_context(machine.one_blas_thread())
        run = run or _new(options, config)
        stack.enter_context(run.locked())
        return work.go(run, save_every=options.save_every)


class _Work:
    """Everything that a run's loop holds."""

    def __init__(self, config, parts):
        self.config, (self.train, self.validation, self.test) = config, parts
        self.epochs, self.batch_size = config["epochs"], config["batch_size"]
        _, h, w, c = self.train.images.shape
        self.model, options = settings.model(config, num_classes=len(self.train.classes), in_channels=c)
        self.facts = {
            "model": config["model"], "options": options, "classes": self.train.classes, "size": [h, w, c],
            "mean": self.train.mean, "std": self.train.std, "data": self.train.name,
        }  # fmt: skip
        self.optimizer = settings.optimizer(config, self.model.parameters())
        self.augmentation = settings.augmentation(config["augment"])
        self.steps = len(self._batches(0, 0))  # an epoch
        if not self.steps:
            raise ValueError(f"{len(self.train)} images make no batch of {self.batch_size}: choose a smaller --batch-size")
        self.schedule = settings.schedule(config, self.epochs * self.steps)
        self.epoch, self.step, self.score, self.seconds = 0, 0, Score(), 0.0

    def _batches(self, epoch, start):
        options = {"seed": self.config["seed"], "epoch": epoch, "start": start, "drop_last": self.config["drop_last"]}
        return data.batches(self.train, self.batch_size, **options, **self.augmentation)

    # What is saved and restored.

    def save(self, run):
        state = self.model.state_dict()
        broken = checkpoint.first_not_finite(state)
        if broken:
            raise FloatingPointError(f"{broken} is not finite after step {self.step}; the last loss was {self.score.last:.4g}. "
                                     "A smaller learning rate or a warm-up usually helps")  # fmt: skip
        remembered = self.optimizer.state_dict()
        arrays = {name: value for name, value in remembered.items() if hasattr(value, "shape")}
        numbers = {name: value for name, value in remembered.items() if name not in arrays}
        loop = {"epoch": self.epoch, "step": self.step, "score": list(self.score), "seconds": self.seconds,
                "optimizer": numbers, "generator": nn.init.generator().bit_generator.state}  # fmt: skip
        run.save(self.step, (state, {**self.facts, "epoch": self.epoch, "step": self.step}), (arrays, loop))

    def restore(self, run):
        state, facts, arrays, loop = run.newest(complain=_warn)
        try:
            self.model.load_state_dict(state)
            self.optimizer.load_state_dict({**arrays, **loop["optimizer"]})
        except ValueError as error:
            raise RunError(f"{run.folder}: its checkpoint is of another model ({facts.get('model')}) or optimizer: {error}") from None
        nn.init.generator().bit_generator.state = loop["generator"]
        self.epoch, self.step, self.seconds = loop["epoch"], loop["step"], loop["seconds"]
        self.score = Score(*loop["score"])
        return [row for row in run.log() if row["epoch"] <= self.epoch]

    # The loop.

    def go(self, run, *, save_every):
        """Train to the end, or to a stop. Returns the exit status."""
        log = self.restore(run) if run.saved() else []
        if run.result() is not None:
            print(f"{run.folder} is finished: test accuracy {100 * run.result()['test_accuracy']:.2f} %")
            return 0
        if not run.saved():
            self.save(run)  # now, and not after an hour, if it cannot be
        count = sum(parameter.size for parameter in self.model.parameters())
        print(f"{self.config['model']}, {count:,} parameters, on {len(self.train):,} images of {self.train.name}; "
              f"backend {backend.name()}; {run.folder}" + (f" goes on from step {self.step}" if self.step else ""))  # fmt: skip
        clock = _Clock(self, run, save_every)
        with _Stop() as stop:
            bar = tqdm(total=self.epochs * self.steps * self.batch_size, initial=self.step * self.batch_size,
                       unit=" images", unit_scale=True, disable=None, leave=False, smoothing=0.05)  # fmt: skip
            with bar:
                while self.epoch < self.epochs and not stop.asked:
                    self._epoch(run, log, bar, stop, clock)
            clock.save()
            test = None if stop.asked else evaluate(self.model, stop.until(data.batches(self.test, 256)))
            if stop.asked:
                print(f"stopped at step {self.step} of {self.epochs * self.steps}, and saved. To go on:\n"
                      f"  minires train --resume {shlex.quote(str(run.folder))}")  # fmt: skip
                return 128 + stop.asked
        self._finish(run, test)
        return 0

    def _epoch(self, run, log, bar, stop, clock):
        """The rest of an epoch, its evaluation, and its row in the log; or as much of it as there is until a stop."""
        end = (self.epoch + 1) * self.steps
        coming = iter(self._batches(self.epoch, self.steps - (end - self.step)))
        while self.step < end:
            batches = _Counted(stop.until(islice(coming, PART)))
            options = {"schedule": self.schedule, "step": self.step, "bar": bar, "label_smoothing": self.config["label_smoothing"]}
            try:
                self.score = train_epoch(self.model, batches, self.optimizer, **options, score=self.score)
            except FloatingPointError as error:
                raise FloatingPointError(f"{error}. The last good checkpoint is {run.saved()[0]}") from None
            self.step += batches.count
            if stop.asked:
                return
            clock.save_if_due()
        held = self.validation and evaluate(self.model, stop.until(data.batches(self.validation, 256)))
        if stop.asked:
            return
        clock.read()
        log.append({
            "epoch": self.epoch + 1, "step": self.step, "lr": self.optimizer.lr,
            "train_loss": self.score.loss, "train_accuracy": self.score.accuracy,
            "validation_loss": held and held.loss, "validation_accuracy": held and held.accuracy,
            "seconds": round(self.seconds, 2),
        })  # fmt: skip
        run.write_log(log)
        bar.write(f"epoch {self.epoch + 1:2d}   train: {self.score}" + (f"   validation: {held}" if held else ""))
        self.epoch, self.score = self.epoch + 1, Score(last=self.score.last)
        clock.save_if_due()

    def _finish(self, run, test):
        checkpoint.save_weights(run.folder / "weights.safetensors", self.model.state_dict(), **self.facts, epoch=self.epoch)
        rate = self.epochs * self._batches(0, 0).images / self.seconds
        result = {"test_loss": test.loss, "test_accuracy": test.accuracy, "test_hits": test.hits, "test_images": test.images,
                  "seconds": self.seconds, "images_per_second": rate}  # fmt: skip
        run.write_result(result)
        picture = run.draw(f"{self.config['model']} on {self.train.name}, seed {self.config['seed']}")
        run.write_card(self._card(run, test, rate))
        print(f"trained in {self.seconds:.0f} s, {rate:,.0f} images/s; curves in {picture}")
        print(f"test {test}")

    def _card(self, run, test, rate):
        """What was done and what came out: name -> text."""
        last, blas = run.log()[-1], machine.blas()
        held = f"{100 * last['validation_accuracy']:.2f} %" if self.validation else "none held out"
        sizes = [f"{len(part):,} for {use}" for use, part in
                 (("training", self.train), ("validation", self.validation), ("test", self.test)) if part]  # fmt: skip
        return {
            "model": f"{self.config['model']}, {self.facts['options']}",
            "data": f"{self.train.name}: {', '.join(sizes)}. {self.train.source}",
            "seed": self.config["seed"],
            "accuracy on validation, after the last epoch": held,
            "accuracy on test, read once, at the end": f"{100 * test.accuracy:.2f} % ({test.hits:,} of {test.images:,})",
            "time": f"{self.seconds:,.0f} s of training and validation, {rate:,.0f} images/s",
            "versions": f"minires {__version__}, Python {platform.python_version()}, NumPy {machine.numpy_version()}",
            "backend": backend.name(),
            "processor": f"{machine.processor()}, {machine.cores()} cores for this process",
            "BLAS": f"{blas['name']} {blas['version']}, kernel {blas['kernel']}, {blas['threads']} threads" if blas else "unknown",
        }


class _Clock:
    """When to save, and how long it took so far."""

    def __init__(self, work, run, every):
        self.work, self.run, self.every = work, run, every
        self.read_at = self.saved_at = time.monotonic()
        self.saved_step = None

    def read(self):
        now = time.monotonic()
        self.work.seconds += now - self.read_at
        self.read_at = now

    def save_if_due(self):
        if time.monotonic() - self.saved_at >= self.every:
            self.save()

    def save(self):
        self.read()
        self.work.save(self.run)
        self.saved_at = time.monotonic()


class _Counted:
    """An iterable that knows how many items it has given."""

    def __init__(self, items):
        self.items, self.count = items, 0

    def __iter__(self):
        for item in self.items:
            self.count += 1
            yield item


class _Stop:
    """A context in which Ctrl-C or SIGTERM asks for a stop, once: the second one ends the process at once."""

    def __init__(self):
        self.asked, self._before = 0, {}

    def __enter__(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number, _):
        self.asked = number
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        print("\nstopping after this step; once more ends at once", file=sys.stderr)

    def until(self, items):
        """The items, up to and with the one in whose use the stop was asked for."""
        for item in items:
            yield item
            if self.asked:
                return


def _warn(sentence):
    print(f"minires train: {sentence}", file=sys.stderr)


def _new(options, config):
    """A run named as the options say; without a name, after data and model, with a number where that is taken."""
    if options.name:
        return Run.new(Path("runs", options.name), config)
    base = f"{config['data'].partition(':')[0]}-{config['model']}"
    for number in count(1):
        try:
            return Run.new(Path("runs", base if number == 1 else f"{base}-{number}"), config)
        except RunError:
            continue


def _config(options):
    """All settings of a new run, as JSON has them."""
    data_name = options.data or "digits"
    given = {key: value for key, value in vars(options).items() if value is not None}
    for word in ("command", "run", "resume", "name", "save_every", "watch"):
        given.pop(word, None)
    config = {"minires": __version__, **settings.defaults(data_name), "data": data_name, **given}
    for name in ("epochs",):
        if config[name] < 1:
            raise ValueError(f"--{name} is {config[name]}, wanted at least 1")
    return config
