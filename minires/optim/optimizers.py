"""SGD, Adam and AdamW."""

from numbers import Real

from minires import names
from minires.backend import has_kernel, has_kernels, in_parts, is_array, scratch, to_device, to_host, xp
from minires.optim.flat import Flat


class Optimizer:
    """What all optimizers share: groups of parameters, each with its options.

    parameters  a list of them; or a list of groups, each a dict with "params" and the options that differ:
                [{"params": weights}, {"params": biases, "weight_decay": 0}]

    Raises  ValueError: no parameters, one of them twice, an unknown option, or an option out of range.
    """

    remembers = frozenset()  # the names of what step() keeps for each parameter

    def __init__(self, parameters, **options):
        if hasattr(parameters, "grad"):
            raise TypeError("an optimizer takes a list of parameters, it got a single tensor")
        groups = list(parameters)
        if not groups:
            raise ValueError("an optimizer needs parameters, it got none")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.groups = []
        for group in groups:
            for name in group:
                names.check("option of a group", name, ("params", *options))
            if "params" not in group:
                raise ValueError(f"a group needs params, this one has {', '.join(group) or 'nothing'}")
            if hasattr(group["params"], "grad"):
                raise TypeError("params of a group is a single tensor, wanted a list of parameters")
            self.groups.append({**options, **group, "params": list(group["params"])})
            self._check(self.groups[-1])
            self.groups[-1].update(_plain(self.groups[-1]))
        self._shares = [group["lr"] / float(options["lr"]) for group in self.groups]
        self.lr = options["lr"]
        members = list(map(id, self._parameters()))
        if len(set(members)) < len(members):
            raise ValueError("a parameter stands twice in the optimizer's groups: it would be moved twice a step")
        self.state, self._flat = {}, {}  # parameter -> its arrays, made at its first step; and where those lie in one

    def _check(self, group):
        for parameter in group["params"]:
            if not hasattr(parameter, "grad"):
                raise TypeError(f"an optimizer takes parameters, it got a {type(parameter).__name__}")
        for name in ("lr", "eps", "weight_decay", "momentum"):
            if not isinstance(group.get(name, 0), Real):
                raise TypeError(f"{name} is {group[name]!r}, wanted a number")
        for name in ("lr", "eps"):
            if name in group and not group[name] > 0:
                raise ValueError(f"{name} is {group[name]}, wanted more than 0")
        for name in ("weight_decay", "momentum"):
            if not group.get(name, 0) >= 0:
                raise ValueError(f"{name} is {group[name]}, wanted 0 or more")

    @property
    def lr(self):
        """The learning rate. Setting it moves every group's own in proportion."""
        return self._lr

    @lr.setter
    def lr(self, value):
        if not value >= 0:
            raise ValueError(f"lr is {value}, wanted 0 or more")
        self._lr = float(value)
        for group, share in zip(self.groups, self._shares):
            group["lr"] = share * self._lr

    def zero_grad(self):
        """Forget the gradients."""
        for group in self.groups:
            for parameter in group["params"]:
                parameter.grad = None

    def step(self):
        """Move every parameter that has a gradient, in place."""
        for i, group in enumerate(self.groups):
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if has_kernels() and Flat.possible(moved, self.state):
                flat = self._flat[i] = Flat.of(moved, self.state, self._flat.get(i))
                self._move(flat, group, flat.state)
                flat.share(self.state)
            else:
                for parameter in moved:
                    self._move(parameter, group, self.state.setdefault(parameter, {}))

    def _move(self, parameter, group, state):
        """Move one parameter, or a Flat of many."""
        raise NotImplementedError

    def state_dict(self):
        """What step() remembers, as numbers and NumPy arrays (copies): "lr", and for each parameter by its place in the
        groups "0.velocity", "1.velocity", ... Options of groups are not among it.
        """
        state = {"lr": self.lr}
        for i, parameter in enumerate(self._parameters()):
            for key, value in self.state.get(parameter, {}).items():
                state[f"{i}.{key}"] = to_host(value).copy() if is_array(value) else value
        return state

    def load_state_dict(self, state):
        """Go on from where state_dict() was called. All of it is taken over, or nothing.

        Raises  ValueError: an optimizer of another kind, or for other parameters.
        """
        parameters, new = self._parameters(), {}
        for name, value in state.items():
            if name == "lr":
                continue
            place, _, key = name.partition(".")
            if key not in self.remembers or not place.isdigit() or int(place) >= len(parameters):
                kind = f"{type(self).__name__} of {len(parameters)} parameters"
                raise ValueError(f"the state holds {name}, which {kind} does not know")
            parameter = parameters[int(place)]
            if hasattr(value, "shape"):
                if value.shape != parameter.shape:
                    raise ValueError(f"{name} has shape {value.shape}, the parameter has {parameter.shape}")
                value = xp.array(to_device(value))
            new.setdefault(parameter, {})[key] = value
        partial = [self.remembers - set(kept) for kept in new.values() if set(kept) != self.remembers]
        if "lr" not in state or partial:
            raise ValueError(f"the state lacks {', '.join(sorted(partial[0])) if partial else 'lr'}")
        self.lr, self.state = state["lr"], new

    def _parameters(self):
        return [parameter for group in self.groups for parameter in group["params"]]


def _plain(group):
    """A group's numbers as Python's: a scalar of NumPy's would change the type of the weights."""
    plain = {name: float(value) for name, value in group.items() if isinstance(value, Real) and not isinstance(value, bool)}
    return {**plain, **({"betas": tuple(map(float, group["betas"]))} if "betas" in group else {})}


def _in_flat_parts(move, *arrays):
    """move(part of each array), all of them flat: nothing as large as a parameter is made."""
    if not all(array.flags.c_contiguous for array in arrays):
        move(*arrays)
        return
    flat = [array.reshape(-1) for array in arrays]
    in_parts(lambda part: move(*(array[part] for array in flat)), flat[0].size, 2 * len(flat) * flat[0].dtype.itemsize)


class SGD(Optimizer):
    """g += weight_decay * w;  v = momentum * v + g;  w -= lr * v, or with Nesterov lr * (g + momentum * v).

    Source  Sutskever et al. 2013, in PyTorch's form: lr scales the step, not the velocity.
    """

    remembers = frozenset({"velocity"})

    def __init__(self, parameters, lr, *, momentum=0.0, nesterov=False, weight_decay=0.0):
        super().__init__(parameters, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    def _check(self, group):
        super()._check(group)
        if group["nesterov"] and not group["momentum"]:
            raise ValueError("nesterov needs a momentum above 0")

    def _move(self, parameter, group, state):
        if group["momentum"] and "velocity" not in state:
            state["velocity"] = xp.zeros_like(parameter.data)
        move_sgd(parameter.data, parameter.grad, state["velocity"] if group["momentum"] else None,
                 group["lr"], group["momentum"], group["weight_decay"], group["nesterov"])  # fmt: skip


@has_kernel
def move_sgd(w, g, v, lr, momentum, decay, nesterov):
    """Move w, and v unless it is None, in place."""

    def move(w, g, v=None):
        step = scratch("step", w.shape, w.dtype)
        if decay:
            g = xp.add(g, xp.multiply(w, decay, out=step), out=step)
        if v is not None:
            v *= momentum
            v += g
            ahead = scratch("ahead", w.shape, w.dtype)
            g = xp.add(g, xp.multiply(v, momentum, out=ahead), out=step) if nesterov else v
        w -= xp.multiply(g, lr, out=step)

    _in_flat_parts(move, w, g, *([] if v is None else [v]))


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g**2;  w -= lr * m_hat / (sqrt(v_hat) + eps).

    m_hat = m / (1 - b1**t) and v_hat = v / (1 - b2**t) undo the start at zero; t counts from 1. weight_decay is coupled:
    it is added to g.
    Source  Kingma and Ba 2015, algorithm 1.
    """

    decoupled, remembers = False, frozenset({"t", "m", "v"})

    def __init__(self, parameters, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def _check(self, group):
        super()._check(group)
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas are {betas}, wanted two numbers with 0 <= beta < 1")

    def _move(self, parameter, group, state):
        if not state:
            state.update(t=0, m=xp.zeros_like(parameter.data), v=xp.zeros_like(parameter.data))
        state["t"] += 1
        b1, b2 = group["betas"]
        m_part, v_part = 1 - b1 ** state["t"], 1 - b2 ** state["t"]  # of what m and v would be without the start at zero
        move_adam(parameter.data, parameter.grad, state["m"], state["v"],
                  group["lr"], b1, b2, group["eps"], group["weight_decay"], m_part, v_part, self.decoupled)  # fmt: skip


@has_kernel
def move_adam(w, g, m, v, lr, b1, b2, eps, decay, m_part, v_part, decoupled):
    """Move w, m and v in place."""

    def move(w, g, m, v):
        step, root = scratch("step", w.shape, w.dtype), scratch("ahead", w.shape, w.dtype)
        if decay and decoupled:
            w *= 1 - lr * decay
        elif decay:
            g = xp.add(g, xp.multiply(w, decay, out=step), out=scratch("decayed", w.shape, w.dtype))
        m *= b1
        m += xp.multiply(g, 1 - b1, out=step)
        v *= b2
        xp.multiply(g, g, out=step)
        step *= 1 - b2
        v += step
        xp.sqrt(xp.divide(v, v_part, out=root), out=root)
        root += eps
        xp.divide(m, m_part, out=step)
        step *= lr
        step /= root
        w -= step

    _in_flat_parts(move, w, g, m, v)


class AdamW(Adam):
    """Adam with decoupled weight decay: w *= 1 - lr * weight_decay, beside the step and not through it.

    Source  Loshchilov and Hutter 2019, algorithm 2.
    """

    decoupled = True

    def __init__(self, parameters, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)
