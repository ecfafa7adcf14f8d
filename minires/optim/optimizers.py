"""SGD, Adam and AdamW."""

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from minires import names
from minires.backend import is_array, to_device, to_host, xp
from minires.ops.forms import has_forms
from minires.optim.schedules import Schedule


@has_forms
def sgd(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """g += weight_decay * w;  v = momentum * v + g;  w -= lr * v, or with Nesterov lr * (g + momentum * v). In place.

    w, g, v  arrays of one shape: weights, gradient and velocity; without momentum v is None, and w -= lr * g

    Source  Sutskever et al. 2013, in PyTorch's form: lr scales the step, not the velocity.
    """
    g = g + weight_decay * w
    if v is not None:
        v *= momentum
        v += g
        g = g + momentum * v if nesterov else v
    w -= lr * g


@has_forms
def adam(w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g**2;  w -= lr * m_hat / (sqrt(v_hat) + eps). In place.

    w, g, m, v  arrays of one shape    t  the number of this step: 1, 2, 3, ...    betas  (b1, b2)
    m_hat = m / (1 - b1**t) and v_hat = v / (1 - b2**t) correct for the start at zero.
    weight_decay  is coupled: g + weight_decay * w replaces g; or decoupled (AdamW): first w *= 1 - lr * weight_decay

    Source  Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.
    """
    b1, b2 = betas
    if decoupled:
        w *= 1 - lr * weight_decay
    else:
        g = g + weight_decay * w
    m *= b1
    m += (1 - b1) * g
    v *= b2
    v += (1 - b2) * g**2
    w -= lr * (m / (1 - b1**t)) / (xp.sqrt(v / (1 - b2**t)) + eps)


class Optimizer:
    """Base of all optimizers: groups of parameters, each with its options.

    parameters  a list of them; or a list of groups, each a dict with "params" and the options that differ:
                [{"params": weights}, {"params": biases, "weight_decay": 0}]
    lr  a number, or a function of the step, such as optim.cosine(0.1, steps=1000); a group's own lr keeps its ratio to it

    `steps` counts the steps. Raises  ValueError: no parameters, one of them twice, an unknown option, or an option out of range.
    """

    state_names: frozenset[str] = (
        frozenset()
    )  # the names of the state that step() keeps per parameter

    def __init__(self, parameters: Iterable[Any], **options: Any) -> None:
        self.schedule, self.steps = None, 0
        if callable(options["lr"]):
            self.schedule = options["lr"]
            # Ratios of groups are relative to it.
            options["lr"] = getattr(self.schedule, "lr", 0) or self.schedule(0) or 1.0
        if hasattr(parameters, "grad"):
            raise TypeError("optimizer: expected a list of parameters, got a single tensor")
        groups = list(parameters)
        if not groups:
            raise ValueError("optimizer: expected at least one parameter, got none")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.groups = []
        for group in groups:
            for name in group:
                names.check("option of a group", name, ("params", *options))
            if "params" not in group:
                raise ValueError(
                    f"optimizer: expected a group with params, got one with {', '.join(group) or 'nothing'}"
                )
            if hasattr(group["params"], "grad"):
                raise TypeError("params: expected a list of parameters, got a single tensor")
            self.groups.append({**options, **group, "params": list(group["params"])})
            self._check(self.groups[-1])
            self.groups[-1].update(_plain(self.groups[-1]))
        self._shares = [group["lr"] / float(options["lr"]) for group in self.groups]
        self.lr = self.schedule(0) if self.schedule else options["lr"]
        members = list(map(id, self._parameters()))
        if len(set(members)) < len(members):
            raise ValueError(
                "optimizer: expected each parameter once, got one twice: each step would update it twice"
            )
        self.state: dict[Any, dict[str, Any]] = {}  # parameter -> its arrays, from its first step

    def _check(self, group: dict[str, Any]) -> None:
        for parameter in group["params"]:
            if not hasattr(parameter, "grad"):
                raise TypeError(f"optimizer: expected parameters, got a {type(parameter).__name__}")
        for name in ("lr", "eps", "weight_decay", "momentum"):
            if not isinstance(group.get(name, 0), Real):
                raise TypeError(f"{name}: expected a number, got {group[name]!r}")
        for name in ("lr", "eps"):
            if name in group and not group[name] > 0:
                raise ValueError(f"{name}: expected more than 0, got {group[name]}")
        for name in ("weight_decay", "momentum"):
            if not group.get(name, 0) >= 0:
                raise ValueError(f"{name}: expected 0 or more, got {group[name]}")

    @property
    def lr(self) -> float:
        """The learning rate. Setting it changes every group's own in proportion."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        if not value >= 0:
            raise ValueError(f"lr: expected 0 or more, got {value}")
        self._lr = float(value)
        for group, share in zip(self.groups, self._shares):
            group["lr"] = share * self._lr

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        for group in self.groups:
            for parameter in group["params"]:
                parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient, in place, at the learning rate of this step."""
        if self.schedule is not None:
            self.lr = self.schedule(self.steps)
        self.update_groups()
        self.steps += 1

    @has_forms
    def update_groups(self) -> None:
        """Update every parameter that has a gradient, group by group."""
        for group in self.groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.written_by(f"{type(self).__name__}.step()")
                    self.update(parameter, group, self.state.setdefault(parameter, {}))

    def update(self, parameter: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Update one parameter, with its group's options and its own state."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return the state, as numbers and copies in NumPy arrays: "lr", "steps", and each parameter's by its position in the
        groups: "0.velocity", "1.velocity", ... Options of groups are not included.
        """
        state: dict[str, Any] = {"lr": self.lr, "steps": self.steps}
        for i, parameter in enumerate(self._parameters()):
            for key, value in self.state.get(parameter, {}).items():
                state[f"{i}.{key}"] = to_host(value).copy() if is_array(value) else value
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from where state_dict() was called. Either all of the state is loaded or none.

        Raises  ValueError: the state of a different kind of optimizer, or for other parameters.
        """
        parameters, new = self._parameters(), dict[Any, dict[str, Any]]()
        for name, value in state.items():
            if name in ("lr", "steps"):
                continue
            place, _, key = name.partition(".")
            if key not in self.state_names or not place.isdigit() or int(place) >= len(parameters):
                kind = f"{type(self).__name__} of {len(parameters)} parameters"
                raise ValueError(
                    f"load_state_dict: expected the state of {kind}, got an entry {name}"
                )
            parameter = parameters[int(place)]
            if hasattr(value, "shape"):
                if value.shape != parameter.shape:
                    raise ValueError(
                        f"load_state_dict: expected {name} of shape {parameter.shape}, got {value.shape}"
                    )
                value = xp.array(to_device(value))
            new.setdefault(parameter, {})[key] = value
        partial = [
            self.state_names - set(kept) for kept in new.values() if set(kept) != self.state_names
        ]
        if "lr" not in state or partial:
            raise ValueError(
                f"load_state_dict: the state lacks {', '.join(sorted(partial[0])) if partial else 'lr'}"
            )
        self.lr, self.steps, self.state = state["lr"], int(state.get("steps", self.steps)), new

    def _parameters(self) -> list[Any]:
        return [parameter for group in self.groups for parameter in group["params"]]


def _plain(group: dict[str, Any]) -> dict[str, Any]:
    """Return a group's numbers as Python floats: a NumPy scalar would change the dtype of the weights."""
    plain: dict[str, Any] = {
        name: float(value)
        for name, value in group.items()
        if not isinstance(value, bool) and isinstance(value, Real)
    }
    return {**plain, **({"betas": tuple(map(float, group["betas"]))} if "betas" in group else {})}


class SGD(Optimizer):
    """g += weight_decay * w;  v = momentum * v + g;  w -= lr * v, or with Nesterov lr * (g + momentum * v).

    Source  Sutskever et al. 2013, in PyTorch's form: lr scales the step, not the velocity.
    """

    state_names = frozenset({"velocity"})

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float | Schedule,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            parameters, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
        )

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        if group["nesterov"] and not group["momentum"]:
            raise ValueError("nesterov: expected a momentum above 0, got 0")

    def update(self, parameter: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Update one parameter by sgd, with the velocity in `state`."""
        if group["momentum"] and "velocity" not in state:
            state["velocity"] = xp.zeros_like(parameter.data)
        options = {name: group[name] for name in ("lr", "momentum", "weight_decay", "nesterov")}
        sgd(parameter.data, parameter.grad, state.get("velocity"), **options)


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g**2;  w -= lr * m_hat / (sqrt(v_hat) + eps).

    m_hat = m / (1 - b1**t) and v_hat = v / (1 - b2**t) correct for the start at zero; t counts from 1. weight_decay is coupled:
    it is added to g.
    Source  Kingma and Ba 2015, algorithm 1.
    """

    decoupled, state_names = False, frozenset({"t", "m", "v"})

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float | Schedule = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        betas = group["betas"]
        if (
            not isinstance(betas, (tuple, list))
            or len(betas) != 2
            or not all(0 <= beta < 1 for beta in betas)
        ):
            raise ValueError(f"betas: expected two numbers with 0 <= beta < 1, got {betas}")

    def update(self, parameter: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Update one parameter by adam, with t, m and v in `state`."""
        if not state:
            state.update(t=0, m=xp.zeros_like(parameter.data), v=xp.zeros_like(parameter.data))
        state["t"] += 1
        options = {name: group[name] for name in ("lr", "betas", "eps", "weight_decay")}
        adam(parameter.data, parameter.grad, **state, **options, decoupled=self.decoupled)


class AdamW(Adam):
    """Adam with decoupled weight decay: w *= 1 - lr * weight_decay, independent of the gradient step.

    Source  Loshchilov and Hutter 2019, algorithm 2.
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float | Schedule = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)
