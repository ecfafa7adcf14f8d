"""The loop of `minires train`: epochs, evaluations and checkpoints."""

from contextlib import nullcontext
from itertools import chain

from minires import checkpoint, data, models, nn, optim, shards, watch
from minires.cli import dry_run, extension, ranks, settings, state, weights, whiten
from minires.cli.log import Log
from minires.cli.meter import BarMeter, Noted
from minires.cli.progress import Progress
from minires.cli.records import Records
from minires.cli.stop import until
from minires.cli.terminal import wrapped
from minires.cli.watched import drawn
from minires.parallel import Alone
from minires.runs import RunError
from minires.train import train_epoch

LAST = 10  # steps before the end: the last checkpoint that --keep-epochs keeps before it


class Loop:
    """A model in training, with everything that a checkpoint saves and restores.

    parts  (train, validation or None, test), Datasets
    start  (state, facts) of weights to start from, or None
    extensions  of the run so far, see minires.cli.extension
    report  of whose code runs, or None: the library's
    group  the processes that train the model together    processes  a text about them, or None

    model  the model    facts  saved with its weights
    started  a sentence about what was loaded from `start`, or None
    steps  per epoch
    logits  of the last test: an array per batch, or None    stateful  name -> part, for all that training changes; a checkpoint contains each part's state_dict
    """

    def __init__(self, options, parts, start=None, extensions=(), report=None, group=None):
        self.group = group or Alone()
        self.processes = ranks.describe(self.group) if self.group.size > 1 else None
        # With synchronised batch norm, each process has the whole of its part.
        self.shards = self.group.size if options.sync_batch_norm else options.shards
        self.options, (self.train, self.validation, self.test) = options, parts
        classes, (_, h, w, c) = self.train.classes, self.train.images.shape
        if len(classes) < 2:
            raise ValueError(
                f"{self.train.name} has one class, {classes[0]}: expected at least two"
            )
        self.model, built = settings.model(options, num_classes=len(classes), in_channels=c)
        self.facts = {
            **{"model": options.model, "options": built, "classes": classes, "size": [h, w, c]},
            **{"mean": self.train.mean, "std": self.train.std, "data": self.train.name},
            **settings.resizing(vars(options)),
        }
        if options.whiten:
            whiten.whiten(self.model, options, self.train)
        self.started = start and weights.take_over(self.model, *start, classes)
        if self.group.size > 1:  # another processor may have initialised them in other bits
            self.model.load_state_dict(self.group.broadcast(self.model.state_dict()))
        if options.freeze:
            models.freeze(self.model, options.freeze)
        self.steps = len(self.batches(0))
        if not self.steps:
            raise ValueError(
                f"{len(self.train)} images do not fill a batch of {options.batch_size}: "
                "choose a smaller --batch-size"
            )
        dry_run.check_smallest_batch(self.model, self.batches(0), self.shards)
        if options.sync_batch_norm and self.group.size > 1:
            nn.SyncBatchNorm.convert(self.model, self.group)
        self.extensions = list(extensions)
        self.schedule = extension.schedule(options, self.extensions, self.steps)
        self.network, self.optimizer = settings.trainable(
            options, self.model, self.schedule, steps=options.epochs * self.steps
        )
        self.progress, self.records, self.written, self.log = Progress(), None, None, Log()
        self.meter = BarMeter(progress=self.progress, report=self._report)
        self.watched = watch.Watch(self.model) if options.watch else None
        self.stateful = {
            "model": self.model,
            "optimizer": self.optimizer,
            "generator": state.Generator(),
            "meter": self.meter,
            "log": self.log,
            **({"report": report} if report else {}),
        }
        self.report, self.logits = report, None

    @property
    def epoch(self):
        """The number of epochs done."""
        return len(self.log.rows)

    @property
    def step(self):
        """The number of steps done."""
        return self.meter.steps

    @property
    def images(self):
        """The number of training images, summed over all epochs."""
        return self.options.epochs * self.batches(0).images

    def batches(self, epoch, start=0):
        """Return an epoch's batches of training images, from number `start`; see data.batches."""
        options, moves = self.options, settings.augmentation(self.options.augment)
        order = {"seed": options.seed, "epoch": epoch, "start": start}
        how = {"drop_last": options.drop_last, "part": (self.group.rank, self.group.size)}
        return data.batches(self.train, options.batch_size, **order, **how, **moves)

    def coming(self, epoch, start=0):
        """Yield what do_steps() takes, for the batches of an epoch from number `start`."""
        batches = self.batches(epoch, start)
        return iter(batches) if self.shards == 1 else shards.cut(batches, self.shards, self.group)

    def do_steps(self, coming, meter, stop=None):
        """Do a step per batch. meter  as in train_epoch    stop  as in shards.train_epoch"""
        how = {"label_smoothing": self.options.label_smoothing, "meter": meter}
        if self.shards == 1:
            train_epoch(self.network, coming, self.optimizer, **how)
        else:
            shards.train_epoch(self.network, coming, self.optimizer, self.group, stop=stop, **how)

    # Saving and restoring.

    def save(self, run, *, keep=False):
        """Write a checkpoint of everything. keep  if --keep-epochs is given, it stays

        Raises  FloatingPointError: weights are not finite; nothing is written. OSError: it cannot
        be written.
        """
        self.log.count_seconds()
        found = {name: part.state_dict() for name, part in self.stateful.items()}
        model = found.pop("model")
        broken = checkpoint.first_not_finite(model)
        if broken:
            raise FloatingPointError(
                f"{broken} is not finite after step {self.step}; "
                f"the last loss was {self.meter.last:.4g}. "
                "A smaller learning rate or a warm-up usually helps"
            )
        if self.watched and self.watched.rows:  # first: restore() drops rows of later steps
            watch.write(run.folder / "layers.csv", self.watched.rows)
        steps = self.options.epochs * self.steps
        facts = {**self.facts, "epoch": self.epoch, "step": self.step, "steps": steps}
        if self.written:
            self.written.flush()
        keep = keep and self.options.keep_epochs
        run.save(self.step, (model, facts), state.pack(found), keep=keep)

    def restore(self, run, complain):
        """Load the newest complete checkpoint.

        complain  is called with a sentence about each newer one, which is damaged

        Raises  RunError: there is none, or it belongs to a different model or optimizer.
        CheckpointError: a later version of minires wrote it.
        """
        model, facts, *rest = ranks.first(self.group, lambda: run.newest(complain))
        found = {"model": model, **state.unpack(*rest)}
        try:
            for name, part in self.stateful.items():
                if name in found or name != "report":  # a run that began without --mine has none
                    part.load_state_dict(found[name])
        except (KeyError, ValueError) as error:
            raise RunError(
                f"{run.folder}: its checkpoint belongs to a different model ({facts.get('model')}) "
                f"or optimizer: {error}"
            ) from None
        run.forget_after(self.step)
        run.write_log(self.log.rows)
        layers = run.folder / "layers.csv"
        if self.watched and layers.exists():
            try:
                self.watched = watch.Watch(self.model, watch.read(layers, before=self.step))
            except ValueError as error:
                complain(f"{error}. Continuing without the rows so far")

    # Training.

    def go(self, run, stop, *, save_every):
        """Train until the last epoch is done or a stop is requested, then save.

        save_every  seconds between checkpoints

        Raises  FloatingPointError: the loss or the weights are not finite.
        """
        images, batch_size = self.batches(0).images, self.options.batch_size
        whole, more = divmod(self.step, self.steps)
        done = whole * images + min(more * batch_size, images)
        shown = self.progress.shown(epochs=self.options.epochs, images=images, done=done)
        formats = () if self.group.rank else self.options.log or ()
        records = Records(formats, run.folder, self.step, self.epoch)
        self.written = run.steps(before=self.step)
        with records as self.records, drawn(self.watched, run), shown:
            try:
                while self.epoch < self.options.epochs and not stop.asked:
                    self._train_epoch(run, stop, save_every)
                    held = None
                    if self.validation and not stop.asked:
                        held = self.evaluated(self.validation, stop, what="validation")
                    if not stop.asked:
                        self._end_epoch(run, held)
            except BrokenPipeError:  # nobody reads the output
                self.save(run)
                raise
            self.save(run)

    def _train_epoch(self, run, stop, save_every):
        """Do the remaining steps of an epoch, and save a checkpoint whenever one is due."""
        coming = self.coming(self.epoch, start=self.step - self.epoch * self.steps)
        turns = {each["step"] for each in self.extensions}
        last = self.options.epochs * self.steps - LAST if self.options.keep_epochs else None

        def due():
            return self.log.seconds_since_save() >= save_every or self.step == last

        def cut():
            return due() or self.step in turns

        for batch in coming:
            batches = until(cut, stop.until(chain([batch], coming)))
            self._set_total()
            with self._watching():
                self.do_steps(batches, self.meter, stop)
            if stop.asked:
                return
            if due():
                self.save(run, keep=self.step == last)

    def _set_total(self):
        """Set the number of steps that averaging of weights spans, which an extension changes."""
        if isinstance(self.optimizer, optim.Lookahead):
            epochs = extension.epochs_at(self.step, self.extensions, self.options.epochs)
            self.optimizer.total = epochs * self.steps

    def _watching(self):
        if self.watched is None:
            return nullcontext()
        return self.watched.each(first=self.step, every=self.options.watch)

    def evaluated(self, part, stop, flips=False, what="test"):
        """Return the Score on a dataset, up to a stop. flips  as in train.evaluate    what  the dataset's name"""
        noted = Noted(self.model)

        def follow(batches):
            return self.progress.follow(what, len(part), batches)

        score = shards.evaluate(noted, part, 256, self.group, flips=flips, follow=follow, stop=stop)
        if part is self.test and not flips:
            self.logits = list(chain(*self.group.gather(noted.logits)))
        return score

    def _report(self, step, loss):
        if step == 1 and self.report and (told := self.report.not_yours()):
            self.progress.print(wrapped(told))
        if self.written:
            row = {"step": step, "lr": self.schedule(step - 1), "loss": loss}
            self.written.add(row)
            if step % self.meter.every == 0:
                self.written.flush()
                self.records.write(row)

    def _end_epoch(self, run, held):
        """Log an epoch, and start the next one. held  the Score on the validation set, or None"""
        score = self.meter.score()
        row = {
            "epoch": self.epoch + 1,
            "step": self.step,
            "lr": self.schedule(self.step - 1),
            "train_loss": score.loss,
            "train_accuracy": score.accuracy,
            "validation_loss": held and held.loss,
            "validation_accuracy": held and held.accuracy,
            "seconds": round(self.log.seconds + self.log.seconds_since_save(), 2),
        }
        self.log.rows.append(row)
        run.write_log(self.log.rows)
        self.records.write(row)
        self.meter.start_epoch()
        ranks.compare(
            self.group, {"weights": checkpoint.digest(self.model.state_dict())}, ranks.refuse
        )
        line = f"epoch {row['epoch']:2d}/{self.options.epochs}  train: {score}"
        if held:
            line += f"  validation: {held.loss:.3f}, {100 * held.accuracy:.2f} %"
        self.progress.print(line)
        if self.options.keep_epochs:
            self.save(run, keep=True)
