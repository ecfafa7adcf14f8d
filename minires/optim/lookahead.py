"""Averaging of weights: slow ones follow the fast ones, which the optimizer moves, and pull them back."""

from minires.backend import to_device, to_host


class Lookahead:
    """Every so many steps the slow weights go a part of the way to the fast ones, which then begin from there. Running statistics
    are averaged likewise.

        optimizer.step()
        lookahead.step()

    steps  of the whole training: the part grows smaller towards its end, as slow = d slow + (1 - d) fast with
        d = decay**every * (step / steps)**3

    Source  Zhang et al. 2019, "Lookahead Optimizer"; the growing d is Jordan's, 2024, "94 % on CIFAR-10 in 3.29 seconds".
    Raises  ValueError: steps or every below 1, or a decay outside 0 to 1.
    """

    def __init__(self, model, *, steps, every=5, decay=0.95):
        if steps < 1 or every < 1 or not 0 <= decay <= 1:
            raise ValueError(f"Lookahead: steps is {steps}, every {every}, decay {decay}, wanted 1 or more, and a decay from 0 to 1")
        self.model, self.steps, self.every, self.decay, self.count = model, steps, every, decay, 0
        self.slow = {name: array.copy() for name, array in self._fast().items()}

    def _fast(self):
        """Name -> array, of all that is averaged: parameters that learn, and running statistics."""
        learning = {name: parameter.data for name, parameter in self.model.named_parameters() if parameter.requires_grad}
        return {**learning, **dict(self.model.named_buffers())}

    def step(self):
        """After each step of the optimizer."""
        self.count += 1
        last = self.count == self.steps
        if self.count % self.every and not last:
            return
        kept = 1.0 if last else self.decay**self.every * (self.count / self.steps) ** 3
        for name, fast in self._fast().items():
            slow = self.slow[name]
            slow += (1 - kept) * (fast - slow)
            fast[...] = slow

    def state_dict(self):
        """The slow weights, as NumPy arrays (copies), and the count of steps."""
        return {"count": self.count, **{f"slow.{name}": to_host(array).copy() for name, array in self.slow.items()}}

    def load_state_dict(self, state):
        """Go on from where state_dict() was called.

        Raises  ValueError: of another model.
        """
        arrays = {name.removeprefix("slow."): array for name, array in state.items() if name != "count"}
        if {name: array.shape for name, array in arrays.items()} != {name: array.shape for name, array in self.slow.items()}:
            raise ValueError("Lookahead: the state is of another model")
        self.count, self.slow = int(state["count"]), {name: to_device(array.copy()) for name, array in arrays.items()}
