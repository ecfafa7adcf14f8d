"""Loss scaling: gradients that float16 would round to 0 are computed larger, and made small again in float32."""

from minires.backend import to_host, xp


class GradScaler:
    """For training with backend.using_mixed("float16"), whose least number is 6e-8; bfloat16 needs none.

        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    Where a gradient is not finite the scale was too large: the step is left out, and the scale halved. After `growth_interval`
    steps without that it is doubled. On a GPU step() waits for the card, to know.

    Source  Micikevicius et al. 2018, "Mixed Precision Training", section 3.2; the names are PyTorch's.
    Raises  ValueError: a scale or an interval that is not above 0.
    """

    def __init__(self, init_scale=2.0**16, *, growth_interval=2000):
        if not init_scale > 0 or not growth_interval > 0:
            raise ValueError(f"GradScaler: init_scale is {init_scale}, growth_interval {growth_interval}, wanted more than 0")
        self.factor, self.growth_interval = float(init_scale), growth_interval
        self._good, self._finite = 0, None  # steps since the scale changed; whether the last one's gradients were finite

    def scale(self, loss):
        """The loss (a tensor) times the scale."""
        return loss * self.factor

    def step(self, optimizer):
        """optimizer.step() with the gradients divided by the scale, if they are finite. Returns whether they are."""
        moved = [parameter for group in optimizer.groups for parameter in group["params"] if parameter.grad is not None]
        flat = xp.concatenate([parameter.grad.reshape(-1) for parameter in moved]) / self.factor
        self._finite, start = bool(to_host(xp.isfinite(flat).all())), 0
        for parameter in moved:
            parameter.grad = flat[start : start + parameter.size].reshape(parameter.shape)
            start += parameter.size
        if self._finite:
            optimizer.step()
        return self._finite

    def update(self):
        """Halve the scale after a step that was left out; double it after `growth_interval` that were not.

        Raises  RuntimeError: there was no step() since the last call.
        """
        if self._finite is None:
            raise RuntimeError("GradScaler: update() without a step() before it")
        self._good = self._good + 1 if self._finite else 0
        if not self._finite:
            self.factor /= 2
        elif self._good == self.growth_interval:
            self.factor, self._good = self.factor * 2, 0
        self._finite = None

    def state_dict(self):
        """The scale and how many steps it has been right, as numbers."""
        return {"scale": self.factor, "good": self._good}

    def load_state_dict(self, state):
        """Go on from where state_dict() was called."""
        self.factor, self._good = float(state["scale"]), int(state["good"])
