"""Solutions of 08e."""

from minires import functional as F
from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong


def fact(model, x, labels):
    logits = model(Tensor(x))
    return (
        F.cross_entropy(logits, labels).item(),
        (logits.data.argmax(-1) == labels).sum().item(),
        len(x),
    )


def mean(facts):
    n = sum(fact[2] for fact in facts)
    return sum(loss * k for loss, _, k in facts) / n, sum(hits for _, hits, _ in facts) / n


def below(model):
    return [module for _, module in model.modules()]


@right
def in_a_list(model, batches):
    modes = {module: module.training for module in below(model)}
    try:
        with no_grad():
            return mean([fact(model.eval(), x, labels) for x, labels in batches])
    finally:
        for module in modes:
            module.training = modes[module]


@right
@no_grad()
def image_by_image(model, batches):
    modes = [module.training for module in below(model)]
    model.train(False)
    loss = hits = images = 0
    for x, labels in batches:
        for i in range(len(x)):
            logits = model(Tensor(x[i : i + 1]))
            loss += F.cross_entropy(logits, labels[i : i + 1]).item()
            hits += int(logits.data[0].argmax() == labels[i])
            images += 1
    for module, mode in zip(below(model), modes):
        module.training = mode
    return loss / images, hits / images


@right
def running_means(model, batches):
    modes = [(module, module.training) for module in below(model)]
    for module, _ in modes:
        module.training = False
    loss, accuracy, images = 0.0, 0.0, 0
    for x, labels in batches:
        with no_grad():
            now, hits, n = fact(model, x, labels)
        images += n
        loss = loss + (now - loss) * n / images
        accuracy = accuracy + (hits / n - accuracy) * n / images
    for module, mode in modes:
        module.training = mode
    return loss, accuracy


LAST, MODE, LEFT = ("test_a_smaller_last_batch_counts_for_less", "test_all_modules_are_in_evaluation_mode_during_it",
                    "test_each_module_is_left_in_its_own_mode")  # fmt: skip
ONE = "test_one_batch_has_its_loss_and_accuracy"


def facts(model, batches):
    """Right ones."""
    kept = []

    def noted():
        for x, labels in batches:
            yield x, labels
            kept.append(len(labels))

    found = []
    for x, labels in noted():
        loss, accuracy = in_a_list(model, [(x, labels)])
        found.append((loss, round(accuracy * len(labels)), len(labels)))
    return found


@wrong(LAST, mistake="mean_of_batches")
def averages_averaged(model, batches):
    found = facts(model, batches)
    return sum(loss for loss, *_ in found) / len(found), sum(
        hits / n for _, hits, n in found
    ) / len(found)


@wrong(LAST, mistake="full_batches_assumed")
def as_many_as_the_first(model, batches):
    found = facts(model, batches)
    size = found[0][2]
    return sum(loss * n for loss, _, n in found) / size / len(found), sum(
        hits for _, hits, _ in found
    ) / size / len(found)


@wrong(ONE, mistake="losses_unweighted")
def means_added(model, batches):
    found = facts(model, batches)
    n = sum(fact[2] for fact in found)
    return sum(fact[0] for fact in found) / n, sum(fact[1] for fact in found) / n


@wrong(LAST, mistake="last_batch_only")
def overwritten(model, batches):
    for x, labels in batches:
        score = in_a_list(model, [(x, labels)])
    return score


@wrong(MODE, mistake="in_training_mode")
def eval_forgotten(model, batches):
    with no_grad():
        return mean([fact(model, x, labels) for x, labels in batches])


@wrong(MODE, mistake="top_only")
def one_flag(model, batches):
    before, model.training = model.training, False
    with no_grad():
        score = mean([fact(model, x, labels) for x, labels in batches])
    model.training = before
    return score


@wrong("test_no_graph_is_built", mistake="graph_built")
def with_a_graph(model, batches):
    modes = [(module, module.training) for module in below(model)]
    score = mean([fact(model.eval(), x, labels) for x, labels in batches])
    for module, mode in modes:
        module.training = mode
    return score


@wrong(LEFT, mistake="left_in_eval")
def never_back(model, batches):
    with no_grad():
        return mean([fact(model.eval(), x, labels) for x, labels in batches])


@wrong(LEFT, mistake="all_trained_on")
def back_to_training(model, batches):
    score = never_back(model, batches)
    for module in below(model):
        module.training = True
    return score


@wrong(LEFT)
def all_as_the_top_was(model, batches):
    mode = model.training
    score = never_back(model, batches)
    model.train(mode)
    return score


@wrong(ONE)
def in_percent(model, batches):
    loss, accuracy = in_a_list(model, batches)
    return loss, 100 * accuracy


@wrong(ONE)
def errors(model, batches):
    loss, accuracy = in_a_list(model, batches)
    return loss, 1 - accuracy


@wrong(ONE)
def accuracy_alone(model, batches):
    return in_a_list(model, batches)[1]


@wrong("test_batches_may_come_from_a_generator")
def counted_before(model, batches):
    images = sum(len(labels) for _, labels in batches)
    found = facts(model, batches)
    return sum(loss * n for loss, _, n in found) / images, sum(
        hits for _, hits, _ in found
    ) / images


@wrong("test_weights_and_running_statistics_stay_unchanged")
def a_round_of_training_first(model, batches):
    batches = list(batches)
    with no_grad():
        for x, _ in batches:
            model.train()(Tensor(x))
    return in_a_list(model, batches)


@wrong("test_weights_and_running_statistics_stay_unchanged")
def one_batch_to_warm_up(model, batches):
    batches = list(batches)
    modes = [(module, module.training) for module in below(model)]
    with no_grad():
        model.train()(Tensor(batches[0][0]))
    for module, mode in modes:
        module.training = mode
    return in_a_list(model, batches)


@wrong(ONE)
def softmax_twice(model, batches):
    return in_a_list(with_softmax(model), batches)


def with_softmax(model):
    """The model with a softmax behind it."""

    class Behind:
        modules = model.modules

        def eval(self):
            model.eval()
            return lambda x: F.softmax(model(x))

    return Behind()


@wrong("test_on_a_tie_the_first_class_is_predicted")
def any_largest_logit_counts(model, batches):
    modes = [(module, module.training) for module in below(model)]
    facts = []
    with no_grad():
        model.eval()
        for x, labels in batches:
            logits = model(Tensor(x))
            own = logits.data[range(len(labels)), labels]
            hits = (own >= logits.data.max(axis=1)).sum().item()
            facts.append((F.cross_entropy(logits, labels).item(), hits, len(x)))
    for module, mode in modes:
        module.training = mode
    return mean(facts)
