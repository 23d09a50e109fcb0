"""The house: what holds for the project as a whole, read off its files.

Covered: operator/ stays a folder of scripts; who imports which third party; what no file may mention; the Makefile's
help, the commands and links of README and docs/, their maps of modules; package docstrings; pinned requirements against pyproject.toml and against what is
installed; the CustomResourceDefinition, the manifests, the images and the scripts as text.

Left out: the direction of imports between our own packages (import-linter, `make lint`), and whether a cluster takes
the CustomResourceDefinition and the manifests (tests/e2e).
"""

from __future__ import annotations

import ast
import itertools
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from twinloop.cli import main
from twinloop.harness.scenario import choose

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ["handwritten", "kopf"]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = [*PYPROJECT["project"]["optional-dependencies"]]
MAKEFILE = (ROOT / "Makefile").read_text()

# Everything that somebody wrote by hand, which is what git would list; results, caches and .venv are not ours.
NOT_OURS = {".git", ".venv", ".cache", "results", "build", "dist", "__pycache__"}
TEXTS = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".sh", ""}


def our_files(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or (path.is_dir() and path.name.endswith(("_cache", ".egg-info", ".hypothesis"))):
            continue
        if path.is_dir():
            yield from our_files(path)
        elif path.suffix in TEXTS:
            yield path


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- operator/ is no package ----------------------------------------------------------------------------------------


def test_operator_folder_holds_scripts_and_nothing_else() -> None:
    names = {path.name for path in (ROOT / "operator").rglob("*") if "__pycache__" not in path.parts}
    assert "nginxpod.py" in names
    assert all(name.endswith(".py") for name in names), "data files and packages have no business here"
    assert not names & {"__init__.py", "conftest.py"}, "operator/ must never hide the standard library's operator"
    assert not [name for name in names if name.startswith("test_") or name.endswith("_test.py")]


def test_operator_scripts_have_names_that_shadow_nothing() -> None:
    """`kopf run` puts the folder first on sys.path, so a queue.py in it would replace the standard library's."""
    scripts = {path.stem for path in (ROOT / "operator").glob("*.py")}
    assert not scripts & (sys.stdlib_module_names | {"kopf", "kubernetes", "twinloop", "handwritten"})


def test_operator_still_means_the_standard_library_from_the_project_root() -> None:
    code = "import operator, sys; sys.exit(not hasattr(operator, 'itemgetter'))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# --- imports ----------------------------------------------------------------------------------------------------------


def imported(path: Path) -> set[str]:
    """The full names of the modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{shown(path)}: relative import"
            found.add(str(node.module))
    return found


def third_parties(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)} - sys.stdlib_module_names


# kopf's watch before the handwritten loop: the only scripts that may know both.
LEVEL = {"nginxpod_level.py", "mirror.py"}


@pytest.mark.parametrize("script", sorted((ROOT / "operator").glob("*.py")), ids=lambda path: path.name)
def test_operator_scripts_import_kopf_metrics_and_the_shared_package_only(script: Path) -> None:
    helpers = {path.stem for path in (ROOT / "operator").glob("*.py")}
    loop = {"handwritten"} if script.name in LEVEL else set()
    assert third_parties(script) <= {"kopf", "prometheus_client", "twinloop"} | helpers | loop


def test_the_image_s_operator_needs_no_script_that_knows_the_handwritten_loop() -> None:
    assert not third_parties(ROOT / "operator/nginxpod.py") & {Path(name).stem for name in LEVEL}


@pytest.mark.parametrize("name", ["errors", "nginxpod", "plan", "status", "sync", "memory"])
def test_what_decides_imports_the_standard_library_and_itself_only(name: str) -> None:
    decides = {f"twinloop.{each}" for each in ("errors", "nginxpod", "plan", "status", "sync", "memory")}
    path = ROOT / "twinloop" / f"{name}.py"
    assert third_parties(path) <= {"twinloop"}
    assert {each for each in imported(path) if each.startswith("twinloop")} <= decides


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("twinloop", {"twinloop", "prometheus_client", "click"}),
        ("twinloop/kube", {"twinloop", "prometheus_client", "kubernetes", "urllib3", "yaml"}),
        ("twinloop/apiserver", {"twinloop", "yaml", "pytest"}),
        ("twinloop/apiserver/http", {"twinloop", "yaml", "aiohttp", "cryptography"}),
        ("handwritten", {"twinloop", "handwritten", "prometheus_client", "click"}),
    ],
)
def test_third_parties_of_a_package(package: str, allowed: set[str]) -> None:
    used = {shown(path): third_parties(path) - allowed for path in (ROOT / package).glob("*.py")}
    assert not {path: extra for path, extra in used.items() if extra}


def test_below_the_edge_the_embedded_server_needs_yaml_and_re2_at_most() -> None:
    inside = [path for path in (ROOT / "twinloop/apiserver").glob("*/**/*.py") if path.parent.name != "http"]
    used = {shown(path): third_parties(path) - {"twinloop", "yaml", "re2"} for path in inside}
    assert not {path: extra for path, extra in used.items() if extra}


# The harness: where each third party may be used, as files or folders. What is not named here may be used nowhere.
HARNESS = {
    "aiohttp": ["proxy"],
    "yarl": ["proxy"],
    "psutil": ["sampler.py", "doctor.py", "session.py"],
    "jinja2": ["report"],
    "markupsafe": ["report"],
    "rich": ["commands.py", "session.py", "progress.py", "report/terminal.py"],
    "click": ["commands.py"],
    "yaml": ["backends/served.py", "cost.py"],
}


def test_third_parties_of_the_harness_each_have_their_place() -> None:
    harness = ROOT / "twinloop/harness"
    places = {name: [harness / each for each in where] for name, where in HARNESS.items()}
    strays = [
        f"{shown(path)}: {name}"
        for path in harness.rglob("*.py")
        for name in sorted(third_parties(path) - {"twinloop"})
        if not any(path.is_relative_to(place) for place in places.get(name, []))
    ]
    assert strays == []
    assert [shown(place) for where in places.values() for place in where if not place.exists()] == []


def test_the_command_line_starts_without_what_only_the_harness_needs() -> None:
    """`twinloop apiserver` runs where the extra `apiserver` is installed and nothing else."""
    missing = sorted(set(HARNESS) - {"click", "aiohttp", "yaml"})
    code = f"import sys; sys.modules.update(dict.fromkeys({missing})); import twinloop.cli"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_contract_about_what_is_shared_forgets_no_module() -> None:
    contracts = {each["id"]: each for each in PYPROJECT["tool"]["importlinter"]["contracts"]}
    parts = {f"twinloop.{path.stem}" for path in (ROOT / "twinloop").iterdir() if path.name[0] not in "_."}
    tool = set(contracts["tool"]["source_modules"])
    assert set(contracts["shared"]["source_modules"]) == parts - tool - {"twinloop.py"}


@pytest.mark.parametrize("init", sorted(p for p in our_files() if p.name == "__init__.py"), ids=shown)
def test_every_package_has_a_charter(init: Path) -> None:
    assert len(ast.get_docstring(ast.parse(init.read_text())) or "") > 80, "say what belongs here and what never does"


@pytest.mark.parametrize("package", ["twinloop", "handwritten", "operator"])
def test_every_module_says_what_it_is_for(package: str) -> None:
    silent = [p for p in (ROOT / package).rglob("*.py") if not ast.get_docstring(ast.parse(p.read_text()))]
    assert not silent


# --- what no file mentions --------------------------------------------------------------------------------------------

# Written as patterns, so that this file does not mention them either.
NEVER = {
    "a path of one machine": r"(?<![\w.~}])/(?:[r]oot|[w]ork|[h]ome|[U]sers|[o]pt/wheels)/",
    "a package index": r"[p]ypi\.|[p]ythonhosted|--[i]ndex-url|--extra-[i]ndex|[f]ind-links",
    "an image registry": r"[d]ocker\.io|[q]uay\.io|[g]hcr\.io|[g]cr\.io|registry\.[k]8s|[m]cr\.microsoft",
    "work that is not done": r"\b[T]ODO\b|\b[F]IXME\b|\b[X]XX\b",
}


@pytest.mark.parametrize("what", NEVER)
def test_no_file_mentions(what: str) -> None:
    hits = [
        f"{shown(path)}:{number}: {line.strip()[:120]}"
        for path in our_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if re.search(NEVER[what], line)
    ]
    assert not hits, f"{what}: {hits}"


def test_only_the_ci_script_looks_beside_the_project() -> None:
    outside = re.compile(r"\.\./[s]hared")
    assert [shown(path) for path in our_files() if outside.search(path.read_text(errors="replace"))] == [".ci/run"]


# --- the Makefile and who refers to it --------------------------------------------------------------------------------


def targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a fresh shell: what an outer `make test` exports is not meant for it."""
    settable = re.findall(r"^([A-Z0-9_]+) \?=", MAKEFILE, re.MULTILINE)
    outer = {*settable, "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_help_lists_every_target() -> None:
    text = make("help").stdout
    assert {line.split()[0] for line in text.splitlines() if line.startswith("  ")} >= targets()


def test_help_explains_every_variable_that_a_user_may_set() -> None:
    explained = " ".join(re.findall(r"^#\? (.*)$", MAKEFILE, re.MULTILINE))
    settable = re.findall(r"^([A-Z0-9_]+) \?=", MAKEFILE, re.MULTILINE)
    assert settable
    assert not [name for name in settable if not re.search(rf"\b{name}\b", explained)]


def test_every_target_is_phony() -> None:
    assert set(re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE)) == targets()


def test_recipes_name_scripts_that_exist_and_may_be_run() -> None:
    named = set(re.findall(r"hack/([a-z0-9-]+)", MAKEFILE))
    assert named
    assert not [name for name in named if not os.access(ROOT / "hack" / name, os.X_OK)]


def code_of(document: str) -> str:
    """What a document shows as code: fenced and indented blocks and backquotes of Markdown, all of anything else."""
    text = (ROOT / document).read_text()
    if not document.endswith(".md"):
        return text
    fence = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    blocks = fence.findall(text) + re.findall(r"^ {4}.*", text, re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", fence.sub("", text))])


PAGES_OF_DOCS = sorted(shown(path) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", [*PAGES_OF_DOCS, "Dockerfile", ".github/workflows/ci.yaml"])
def test_commands_in_documents_are_targets(document: str) -> None:
    commands = re.findall(r"\bmake (?:-\S+ )*((?:[a-z][a-z0-9-]* ?)+)", code_of(document))
    assert not {target for command in commands for target in command.split()} - targets()


@pytest.mark.parametrize("document", PAGES_OF_DOCS)
def test_what_documents_tell_twinloop_to_do_it_can_do(document: str) -> None:
    code = re.sub(r"\\\n\s*", "", code_of(document))
    for command in re.findall(r"(?<![\w.=-])twinloop ([a-z].*)", code):
        words = shlex.split(command, comments=True)
        assert words[0] in main.commands, command
        flags = {flag for parameter in main.commands[words[0]].params for flag in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= flags | {"--help"}, command
        patterns = [after for before, after in itertools.pairwise(words) if before in {"--scenario", "explain"}]
        assert all(choose([each], long=True) for each in patterns if not each.isupper()), command


def is_bash(path: Path) -> bool:
    return path.is_file() and "bash" in path.read_text().partition("\n")[0]


@pytest.mark.parametrize("script", sorted(filter(is_bash, (ROOT / "hack").iterdir())), ids=shown)
def test_scripts_parse_and_share_their_strict_mode(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    if script.name != "common.sh":
        assert 'source "$(dirname "$0")/common.sh"' in script.read_text()


@pytest.mark.parametrize("script", ["install", "uninstall", "deploy", "undeploy", "samples"])
def test_what_changes_a_cluster_asks_the_guard_first(script: str) -> None:
    """With a context that nobody would try things out in, each target ends before it changes anything."""
    kubectl = ROOT / "tests/unit/house/kubectl-of-production"
    done = make(script, f"KUBECTL={kubectl}", "YES=1")
    assert done.returncode != 0
    assert "context production, server https://production.example" in done.stderr
    assert "production is not named kind-*, kwok-* or twinloop-*" in done.stderr
    assert "apply" not in done.stderr
    assert "delete" not in done.stderr


@pytest.mark.parametrize(
    ("command", "tool"),
    [
        (["install", "KUBECTL=no-such-kubectl"], "no-such-kubectl"),
        (["deploy", "KUBECTL=no-such-kubectl"], "no-such-kubectl"),
        (["docker-build", "DOCKER=no-such-docker"], "no-such-docker"),
        (["e2e-cluster", "DOCKER=no-such-docker"], "no-such-docker"),
        (["e2e-cluster", "DOCKER=true", "KIND=no-such-kind"], "no-such-kind"),
        (["e2e-down", "DOCKER=true", "KIND=no-such-kind"], "no-such-kind"),
    ],
)
def test_a_missing_program_is_one_clear_line(command: list[str], tool: str) -> None:
    done = make(*command)
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert errors == [f"error: {tool} is not installed or not on PATH; `make doctor` says how to get it"]


def test_doctor_names_all_that_is_missing_at_once() -> None:
    missing = ["DOCKER=no-such-docker", "KIND=no-such-kind", "KUBECTL=no-such-kubectl", "PYTHON=no-such-python"]
    done = make("doctor", *missing)
    assert done.returncode != 0
    assert [line.split()[1] for line in done.stdout.splitlines() if "MISSING" in line] == [
        "python",
        "docker",
        "kind",
        "kubectl",
    ]


def test_an_unknown_variant_is_one_clear_line() -> None:
    done = make("deploy", "VARIANT=go")
    assert done.stderr.splitlines()[0] == "error: there is no VARIANT go; choose from: handwritten kopf"


# --- requirements -----------------------------------------------------------------------------------------------------


def pins(extra: str) -> dict[str, str]:
    lines = (ROOT / f"requirements/{extra}.txt").read_text().splitlines()
    pinned = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pinned}


def wanted(extra: str) -> list[Requirement]:
    """What pyproject.toml asks for with an extra; an extra that names twinloop's other extras includes them."""
    project = PYPROJECT["project"]
    found = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"][extra]]
    for own in [each for each in found if each.name == "twinloop"]:
        found.remove(own)
        found += itertools.chain.from_iterable(wanted(each) for each in own.extras)
    return found


def closure(extra: str) -> set[str]:
    """Everything that the extra pulls in, by what the installed packages say about themselves."""
    names: set[str] = set()
    todo = wanted(extra)
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        if name not in names or requirement.extras:
            names.add(name)
            needs = [Requirement(text) for text in distribution(name).requires or []]
            todo += [each for each in needs if any(applies(each, one) for one in extras)]
    return names


def applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


@pytest.mark.parametrize("extra", EXTRAS)
def test_pins_are_versions_and_nothing_else(extra: str) -> None:
    lines = (ROOT / f"requirements/{extra}.txt").read_text().splitlines()
    assert not [line for line in lines if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)]


@pytest.mark.parametrize("extra", EXTRAS)
def test_pins_agree_with_pyproject(extra: str) -> None:
    pinned = pins(extra)
    missing = [
        str(each) for each in wanted(extra) if pinned.get(canonicalize_name(each.name), "") not in each.specifier
    ]
    assert not missing, "make requirements"


@pytest.mark.parametrize("extra", EXTRAS)
def test_pins_are_complete_and_hold_nothing_more(extra: str) -> None:
    assert set(pins(extra)) == closure(extra), "make requirements"


@pytest.mark.parametrize("variant", VARIANTS)
def test_images_get_the_versions_that_the_tests_run_with(variant: str) -> None:
    assert pins(variant).items() <= pins("dev").items()


def test_images_carry_only_what_their_variant_runs() -> None:
    assert not set(pins("handwritten")) & {"kopf", "pytest", "hypothesis"}
    assert not set(pins("kopf")) & {"kubernetes-asyncio", "pykube-ng", "pytest", "hypothesis"}


# --- images, manifests, definition ------------------------------------------------------------------------------------


def stage(variant: str) -> str:
    """The part of the Dockerfile that a variant's image is made of, comments left out."""
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    return next(
        part for part in re.split(r"^FROM ", text, flags=re.MULTILINE) if part.startswith(f"base AS {variant}\n")
    )


def test_an_image_holds_no_code_of_the_other_variant() -> None:
    assert re.findall(r"^COPY (\w+) ", stage("handwritten"), re.MULTILINE) == ["twinloop", "handwritten"]
    assert re.findall(r"^COPY (\w+) ", stage("kopf"), re.MULTILINE) == ["twinloop", "operator"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_images_run_as_a_numbered_user(variant: str) -> None:
    assert re.search(r"^USER \d+:\d+$", stage(variant), re.MULTILINE)


def test_images_need_no_buildkit() -> None:
    assert not re.search(r"--mount|<<|^# syntax", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


@pytest.mark.parametrize("variant", VARIANTS)
def test_overlay_gives_its_variant_a_name_and_labels_of_its_own(variant: str) -> None:
    overlay = load(f"deploy/overlays/{variant}/kustomization.yaml")
    patch = load(f"deploy/overlays/{variant}/deployment.yaml")
    label = {"twinloop.dev/variant": variant}
    assert overlay["nameSuffix"] == f"-{variant}"
    assert patch["metadata"]["labels"] == label
    assert patch["spec"]["selector"]["matchLabels"] == label
    assert patch["spec"]["template"]["metadata"]["labels"] == label
    assert patch["spec"]["template"]["spec"]["containers"][0]["image"] == f"twinloop-{variant}:dev"


def test_operators_are_held_to_the_restricted_standard() -> None:
    pod = load("deploy/base/deployment.yaml")["spec"]["template"]["spec"]
    container = pod["containers"][0]["securityContext"]
    assert (
        load("deploy/base/namespace.yaml")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    )
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["readOnlyRootFilesystem"] is True
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}


def test_never_two_operators_of_a_variant() -> None:
    spec = load("deploy/base/deployment.yaml")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def rights(rules: list[dict[str, Any]]) -> set[str]:
    return {
        f"{verb} {resource}{f'.{group}' if group else ''}"
        for rule in rules
        for group, resource, verb in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"])
    }


def test_rights_of_both_variants() -> None:
    role, binding = yaml.safe_load_all((ROOT / "deploy/base/rbac.yaml").read_text())
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert rights(role["rules"]) == {
        "get nginxpods.twinloop.dev",
        "list nginxpods.twinloop.dev",
        "watch nginxpods.twinloop.dev",
        "patch nginxpods/status.twinloop.dev",
        "update nginxpods/finalizers.twinloop.dev",
        *(f"{verb} pods" for verb in ("get", "list", "watch", "create", "delete")),
        "create events",
        "patch events",
    }


def test_rights_that_kopf_needs_beyond_them() -> None:
    added = load("deploy/overlays/kopf/rbac.yaml")
    assert {(each["op"], each["path"]) for each in added} == {("add", "/rules/-")}
    assert rights([each["value"] for each in added]) == {
        "patch nginxpods.twinloop.dev",
        "list customresourcedefinitions.apiextensions.k8s.io",
        "watch customresourcedefinitions.apiextensions.k8s.io",
    }


# --- the overlay with a standby ---------------------------------------------------------------------------------------

STANDBY = "deploy/overlays/handwritten-leader-election"


def test_a_standby_is_two_replicas_that_elect() -> None:
    overlay = load(f"{STANDBY}/kustomization.yaml")
    assert overlay["resources"][0] == "../handwritten"
    assert overlay["patches"][0]["target"] == {"kind": "Deployment", "name": "twinloop-handwritten"}
    changes = {each["path"].removeprefix("/spec/"): each["value"] for each in load(f"{STANDBY}/deployment.yaml")}
    assert changes["replicas"] == 2
    assert changes["template/spec/containers/0/args/-"] == "--leader-elect"
    # Never does one that does not elect run beside one that does.
    assert not [path for path in changes if path.startswith("strategy")]


def test_rights_that_an_election_needs_beyond_them() -> None:
    role, binding = yaml.safe_load_all((ROOT / STANDBY / "rbac.yaml").read_text())
    assert (role["kind"], binding["kind"]) == ("Role", "RoleBinding")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"][0]["name"] == "twinloop-handwritten"
    assert rights(role["rules"]) == {f"{verb} leases.coordination.k8s.io" for verb in ("get", "create", "update")}
    assert [rule.get("resourceNames") for rule in role["rules"]] == [None, ["twinloop-handwritten"]]


def test_only_what_can_elect_is_deployed_with_an_election() -> None:
    done = make("deploy", "VARIANT=kopf", "LEADER_ELECT=1")
    assert done.returncode != 0
    assert "kopf has no leader election by Lease" in done.stderr


def version() -> Any:
    return load("crds/nginxpods.yaml")["spec"]["versions"][0]


def test_definition_bounds_and_defaults() -> None:
    spec = version()["schema"]["openAPIV3Schema"]["properties"]["spec"]
    fields = spec["properties"]
    assert spec["default"] == {}
    assert [fields["replicas"][key] for key in ("default", "minimum", "maximum")] == [1, 0, 100]
    assert [fields["port"][key] for key in ("default", "minimum", "maximum")] == [8080, 1, 65535]
    image = [fields["image"][key] for key in ("default", "minLength", "maxLength")]
    assert image == ["nginxinc/nginx-unprivileged:stable", 1, 512]


def test_definition_says_in_progress_before_the_first_visit() -> None:
    assert version()["schema"]["openAPIV3Schema"]["properties"]["status"]["default"] == {"observedGeneration": -1}


def test_definition_columns() -> None:
    columns = version()["additionalPrinterColumns"]
    assert [each["name"] for each in columns if not each.get("priority")] == ["Desired", "Ready", "Status", "Age"]
    assert [each["name"] for each in columns if each.get("priority") == 1] == ["Reason", "Image"]


def test_definition_can_be_scaled() -> None:
    assert version()["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }


@pytest.mark.parametrize("sample", sorted((ROOT / "crds/samples").glob("*.yaml")), ids=shown)
def test_samples_use_known_fields_only(sample: Path) -> None:
    known = version()["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert set(yaml.safe_load(sample.read_text()).get("spec", {})) <= set(known)


@pytest.mark.parametrize("sample", sorted((ROOT / "tests/e2e/samples/invalid").glob("*.yaml")), ids=shown)
def test_invalid_samples_say_what_the_server_should_answer(sample: Path) -> None:
    assert re.match(r"# expect: \S.+\n", sample.read_text())


# --- the README -------------------------------------------------------------------------------------------------------


# Their modules are too many for the README: each of these packages has a page of its own.
PAGES = runpy.run_path(str(ROOT / "hack/module-map"))["PAGES"]


def modules_of(folder: Path) -> list[Path]:
    return [path for path in our_files(folder) if path.suffix == ".py" and path.name != "__init__.py"]


@pytest.mark.parametrize("package", ["twinloop", "handwritten", "operator"])
def test_the_readme_has_a_sentence_for_each_module(package: str) -> None:
    readme = (ROOT / "README.md").read_text()
    elsewhere = {ROOT / each for each in PAGES}
    modules = [path for path in modules_of(ROOT / package) if not elsewhere & set(path.parents)]
    assert modules
    assert [shown(path) for path in modules if f"`{shown(path)}`" not in readme] == []


@pytest.mark.parametrize("package", PAGES)
def test_the_map_of_a_package_is_up_to_date(package: str) -> None:
    """`hack/module-map` makes it of the docstrings, and the README leads to it."""
    written = runpy.run_path(str(ROOT / "hack/module-map"))["document"](package)
    assert (ROOT / PAGES[package]).read_text() == written, "run hack/module-map"
    assert f"]({PAGES[package]})" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("document", PAGES_OF_DOCS)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", path.read_text())
    assert [each for each in links if not (path.parent / each).exists()] == []
