"""The tiers: which tests run in which, where a test doesn't say so itself, and how many examples a property draws.

The quick tier (make test) runs what has no marker, the suite (make test ALL=1) also what is marked slow, and the proof (make proof)
what is marked proof.
"""

from contextlib import contextmanager

import hypothesis

# Examples per property, by profile: of make test, of make test ALL=1, of make proof, and by hand.
EXAMPLES = {"quick": 8, "suite": 25, "proof": 25, "thorough": 500}

# On strict, in the first two. It is NumPy's arithmetic under CuPy's rules: it finds what would fail
# on a GPU, and that hardly ever depends on the numbers.
ON_STRICT = 3

# Tier -> file -> tests. Markers in the files themselves come on top of these.
MARKED = {
    "slow": {
        "test_ablation.py": {"test_a_training_gives_both_accuracies_and_the_same_again"},
        "test_download.py": {
            "test_a_slow_server_is_waited_for",
            "test_a_stall_loses_nothing_of_what_came_before_it",
            "test_a_stalled_server_is_given_up",
        },
        "test_examples.py": {"test_five_epochs_read_95_percent_of_the_test_digits"},
        "test_layout_1.py": {"test_a_run_of_layout_1_is_extended"},
        "test_parity.py": {"test_a_network_gives_the_same_logits_and_gradients"},
        "test_pretrained.py": {"test_a_net_is_recognised_by_its_shapes"},
        "test_show.py": {"test_the_names_of_a_deep_net_are_thinned_out_until_none_lies_on_another"},
        "test_tensor.py": {"test_a_long_chain_that_is_never_walked_is_dropped_without_a_fall"},
        "test_accuracy_torch.py": {
            "test_both_have_the_same_losses_and_accuracy_but_for_rounding",
            "test_so_do_both_with_all_that_the_recipe_for_short_trainings_is_made_of",
        },
        "test_benchmarks.py": {"test_a_pinned_kernel_is_no_result"},
        "test_benchmarks_gpu.py": {"test_the_smoke_run_writes_figures_and_pictures"},
        "test_benchmarks_gpu_device.py": {"test_all_of_it_runs_on_a_card_that_is_imitated"},
        "test_benchmarks_gpu_peers.py": {"test_beside_pytorch_each_mode_has_a_ratio"},
        "test_benchmarks_trained.py": {"test_few_images_trains_the_net_of_eight_classes_once_and_tunes_it_each_way"},
        "test_recipes.py": {"test_a_run_with_all_of_them_resumes_to_the_same_bits"},
    },
    "proof": {
        "test_chapters.py": {"test_a_chapter_runs_from_top_to_bottom_and_prints_what_is_committed", "test_a_chapter_runs_with_all_exercises_solved"},
        "test_exchange.py": {"test_a_net_of_imagenet_gives_pytorchs_logits_both_ways"},
    },
}  # fmt: skip


def of(file, test):
    """Return the tier that the table names for a test, or None."""
    return next((tier for tier, files in MARKED.items() if test in files.get(file, ())), None)


def examples(profile, library, own):
    """Return how many examples a property with max_examples `own` draws on an array library.

    library  its name, or None if the test doesn't ask for one

    A property that asks for more than its profile has gets them, except in the quick profile.
    """
    if profile == "quick":
        own = min(own, EXAMPLES["quick"])
    return min(own, ON_STRICT) if library == "strict" and profile in ("quick", "suite") else own


@contextmanager
def fewer_examples(test, profile, library):
    """Context manager: a Hypothesis test draws only so many examples. Any other test runs as it is."""
    name = "_hypothesis_internal_use_settings"  # Hypothesis has no public way to change it for one call; test_tiers.py checks it
    settings = getattr(test, name, None)
    if settings is None:
        yield
        return
    count = examples(profile, library, settings.max_examples)
    setattr(test, name, hypothesis.settings(settings, max_examples=count))
    try:
        yield
    finally:
        setattr(test, name, settings)
