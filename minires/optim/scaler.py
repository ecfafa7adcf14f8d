"""Loss scaling: gradients that float16 would round to 0 are computed larger, and made small again in float32."""

from collections.abc import Mapping
from typing import Any

from minires.backend import to_host, xp
from minires.optim.optimizers import Optimizer
from minires.optim.wrapper import Wrapper


class GradScaler(Wrapper):
    """An optimizer for training under backend.autocast("float16"), whose least number is 6e-8; bfloat16 needs none.

        optimizer = GradScaler(SGD(model.parameters(), lr=0.1))

        optimizer.zero_grad()
        optimizer.scale(loss).backward()
        optimizer.step()

    scale() changes gradients only, not the loss; it may as well be called on the logits. step() divides the gradients by
    the scale. Where one is not finite the scale was too large: the step is left out, and the scale halved. After
    `growth_interval` steps without that it is doubled. On a GPU step() waits for the device, to know.

    Source  Micikevicius et al. 2018, "Mixed Precision Training", section 3.2.
    Raises  ValueError: a scale or an interval that is not above 0.
    """

    def __init__(
        self, optimizer: Optimizer, init_scale: float = 2.0**16, *, growth_interval: int = 2000
    ) -> None:
        if not init_scale > 0 or not growth_interval > 0:
            raise ValueError(
                f"GradScaler: init_scale is {init_scale}, growth_interval {growth_interval}, wanted more than 0"
            )
        super().__init__(optimizer)
        self.factor, self.growth_interval = float(init_scale), growth_interval
        self._good = 0  # steps since the scale changed

    def scale(self, tensor: Any) -> Any:
        """The tensor; the gradient that comes back through it is multiplied by the scale."""
        return tensor.scale_gradient(self.factor)

    def step(self) -> bool:
        """Divide the gradients by the scale, and update the parameters if they are finite. Returns whether they are."""
        moved = [
            parameter
            for group in self.groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        flat = xp.concatenate([parameter.grad.reshape(-1) for parameter in moved]) / self.factor
        finite, start = bool(to_host(xp.isfinite(flat).all())), 0
        for parameter in moved:
            parameter.grad = flat[start : start + parameter.size].reshape(parameter.shape)
            start += parameter.size
        if finite:
            self.optimizer.step()
            self._good += 1
        else:
            self.steps, self._good = self.steps + 1, 0  # a step of the schedule, all the same
            self.factor /= 2
        if self._good == self.growth_interval:
            self.factor, self._good = self.factor * 2, 0
        return finite

    def state_dict(self) -> dict[str, Any]:
        """The optimizer's, and "scaler.scale" and "scaler.good" (how many steps it has been right), as numbers."""
        return {
            **self.optimizer.state_dict(),
            "scaler.scale": self.factor,
            "scaler.good": self._good,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from where state_dict() was called."""
        own = {name: value for name, value in state.items() if name.startswith("scaler.")}
        self.optimizer.load_state_dict(
            {name: value for name, value in state.items() if name not in own}
        )
        self.factor, self._good = float(own["scaler.scale"]), int(own["scaler.good"])
