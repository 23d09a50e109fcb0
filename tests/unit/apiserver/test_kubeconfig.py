"""The kubeconfig of a running server: what is in it, who may read it, and that nobody ever sees half of it.

Left out: that kubectl takes it (tests/clients/test_kubectl.py).
"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from twinloop.apiserver.http import kubeconfig
from twinloop.errors import ConfigurationError

TEXT = kubeconfig.text("https://127.0.0.1:1234", b"-----BEGIN CERTIFICATE-----\n", "secret")


def test_it_names_server_authority_and_token() -> None:
    config = yaml.safe_load(TEXT)
    assert config["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:1234",
        "certificate-authority-data": base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode(),
    }
    assert config["users"][0]["user"] == {"token": "secret"}


def test_its_context_has_a_name_that_the_scripts_let_through() -> None:
    """hack/common.sh changes clusters called twinloop-* without asking."""
    config = yaml.safe_load(TEXT)
    assert config["current-context"] == "twinloop-embedded"
    assert config["contexts"][0]["context"]["namespace"] == "default"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    kubeconfig.write(tmp_path / "deep" / "down" / "config", TEXT)
    assert (tmp_path / "deep/down/config").stat().st_mode & 0o777 == 0o600


def test_it_replaces_what_was_there_whole(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as reader:
        kubeconfig.write(path, TEXT)
        assert reader.read() == "old", "who has the old file open still reads the old one"
    assert path.read_text() == TEXT
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["config"]


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot write .*/file/config: (Not a directory|File exists)"):
        kubeconfig.write(tmp_path / "file" / "config", TEXT)


def test_a_folder_in_its_place_is_one_clear_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with pytest.raises(ConfigurationError, match="config is a folder"):
        kubeconfig.write(tmp_path / "config", TEXT)
    assert [each.name for each in tmp_path.iterdir()] == ["config"]
