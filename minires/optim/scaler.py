"""Loss scaling: gradients that float16 would round to 0 are computed scaled up, and scaled down again in float32."""

from collections.abc import Mapping
from typing import Any

from minires.backend import to_host, xp
from minires.optim.optimizers import Optimizer
from minires.optim.wrapper import Wrapper


class GradScaler(Wrapper):
    """An optimizer for training under backend.autocast("float16"), whose smallest number is 6e-8; bfloat16 doesn't need it.

        optimizer = GradScaler(SGD(model.parameters(), lr=0.1))

        optimizer.zero_grad()
        optimizer.scale(loss).backward()
        optimizer.step()

    scale() changes only gradients, not the loss, so you can also call it on the logits. step() divides the gradients by
    the scale. If one is not finite, the scale was too large: the step is skipped, and the scale halved. After
    `growth_interval` finite steps it is doubled. On a GPU, step() waits for the device.

    Source  Micikevicius et al. 2018, "Mixed Precision Training", section 3.2.
    Raises  ValueError: a scale or an interval that is not above 0.
    """

    def __init__(
        self, optimizer: Optimizer, init_scale: float = 2.0**16, *, growth_interval: int = 2000
    ) -> None:
        if not init_scale > 0 or not growth_interval > 0:
            raise ValueError(
                f"GradScaler: expected more than 0, got init_scale {init_scale} and growth_interval {growth_interval}"
            )
        super().__init__(optimizer)
        self.factor, self.growth_interval = float(init_scale), growth_interval
        self._good = 0  # steps since the scale changed

    def scale(self, tensor: Any) -> Any:
        """Return the tensor; the backward pass multiplies its gradient by the scale."""
        return tensor.scale_gradient(self.factor)

    def step(self) -> bool:
        """Divide the gradients by the scale, and update the parameters if they are finite. Returns True if they are."""
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
            self.steps, self._good = self.steps + 1, 0  # it still counts as a step of the schedule
            self.factor /= 2
        if self._good == self.growth_interval:
            self.factor, self._good = self.factor * 2, 0
        return finite

    def state_dict(self) -> dict[str, Any]:
        """Return the optimizer's state, "scaler.scale" and "scaler.good" (the number of finite steps since the scale changed)."""
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
