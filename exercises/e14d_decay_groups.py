"""Exercise 14d, chapter 14, 20 minutes: what weight decay is for. Check: pytest exercises/test_e14d_decay_groups.py"""

from minires.nn import BatchNorm, Conv2d, Linear


def decay_groups(model, decay):
    """Return two groups of parameters for optim.SGD: with weight decay, and without.

    model  a Module    decay  the weight decay of the first group

    Return [{"params": [...], "weight_decay": decay}, {"params": [...], "weight_decay": 0}], with two lists, which
    optim.SGD takes as its parameters. The weights of the convolutions and linear layers are in the first group; their
    biases, and the weights and biases of batch norms, are in the second. All parameters of the model belong to Conv2d,
    Linear and BatchNorm layers, or to subclasses of these, anywhere in the tree: in lists and dicts, in modules within
    modules (a subclass of a layer may have layers, too), and under any names. A layer, or a parameter, may be in several
    places of the tree; the optimizer takes each parameter only once. Leave out parameters whose requires_grad is False.
    Return both groups even if one is empty. The order of the parameters doesn't matter. decay is a number, 0 or more.
    Leave the model unchanged. Chapter 14.
    """
    raise NotImplementedError("exercise 14d: write decay_groups")
