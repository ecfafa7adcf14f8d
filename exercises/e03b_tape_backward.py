"""Exercise 03b, chapter 03, 20 minutes: a bug hunt on a tape. Check: pytest exercises/test_e03b_tape_backward.py"""


def tape_backward(tape, g):
    """Add to the `grad` of every leaf the gradient of the loss, where g is that of the tape's last node. Returns nothing.

    tape  nodes in the order in which they ran. Those that the last one does not depend on do not run

    This is a different engine: it records each op on a tape as it runs, so parents come before their users and nothing has
    to be counted or sorted. Nodes and leaves are those of 03a. It gets chains, diamonds and two losses right. Where one
    value is used twice, a gradient may be wrong, but not always: in which graphs? Find the line and fix it. The same
    tape may run again, so leave it unchanged. Chapter 03.
    """
    grads = {tape[-1]: g}  # node -> its gradient so far
    for node in reversed(tape):
        if node not in grads:
            continue
        parts = dict(zip(node.parents, node.backward(grads.pop(node))))
        for parent, part in parts.items():
            if parent is None:
                continue
            if hasattr(parent, "grad"):  # a leaf
                parent.grad = part if parent.grad is None else parent.grad + part
            else:
                grads[parent] = grads[parent] + part if parent in grads else part
