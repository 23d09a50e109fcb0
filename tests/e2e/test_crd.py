"""The CustomResourceDefinition on a real API server, with no operator anywhere.

Covers what the schema refuses and with which words, its defaults, and what tools conclude about a NginxPod that
no operator has seen. Leaves out the printer columns and the scale subresource: `test_user_tools` and `test_lifecycle`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.case import Case
from e2e.cluster import ROOT, CommandFailed
from e2e.objects import STABLE, nginxpod
from e2e.record import condition_of

INVALID = sorted((Path(__file__).parent / "samples" / "invalid").glob("*.yaml"))
VALID = sorted(path for path in (ROOT / "crds" / "samples").glob("*.yaml") if path.name != "kustomization.yaml")
# How long a tool is left to wait for what must not come true.
PATIENCE_SECONDS = 2


def _expected(sample: Path) -> list[str]:
    """What the API server has to say about a sample: its `# expect:` lines."""
    lines = sample.read_text().splitlines()
    return [line.removeprefix("# expect:").strip() for line in lines if line.startswith("# expect:")]


def test_there_are_samples_to_refuse_and_to_accept() -> None:
    """Every bound of the schema has a sample that breaks it, and each sample says what the API server answers."""
    broken = {sample.stem.split("-")[0] for sample in INVALID}
    assert {"replicas", "image", "port", "name"} <= broken
    assert all(_expected(sample) for sample in INVALID)
    assert VALID


@pytest.mark.parametrize("sample", INVALID, ids=lambda path: path.stem.replace("-", "_"))
def test_invalid_sample_is_refused_with_a_message_a_person_understands(bare_case: Case, sample: Path) -> None:
    """kubectl apply fails and names the field and its bound; nothing is stored."""
    with pytest.raises(CommandFailed) as refused:
        bare_case.kubectl("apply", "-f", str(sample))
    for text in _expected(sample):
        assert text in refused.value.output
    assert bare_case.kubectl("get", "nginxpods", "-o", "name") == ""


@pytest.mark.parametrize("sample", VALID, ids=lambda path: path.stem.replace("-", "_"))
def test_shipped_sample_is_accepted(bare_case: Case, sample: Path) -> None:
    """Each sample in crds/samples passes the API server's validation."""
    bare_case.kubectl("apply", "--dry-run=server", "-f", str(sample))


def test_defaults_are_filled_in_by_the_api_server(bare_case: Case) -> None:
    """A NginxPod without a spec gets one replica of the stable image on port 8080, and a status not yet observed."""
    bare_case.apply({key: value for key, value in nginxpod("web").items() if key != "spec"})
    found = bare_case.nginxpod("web")
    assert found["spec"] == {"replicas": 1, "image": STABLE, "port": 8080}
    assert found["status"] == {"observedGeneration": -1}


def test_nginxpod_that_no_operator_has_seen_is_not_ready_for_kubectl_wait(bare_case: Case) -> None:
    """kubectl wait --for=condition=Ready runs into its timeout instead of taking an absent condition for success."""
    bare_case.apply(nginxpod("web"))
    with pytest.raises(CommandFailed) as timed_out:
        bare_case.kubectl("wait", "--for=condition=Ready", "ngp/web", f"--timeout={PATIENCE_SECONDS}s")
    assert "timed out waiting for the condition" in timed_out.value.output


def test_nginxpod_that_no_operator_has_seen_is_in_progress_for_kstatus(bare_case: Case) -> None:
    """kstatus says InProgress when status.observedGeneration is not metadata.generation: -1 never is."""
    bare_case.apply(nginxpod("web"))
    found = bare_case.nginxpod("web")
    assert found["status"]["observedGeneration"] == -1 != found["metadata"]["generation"]
    assert not condition_of(found, "Stalled"), "Stalled would make it Failed instead"
