"""What a person may ask for with --variant, and what is said when it makes no sense.

Left out: whether the variants work (tests/harness).
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from twinloop.errors import ConfigurationError
from twinloop.harness import variants
from twinloop.harness.launch import SOURCES, unknown_words
from twinloop.harness.variants import chosen, ours


def test_ours_are_three() -> None:
    assert list(ours()) == ["handwritten", "kopf", "kopf-level"]
    assert all(each.name == name for name, each in ours().items())


@pytest.mark.parametrize("name", list(ours()))
def test_ours_hold_no_word_that_is_not_filled_in(name: str) -> None:
    variant = ours()[name]
    texts = [*shlex.split(variant.command), *variant.environment.values(), variant.ready]
    assert not [word for text in texts for word in unknown_words(text)]


@pytest.mark.parametrize("name", list(ours()))
def test_what_a_variant_owns_is_there_and_named_once(name: str) -> None:
    owned = ours()[name].owned
    assert owned
    assert len(set(owned)) == len(owned)
    assert all((SOURCES / path).is_file() for path in owned)


def test_the_example_that_prints_pods_is_not_part_of_the_operator() -> None:
    assert "handwritten/podwatch.py" not in ours()["handwritten"].owned
    assert "handwritten/workqueue.py" in ours()["handwritten"].owned


def test_ours_are_chosen_by_name_in_the_order_asked_for() -> None:
    assert [each.name for each in chosen(["kopf", "handwritten"])] == ["kopf", "handwritten"]


def test_any_command_can_be_a_variant() -> None:
    (mine,) = chosen(["mine=sh -c 'sleep 1' {namespace}"])
    assert (mine.name, mine.command) == ("mine", "sh -c 'sleep 1' {namespace}")


def test_a_command_may_have_equal_signs_in_it() -> None:
    (mine,) = chosen(["mine=env A=b true --c=d"])
    assert mine.command == "env A=b true --c=d"


@pytest.mark.parametrize(
    ("texts", "message", "hint"),
    [
        (["cobra"], "no variant 'cobra'", "handwritten, kopf, kopf-level"),
        ([""], "no variant ''", "NAME='COMMAND'"),
        (["kopf", "kopf"], "kopf is named twice", "own name"),
        (["kopf=true"], "kopf is one of ours", "my-kopf"),
        (["My_Op=true"], "'My_Op' is no name", "small letters"),
        (["=true"], "'' is no name", "small letters"),
        ([f"{'a' * 33}=true"], "is no name", "32"),
        (["mine="], "the command of mine is empty", "mine='COMMAND'"),
        (["mine=sh -c 'oops"], "cannot be read: No closing quotation", "shell"),
        (["mine=sh {port}"], "has {port} in it", "{metrics_port}"),
        (["mine=there-is-no-such-program x"], "'there-is-no-such-program', which is no program", "PATH"),
        (["mine={sources}/not/there"], "mine needs .*/not/there, which is not there", "clone"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(texts: list[str], message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        chosen(texts)
    assert hint in caught.value.hint
    assert "\n" not in caught.value.for_a_person()


def test_without_a_clone_the_kopf_variants_say_what_they_need(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(variants, "SOURCES", tmp_path)
    with pytest.raises(ConfigurationError, match=r"kopf needs .*operator/nginxpod.py"):
        chosen(["kopf"])
