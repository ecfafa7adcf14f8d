"""The programs on a trained network run on images made here, and compute the right results."""

import json

import numpy
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from benchmarks import few_images, neighbours, probe, trained
from minires import data, models, nn
from minires.checkpoint import load_weights, save_weights

rng = numpy.random.default_rng


@pytest.fixture(autouse=True)
def images(tmp_path, monkeypatch):
    """Ten classes, each of roughly its own colour."""
    monkeypatch.chdir(tmp_path)
    for part, count in (("train", 14), ("test", 5)):
        for k, name in enumerate(data.CLASSES["cifar10"]):
            folder = tmp_path / "images" / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = (
                    rng([k, i, count])
                    .normal(rng(k).integers(40, 215, 3), 25, (16, 16, 3))
                    .clip(0, 255)
                )
                Image.fromarray(pixels.astype(numpy.uint8)).save(folder / f"{i}.png")
    nn.manual_seed(0)
    save_weights("w.safetensors", models.resnet20().state_dict())


def test_the_nearest_are_those_at_the_smallest_angle():
    queries = rng(0).standard_normal((7, 5))
    candidates = rng(1).standard_normal((40, 5)) * rng(2).uniform(0.1, 9, (40, 1))
    for query, found in zip(queries, neighbours.nearest(queries, candidates, 6)):
        angles = [
            numpy.arccos(query @ row / numpy.sqrt((query @ query) * (row @ row)))
            for row in candidates
        ]
        assert_array_equal(found, numpy.argsort(angles)[:6])


def test_neighbours_counts_those_of_the_same_class_and_draws_them(capsys):
    neighbours.main(["--weights", "w.safetensors", "--data", "folder:images"])
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0]
        == "50 images of images, their 10 nearest among 140: how many are of the same class"
    )
    shares = {line.split()[0]: float(line.split()[-2]) for line in lines[1:-1]}
    assert (
        list(shares) == ["pixels", "stem", "layer1", "layer2", "layer3"]
        and shares["layer3"] > 50 > 10
    )
    with Image.open("neighbours.png") as picture:
        assert picture.width > 500


def test_features_are_means_over_maps():
    _, _, model, _, test = trained.net_and_images(
        "probe", "a: b", ["--data", "folder:images", "--weights", "w.safetensors"]
    )
    x, _ = next(iter(data.batches(test, 50)))
    found = trained.pooled(model, test)
    assert_array_equal(found["pixels"], x.reshape(50, -1))
    stem = numpy.maximum(model.bn1(model.conv1(nn.Parameter(x))).numpy(), 0).mean(axis=(1, 2))
    numpy.testing.assert_allclose(found["stem"], stem, rtol=1e-4, atol=1e-5)
    assert {place: rows.shape for place, rows in found.items()} == {
        "pixels": (50, 768), "stem": (50, 16), "layer1": (50, 16), "layer2": (50, 32), "layer3": (50, 64)}  # fmt: skip


def test_a_probe_tells_apart_what_a_plane_can_and_no_more():
    x = rng(0).standard_normal((600, 4)) * [1, 10, 100, 0.01] + [0, 5, -3, 1]
    plane, circle = (x[:, 1] > 5).astype(int), (x[:, 0] ** 2 > 0.45).astype(int)
    assert probe.accuracy(probe.probe(x[:400], plane[:400], 2), x[400:], plane[400:]) > 0.97
    assert probe.accuracy(probe.probe(x[:400], circle[:400], 2), x[400:], circle[400:]) < 0.65


def test_probe_prints_and_draws_a_line_for_the_net_and_one_for_a_fresh_one(capsys, monkeypatch):
    monkeypatch.setattr(probe, "STEPS", 60)
    probe.main(["--weights", "w.safetensors", "--data", "folder:images", "--picture", "depth.png"])
    lines = capsys.readouterr().out.splitlines()
    assert "trained on 140 and tested on 50 images" in lines[0] and lines[1].split() == [
        "features",
        "trained",
        "never",
        "trained",
    ]
    assert [line.split()[0] for line in lines[2:7]] == [
        "pixels",
        "stem",
        "layer1",
        "layer2",
        "layer3",
    ]
    with Image.open("depth.png") as picture:
        assert picture.width > 500


def test_some_classes_are_drawn_and_named_anew():
    train, _ = trained.images(
        trained.parser("few_images", "a: b").parse_args(["--data", "folder:images"])
    )
    some = few_images.only(train, ("dog", "cat"), each=4, seed=1)
    assert some.classes == ("dog", "cat") and some.counts() == [4, 4] and some.mean == train.mean
    for image, label in zip(some.images, some.labels):
        (found,) = numpy.flatnonzero((train.images == image).all(axis=(1, 2, 3)))
        assert train.classes[train.labels[found]] == some.classes[label]
    others = few_images.only(train, ("dog", "cat"), each=4, seed=2)
    assert (some.images != others.images).any() and few_images.only(train, ("cat",)).counts() == [
        14
    ]


def test_few_images_trains_the_net_of_eight_classes_once_and_tunes_it_each_way(capsys, monkeypatch):
    monkeypatch.setattr(few_images, "TRUNK", {"epochs": 1, "batch": 56, "lr": 0.1})
    monkeypatch.setattr(few_images, "TUNING", {"epochs": 4, "batch": 5, "lr": 0.02})
    for call in range(2):
        few_images.main(
            ["--data", "folder:images", "--each", "5", "--json", "few.json", "--picture", "few.png"]
        )
        out = capsys.readouterr().out
        assert ("training the network that knows 8 classes, on 112 images" in out) == (call == 0)
    _, facts = load_weights("few_images-trunk.safetensors")
    assert len(facts["classes"]) == 8 and not {"cat", "dog"} & set(facts["classes"])
    rows = json.loads(open("few.json").read())["rows"]
    assert (
        list(rows)[:2] == ["from scratch", "tuned, nothing frozen"]
        and len(rows) == 6
        and all(len(row) == 3 for row in rows.values())
    )
    assert len({tuple(row) for row in rows.values()}) > 1 and "10 others" in out
    with Image.open("few.png") as picture:
        assert picture.width > 500
    save_weights(
        "other.safetensors", models.resnet20(num_classes=8).state_dict(), classes=list("abcdefgh")
    )
    with pytest.raises(
        ValueError, match="other.safetensors knows a, b, c, d, e, f, g, h: remove it"
    ):
        few_images.main(["--data", "folder:images", "--trunk", "other.safetensors"])


def test_what_is_tuned_keeps_what_is_frozen_and_begins_with_a_new_head(monkeypatch):
    monkeypatch.setattr(few_images, "TUNING", {"epochs": 1, "batch": 5, "lr": 0.02})
    train, _ = trained.images(
        trained.parser("few_images", "a: b").parse_args(["--data", "folder:images"])
    )
    state, _ = load_weights("w.safetensors")
    few = few_images.only(train, few_images.NEW, 5)
    found = few_images.tuned(state, "until:layer3", few, 0).state_dict()
    for name, value in found.items():
        assert name.startswith(("layer3", "fc")) or (value == state[name]).all(), name
    assert (
        found["fc.weight"].shape == (64, 2)
        and (found["layer3.0.conv1.weight"] != state["layer3.0.conv1.weight"]).any()
    )
