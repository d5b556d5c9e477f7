"""Settings: where they are read from, the rule of each, and what is never shown."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from pydantic import SecretStr

from catalog.clock import RealClock, RunningClock
from catalog.errors import SettingsError, UnknownName
from catalog.settings import (
    DEFAULT_CATEGORIES,
    UNPREFIXED,
    Settings,
    ensure_folder,
    environment_name,
    masked,
    read_settings,
)

MIRROR = {"SKILLFEED_UPSTREAM_MIRROR": "http://127.0.0.1:9"}
SECRETS = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]


def read(environ: Mapping[str, str], dotenv: Path | None = None) -> Settings:
    return read_settings(environ, dotenv)


def refusal(environ: Mapping[str, str], dotenv: Path | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        read(environ, dotenv)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# ------------------------------------------------------------------ the table
def test_defaults_are_those_of_a_small_installation() -> None:
    settings = read({})
    assert settings.database == "sqlite:///data/skillfeed.db"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.categories == tuple(DEFAULT_CATEGORIES.split())
    assert settings.arxiv_gap_seconds == 3
    assert settings.rate_limit == "120/min"
    assert not [name for name in SECRETS if getattr(settings, name).get_secret_value()]


def test_every_setting_has_a_help_of_one_sentence_and_a_name() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description is not None
        assert field.description.endswith(".")
        assert environment_name(name) in UNPREFIXED or environment_name(name).startswith("SKILLFEED_")


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("BASE_URL", "feed.example.org", "http or https address"),
        ("BASE_URL", "ftp://example.org", "http or https address"),
        ("BASE_URL", "http://[bad", "http or https address"),
        ("BASE_URL", "http://example.org:99999", "http or https address"),
        ("UPSTREAM_MIRROR", "localhost:9", "http or https address"),
        ("OUTGOING_PROXY", "socks5://localhost", "http or https address"),
        ("DATABASE_URL", "mysql://localhost/x", "postgresql://"),
        ("DATABASE_URL", "skillfeed.db", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///", "must name a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "must name a file"),
        ("TIMEZONE", "Mars/Olympus", "Europe/Berlin"),
        ("TIMEZONE", "../../etc/passwd", "Europe/Berlin"),
        ("ARXIV_CATEGORIES", "cs.LG,stat.ML", "blanks between"),
        ("ARXIV_CATEGORIES", "I.2.6", "blanks between"),
        ("SIGNUP", "everybody", "domains:example.org"),
        ("SIGNUP", "domains:", "domains:example.org"),
        ("RATE_LIMIT", "120", "120/min"),
        ("RATE_LIMIT", "0/min", "120/min"),
        ("SCHEDULER", "maybe", "'on' or 'off'"),
        ("LOG_LEVEL", "loud", "'debug'"),
        ("MAIL_RATE", "0", "greater than 0"),
        ("MAIL_RATE", "fast", "number"),
        ("MAIL_RATE", "nan", "1000"),
        ("ARXIV_GAP_SECONDS", "-1", "greater than or equal to 0"),
        ("ARXIV_GAP_SECONDS", "nan", "3600"),
        ("ARXIV_GAP_SECONDS", "2.9", "arXiv's terms"),
        ("HOST_GAP_SECONDS", "0.5", "UPSTREAM_MIRROR"),
        ("CLOCK", "2026-01-30T12:00:00Z", "UPSTREAM_MIRROR"),
    ],
)
def test_a_value_against_its_rule_is_refused_by_name_with_the_rule(key: str, value: str, rule: str) -> None:
    message = refusal({f"SKILLFEED_{key}": value})
    assert f"SKILLFEED_{key}: " in message
    assert rule in message


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("BASE_URL", "https://example.org/feed/", "https://example.org/feed"),
        ("ARXIV_CATEGORIES", "cs.LG  cs.LG hep-th", "cs.LG hep-th"),
        ("SIGNUP", "domains:example.org,example.net", "domains:example.org,example.net"),
        ("RATE_LIMIT", "off", "off"),
        ("TIMEZONE", "Europe/Berlin", "Europe/Berlin"),
        ("CONTACT", "https://example.org/about", "https://example.org/about"),
        ("MAIL_RATE", "0.5", 0.5),
        ("DATA_DIR", "/srv/x", Path("/srv/x")),
    ],
)
def test_a_value_by_its_rule_is_kept(key: str, value: str, kept: object) -> None:
    assert getattr(read({f"SKILLFEED_{key}": value}), key.lower()) == kept


def test_the_categories_in_use_are_those_set() -> None:
    assert read({"SKILLFEED_ARXIV_CATEGORIES": "cs.LG stat.ML"}).categories == ("cs.LG", "stat.ML")


# ------------------------------------------------------------------ where they come from
def test_the_environment_wins_over_dotenv_and_dotenv_over_the_default(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("SKILLFEED_CONTACT=dotenv\nSKILLFEED_TIMEZONE=Asia/Tokyo\nHTTP_PORT=9\n", encoding="utf-8")
    settings = read({"SKILLFEED_CONTACT": "environment", "PATH": "/bin"}, dotenv)
    assert (settings.contact, settings.timezone, settings.scheduler) == ("environment", "Asia/Tokyo", "on")


def test_an_empty_value_is_no_value() -> None:
    empty = {environment_name(name): "" for name in Settings.model_fields}
    files = {f"{environment_name(name)}_FILE": "" for name in SECRETS}
    assert read(empty | files) == read({})


def test_a_dotenv_that_is_missing_is_none(tmp_path: Path) -> None:
    assert read({}, tmp_path / ".env") == read({})


def test_a_dotenv_that_is_no_text_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"SKILLFEED_CONTACT=\xff\n")
    assert str(dotenv) in refusal({}, dotenv)


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("SKILLFEED_CONTAKT", "SKILLFEED_CONTACT"),
        ("SKILLFEED_data_dir", "SKILLFEED_DATA_DIR"),
        ("SKILLFEED_KAGGLE_KEY", "KAGGLE_KEY"),
        ("SKILLFEED_SMTP_FILE", "SKILLFEED_SMTP_URL"),
    ],
)
@pytest.mark.parametrize("value", ["x", ""])
def test_an_unknown_key_is_refused_with_the_nearest(key: str, nearest: str, value: str) -> None:
    with pytest.raises(UnknownName) as refused:
        read({key: value})
    assert key in str(refused.value)
    assert nearest in refused.value.nearest


def test_an_unknown_key_in_dotenv_is_refused_as_well(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("SKILLFEED_CONTAKT=x\n", encoding="utf-8")
    with pytest.raises(UnknownName, match="SKILLFEED_CONTACT"):
        read({}, dotenv)


def test_kaggle_keeps_its_own_names() -> None:
    settings = read({"KAGGLE_USERNAME": "ada", "KAGGLE_KEY": "k", "KAGGLE_API_TOKEN": "t"})
    assert settings.kaggle_username == "ada"
    assert (settings.kaggle_key.get_secret_value(), settings.kaggle_api_token.get_secret_value()) == ("k", "t")


# ------------------------------------------------------------------ secrets
@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    value = "postgresql://u:hunter2@h/d" if name == "database_url" else "hunter2"
    path.write_text(value + "\n", encoding="utf-8")
    settings = read({f"{environment_name(name)}_FILE": str(path)})
    assert getattr(settings, name).get_secret_value() == value
    assert "hunter2" not in str(settings.redacted())
    assert "hunter2" not in repr(settings)


def test_only_secrets_may_stand_in_a_file(tmp_path: Path) -> None:
    message = refusal({"SKILLFEED_CONTACT_FILE": str(tmp_path / "x")})
    assert "only secrets" in message
    assert "SKILLFEED_CONTACT" in message


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    assert "keep one" in refusal({"SKILLFEED_SECRET_KEY": "x", "SKILLFEED_SECRET_KEY_FILE": str(tmp_path)})


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "none") in refusal({"SKILLFEED_HF_TOKEN_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("in_environment", ["value", "file"])
def test_the_environment_wins_whichever_form_a_secret_has(in_environment: str, tmp_path: Path) -> None:
    path, dotenv = tmp_path / "secret", tmp_path / ".env"
    as_file, as_value = f"SKILLFEED_HF_TOKEN_FILE={path}", "SKILLFEED_HF_TOKEN=value"
    path.write_text("file", encoding="utf-8")
    dotenv.write_text(as_file if in_environment == "value" else as_value, encoding="utf-8")
    key, _, value = (as_value if in_environment == "value" else as_file).partition("=")
    assert read({key: value}, dotenv).hf_token.get_secret_value() == in_environment


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://ada:hunter2@db/x", "postgresql://ada:********@db/x"),
        ("postgresql://ada:hun@ter2@db/x", "postgresql://ada:********@db/x"),
        (
            "postgresql://db/x?user=ada&password=hunter2&sslmode=require",
            "postgresql://db/x?user=ada&password=********&sslmode=require",
        ),
        ("http://ada:hunter2@proxy:3128", "http://ada:********@proxy:3128"),
        ("postgresql://ada@db/x", "postgresql://ada@db/x"),
        ("https://example.org/a@b", "https://example.org/a@b"),
    ],
)
def test_passwords_in_addresses_are_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_redacted_settings_show_every_key_and_no_secret() -> None:
    given = {environment_name(name): "hunter2" for name in SECRETS if name != "database_url"}
    given |= {"SKILLFEED_DATABASE_URL": "postgres://ada:hunter2@db/x", "SKILLFEED_OUTGOING_PROXY": "http://ada:hunter2@proxy:1"}
    shown = read(given).redacted()
    assert set(shown) == {environment_name(name) for name in Settings.model_fields}
    assert "hunter2" not in str(shown)
    assert shown["SKILLFEED_DATABASE_URL"] == "postgresql+psycopg://ada:********@db/x"
    assert shown["SKILLFEED_SECRET_KEY"] == "********"
    assert read({}).redacted()["SKILLFEED_SECRET_KEY"] == ""


@pytest.mark.parametrize("name", ["secret_key", "admin_token"])
def test_a_secret_is_made_once_and_kept_for_its_owner_alone(name: Literal["secret_key", "admin_token"], tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        first = read({"SKILLFEED_DATA_DIR": str(tmp_path / "new")}).kept_secret(name)
    finally:
        os.umask(before)
    path = tmp_path / "new" / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) >= 40
    assert read({"SKILLFEED_DATA_DIR": str(tmp_path / "new")}).kept_secret(name) == first
    assert read({"SKILLFEED_" + name.upper(): "mine"}).kept_secret(name) == "mine"


def test_a_secret_made_by_several_at_once_is_one(tmp_path: Path) -> None:
    found: set[str] = set()
    threads = [
        threading.Thread(target=lambda: found.add(read({"SKILLFEED_DATA_DIR": str(tmp_path)}).kept_secret("secret_key")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert "" not in found


@pytest.mark.parametrize(("content", "says"), [(b"", "empty"), (b" \n", "empty"), (b"\xff", "cannot read")])
def test_a_kept_secret_that_is_none_is_named(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_bytes(content)
    with pytest.raises(SettingsError, match=says) as refused:
        read({"SKILLFEED_DATA_DIR": str(tmp_path)}).kept_secret("secret_key")
    assert str(tmp_path / "secret_key") in str(refused.value)


# ------------------------------------------------------------------ the mirror
def test_with_a_mirror_gaps_may_be_small_and_the_clock_may_be_set() -> None:
    given = MIRROR | {
        "SKILLFEED_ARXIV_GAP_SECONDS": "0",
        "SKILLFEED_HOST_GAP_SECONDS": "0",
        "SKILLFEED_CLOCK": "2026-01-30T12:00:00Z",
    }
    settings = read(given)
    assert (settings.arxiv_gap_seconds, settings.host_gap_seconds) == (0, 0)
    clock = settings.make_clock()
    assert isinstance(clock, RunningClock)
    assert clock.now() >= datetime(2026, 1, 30, 12, tzinfo=UTC)
    assert isinstance(read({}).make_clock(), RealClock)


# ------------------------------------------------------------------ the data folder
def _a_file(folder: Path) -> Path:
    (folder / "data").write_text("in the way", encoding="utf-8")
    return folder / "data"


def _below_a_file(folder: Path) -> Path:
    return _a_file(folder) / "below"


def _a_dangling_link(folder: Path) -> Path:
    (folder / "data").symlink_to(folder / "nowhere" / "at" / "all")
    return folder / "data"


@pytest.mark.parametrize("make", [_a_file, _below_a_file, _a_dangling_link])
def test_a_data_folder_that_cannot_be_one_is_named(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(SettingsError, match="SKILLFEED_DATA_DIR: cannot use the data folder") as refused:
        ensure_folder(path)
    assert str(path) in str(refused.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everywhere")
def test_an_unreadable_data_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.mkdir(0o000)
    try:
        with pytest.raises(SettingsError, match="no permission"):
            ensure_folder(path)
    finally:
        path.chmod(0o700)


def test_a_data_folder_may_have_any_name(tmp_path: Path) -> None:
    from catalog.storage import Storage

    folder = tmp_path / "a b%41?c#ü"
    settings = read({"SKILLFEED_DATA_DIR": str(ensure_folder(folder))})
    Storage(settings.database).close()
    assert (folder / "skillfeed.db").is_file()
