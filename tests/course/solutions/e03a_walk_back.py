"""Solutions of 03a."""

from collections import Counter, deque

import numpy

from tests.course.kinds import right, wrong


def is_leaf(parent):
    return hasattr(parent, "grad")


def give(leaf, part):
    leaf.grad = part if leaf.grad is None else leaf.grad + part


def inner(node):
    return [parent for parent in node.parents if parent is not None and not is_leaf(parent)]


def topological(root):
    """Nodes before their parents, by a stack."""
    order, state, stack = [], {}, [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in state:
            state[node] = True
            stack.append((node, True))
            stack.extend((parent, False) for parent in inner(node)[::-1])
    return order[::-1]


def add_up(sums, parent, part):
    sums[parent] = sums[parent] + part if parent in sums else part


def through(order, root, g, at_leaf=give, at_node=add_up):
    sums = {root: g}
    for node in order:
        if node not in sums:
            continue
        for parent, part in zip(node.parents, node.backward(sums[node])):
            if parent is None:
                continue
            if is_leaf(parent):
                at_leaf(parent, part)
            else:
                at_node(sums, parent, part)


@right
def sorted_first(root, g):
    through(topological(root), root, g)


@right
def parts_in_lists(root, g):
    users, seen, queue = Counter(), {root}, deque([root])
    while queue:
        for parent in inner(queue.popleft()):
            users[parent] += 1
            if parent not in seen:
                seen.add(parent)
                queue.append(parent)
    parts, queue = {root: [g]}, deque([root])
    while queue:
        node = queue.popleft()
        mine = parts.pop(node)
        total = mine[0]
        for part in mine[1:]:
            total = total + part
        for parent, part in zip(node.parents, node.backward(total)):
            if parent is None:
                continue
            if is_leaf(parent):
                give(parent, part)
                continue
            parts.setdefault(parent, []).append(part)
            if len(parts[parent]) == users[parent]:
                queue.append(parent)


@right
def by_depth(root, g):
    depth, level, n = {root: 0}, {root}, 0
    while level:  # the longest way from the root to each node
        n += 1
        level = {parent for node in level for parent in inner(node)}
        depth.update(dict.fromkeys(level, n))
    through(sorted(depth, key=depth.get), root, g)


@wrong("test_a_leaf_that_is_used_twice_gets_both_contributions", mistake="overwritten")
def assigned(root, g):
    through(topological(root), root, g, at_leaf=lambda leaf, part: setattr(leaf, "grad", part))


@wrong("test_a_diamond_adds", mistake="last_part_wins")
def node_assigned(root, g):
    through(
        topological(root), root, g, at_node=lambda sums, parent, part: sums.update({parent: part})
    )


@wrong("test_a_graph_with_2_to_the_40_paths_takes_no_time", mistake="every_path")
def no_memory(root, g):
    queue = deque([(root, g)])
    while queue:
        node, g = queue.pop()
        for parent, part in zip(node.parents, node.backward(g)):
            if is_leaf(parent):
                give(parent, part)
            elif parent is not None:
                queue.append((parent, part))


@wrong("test_a_diamond_adds", mistake="sum_sent_again")
def resent(root, g):
    grads = {root: g}
    todo = [root]
    while todo:
        node = todo.pop()
        for parent, part in zip(node.parents, node.backward(grads[node])):
            if parent is None:
                continue
            if is_leaf(parent):
                give(parent, part)
            else:
                grads[parent] = grads.get(parent, 0) + part
                todo.append(parent)


@wrong("test_a_node_that_is_used_at_two_depths_waits_for_both", mistake="before_all_users")
def breadth_first(root, g):
    order, seen, queue = [], {root}, deque([root])
    while queue:
        node = queue.popleft()
        order.append(node)
        for parent in inner(node):
            if parent not in seen:
                seen.add(parent)
                queue.append(parent)
    through(order, root, g)


@wrong("test_a_chain_of_10000_is_not_too_deep", mistake="recursive")
def visits(root, g):
    done, order = {}, []

    def visit(node):
        done[node] = True
        for parent in inner(node):
            if parent not in done:
                visit(parent)
        order.insert(0, node)

    visit(root)
    through(order, root, g)


@wrong("test_gradients_of_two_losses_add_up", mistake="leaves_emptied")
def fresh_leaves(root, g):
    sums = {}
    through(
        topological(root),
        root,
        g,
        at_leaf=lambda leaf, part: sums.update({leaf: sums[leaf] + part if leaf in sums else part}),
    )
    for leaf, total in sums.items():
        leaf.grad = total


@wrong("test_arrays_that_other_code_holds_do_not_change", mistake="borrowed_written_to")
def in_place(root, g):
    def leaf_in_place(leaf, part):
        if leaf.grad is None:
            leaf.grad = part
        else:
            leaf.grad += part

    def node_in_place(sums, parent, part):
        if parent in sums:
            sums[parent] += part
        else:
            sums[parent] = part

    through(topological(root), root, g, leaf_in_place, node_in_place)


@wrong("test_a_chain_multiplies")
def starts_with_one(root, g):
    through(topological(root), root, g * 0 + 2)


@wrong("test_operands_that_need_no_gradient_get_none", crashes=True)
def none_not_expected(root, g):
    def all_parents(node):
        return [parent for parent in node.parents if not is_leaf(parent)]

    order, stack = [], [root]
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(all_parents(node))
    through(order, root, g)


@wrong("test_operands_that_need_no_gradient_get_none")
def first_parent_missed(root, g):
    through(topological(root), root, g, at_leaf=lambda leaf, part: None)


@wrong("test_a_diamond_adds")
def depth_first_preorder(root, g):
    order, seen, stack = [], set(), [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
            stack.extend(inner(node))
    through(order, root, g)


@wrong("test_a_node_that_is_used_at_two_depths_waits_for_both")
def runs_twice(root, g):
    order = topological(root)
    for node in order[1:]:
        node.backward(g)
    through(order, root, g)


@wrong("test_a_leaf_that_is_used_twice_gets_both_contributions")
def one_operand(root, g):
    through(
        topological(root),
        root,
        g,
        at_leaf=lambda leaf, part: give(leaf, part) if leaf.grad is None else None,
    )


@wrong("test_a_graph_with_2_to_the_40_paths_takes_no_time")
def counted_along_paths(root, g):
    stack = [root]
    while stack:
        stack.extend(inner(stack.pop()))
    sorted_first(root, g)


@wrong("test_nothing_is_left_on_nodes_and_leaves")
def marks_left_on_the_root(root, g):
    sorted_first(root, g)
    root.visited = True


@wrong("test_gradients_that_were_set_to_none_start_afresh")
def totals_kept_for_each_leaf(root, g, totals={}):  # noqa: B006
    def add_up(leaf, part):
        totals[leaf] = totals[leaf] + part if leaf in totals else part
        leaf.grad = totals[leaf]

    through(topological(root), root, g, at_leaf=add_up)


@wrong("test_arrays_that_other_code_holds_do_not_change")
def in_place_into_its_own_copy(root, g):
    def into_copy(leaf, part):
        if leaf.grad is None:
            leaf.grad = part * 1
        else:
            leaf.grad += part

    through(topological(root), root, g, at_leaf=into_copy)


@wrong("test_infinity_and_nan_are_gradients_too")
def finite_parts_alone(root, g):
    sums = {root: g}
    for node in topological(root):
        for parent, part in zip(node.parents, node.backward(sums.pop(node, 0.0))):
            if parent is None or not numpy.isfinite(part).all():
                continue
            if is_leaf(parent):
                give(parent, part)
            else:
                sums[parent] = sums[parent] + part if parent in sums else part


@wrong("test_a_gradient_of_0_is_a_gradient")
def nothing_to_do_if_g_is_0(root, g):
    sorted_first(root, g) if numpy.any(g) else None
