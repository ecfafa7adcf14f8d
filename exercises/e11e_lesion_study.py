"""Exercise 11e, chapter 11, 25 minutes: a bug hunt in a lesion study. Check: pytest exercises/test_e11e_lesion_study.py"""

from minires import functional as F
from minires.models.resnet import BasicBlock
from minires.tensor import Tensor, no_grad


def study(model, x, labels, *, batch):
    """Return a lesion study: {"whole": accuracy, "sizes": [of each branch], "without": [accuracy without each branch]}.

    model  a ResNet whose blocks are BasicBlocks, with shortcuts A or B
    x  (N, H, W, C), an array    labels  (N,), an array of ints    batch  how many images run at once
    sizes  rms(F) / rms(shortcut(x)) of each block, over all images

    This study runs, and its results look plausible: the whole net is right most often, and it gets worse without a branch.
    But on a net of ours, the blocks seemed to matter more and more towards the end, right down to chance. A second study of the
    same net found a different net. And once, when the last batch was small, not even the first number agreed with
    train.evaluate. There are three faults. Evaluation mode is meant throughout, whatever mode the model is in; afterwards the
    model is as it was: its arrays, its attributes and its modes. Each image has the same weight. Chapter 11.
    """
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
