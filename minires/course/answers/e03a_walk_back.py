"""Exercise 03a: the walk back through a graph, and what goes wrong with it."""


def walk_back(root, g):
    """Add to the `grad` of every leaf below `root` the gradient of the loss, where g is that of root. Gives nothing.

    Each node's backward runs once, on the sum of what its users sent.
    """
    users, stack = {root: 0}, [root]
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and not hasattr(parent, "grad"):
                if parent not in users:
                    users[parent] = 0
                    stack.append(parent)
                users[parent] += 1
    waiting, ready = {root: g}, [root]
    while ready:
        node = ready.pop()
        for parent, part in zip(node.parents, node.backward(waiting.pop(node))):
            if parent is None:
                continue
            if hasattr(parent, "grad"):
                parent.grad = part if parent.grad is None else parent.grad + part
                continue
            waiting[parent] = waiting[parent] + part if parent in waiting else part
            users[parent] -= 1
            if users[parent] == 0:
                ready.append(parent)


def _leaf(parent):
    return hasattr(parent, "grad")


def _order(root):
    """Nodes, each after its parents."""
    order, seen, stack = [], {root}, [(root, iter(root.parents))]
    while stack:
        node, parents = stack[-1]
        parent = next(parents, stack)
        if parent is stack:
            order.append(node)
            stack.pop()
        elif parent is not None and not _leaf(parent) and parent not in seen:
            seen.add(parent)
            stack.append((parent, iter(parent.parents)))
    return order


def _walk(root, g, order, keep):
    """Through the nodes in this order; keep(parent, part) where a part arrives, with the parts so far in a dict."""
    sums = {root: g}
    for node in order:
        if node in sums:
            for parent, part in zip(node.parents, node.backward(sums[node])):
                if parent is not None:
                    keep(parent, part, sums)


def _add(parent, part, sums):
    if _leaf(parent):
        parent.grad = part if parent.grad is None else parent.grad + part
    else:
        sums[parent] = sums[parent] + part if parent in sums else part


def overwritten(root, g):
    """a leaf's grad is overwritten by the last part that comes, where it is the sum of all"""

    def keep(parent, part, sums):
        if _leaf(parent):
            parent.grad = part
        else:
            _add(parent, part, sums)

    _walk(root, g, _order(root)[::-1], keep)


def last_part_wins(root, g):
    """a node that has several users passes on the last part only, and not the sum"""

    def keep(parent, part, sums):
        if _leaf(parent):
            _add(parent, part, sums)
        else:
            sums[parent] = part

    _walk(root, g, _order(root)[::-1], keep)


def every_path(root, g):
    """each part is passed on by itself as it comes, so that a node runs once for each path to it"""
    stack = [(root, g)]
    while stack:
        node, g = stack.pop()
        for parent, part in zip(node.parents, node.backward(g)):
            if parent is not None and _leaf(parent):
                _add(parent, part, {})
            elif parent is not None:
                stack.append((parent, part))


def sum_sent_again(root, g):
    """a node passes on the sum so far each time that a part comes, and so sends the first parts again"""
    sums, stack = {root: g}, [root]
    while stack:
        node = stack.pop()
        for parent, part in zip(node.parents, node.backward(sums[node])):
            if parent is not None:
                _add(parent, part, sums)
                if not _leaf(parent):
                    stack.append(parent)


def before_all_users(root, g):
    """a node runs as soon as it is reached, once, and what its other users send later is lost"""
    order, seen = [root], {root}
    for node in order:
        for parent in node.parents:
            if parent is not None and not _leaf(parent) and parent not in seen:
                seen.add(parent)
                order.append(parent)
    _walk(root, g, order, _add)


def recursive(root, g):
    """the walk calls itself for each parent: a deep graph needs more calls within calls than Python has"""
    order, seen = [], set()

    def visit(node):
        if node is not None and not _leaf(node) and node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    _walk(root, g, order[::-1], _add)


def leaves_emptied(root, g):
    """leaves are emptied first, and what an earlier backward() left there is lost: emptying is zero_grad's business"""
    order = _order(root)
    for node in order:
        for parent in node.parents:
            if parent is not None and _leaf(parent):
                parent.grad = None
    _walk(root, g, order[::-1], _add)


def borrowed_written_to(root, g):
    """parts are added up with +=, into an array that others hold too"""

    def keep(parent, part, sums):
        if _leaf(parent) and parent.grad is None:
            parent.grad = part
        elif _leaf(parent):
            parent.grad += part
        elif parent in sums:
            sums[parent] += part
        else:
            sums[parent] = part

    _walk(root, g, _order(root)[::-1], keep)
