"""An optimizer around another: what loss scaling and averaging of weights have in common."""


class Wrapper:
    """Hands on to `optimizer` what an optimizer has: zero_grad, lr, steps, groups."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    @property
    def lr(self):
        """The learning rate of the optimizer within."""
        return self.optimizer.lr

    @lr.setter
    def lr(self, value):
        self.optimizer.lr = value

    @property
    def steps(self):
        """How many steps the optimizer within has done."""
        return self.optimizer.steps

    @steps.setter
    def steps(self, value):
        self.optimizer.steps = value

    @property
    def groups(self):
        """The groups of parameters of the optimizer within."""
        return self.optimizer.groups

    def zero_grad(self):
        """Forget the gradients."""
        self.optimizer.zero_grad()
