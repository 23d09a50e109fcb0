"""Which API server, and as whom: a kubeconfig or the service account of the pod.

The first step of every process. What comes out goes into `Client`. The kubernetes package merges kubeconfig files and
reads clusters, users and certificates; this module chooses the source, replaces what the package does badly with
credentials (see credentials.py), and turns everything that can be wrong into one ConfigurationError with one line.
"""

from __future__ import annotations

import importlib
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from twinloop.errors import ConfigurationError
from twinloop.kube.credentials import Credentials, ExecPlugin, LibraryCredentials, TokenFile

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Configuration:
    """Where to connect and as whom.

    `server` is a URL without a slash at its end, `context` the kubeconfig's context or "in-cluster", `namespace` the
    one that the context names ("default" if none), `source` the files that it came from.
    """

    server: str
    context: str
    namespace: str
    source: str
    # kubernetes.client.Configuration, and tokens: neither belongs into a log line.
    rest: Any = field(repr=False)
    credentials: Credentials = field(repr=False)


def load_configuration(
    kubeconfig: str | None = None,
    context: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Configuration:
    """Find and read the configuration; nothing is sent yet, though an exec plugin is run.

    The order: `kubeconfig` (one path); $KUBECONFIG (several, colon between them, missing ones skipped like kubectl
    does); the pod's service account when $KUBERNETES_SERVICE_HOST is set, unless a `context` asks for a kubeconfig;
    ~/.kube/config. No file is ever written. Raises ConfigurationError.
    """
    if kubeconfig:
        return _from_files([Path(kubeconfig).expanduser()], context)
    if environ.get("KUBECONFIG"):
        named = [Path(part).expanduser() for part in environ["KUBECONFIG"].split(os.pathsep) if part]
        existing = [path for path in named if path.exists()]
        return _from_files(existing or named[:1], context)
    if environ.get("KUBERNETES_SERVICE_HOST") and context is None:
        return _from_service_account(environ, service_account)
    default = Path(environ.get("HOME") or Path.home()) / ".kube" / "config"
    if default.exists():
        return _from_files([default], context)
    raise ConfigurationError(
        f"no cluster configuration: KUBECONFIG is not set, this is no pod, and {default} does not exist",
        hint="Name a kubeconfig with --kubeconfig or the KUBECONFIG variable.",
    )


def _from_files(paths: list[Path], context: str | None) -> Configuration:
    source = os.pathsep.join(map(str, paths))
    merged = _merge(paths)
    name = context or _current_context(merged)
    if not name:
        raise ConfigurationError(
            f"{source} has no current-context", hint="Choose one with --context or `kubectl config use-context`."
        )
    try:
        return _from_context(merged, name, source)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - ConfigException, base64, types: whatever a wrong file can cause
        _fail(f"{source}, context {name}", error)


def _from_context(merged: Any, name: str, source: str) -> Configuration:
    where = f"{source}, context {name}"
    loader = _loader(merged, name, source)
    chosen = loader.current_context["context"]
    own = _own_credentials(_user(merged, chosen.get("user")), merged, chosen["cluster"], where)
    settings = _settings()
    loader.load_and_set(settings)
    if isinstance(own, ExecPlugin) and own.certificate is not None:
        settings.cert_file, settings.key_file = str(own.certificate), None
    _check_server(settings, where)
    return Configuration(
        server=settings.host,
        context=name,
        namespace=chosen.get("namespace") or "default",
        source=source,
        rest=settings,
        credentials=own or LibraryCredentials(settings),
    )


def _settings() -> Any:
    # By its class and not by get_default_copy(): what another library of the process set as default is not ours.
    return _library("client").Configuration()


def _library(module: str) -> Any:
    """A module of the kubernetes package: untyped, and 0.2 s and 22 MB that only those pay who connect."""
    return importlib.import_module(f"kubernetes.{module}")


def _merge(paths: list[Path]) -> Any:
    """The kubernetes package's merger with all `paths` in it."""
    # The constructor splits at colons, and kubectl takes a --kubeconfig as one path: hence file by file.
    merger = _library("config.kube_config").KubeConfigMerger("")
    for path in paths:
        try:
            merger.load_config(str(path))
        except FileNotFoundError:
            raise ConfigurationError(f"the kubeconfig {path} does not exist") from None
        except Exception as error:  # noqa: BLE001 - YAML errors, and AttributeErrors for YAML of another shape
            _fail(str(path), error)
    return merger


def _current_context(merger: Any) -> str | None:
    """The first file's that names one, like kubectl; the package lets the last one win."""
    names = (content.get("current-context") for content in merger.config_files.values())
    return next((name for name in names if name), None)


def _loader(merger: Any, context: str, source: str) -> Any:
    known = [entry["name"] for entry in merger.config.value["contexts"]]
    if context not in known:
        raise ConfigurationError(
            f"{source} has no context {context}", hint=f"It has: {', '.join(sorted(map(str, known))) or 'none'}."
        )
    # Without a base path each relative path is looked up beside the file that it stands in.
    return _library("config.kube_config").KubeConfigLoader(
        config_dict=merger.config, active_context=context, config_base_path=None
    )


def _user(merger: Any, name: str | None) -> Any:
    """The ConfigNode of the context's user, which knows its file for relative paths; None without one."""
    entry = merger.config["users"].get_with_name(name, safe=True) if name else None
    return entry["user"] if entry is not None and entry.safe_get("user") else None


def _own_credentials(user: Any, merger: Any, cluster: str | None, where: str) -> Credentials | None:
    """A tokenFile's or an exec plugin's credentials, taken out of `user` so that the package does not see them."""
    if user is None:
        return None
    if "as" in user or "as-groups" in user:
        # Ignoring it, as the package does, would act with more rights than the person asked for.
        raise ConfigurationError(f"{where}: impersonation (as, as-groups) is not supported")
    if user.safe_get("tokenFile"):
        path = Path(user.path).absolute().parent / user.value.pop("tokenFile")
        user.value.pop("token", None)  # the file goes first, as client-go has it
        user.value.pop("exec", None)
        return TokenFile(path)
    if user.safe_get("exec") and not user.safe_get("token") and "auth-provider" not in user:
        return _exec_plugin(user, merger, cluster, where)
    return None


def _exec_plugin(user: Any, merger: Any, cluster: str | None, where: str) -> ExecPlugin:
    settings = user["exec"]
    command = settings.safe_get("command")
    try:
        node = merger.config["clusters"].get_with_name(cluster)["cluster"]
        provider = _library("config.exec_provider").ExecProvider(settings, str(Path(user.path).absolute().parent), node)
        plugin = ExecPlugin(provider.run)
    except Exception as error:
        # The hint is the plugin author's, who knows how to get the command.
        hint = settings.safe_get("installHint") or "Run the command by hand to see what it says."
        text = " ".join(str(error).split()) or type(error).__name__
        raise ConfigurationError(
            f"{where}: the credential plugin {command} failed: {text}", hint=" ".join(str(hint).split())
        ) from error
    del user.value["exec"]
    return plugin


def _from_service_account(environ: Mapping[str, str], directory: Path) -> Configuration:
    settings = _settings()
    token, namespace = directory / "token", directory / "namespace"
    loader = _library("config.incluster_config").InClusterConfigLoader(
        str(token), str(directory / "ca.crt"), try_refresh_token=False, environ=environ
    )
    try:
        loader.load_and_set(settings)
    except Exception as error:
        raise ConfigurationError(
            f"in a pod, but without a usable service account: {error}",
            hint="Does the pod set automountServiceAccountToken to false?",
        ) from error
    _check_server(settings, "in-cluster")
    return Configuration(
        server=settings.host,
        context="in-cluster",
        namespace=namespace.read_text().strip() if namespace.is_file() else "default",
        source=str(directory),
        rest=settings,
        credentials=TokenFile(token),
    )


def _check_server(settings: Any, where: str) -> None:
    """What would otherwise fail on every request: no URL, a CA or a certificate that cannot be loaded."""
    if not settings.host.startswith(("http://", "https://")):
        raise ConfigurationError(f"{where}: the cluster's server is no http or https URL: {settings.host or 'none'}")
    try:
        tls = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    except OSError as error:  # SSLError is one
        raise ConfigurationError(f"{where}: the certificate authority cannot be used: {error}") from error
    if settings.cert_file:
        try:
            # An empty password, or else OpenSSL asks for one on the terminal of a daemon.
            tls.load_cert_chain(settings.cert_file, settings.key_file, password="")
        except OSError as error:
            raise ConfigurationError(f"{where}: the client certificate cannot be used: {error}") from error


def _fail(where: str, error: Exception) -> NoReturn:
    """Raise what the kubernetes package or YAML said as one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        text = f"line {error.problem_mark.line + 1} is no YAML: {error.problem}"
    elif isinstance(error, _library("config").ConfigException | OSError | yaml.YAMLError | UnicodeError):
        # The package names a place by the entry's whole content, tokens included: keep what stands before it.
        text = str(error).partition("/{")[0]
    else:
        text = f"this is no kubeconfig ({type(error).__name__}: {error})"
    raise ConfigurationError(f"{where}: {' '.join(text.split())}") from error
