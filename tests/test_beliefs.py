"""benchmarks.beliefs: what the experiments compute, checked by hand, and that the committed tables are theirs."""

import json
import math

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from benchmarks import shapes
from benchmarks.beliefs import EXPERIMENTS, digits, lesions
from benchmarks.beliefs import __main__ as command
from benchmarks.beliefs.gradients_by_depth import NETS, by_layer
from benchmarks.beliefs.lesions import Anatomy, studied
from benchmarks.beliefs.minimised import forward
from benchmarks.beliefs.parts import gradient, joined
from benchmarks.beliefs.shattering import ROWS, along, autocorrelation
from benchmarks.beliefs.table import Making
from minires import Tensor, cli, data, models, no_grad
from minires import functional as F
from minires.checkpoint import save_weights
from minires.cli import settings, weights
from minires.course.measured import parse

rng = numpy.random.default_rng


def small(seed=0, shortcut="A", **options):
    return models.ResNet(models.BasicBlock, (3, 3), (4, 8), in_channels=1, shortcut=shortcut, rng=rng(seed), **options)  # fmt: skip


def used(model, seed=0):
    """Give the batch norms statistics, shifts and scales of their own, and return the model in evaluation mode."""
    for name, value in model.state_dict().items():
        if "bn" in name:
            value[:] = rng([seed, len(name)]).uniform(0.5, 1.5, value.shape)
    model.load_state_dict({name: rng([seed, len(name)]).uniform(0.5, 1.5, value.shape) if "bn" in name else value
                           for name, value in model.state_dict().items()})  # fmt: skip
    return model.eval()


# The tables.


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_runs_small_and_the_committed_tables_have_its_rows(name, tmp_path, capsys):
    command.main([name, "--quick", "--out", str(tmp_path)])
    printed, written = capsys.readouterr().out, sorted(tmp_path.glob("*.json"))
    assert written
    for path in written:
        found = parse(json.loads(path.read_text(encoding="utf-8")), path.name)
        assert str(found) in printed and found.seeds == [0]
        committed = parse(json.loads((command.FOLDER / path.name).read_text(encoding="utf-8")))
        assert list(found.rows) == list(committed.rows)
        assert list(found.columns) == list(committed.columns)
        assert found.command == committed.command and found.title == committed.title
        assert committed.command.startswith(f"python -m benchmarks.beliefs {name}")
        assert len(committed.seeds) >= 5 or name in ("plain_vs_residual", "logs")


def test_every_committed_table_is_written_by_an_experiment():
    for path in command.FOLDER.glob("*.json"):
        words = json.loads(path.read_text(encoding="utf-8"))["command"].split()
        if words != ["python", "-m", "benchmarks.shapes"] or path != shapes.OUT:
            assert words[:3] == ["python", "-m", "benchmarks.beliefs"] and words[3] in EXPERIMENTS


def test_quick_alone_writes_nothing_and_bad_names_are_refused(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    command.main(["plain_vs_residual", "--quick"])
    assert not list(tmp_path.iterdir()) and "| plain 56 | 2.131 |" in capsys.readouterr().out
    command.main(["plain_vs_residual"])
    assert [path.name for path in tmp_path.iterdir()] == ["plain_vs_residual.json"]
    with pytest.raises(ValueError, match="unknown experiment 'dept': .*did you mean 'depth'"):
        command.main(["dept"])
    for words in (["depth", "--seeds", "0"], ["depth", "--images", "x"]):
        with pytest.raises(SystemExit):
            command.main(words)


def test_a_table_under_way_is_rounded_and_read_again(tmp_path):
    made = Making("T", "S.", "C", [3, 4], {"loss": 2, "n": 0})
    made.add("a", 4, loss=1.23456789, n=7.0)
    made.add("a", 3, loss=math.nan)
    made.add("b", 3, loss=math.inf, n=None)
    made.save(tmp_path / "t.json")
    text = (tmp_path / "t.json").read_text(encoding="utf-8")
    assert '      "loss": ["nan", 1.23457],\n      "n": [null, 7]' in text
    table = parse(json.loads(text))
    assert table.values("a", "n") == [None, 7] and table.values("b", "n") == [None, None]
    assert math.isnan(table.values("a", "loss")[0]) and table.values("b", "loss")[0] == math.inf
    assert json.loads(text)["rows"]["b"]["n"] is None


# What they compute.


def test_a_run_that_diverges_is_nan_from_its_epoch_on():
    parts = digits.images(quick=True)
    losses, accuracy = digits.trained(small(), parts, seed=0, lr=1e30, epochs=3)
    assert len(losses) == 3 and math.isnan(losses[-1]) and math.isnan(accuracy)
    losses, accuracy = digits.trained(small(), parts, seed=0, lr=0.1, epochs=8)
    assert losses[-1] < 0.9 * losses[0] and accuracy > 20
    again = digits.trained(small(), parts, seed=0, lr=0.1, epochs=8)
    assert again == (losses, accuracy)


def test_the_pass_that_watches_f_is_the_models_own():
    model, x = small().train(), Tensor(rng(1).standard_normal((5, 8, 8, 1)).astype("float32"))
    logits, squares = forward(model, x)
    assert_array_equal(logits.numpy(), model(x).numpy())
    assert float(squares.data) == pytest.approx(
        6, rel=1e-3
    )  # batch norm: a mean square of 1 per block
    for _, block in [*model.layer1.children(), *model.layer2.children()]:
        block.bn2.weight.data[:], block.bn2.bias.data[:] = 3, 0.5
    assert float(forward(model, x)[1].data) == pytest.approx(6 * (9 + 0.25), rel=1e-3)


@pytest.mark.parametrize("kind", [kind for kind in NETS if "BN" not in kind])
def test_gradients_and_variances_at_the_maps_by_hand(kind):
    """Forwards and backwards in NumPy, without batch norm."""
    x, labels, depth = rng(2).standard_normal((3, 64)), numpy.array([3, 0, 9]), 5
    options, _ = NETS[kind]
    scale = depth**-0.5 if "scale" in options else 1.0
    model = models.DeepMLP(depth, rng=rng(0)).astype("float64")  # all kinds draw the same weights
    weights = [layer.weight.numpy() for layer in (model.first, *model.layers, model.last)]
    skip = options.get("skip", False)
    active = (lambda h: 1 / (1 + numpy.exp(-h))) if kind == "sigmoid" else (lambda h: numpy.maximum(h, 0))  # fmt: skip
    slope = (lambda y: y * (1 - y)) if kind == "sigmoid" else (lambda y: y > 0)
    maps = [x @ weights[0] if skip else active(x @ weights[0])]
    for weight in weights[1:-1]:
        h = maps[-1]
        maps.append(h + scale * active(h) @ weight if skip else active(h @ weight))
    logits = (active(maps[-1]) if skip else maps[-1]) @ weights[-1]
    g = numpy.exp(logits) / numpy.exp(logits).sum(axis=1, keepdims=True)
    g[range(3), labels] -= 1
    g = g / 3 @ weights[-1].T
    gradients = [g * slope(active(maps[-1])) if skip else g]
    for weight, before, after in zip(weights[-2:0:-1], maps[-2::-1], maps[:0:-1]):
        g = gradients[-1]
        g = g + scale * (g @ weight.T) * (before > 0) if skip else (g * slope(after)) @ weight.T
        gradients.append(g)
    norms, variances = by_layer(depth, kind, 0, x.reshape(3, 8, 8, 1), labels)
    assert_allclose(variances, [h.var() for h in maps], rtol=1e-9)
    assert_allclose(norms, [numpy.linalg.norm(g) for g in gradients[::-1]], rtol=1e-9)


@pytest.mark.parametrize("kind", [kind for kind in NETS if "BN" in kind])
def test_the_maps_with_batch_norm_are_the_models(kind):
    x, labels = rng(2).standard_normal((6, 64)), numpy.arange(6)
    model = models.DeepMLP(5, rng=rng(0), **NETS[kind][0]).astype("float64")
    norms, variances = by_layer(5, kind, 0, x.reshape(6, 8, 8, 1), labels)
    assert_allclose(variances, [each.numpy().var() for each in model.maps(Tensor(x))], rtol=1e-10)
    assert len(norms) == 6 and min(norms) > 0


def test_values_and_slopes_along_the_line():
    """Without batch norm and biases a net of one input has one kink, at 0; between neighbours it is a straight line."""
    for options in ({}, {"skip": 0.5}, {"biases": 1.0}):
        y, slope = along(3, rng(0), **options)
        x = numpy.linspace(-2, 2, 256)
        straight = numpy.isclose(slope[1:], slope[:-1])
        assert straight.sum() > 30
        assert_allclose((numpy.diff(y) / numpy.diff(x))[straight], slope[1:][straight], rtol=1e-6)
    assert (numpy.diff(along(30, rng(0))[1]) != 0).sum() <= 3


@pytest.mark.parametrize("skip", [None, 0.5])
def test_slopes_with_batch_norm_are_those_of_the_graph(skip):
    """The same network on minires's graph, where batch norm has the points' statistics and holds them still."""
    y, slope = along(3, rng(0), centre=True, scale=True, skip=skip)
    draw, x = rng(0), Tensor(numpy.linspace(-2, 2, 256)[:, None], requires_grad=True)

    def linear(h, inputs, outputs):
        weight = draw.normal(0, (2 / inputs) ** 0.5, (outputs, inputs))
        draw.normal(0, 1, (outputs, 1))
        return F.matmul(h, Tensor(weight.T))

    def active(h):
        stats, c = {"mean": h.numpy().mean(axis=0), "var": h.numpy().var(axis=0)}, h.shape[1]
        return F.relu(F.batch_norm_frozen(h, Tensor(numpy.ones(c)), Tensor(numpy.zeros(c)), eps=1e-5, **stats))  # fmt: skip

    h = linear(x, 1, 200)
    h = active(h) if skip is None else h
    for _ in range(2):
        h = active(linear(h, 200, 200)) if skip is None else h + skip * linear(active(h), 200, 200)
    out = linear(h if skip is None else active(h), 200, 1)
    assert_allclose(y, out.numpy()[:, 0], rtol=1e-9, atol=1e-9)
    out.sum().backward()
    assert_allclose(slope, x.grad[:, 0], rtol=1e-9, atol=1e-9)


def test_autocorrelation_by_hand():
    assert autocorrelation(numpy.array([1.0, -1, 1, -1, 1, -1]), 1) == pytest.approx(-1)
    assert autocorrelation(numpy.array([5.0, 3, 5, 3, 5, 3]), 2) == pytest.approx(1)
    wave = numpy.sin(numpy.arange(4000) * 2 * math.pi / 8)
    assert autocorrelation(wave + 7, 1) == pytest.approx(math.cos(math.pi / 4), abs=1e-2)
    assert abs(autocorrelation(rng(0).standard_normal(10_000), 4)) < 0.03
    assert autocorrelation(numpy.ones(9), 4) == 1
    assert {options.get("skip") for _, options in ROWS.values()} == {None, 1.0, 0.1}


@pytest.mark.parametrize("shortcut", ["A", "B", "none"])
def test_blocks_are_left_out_and_swapped(shortcut):
    model = used(small(shortcut=shortcut))
    x = Tensor(rng(1).standard_normal((6, 8, 8, 1)).astype("float32"))
    body = Anatomy(model)
    assert body.names == ["1.0", "1.1", "1.2", "2.0", "2.1", "2.2"] and body.pairs == [1, 4]
    with no_grad():
        inputs = body.inputs(x)
        assert_array_equal(body.run(inputs[6], 6), model(x).numpy().argmax(axis=1))
        assert_array_equal(body.run(inputs[2], 2), model(x).numpy().argmax(axis=1))
        for k in (1, 4):  # the shape stays: x itself
            assert_array_equal(body.left_out(inputs[k], k).numpy(), inputs[k].numpy())
            both = body.blocks[k](body.blocks[k + 1](inputs[k])).numpy()
            assert_array_equal(body.swapped(inputs[k], k).numpy(), both)
        padded = numpy.zeros((6, 4, 4, 8), "float32")
        padded[..., 2:6] = inputs[3].numpy()[:, ::2, ::2]
        if shortcut != "B":
            assert_array_equal(body.left_out(inputs[3], 3).numpy(), padded)
        else:
            expected = numpy.maximum(body.blocks[3].downsample(inputs[3]).numpy(), 0)
            assert_array_equal(body.left_out(inputs[3], 3).numpy(), expected)
        if shortcut != "none":
            for k in range(6):
                f, s = body.parts(inputs[k], k)
                assert_allclose(numpy.maximum(f + s, 0), inputs[k + 1].numpy(), rtol=1e-4, atol=1e-5)  # fmt: skip


def test_a_lesion_study_counts_over_all_batches(monkeypatch):
    model = used(small())
    images = rng(0).integers(0, 256, (7, 8, 8, 1)).astype("uint8")
    test = data.Dataset(images, numpy.arange(7) % 10, [str(i) for i in range(10)])
    found = studied(model, test)
    names = ["1.0", "1.1", "1.2", "2.0", "2.1", "2.2"]
    assert list(found) == ["the whole network", *(f"without {name}" for name in names), "1.1 and 1.2 swapped", "2.1 and 2.2 swapped"]  # fmt: skip
    whole, wanted = data.batches, studied(model, test)
    monkeypatch.setattr(data, "batches", lambda dataset, size: whole(dataset, 3))
    for row, cells in studied(model, test).items():
        assert cells["correct"] == wanted[row]["correct"]
        assert {key: pytest.approx(value, rel=1e-5) for key, value in wanted[row].items()} == cells
    (x, labels), = whole(test, 7)  # fmt: skip
    body = Anatomy(model)
    with no_grad():
        at = body.inputs(Tensor(x))[1]
        f, s = body.parts(at, 1)
        guesses = body.run(at, 2)
    cells = found["without 1.1"]
    assert cells["correct"] == (guesses == labels).sum()
    assert cells["ratio"] == pytest.approx(math.sqrt((f**2).mean() / (s**2).mean()), rel=1e-4)
    assert cells["cosine"] == pytest.approx((f * s).sum() / numpy.linalg.norm(f) / numpy.linalg.norm(s), rel=1e-3)  # fmt: skip
    plain = studied(used(small(shortcut="none")), test, branches=False)
    assert all(list(cells) == ["correct"] for cells in plain.values())


def test_a_published_network_is_taken_apart_on_the_images_of_a_folder(tmp_path, capsys):
    for k, name in enumerate(data.CLASSES["cifar10"]):
        folder = tmp_path / "images" / "test" / name
        folder.mkdir(parents=True)
        for i in range(2):
            pixels = rng([k, i]).integers(0, 256, (32, 32, 3)).astype(numpy.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    facts = {"model": "resnet20", "options": {"shortcut": "A"}, "classes": list(data.CLASSES["cifar10"]),
             "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}  # fmt: skip
    path = tmp_path / "w.safetensors"
    save_weights(path, models.resnet20(rng=rng(0)).state_dict(), **facts)
    words = ["lesions", "--images", str(tmp_path / "images"), "--weights", str(path), "--out", str(tmp_path)]  # fmt: skip
    command.main(words)
    found = json.loads((tmp_path / "lesions_cifar10.json").read_text(encoding="utf-8"))
    committed = json.loads((command.FOLDER / "lesions_cifar10.json").read_text(encoding="utf-8"))
    assert list(found["rows"]) == list(committed["rows"]) and "correct of 20" in found["columns"]
    assert found["command"] == committed["command"] and found["title"] == committed["title"]
    for folder in (tmp_path / "images" / "test").iterdir():
        folder.rename(folder.with_name(f"a{folder.name}"))
    with pytest.raises(SystemExit, match="expected the classes airplane, .*, got aairplane"):
        command.main(words)


@pytest.mark.slow
def test_a_network_on_shapes_is_the_one_that_train_makes_and_is_read_again(monkeypatch, tmp_path):
    drawn = [data.shapes(n, seed) for n, seed in ((60, 0), (10, 2), (10, 1))]
    monkeypatch.setattr(settings, "datasets", lambda config, **options: drawn)
    made = lesions.shapes_net(1, tmp_path, quick=False)
    assert [path.name for path in tmp_path.iterdir()] == ["seed1.safetensors"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIRES_THREADS", "1")
    with pytest.raises(SystemExit, match="0"):
        cli.main(["train", "--recipe", "shapes", "--seed", "1", "--name", "same"])
    state, _ = weights.read("same")
    monkeypatch.setattr(settings, "datasets", None)  # nothing is trained again
    again = lesions.shapes_net(1, tmp_path, quick=False)
    for name, value in made.state_dict().items():
        assert_array_equal(value, again.state_dict()[name])
        assert_allclose(value, state[name], rtol=1e-4, atol=1e-5)


def test_parts_of_a_batch():
    model = small().astype("float64")
    x, labels = rng(0).standard_normal((12, 8, 8, 1)), rng(1).integers(0, 10, 12)
    before = {name: value.copy() for name, value in model.state_dict().items()}
    for frozen in (True, False):
        whole = gradient(model, x, labels, frozen)
        assert_array_equal(joined(model, x, labels, [12], frozen), whole)
        halves = [gradient(model, x[half], labels[half], frozen) for half in (slice(8), slice(8, 12))]  # fmt: skip
        assert_allclose(joined(model, x, labels, [8, 4], frozen), (2 * halves[0] + halves[1]) / 3)
        assert_allclose(joined(model, x, labels, [8, 4], frozen, False), (halves[0] + halves[1]) / 2)  # fmt: skip
        assert numpy.allclose(joined(model, x, labels, [8, 4], frozen), whole) == frozen
    for name, value in model.state_dict().items():
        assert_array_equal(value, before[name])
