"""An optimizer around another one: the base of loss scaling and weight averaging."""

from collections.abc import Mapping
from typing import Any

from minires.optim.optimizers import Optimizer


class Wrapper:
    """An optimizer that passes zero_grad, lr, steps and groups on to `optimizer`."""

    def __init__(self, optimizer: "Optimizer | Wrapper") -> None:
        self.optimizer = optimizer

    @property
    def lr(self) -> float:
        """The learning rate of the wrapped optimizer."""
        return self.optimizer.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self.optimizer.lr = value

    @property
    def steps(self) -> int:
        """The number of steps that the wrapped optimizer has done."""
        return self.optimizer.steps

    @steps.setter
    def steps(self, value: int) -> None:
        """Set the number of steps that the wrapped optimizer has done."""
        self.optimizer.steps = value

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The parameter groups of the wrapped optimizer."""
        return self.optimizer.groups

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        self.optimizer.zero_grad()

    def step(self) -> Any:
        """Do a step of the wrapped optimizer."""
        return self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the wrapped optimizer."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from where state_dict() was called."""
        self.optimizer.load_state_dict(state)
