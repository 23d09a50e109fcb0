"""Credentials that change while the process runs: a token file, an exec plugin, what the kubernetes package refreshes.

Left out: choosing among them by a kubeconfig (test_config.py), sending them and the retry after a 401
(test_transport.py).
"""

import logging
import os
import stat
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from twinloop.errors import ConfigurationError, Unauthorized
from twinloop.kube.credentials import TOKEN_PERIOD, Credential, ExecPlugin, LibraryCredentials, TokenFile, bearer

START = datetime(2024, 1, 1, tzinfo=UTC)


class Clock:
    """Time that a test moves; as seconds, or as a date from START on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def date(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


class Plugin:
    """An exec plugin's command: gives the statuses one after the other, then the last one again and again."""

    def __init__(self, *statuses: Mapping[str, Any] | Exception) -> None:
        self.statuses = list(statuses)
        self.runs = 0

    def __call__(self) -> Mapping[str, Any]:
        status = self.statuses[min(self.runs, len(self.statuses) - 1)]
        self.runs += 1
        if isinstance(status, Exception):
            raise status
        return status


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


def same_stat(path: Path, text: str) -> None:
    """Change a file so that its stat does not tell: same inode, size and time."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_token_file_is_read_again_as_soon_as_it_changes(token: Path) -> None:
    credentials = TokenFile(token, now=Clock())
    first = credentials.current()
    token.write_text("second token with more bytes".replace(" ", "-"))
    second = credentials.current()
    assert first.authorization == "Bearer first"
    assert second.authorization == "Bearer second-token-with-more-bytes"
    assert second.version != first.version


def test_token_file_replaced_through_a_symbolic_link_is_noticed_as_the_kubelet_does_it(tmp_path: Path) -> None:
    old, new, link = tmp_path / "old", tmp_path / "new", tmp_path / "link"
    old.write_text("aaaaa")
    new.write_text("bbbbb")
    os.utime(old, ns=(1, 1))
    os.utime(new, ns=(1, 1))
    link.symlink_to(old)
    credentials = TokenFile(link, now=Clock())
    link.unlink()
    link.symlink_to(new)
    assert credentials.current().authorization == "Bearer bbbbb"


def test_token_file_whose_stat_does_not_change_is_read_once_a_minute(token: Path) -> None:
    clock = Clock()
    credentials = TokenFile(token, now=clock)
    same_stat(token, "other\n")
    clock.seconds = TOKEN_PERIOD - 1
    assert credentials.current().authorization == "Bearer first"
    clock.seconds = TOKEN_PERIOD
    assert credentials.current().authorization == "Bearer other"


def test_token_file_is_read_at_once_after_a_refusal(token: Path) -> None:
    credentials = TokenFile(token, now=Clock())
    same_stat(token, "other\n")
    assert credentials.renew(credentials.current().version)
    assert credentials.current().authorization == "Bearer other"


def test_a_refused_token_that_is_still_in_the_file_is_not_worth_another_try(token: Path) -> None:
    credentials = TokenFile(token, now=Clock())
    assert not credentials.renew(credentials.current().version)


def test_a_refusal_of_an_older_token_needs_no_reading(token: Path) -> None:
    credentials = TokenFile(token, now=Clock())
    rejected = credentials.current().version
    token.write_text("second")
    credentials.current()
    assert credentials.renew(rejected)


@pytest.mark.parametrize("content", ["", " \n", "two words", "line\nbreak", "\x00", "tök"])
def test_token_file_that_turns_bad_keeps_the_last_good_token(
    token: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    credentials = TokenFile(token, now=Clock())
    token.write_text(content)
    with caplog.at_level(logging.WARNING):
        assert credentials.current().authorization == "Bearer first"
    assert "keeping the last token" in caplog.text


def test_token_file_that_vanishes_keeps_the_last_good_token(token: Path) -> None:
    credentials = TokenFile(token, now=Clock())
    token.unlink()
    assert credentials.current().authorization == "Bearer first"
    token.write_text("second")
    assert credentials.current().authorization == "Bearer second"


def test_token_file_that_is_missing_at_the_start_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"token file .*/none cannot be used"):
        TokenFile(tmp_path / "none")


def test_plugin_runs_again_when_its_token_has_expired() -> None:
    clock = Clock()
    plugin = Plugin(
        {"token": "one", "expirationTimestamp": "2024-01-01T00:10:00Z"},
        {"token": "two", "expirationTimestamp": "2024-01-01T00:20:00Z"},
    )
    credentials = ExecPlugin(plugin, now=clock.date)
    clock.seconds = 599
    assert credentials.current().authorization == "Bearer one"
    assert plugin.runs == 1
    clock.seconds = 600
    assert credentials.current().authorization == "Bearer two"
    assert plugin.runs == 2


def test_plugin_without_an_expiry_runs_once() -> None:
    clock = Clock()
    plugin = Plugin({"token": "one"})
    credentials = ExecPlugin(plugin, now=clock.date)
    clock.seconds = 1e6
    credentials.current()
    assert plugin.runs == 1


def test_an_expiry_without_a_zone_is_utc() -> None:
    clock = Clock()
    plugin = Plugin({"token": "one", "expirationTimestamp": "2024-01-01T00:10:00"}, {"token": "two"})
    credentials = ExecPlugin(plugin, now=clock.date)
    clock.seconds = 601
    assert credentials.current().authorization == "Bearer two"


def test_plugin_runs_again_after_a_refusal() -> None:
    plugin = Plugin({"token": "one"}, {"token": "two"})
    credentials = ExecPlugin(plugin, now=Clock().date)
    assert credentials.renew(credentials.current().version)
    assert credentials.current().authorization == "Bearer two"


def test_plugin_that_gives_the_refused_token_again_is_not_worth_another_try() -> None:
    credentials = ExecPlugin(Plugin({"token": "one"}), now=Clock().date)
    assert not credentials.renew(credentials.current().version)


def test_many_threads_refused_with_one_token_run_the_plugin_once() -> None:
    plugin = Plugin({"token": "one"}, {"token": "two"}, {"token": "three"})
    credentials = ExecPlugin(plugin, now=Clock().date)
    rejected = credentials.current().version
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(credentials.renew(rejected))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 8
    assert plugin.runs == 2


def test_plugin_that_fails_later_is_unauthorized_and_gets_another_chance() -> None:
    clock = Clock()
    plugin = Plugin(
        {"token": "one", "expirationTimestamp": "2024-01-01T00:10:00Z"}, OSError("no such\nfile"), {"token": "two"}
    )
    credentials = ExecPlugin(plugin, now=clock.date)
    clock.seconds = 600
    with pytest.raises(Unauthorized, match="credential plugin failed: no such file"):
        credentials.current()
    assert credentials.current().authorization == "Bearer two"


@pytest.mark.parametrize(
    "status", [{}, {"token": ""}, {"token": 7}, {"clientCertificateData": "x"}, {"token": "a b"}, {"token": None}]
)
def test_plugin_that_gives_nothing_usable_is_refused(status: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"neither|token"):
        ExecPlugin(Plugin(status))


def test_plugins_certificate_is_one_private_file_that_is_replaced_when_it_changes() -> None:
    plugin = Plugin(
        {"clientCertificateData": "CERT 1", "clientKeyData": "KEY 1"},
        {"clientCertificateData": "CERT 1", "clientKeyData": "KEY 1"},
        {"clientCertificateData": "CERT 2", "clientKeyData": "KEY 2"},
    )
    credentials = ExecPlugin(plugin, now=Clock().date)
    path = credentials.certificate
    first = credentials.current()
    assert path is not None
    assert first.authorization is None
    assert path.read_text() == "CERT 1\nKEY 1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not credentials.renew(first.version)
    assert credentials.renew(first.version)
    assert path.read_text() == "CERT 2\nKEY 2"
    assert credentials.certificate == path


def test_what_the_kubernetes_package_cannot_refresh_is_unauthorized() -> None:
    class Settings:
        def get_api_key_with_prefix(self, identifier: str) -> str:
            raise KeyError(identifier)

    with pytest.raises(Unauthorized, match="auth provider"):
        LibraryCredentials(Settings()).current()


def test_a_credential_never_shows_its_token() -> None:
    assert "secret" not in repr(Credential("Bearer secret", 1))


@pytest.mark.parametrize("token", ["", "a\r\nX-Evil: 1", "a\nb", "ü", None, 5])
def test_a_token_that_would_break_out_of_its_header_is_refused(token: object) -> None:
    with pytest.raises(ValueError, match="token"):
        bearer(token)
