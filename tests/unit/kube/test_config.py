"""Finding and reading the configuration: the order of sources, what each gives, one clear line for each mistake.

Left out: the auth providers oidc and gcp of the kubernetes package (its own tests have them), Windows.
"""

import base64
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinloop.errors import ConfigurationError, Unauthorized
from twinloop.kube import Configuration, load_configuration

WriteKubeconfig = Callable[..., Path]

# The beginning of a kubeconfig that uses cluster y and user z.
CHOSEN = b"current-context: x\ncontexts: [{name: x, context: {cluster: y, user: z}}]\n"


@pytest.fixture
def service_account(tmp_path: Path, tls_files: Path) -> Path:
    """The folder that a pod finds its service account in."""
    directory = tmp_path / "serviceaccount"
    directory.mkdir()
    (directory / "token").write_text("pod-token")
    (directory / "namespace").write_text("of-the-pod\n")
    (directory / "ca.crt").write_bytes((tls_files / "ca.pem").read_bytes())
    return directory


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """A function that makes an exec section of a shell script with the given body."""

    def make(body: str) -> dict[str, Any]:
        script = tmp_path / "plugin"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script)}}

    return make


def printing(status: str) -> str:
    """A script's body that prints an ExecCredential."""
    return f'echo \'{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {status}}}\''


def load(path: Path | None = None, context: str | None = None, **environ: str) -> Configuration:
    return load_configuration(str(path) if path else None, context, environ=environ)


def complaint(path: Path | None = None, context: str | None = None, **environ: str) -> str:
    """The line and the hint of the ConfigurationError that loading ends in."""
    with pytest.raises(ConfigurationError) as caught:
        load(path, context, **environ)
    text = str(caught.value)
    assert "\n" not in text
    assert "Traceback" not in text
    assert caught.value.hint
    return f"{text} | {caught.value.hint}"


def test_a_kubeconfig_says_where_and_as_whom(write_kubeconfig: WriteKubeconfig) -> None:
    path = write_kubeconfig("http://127.0.0.1:1/", user={"token": "secret"})
    configuration = load(path)
    assert configuration.server == "http://127.0.0.1:1"
    assert configuration.context == "test"
    assert configuration.namespace == "somewhere"
    assert configuration.source == str(path)
    assert configuration.credentials.current().authorization == "Bearer secret"
    assert "secret" not in repr(configuration)


def test_a_user_with_a_password_is_sent_as_basic(write_kubeconfig: WriteKubeconfig) -> None:
    configuration = load(write_kubeconfig("http://x", user={"username": "me", "password": "pw"}))
    expected = "Basic " + base64.b64encode(b"me:pw").decode()
    assert (configuration.credentials.current().authorization or "").lower() == expected.lower()


def test_a_user_without_anything_sends_no_header(write_kubeconfig: WriteKubeconfig) -> None:
    assert load(write_kubeconfig("http://x")).credentials.current().authorization is None


def test_the_explicit_path_goes_before_everything(write_kubeconfig: WriteKubeconfig) -> None:
    path = write_kubeconfig("http://explicit", name="explicit")
    other = write_kubeconfig("http://variable", name="variable")
    configuration = load(path, KUBECONFIG=str(other), KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert configuration.server == "http://explicit"


def test_the_variable_goes_before_the_service_account(write_kubeconfig: WriteKubeconfig) -> None:
    other = write_kubeconfig("http://variable")
    assert load(KUBECONFIG=str(other), KUBERNETES_SERVICE_HOST="10.0.0.1").server == "http://variable"


def test_the_service_account_goes_before_the_home_directory(
    write_kubeconfig: WriteKubeconfig, service_account: Path, tmp_path: Path
) -> None:
    (tmp_path / ".kube").mkdir()
    write_kubeconfig("http://home", name=".kube/config")
    environ = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    configuration = load_configuration(environ=environ, service_account=service_account)
    assert (configuration.server, configuration.context) == ("https://10.0.0.1:443", "in-cluster")
    assert load_configuration(environ={"HOME": str(tmp_path)}).server == "http://home"
    # A context is a kubeconfig's word, so asking for one means a kubeconfig, in a pod as well.
    chosen = load_configuration(context="test", environ=environ, service_account=service_account)
    assert chosen.server == "http://home"


def test_in_a_pod_the_token_is_read_again_when_it_rotates(service_account: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    configuration = load_configuration(environ=environ, service_account=service_account)
    assert configuration.server == "https://[fd00::1]:6443"
    assert configuration.namespace == "of-the-pod"
    assert configuration.credentials.current().authorization == "Bearer pod-token"
    (service_account / "token").write_text("rotated-token")
    assert configuration.credentials.current().authorization == "Bearer rotated-token"


@pytest.mark.parametrize("lost", ["token", "ca.crt"])
def test_in_a_pod_without_a_service_account_the_hint_names_the_reason(service_account: Path, lost: str) -> None:
    (service_account / lost).unlink()
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(ConfigurationError, match="without a usable service account") as caught:
        load_configuration(environ=environ, service_account=service_account)
    assert "automountServiceAccountToken" in caught.value.hint


def test_several_files_are_merged_and_the_first_current_context_wins(tmp_path: Path) -> None:
    def write(name: str, server: str) -> Path:
        path = tmp_path / name
        entry = {"cluster": {"server": server}, "context": {"cluster": name}}
        path.write_text(
            yaml.safe_dump(
                {
                    "current-context": name,
                    "clusters": [{"name": name, "cluster": entry["cluster"]}],
                    "contexts": [{"name": name, "context": entry["context"]}],
                }
            )
        )
        return path

    one, two = write("one", "http://one"), write("two", "http://two")
    both = f"{tmp_path / 'missing'}:{one}:{two}"
    assert load(KUBECONFIG=both).server == "http://one"
    assert load(KUBECONFIG=both, context="two").server == "http://two"
    assert load(KUBECONFIG=both).source == f"{one}:{two}"


def test_an_explicit_path_may_hold_a_colon(write_kubeconfig: WriteKubeconfig) -> None:
    assert load(write_kubeconfig("http://x", name="a:b")).server == "http://x"


def test_no_file_is_written(write_kubeconfig: WriteKubeconfig, plugin: Callable[[str], dict[str, Any]]) -> None:
    path = write_kubeconfig("http://x", user=plugin(printing('{"token": "t"}')))
    before = path.read_bytes(), path.stat().st_mtime_ns
    load(path).credentials.current()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_token_file_is_found_beside_the_kubeconfig_and_goes_before_a_token(
    write_kubeconfig: WriteKubeconfig, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("from-file")
    path = write_kubeconfig("http://x", user={"tokenFile": "token", "token": "from-config"})
    credentials = load(path).credentials
    assert credentials.current().authorization == "Bearer from-file"
    (tmp_path / "token").write_text("from-file-later")
    assert credentials.current().authorization == "Bearer from-file-later"


def test_an_exec_plugin_is_run_again_after_a_refusal(
    write_kubeconfig: WriteKubeconfig, plugin: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    counter = tmp_path / "runs"
    user = plugin(f"echo >> {counter}\nn=$(wc -l < {counter})\n" + printing('{"token": "run-\'$((n))\'"}'))
    credentials = load(write_kubeconfig("http://x", user=user)).credentials
    first = credentials.current()
    assert first.authorization == "Bearer run-1"
    assert credentials.renew(first.version)
    assert credentials.current().authorization == "Bearer run-2"


def test_an_exec_plugin_that_breaks_later_is_unauthorized(
    write_kubeconfig: WriteKubeconfig, plugin: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    credentials = load(write_kubeconfig("http://x", user=plugin(printing('{"token": "t"}')))).credentials
    (tmp_path / "plugin").unlink()
    with pytest.raises(Unauthorized, match="credential plugin failed"):
        credentials.renew(credentials.current().version)


def test_an_exec_plugins_certificate_is_used_for_the_connections(
    write_kubeconfig: WriteKubeconfig, plugin: Callable[[str], dict[str, Any]], tls_files: Path
) -> None:
    text = (tls_files / "client.pem").read_text()
    certificate, key = re.findall(r"-----BEGIN.*?-----END[^\n]*\n", text, re.DOTALL)
    status = yaml.safe_dump({"clientCertificateData": certificate, "clientKeyData": key}, default_style='"', width=9999)
    flow = "{" + ", ".join(line for line in status.splitlines() if line) + "}"
    configuration = load(write_kubeconfig("https://x", user=plugin("cat <<'EOF'\n" + _credential(flow) + "\nEOF")))
    assert Path(configuration.rest.cert_file).read_text() == certificate + key


def _credential(status: str) -> str:
    return f'{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {status}}}'


def test_server_name_and_proxy_of_the_cluster_are_taken(write_kubeconfig: WriteKubeconfig) -> None:
    extra = {"tls-server-name": "kubernetes", "proxy-url": "http://proxy:3128", "insecure-skip-tls-verify": True}
    settings = load(write_kubeconfig("https://x", **extra)).rest
    assert (settings.tls_server_name, settings.proxy, settings.verify_ssl) == ("kubernetes", "http://proxy:3128", False)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    assert f"the kubeconfig {tmp_path}/none does not exist" in complaint(tmp_path / "none")
    assert f"the kubeconfig {tmp_path}/none does not exist" in complaint(KUBECONFIG=f"{tmp_path}/none:{tmp_path}/no")


def test_a_folder_or_an_unreadable_file_is_one_clear_line(tmp_path: Path) -> None:
    assert "Is a directory" in complaint(tmp_path)


def test_nothing_found_says_where_it_looked(tmp_path: Path) -> None:
    text = complaint(HOME=str(tmp_path))
    assert "KUBECONFIG is not set" in text
    assert f"{tmp_path}/.kube/config does not exist" in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"clusters: [\n  - name: x\n  broken", "line 2 is no YAML"),
        (b"", "file is empty"),
        (b"just a text", "this is no kubeconfig"),
        (b"- a\n- b\n", "this is no kubeconfig"),
        (b"clusters: 5\n", "this is no kubeconfig"),
        (b"clusters: [5]\ncontexts: [7]\nusers: [8]\n", "has no current-context"),
        (b"current-context: x\nclusters: [5]\ncontexts: [7, 7]\nusers: [8]\n", "this is no kubeconfig"),
        (b"\xff\xfe\x00\x01", "config: "),
        (b"current-context: x\n", "has no context x"),
        (b"clusters: []\ncontexts: []\nusers: []\n", "has no current-context"),
        (b"current-context: x\ncontexts: [{name: x}]\n", "context x"),
        (b"current-context: x\ncontexts: [{name: x, context: {cluster: y}}]\n", "context x"),
        (b"current-context: x\ncontexts: [{title: x}]\n", "config"),
        (CHOSEN + b"clusters: [{name: y, cluster: {server: 'https://x'}}]\nusers: [{name: z, user: 5}]\n", "config"),
        (
            CHOSEN
            + b"clusters: [{name: y, cluster: {server: 'https://x'}}]\nusers: [{name: z, user: {tokenFile: [1]}}]",
            "config",
        ),
        (CHOSEN + b"clusters: [{name: y, cluster: {server: 5}}]\n", "this is no kubeconfig"),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    assert expected in complaint(path)


def test_an_unknown_context_names_those_that_exist(write_kubeconfig: WriteKubeconfig) -> None:
    text = complaint(write_kubeconfig("http://x"), "prod")
    assert "has no context prod" in text
    assert "It has: test." in text


@pytest.mark.parametrize("server", ["", "localhost:8080", "ftp://x"])
def test_a_server_that_is_no_url_is_one_clear_line(write_kubeconfig: WriteKubeconfig, server: str) -> None:
    assert "server is no http or https URL" in complaint(write_kubeconfig(server))


def test_an_unusable_certificate_authority_is_one_clear_line(write_kubeconfig: WriteKubeconfig, tmp_path: Path) -> None:
    assert "File does not exist" in complaint(write_kubeconfig("https://x", **{"certificate-authority": "none.pem"}))
    (tmp_path / "bad.pem").write_text("no certificate")
    text = complaint(write_kubeconfig("https://x", **{"certificate-authority": "bad.pem"}))
    assert "certificate authority cannot be used" in text
    assert "context test" in complaint(write_kubeconfig("https://x", **{"certificate-authority-data": "%%%"}))


def test_a_client_certificate_that_does_not_fit_its_key_is_one_clear_line(
    write_kubeconfig: WriteKubeconfig, tls_files: Path
) -> None:
    user = {"client-certificate": str(tls_files / "client.pem"), "client-key": str(tls_files / "renewed.pem")}
    assert "client certificate cannot be used" in complaint(write_kubeconfig("https://x", user=user))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("echo 'please log in' >&2; exit 3", "please log in"),
        ("echo no json", "failed to decode process output"),
        (printing("{}"), "neither a token nor a certificate"),
        ("echo 5", "credential plugin"),
    ],
)
def test_a_failing_exec_plugin_is_one_clear_line(
    write_kubeconfig: WriteKubeconfig, plugin: Callable[[str], dict[str, Any]], body: str, expected: str
) -> None:
    text = complaint(write_kubeconfig("http://x", user=plugin(body)))
    assert "the credential plugin" in text
    assert expected in text


def test_a_missing_exec_plugin_gives_its_install_hint(write_kubeconfig: WriteKubeconfig) -> None:
    settings = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-command-here",
        "installHint": "Get it\nfrom its vendor.",
    }
    text = complaint(write_kubeconfig("http://x", user={"exec": settings}))
    assert "no-such-command-here" in text
    assert "Get it from its vendor." in text


def test_a_missing_token_file_is_one_clear_line(write_kubeconfig: WriteKubeconfig) -> None:
    assert "token file" in complaint(write_kubeconfig("http://x", user={"tokenFile": "none"}))


def test_impersonation_is_refused_rather_than_ignored(write_kubeconfig: WriteKubeconfig) -> None:
    assert "impersonation" in complaint(write_kubeconfig("http://x", user={"as": "viewer", "token": "admin"}))


def test_an_error_never_shows_a_token(write_kubeconfig: WriteKubeconfig) -> None:
    path = write_kubeconfig("http://x")
    path.write_text(path.read_text().replace("user: {}", "token: very-secret"))
    assert "very-secret" not in complaint(path)
