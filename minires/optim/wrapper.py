"""An optimizer around another: what loss scaling and averaging of weights have in common."""

from collections.abc import Mapping
from typing import Any

from minires.optim.optimizers import Optimizer


class Wrapper:
    """Hands on to `optimizer` what an optimizer has: zero_grad, lr, steps, groups."""

    def __init__(self, optimizer: "Optimizer | Wrapper") -> None:
        self.optimizer = optimizer

    @property
    def lr(self) -> float:
        """The learning rate of the optimizer within."""
        return self.optimizer.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self.optimizer.lr = value

    @property
    def steps(self) -> int:
        """How many steps the optimizer within has done."""
        return self.optimizer.steps

    @steps.setter
    def steps(self, value: int) -> None:
        """Set how many steps the optimizer within has done."""
        self.optimizer.steps = value

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The groups of parameters of the optimizer within."""
        return self.optimizer.groups

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.optimizer.zero_grad()

    def step(self) -> Any:
        """A step of the optimizer within."""
        return self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimizer within."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from where state_dict() was called."""
        self.optimizer.load_state_dict(state)
