"""A net that begins with others' weights: what is frozen stays and costs nothing, the head is new, parts have rates of their own."""

import json

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from minires import Tensor, data, models, nn, no_grad, optim, runs
from minires import functional as F
from minires.backend import to_host
from minires.checkpoint import load_weights, save_weights
from minires.tensor import Node
from minires.train import evaluate, train_epoch
from tests.test_cli import elsewhere, typed  # noqa: F401

rng = numpy.random.default_rng


def net(**options):
    nn.manual_seed(0)
    return models.ResNet(models.BasicBlock, (1, 1, 1), (4, 6, 8), **options)


def batch(n=6, seed=0):
    return Tensor(rng(seed).standard_normal((n, 8, 8, 3)).astype("f4")), rng(seed).integers(
        0, 10, n
    )


def a_step(model, seed=0):
    model.train()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
    x, labels = batch(seed=seed)
    loss = F.cross_entropy(model(x), labels)
    nodes = graph_of(loss)
    loss.backward()
    optimizer.step()
    return nodes


def graph_of(tensor):
    stack, seen = [tensor.node], set()
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node not in seen:
            seen.add(node)
            stack.extend(node.parents)
    return seen


# Freezing.


@pytest.mark.parametrize(
    ("parts", "frozen", "named"),
    [
        ("until:layer2", ["conv1", "bn1", "layer1"], ["conv1", "bn1", "maxpool", "layer1"]),
        ("until:fc", ["conv1", "bn1", "layer1", "layer2", "layer3"], ["conv1", "bn1", "maxpool", "layer1", "layer2", "layer3", "avgpool"]),
        ("until:layer2.0.conv2", ["conv1", "bn1", "layer1", "layer2.0.conv1", "layer2.0.bn1"], None),
        ("layer2", ["layer2"], ["layer2"]),
        ("bn1, layer3.0.conv2", ["bn1", "layer3.0.conv2"], ["bn1", "layer3.0.conv2"]),
    ],
)  # fmt: skip
def test_what_is_frozen_stays_as_it_is_and_the_rest_moves(parts, frozen, named):
    model = net()
    found = models.freeze(model, parts)
    assert named is None or found == named
    before = model.state_dict()
    for step in range(3):
        a_step(model, step)
    for name, value in model.state_dict().items():
        stays = any(f"{name}.".startswith(f"{part}.") for part in frozen)
        assert (value == before[name]).all() == stays, name
    assert all(
        parameter.grad is None for parameter in model.parameters() if not parameter.requires_grad
    )


def test_a_frozen_batch_norm_normalises_by_what_it_knows_and_a_free_one_by_the_batch():
    model = net()
    models.freeze(model, "until:layer1")
    model.train()
    assert [name for name, module in model.modules() if module.training and isinstance(module, nn.BatchNorm)] == [
        name for name, module in model.modules() if isinstance(module, nn.BatchNorm) and name != "bn1"]  # fmt: skip
    x, _ = batch()
    with no_grad():
        alone = model.bn1(model.conv1(Tensor(x.data[:1])))
        among = model.bn1(model.conv1(x))
    assert_allclose(alone.numpy()[0], among.numpy()[0], rtol=1e-5, atol=1e-6)
    model.freeze(False)
    assert all(module.training for _, module in model.modules()) and all(
        p.requires_grad for p in model.parameters()
    )


def test_evaluating_in_between_leaves_what_is_frozen_frozen():
    model = net()
    models.freeze(model, "until:layer3")
    images = data.Dataset(
        rng(0).integers(0, 256, (8, 8, 8, 3), numpy.uint8), [0, 1] * 4, ["a", "b"]
    )
    evaluate(model, data.batches(images, 4))
    before = model.state_dict()
    train_epoch(model, data.batches(images, 4), optim.SGD(model.parameters(), lr=0.1))
    after = model.state_dict()
    changed = {name.split(".")[0] for name in after if (after[name] != before[name]).any()}
    assert changed == {"layer3", "fc"} and not model.layer1.training


def test_a_frozen_trunk_costs_no_backward():
    """The graph has no node below it, so nothing is kept there and nothing runs back."""
    model = net()
    assert sum(node.op == "conv2d" for node in a_step(model)) == 1 + 2 + 3 + 3
    models.freeze(model, "until:layer3")
    x, labels = batch()
    loss = F.cross_entropy(model.train()(x), labels)
    nodes = graph_of(loss)
    assert sum(node.op == "conv2d" for node in nodes) == 3
    found = []
    for node in nodes:
        if node.op == "conv2d":
            node.backward = recorded(node.backward, found)
    loss.backward()
    without = [gradients for gradients in found if gradients[0] is None]
    # The first of the branch and that of the shortcut: no gradient of their images.
    assert len(without) == 2
    summary = models.summary(model, (8, 8, 3))
    saved = {row.name: row.saved for row in summary.rows}
    assert saved["layer3.0.conv2"] + saved["layer3.0.bn2"] > 0
    assert not any(
        size
        for name, size in saved.items()
        if name.startswith(("conv1", "bn1", "layer1", "layer2"))
    )


def recorded(backward, found):
    def wrapped(g):
        found.append(backward(g))
        return found[-1]

    return wrapped


def test_gradients_of_the_rest_are_those_of_the_whole_net_with_its_norms_in_evaluation():
    model, x, labels = net(), *batch()
    for _, module in model.modules():
        module.training = False
    F.cross_entropy(model(x), labels).backward()
    whole = {name: to_host(parameter.grad).copy() for name, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = None
    models.freeze(model, "until:layer3")
    F.cross_entropy(model.eval()(x), labels).backward()
    for name, parameter in model.named_parameters():
        if name.startswith(("layer3", "fc")):
            assert_allclose(to_host(parameter.grad), whole[name], rtol=1e-6, atol=1e-7)
        else:
            assert parameter.grad is None


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ("until:layer9", "unknown part of the net 'layer9'.*did you mean 'layer"), ("layer1,lyer2", "unknown part of the net 'lyer2'"),
        ("until:conv1", "nothing comes before conv1"), ("layer1,until:layer3", "expected until:NAME alone"),
        ("conv1,bn1,layer1,layer2,layer3,fc", "leaves nothing to learn"), ("", "unknown part of the net ''"),
    ],
)  # fmt: skip
def test_parts_that_are_none_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        models.freeze(net(), parts)


def test_the_summary_says_what_is_frozen_and_how_many_parameters_learn(capsys):
    assert typed("summary", "resnet20", "--freeze", "until:layer3") == 0
    lines = capsys.readouterr().out.splitlines()
    kinds = {line.split()[0]: line for line in lines if line.startswith(("conv1", "layer", "fc"))}
    assert (
        "Conv2d, frozen" in kinds["conv1"]
        and "BatchNorm, frozen" in kinds["layer2.2.bn2"]
        and "frozen" not in kinds["layer3.0.conv1"]
    )
    free = sum(
        parameter.size
        for name, parameter in models.resnet20().named_parameters()
        if name.startswith(("layer3", "fc"))
    )
    assert lines[-1] == f"{free:,} of the parameters learn"
    assert (
        typed("summary", "resnet20", "--freeze", "layer7") == 2
        and "unknown part of the net 'layer7'" in capsys.readouterr().err
    )


# Features.


@pytest.mark.parametrize("options", [{}, {"stem": "imagenet"}, {"preactivation": True}], ids=str)
def test_features_are_the_maps_after_each_stage(options):
    model, (x, _) = net(**options).eval(), batch()
    with no_grad():
        maps, logits = model.features(x), model(x)
        assert list(maps) == ["stem", "layer1", "layer2", "layer3"]
        side = 2 if "stem" in options else 8
        assert [y.shape for y in maps.values()] == [
            (6, side // step or 1, side // step or 1, c)
            for step, c in ((1, 4), (1, 4), (2, 6), (4, 8))
        ]
        assert_allclose(model.fc(model.avgpool(maps["layer3"])).numpy(), logits.numpy(), rtol=1e-6)
        assert_array_equal(model.layer2(maps["layer1"]).numpy(), maps["layer2"].numpy())
        assert list(model.features(x, upto="layer1")) == ["stem", "layer1"]
    with pytest.raises(
        ValueError,
        match="unknown place in the net 'layer4': choose from stem, layer1, layer2, layer3",
    ):
        model.features(x, upto="layer4")


def test_what_comes_after_upto_is_not_run():
    model, (x, _) = net(), batch()
    model.layer3.forward = None
    assert model.features(x, upto="layer2")["layer2"].shape == (6, 4, 4, 6)


def test_a_loss_on_features_trains_the_trunk():
    model, (x, _) = net(), batch()
    (model.features(x, upto="layer2")["layer2"] ** 2).sum().backward()
    with_gradient = {
        name.split(".")[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    assert with_gradient == {"conv1", "bn1", "layer1", "layer2"}


# minires train --weights.


@pytest.fixture
def images(elsewhere):
    for part, count in (("train", 6), ("test", 3)):
        for k, name in enumerate(("ant", "bee")):
            folder = elsewhere / "images" / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = (
                    rng([k, i, count])
                    .integers(100 * k, 100 * k + 120, (20, 24, 3))
                    .astype(numpy.uint8)
                )
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return elsewhere


@pytest.fixture
def start(images):
    nn.manual_seed(5)
    model = models.resnet20(shortcut="B")
    facts = {"model": "resnet20", "options": {"shortcut": "B"}, "classes": list(data.CLASSES["cifar10"]), "size": [16, 16, 3],
             "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}  # fmt: skip
    save_weights("start.safetensors", model.state_dict(), **facts)
    return model


TUNE = ("train", "--weights", "start.safetensors", "--data", "folder:images", "--epochs", "2", "--batch-size", "4", "--validation", "0",
        "--name", "tuned")  # fmt: skip


def test_a_run_begins_with_weights_and_keeps_what_is_frozen(start, capsys):
    assert typed(*TUNE, "--freeze", "until:layer3", "--num-classes", "2") == 0
    out = capsys.readouterr().out
    assert "starts from start.safetensors: the last layer is new, for 2 classes" in out
    learn = (
        sum(
            parameter.size
            for name, parameter in start.named_parameters()
            if name.startswith("layer3")
        )
        + 64 * 2
        + 2
    )
    assert f"frozen until:layer3: {learn:,} parameters are trained" in out
    state, facts = load_weights("runs/tuned/weights.safetensors")
    before = start.state_dict()
    for name, value in state.items():
        if name.startswith(("conv1", "bn1", "layer1", "layer2")):
            assert_array_equal(value, before[name], err_msg=name)
        elif not name.startswith("fc"):
            assert (value != before[name]).any(), name
    assert state["fc.weight"].shape == (64, 2) and facts["classes"] == ["ant", "bee"]
    # Prepared as before.
    assert (
        facts["size"] == [16, 16, 3]
        and facts["mean"] == [0.4, 0.5, 0.6]
        and facts["model"] == "resnet20"
    )
    card = (runs.Run("runs/tuned").folder / "card.md").read_text(encoding="utf-8")
    assert (
        "| weights at the start | start.safetensors |" in card
        and "| frozen | until:layer3 |" in card
    )
    assert (
        typed("evaluate", "tuned") == 0
        and typed("predict", "images/test/ant/0.png", "--run", "tuned") == 0
    )


def test_a_tuned_run_that_was_stopped_ends_as_one_that_was_not(start, monkeypatch):
    options = (
        "--freeze",
        "until:layer2",
        "--lr-times",
        "layer2=0.1",
        "layer3=0.5",
        "--save-every",
        "0",
    )
    assert typed(*TUNE[:-1], "whole", *options) == 0
    from minires.cli.loop import Loop

    ends, count = Loop._end_epoch, []

    def stops(loop, run, held):
        ends(loop, run, held)
        loop.save(run)
        count.append(1)
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(Loop, "_end_epoch", stops)
        assert typed(*TUNE[:-1], "stopped", *options) == 130
    save_weights("start.safetensors", {})  # what it began with is not needed any more
    assert typed("train", "--resume", "stopped") == 0
    (one, _), (other, _) = (
        load_weights(f"runs/{name}/weights.safetensors") for name in ("whole", "stopped")
    )
    for name, value in one.items():
        assert_array_equal(value, other[name], err_msg=name)


def test_a_head_for_the_same_classes_is_kept(start, capsys):
    nn.manual_seed(6)
    model = models.resnet20(shortcut="B", num_classes=2)
    save_weights("two.safetensors", model.state_dict(), classes=["ant", "bee"], size=[16, 16, 3])
    assert typed("train", "--weights", "two.safetensors", *TUNE[3:], "--lr", "1e-9") == 0
    assert (
        "starts from two.safetensors: the last layer too: the classes are the same"
        in capsys.readouterr().out
    )
    state, _ = load_weights("runs/tuned/weights.safetensors")
    assert_allclose(state["fc.weight"], model.fc.weight.numpy(), atol=1e-6)


def test_a_head_for_as_many_other_classes_is_new(start, capsys):
    nn.manual_seed(6)
    save_weights(
        "two.safetensors",
        models.resnet20(num_classes=2).state_dict(),
        classes=["bee", "ant"],
        size=[16, 16, 3],
    )
    assert typed("train", "--weights", "two.safetensors", *TUNE[3:]) == 0
    assert (
        "starts from two.safetensors: the last layer is new, for 2 classes"
        in capsys.readouterr().out
    )


def test_images_are_prepared_as_the_net_was_used_to_and_so_they_are_later(start):
    state, facts = load_weights("start.safetensors")
    save_weights("edges.safetensors", state, **facts, resize=19, interpolation="bicubic")
    assert typed("train", "--weights", "edges.safetensors", *TUNE[3:]) == 0
    _, found = load_weights("runs/tuned/weights.safetensors")
    assert (
        found["resize"] == 19
        and found["interpolation"] == "bicubic"
        and found["size"] == [16, 16, 3]
    )
    train, _, test = data.folder("images", size=16, resize=19, interpolation="bicubic")
    assert (
        runs.Run("runs/tuned").config["fingerprint"]
        == f"{train.fingerprint()} {test.fingerprint()}"
    )
    assert (
        typed("train", "--weights", "edges.safetensors", *TUNE[3:-1], "smaller", "--size", "12")
        == 0
    )
    assert "resize" not in load_weights("runs/smaller/weights.safetensors")[1]


def test_a_run_is_a_start_too(start, capsys):
    assert typed(*TUNE) == 0
    assert typed("train", "--weights", "tuned", *TUNE[3:-1], "again") == 0
    assert "starts from tuned: the last layer too" in capsys.readouterr().out


def test_parts_learn_at_rates_of_their_own(start):
    """With plain SGD and one step the way that a parameter goes is its gradient times its rate."""

    def moved(*options):
        name = f"run{len(options)}"
        assert typed(*TUNE[:-1], name, "--epochs", "1", "--batch-size", "12", "--momentum", "0", "--weight-decay", "0", "--schedule", "constant",
                     "--warmup", "0", "--augment", "none", *options) == 0  # fmt: skip
        state, _ = load_weights(f"runs/{name}/weights.safetensors")
        return {
            key: state[key] - value
            for key, value in start.state_dict().items()
            if key.endswith("conv1.weight")
        }

    plain, slower = moved(), moved("--lr-times", "layer2=0.1", "layer2.1=0.5", "conv1=2")
    for name, way in plain.items():
        times = (
            2
            if name == "conv1.weight"
            else 0.5
            if name.startswith("layer2.1")
            else 0.1
            if name.startswith("layer2")
            else 1
        )
        assert_allclose(slower[name], times * way, rtol=0.02, atol=1e-7 * 2, err_msg=name)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--num-classes", "3"), "--num-classes is 3, but the images have 2 classes: ant, bee"), (("--freeze", "layer5"), "unknown part of the net 'layer5'"),
        (("--lr-times", "layer5=1"), "unknown part of the net in --lr-times: 'layer5'"), (("--lr-times", "layer1"), "--lr-times: expected PART=FACTOR"),
        (("--lr-times", "layer1=0"), "expected PART=FACTOR with a number above 0, got 'layer1=0'"),
        (("--lr-times", "layer1=inf"), "expected PART=FACTOR with a number above 0, got 'layer1=inf'"),
        (("--model", "resnet32"), "--weights: the state does not fit ResNet"),
        (("--model", "resnet32"), "missing: layer1.3.conv1.weight"), (("--shortcut", "A"), "unknown: layer2.0.downsample.0.weight"),
        (("--weights", "nothing"), "unknown file, run or published name 'nothing'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_and_no_run_is_made(start, words, message, capsys):
    assert typed(*TUNE, *words) == 2
    assert message in capsys.readouterr().err
    assert not (runs.Path("runs") / "tuned" / "config.json").exists()


def test_the_settings_say_what_it_began_with(start):
    assert typed(*TUNE, "--freeze", "until:fc") == 0
    config = json.loads((runs.Path("runs") / "tuned" / "config.json").read_text(encoding="utf-8"))
    assert (
        config["weights"] == "start.safetensors"
        and config["freeze"] == "until:fc"
        and config["shortcut"] == "B"
        and config["size"] == 16
    )
