"""The operators that can be compared: ours by name, and anybody's as a command line.

The command line tool calls `chosen` with what a person asked for; `launch.py` fills in the words in braces when an
operator is started. What a variant has to be is in docs/adding-a-variant.md.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

from twinloop.errors import ConfigurationError
from twinloop.harness.job import Variant
from twinloop.harness.launch import SOURCES, WORDS, unknown_words

# Part of the names of folders, namespaces and files.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


def _owned(pattern: str, *, without: Iterable[str] = ()) -> tuple[str, ...]:
    found = (path.relative_to(SOURCES) for path in sorted(SOURCES.glob(pattern)))
    return tuple(str(path) for path in found if path.name not in set(without))


def _handwritten() -> Variant:
    return Variant(
        name="handwritten",
        command=(
            "{python} -m handwritten --namespace={namespace} --resync={resync} "
            "--metrics-bind-address=127.0.0.1:{metrics_port} --health-probe-bind-address=127.0.0.1:{health_port}"
        ),
        environment={"PYTHONPATH": "{sources}"},
        approach="informers, an index by owner and a rate-limited workqueue, written by hand after client-go",
        owned=_owned("handwritten/*.py", without=["podwatch.py", "fake_controller_source.py", "testing.py"]),
    )


def _kopf(name: str, script: str, approach: str, owned: Iterable[str] = ()) -> Variant:
    return Variant(
        name=name,
        command=(
            "{python} -m kopf run --standalone --log-format=json --namespace={namespace} "
            "--liveness=http://127.0.0.1:{health_port}/healthz {sources}/operator/" + script
        ),
        environment={
            "PYTHONPATH": "{sources}",
            "TWINLOOP_NAMESPACE": "{namespace}",
            "TWINLOOP_METRICS_ADDRESS": "127.0.0.1:{metrics_port}",
            "TWINLOOP_RESYNC": "{resync}",
        },
        # kopf's own probe says that the process is alive; whether it is ready is said beside the metrics.
        ready="http://127.0.0.1:{metrics_port}/readyz",
        approach=approach,
        owned=(f"operator/{script}", *owned),
    )


# The settings and the login that both kopf profiles share.
_FRAMEWORK = "operator/framework.py"
# What kopf-level takes from the handwritten variant: all but the watches, so that the watch layer alone differs.
_LOOP = (
    "clock", "workqueue", "delaying", "ratelimit", "metrics", "store", "controller", "handlers", "fifo",
    "mutation_cache", "nginxpod",
)  # fmt: skip


def ours() -> dict[str, Variant]:
    """The variants of this project by name."""
    found = [
        _handwritten(),
        _kopf("kopf", "nginxpod.py", "handlers on the kopf framework, as its documentation teaches", [_FRAMEWORK]),
        _kopf(
            "kopf-level",
            "nginxpod_level.py",
            "kopf's watch streams into one keyed queue, level-triggered",
            [_FRAMEWORK, "operator/mirror.py", *(f"handwritten/{each}.py" for each in _LOOP)],
        ),
    ]
    return {variant.name: variant for variant in found}


def chosen(texts: Iterable[str]) -> list[Variant]:
    """The variants that a person asked for, each as NAME or NAME=COMMAND. Raises ConfigurationError."""
    found: dict[str, Variant] = {}
    for text in texts:
        variant = _parsed(text)
        if variant.name in found:
            raise ConfigurationError(f"variant {variant.name} is named twice", hint="Give each its own name.")
        found[variant.name] = _runnable(variant)
    return list(found.values())


def _parsed(text: str) -> Variant:
    name, given, command = text.partition("=")
    name, known = name.strip(), ours()
    if not given:
        if name not in known:
            raise ConfigurationError(
                f"there is no variant {name!r}", hint=f"There are {', '.join(known)}; any other as NAME='COMMAND'."
            )
        return known[name]
    if name in known:
        raise ConfigurationError(f"{name} is one of ours", hint=f"Give your command another name: my-{name}='...'.")
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no name for a variant", hint="Use up to 32 small letters, digits and dashes."
        )
    return Variant(name=name, command=command.strip(), approach="a command of your own")


def _runnable(variant: Variant) -> Variant:
    """The same variant, once its command looks like one. Raises ConfigurationError."""
    where = f"the command of {variant.name}"
    try:
        words = shlex.split(variant.command)
    except ValueError as error:
        raise ConfigurationError(
            f"{where} cannot be read: {error}", hint="It is split as a shell would split it."
        ) from None
    if not words:
        raise ConfigurationError(f"{where} is empty", hint=f"Write {variant.name}='COMMAND'.")
    strange = sorted({word for text in words for word in unknown_words(text)})
    if strange:
        known = " ".join(f"{{{word}}}" for word in WORDS)
        raise ConfigurationError(f"{where} has {{{strange[0]}}} in it", hint=f"What is filled in: {known}.")
    _find_program(where, words[0])
    _find_scripts(variant, words)
    return variant


def _find_program(where: str, program: str) -> None:
    if not program.startswith("{") and shutil.which(program) is None:
        raise ConfigurationError(f"{where} starts with {program!r}, which is no program here", hint="Check the PATH.")


def _find_scripts(variant: Variant, words: Iterable[str]) -> None:
    """Our own scripts are beside the package in a clone, and never part of it."""
    for word in words:
        script = Path(word.replace("{sources}", str(SOURCES)))
        if word.startswith("{sources}/") and not script.is_file():
            raise ConfigurationError(
                f"{variant.name} needs {script}, which is not there", hint="Run it from a clone of the project."
            )
