"""Exercise 11e: a lesion study with three faults, and what else goes wrong with it."""

import math

from minires import functional as F
from minires.models.resnet import BasicBlock
from minires.tensor import Tensor, no_grad


def study(model, x, labels, *, batch):
    """Return a lesion study: {"whole": accuracy, "sizes": [of each branch], "without": [accuracy without each branch]}.

    model  a ResNet whose blocks are BasicBlocks, with shortcuts A or B
    x  (N, H, W, C), an array    labels  (N,), an array of ints    batch  how many images run at once
    sizes  rms(F) / rms(shortcut(x)) of each block, over all images
    """
    blocks = [module for _, module in model.modules() if isinstance(module, BasicBlock)]
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()

    def accuracy():
        correct = 0
        for start in range(0, len(x), batch):
            logits = model(Tensor(x[start : start + batch])).data
            correct += int((logits.argmax(axis=1) == labels[start : start + batch]).sum())
        return correct / len(x)

    def sizes():
        sums = [[0.0, 0.0] for _ in blocks]
        for start in range(0, len(x), batch):
            maps = model.stem(Tensor(x[start : start + batch]))
            for block, both in zip(blocks, sums):
                branch = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(maps)))))
                around = block.shortcut(maps)
                both[0] += float((branch.data**2).sum())
                both[1] += float((around.data**2).sum())
                maps = F.relu(branch + around)
        return [math.sqrt(of_branch / of_shortcut) for of_branch, of_shortcut in sums]

    with no_grad():
        found = {"whole": accuracy(), "sizes": sizes(), "without": []}
        for block in blocks:
            arrays = block.bn2.weight.data, block.bn2.bias.data
            kept = [array.copy() for array in arrays]
            for array in arrays:
                array[...] = 0
            found["without"].append(accuracy())
            for array, before in zip(arrays, kept):
                array[...] = before
    for module, mode in modes:
        module.training = mode
    return found


def hunted(model, x, labels, *, batch):
    """the study is unchanged from the original"""
    blocks = [module for _, module in model.modules() if isinstance(module, BasicBlock)]

    def accuracy():
        modes = [(module, module.training) for _, module in model.modules()]
        model.eval()
        scores = []
        for start in range(0, len(x), batch):
            logits = model(Tensor(x[start : start + batch])).data
            correct = logits.argmax(axis=1) == labels[start : start + batch]
            scores.append(float(correct.mean()))
        for module, mode in modes:
            module.training = mode
        return sum(scores) / len(scores)

    def sizes():
        sums = [[0.0, 0.0] for _ in blocks]
        for start in range(0, len(x), batch):
            maps = model.stem(Tensor(x[start : start + batch]))
            for block, both in zip(blocks, sums):
                branch = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(maps)))))
                around = block.shortcut(maps)
                both[0] += float((branch.data**2).sum())
                both[1] += float((around.data**2).sum())
                maps = F.relu(branch + around)
        return [(of_branch / of_shortcut) ** 0.5 for of_branch, of_shortcut in sums]

    with no_grad():
        found = {"whole": accuracy(), "sizes": sizes(), "without": []}
        for block in blocks:
            gamma, beta = block.bn2.weight.data, block.bn2.bias.data
            block.bn2.weight.data[...], block.bn2.bias.data[...] = 0, 0
            found["without"].append(accuracy())
            block.bn2.weight.data[...], block.bn2.bias.data[...] = gamma, beta
    return found


class _Study:
    """The study in parts, each of which may be wrong."""

    drift = statistics_back = left = alias = gamma_only = False
    weight = staticmethod(lambda n, batch: n)  # of a batch

    def __init__(self, model, x, labels, batch, **wrong):
        self.model, self.x, self.labels, self.batch = model, x, labels, batch
        self.blocks = [one for _, one in model.modules() if isinstance(one, BasicBlock)]
        vars(self).update(wrong)

    def batches(self):
        for start in range(0, len(self.x), self.batch):
            end = start + self.batch
            yield Tensor(self.x[start:end]), self.labels[start:end]

    def accuracy(self):
        self.model.eval()
        correct = images = 0.0
        for x, labels in self.batches():
            n = self.weight(len(labels), self.batch)
            correct += n * float((self.model(x).data.argmax(axis=1) == labels).mean())
            images += n if self.left != "count" else len(labels)
        return correct / images

    def sizes(self):
        sums = [[0.0, 0.0] for _ in self.blocks]
        for x, _ in self.batches():
            maps = self.model.stem(x)
            for block, both in zip(self.blocks, sums):
                branch = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(maps)))))
                parts = branch.data, block.shortcut(maps).data
                both[:] = [total + float((part**2).sum()) for total, part in zip(both, parts)]
                maps = F.relu(branch + parts[1])
        return [(a / b) ** 0.5 for a, b in sums]

    def without(self, block):
        arrays = [block.bn2.weight.data, block.bn2.bias.data][: 1 if self.gamma_only else 2]
        kept = [array.copy() for array in arrays]
        for array in arrays:
            array[...] = 0
        accuracy = self.accuracy()
        for array, before in zip(arrays, kept):
            array[...] = 0 if self.alias else before
        return accuracy

    def run(self):
        modes = [(module, module.training) for _, module in self.model.modules()]
        with no_grad():
            found = {"whole": self.accuracy()}
            state = self.model.state_dict()
            if self.drift:
                for module, mode in modes:
                    module.training = mode
            found["sizes"] = self.sizes()
            if self.statistics_back:
                self.model.load_state_dict(state)
            found["without"] = [self.without(block) for block in self.blocks]
        if self.left is not True:
            for module, mode in modes:
                module.training = mode
        return found


def _one_each(n, batch):
    return 1


_MEANS = {"weight": _one_each}


def drift_left(model, x, labels, *, batch):
    """the sizes are still measured in the mode in which the model comes: batch norm in training uses the batch's statistics and updates its own, which all lesions then see"""
    return _Study(model, x, labels, batch, drift=True).run()


def alias_left(model, x, labels, *, batch):
    """gamma and beta are still kept as the very arrays that are set to 0, so what is put back is 0"""
    return _Study(model, x, labels, batch, alias=True).run()


def means_left(model, x, labels, *, batch):
    """the accuracies of the batches are still averaged, so an image in a small last batch counts for more"""
    return _Study(model, x, labels, batch, **_MEANS).run()


def drift_and_alias_left(model, x, labels, *, batch):
    """one of three faults is fixed; the other two concern the mode, and what is put back"""
    return _Study(model, x, labels, batch, drift=True, alias=True).run()


def drift_and_means_left(model, x, labels, *, batch):
    """one of three faults is fixed; the other two concern the mode, and the last batch"""
    return _Study(model, x, labels, batch, drift=True, **_MEANS).run()


def alias_and_means_left(model, x, labels, *, batch):
    """one of three faults is fixed; the other two concern what is put back, and the last batch"""
    return _Study(model, x, labels, batch, alias=True, **_MEANS).run()


def statistics_put_back(model, x, labels, *, batch):
    """the running statistics are put back, but the sizes are still measured with those of the batch"""
    return _Study(model, x, labels, batch, drift=True, statistics_back=True).run()


def left_in_eval(model, x, labels, *, batch):
    """the model is left in evaluation mode"""
    return _Study(model, x, labels, batch, left=True).run()


def full_batches_assumed(model, x, labels, *, batch):
    """each batch counts as if it had `batch` images, and the sum is divided by the number of images"""
    return _Study(model, x, labels, batch, weight=lambda n, batch: batch, left="count").run()
