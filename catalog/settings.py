"""Settings: name, default, unit and help of each; read once from the environment and `.env`, then passed down.

The prefix is `SKILLFEED_`; a secret may stand in a file named by `SKILLFEED_<KEY>_FILE`. The environment wins over `.env`, and
`.env` over the default.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from catalog.categories import is_category
from catalog.clock import Clock, clock_from
from catalog.errors import SettingsError, UnknownName

PREFIX = "SKILLFEED_"
#: Kaggle's own names, read without the prefix.
UNPREFIXED = ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY")
DEFAULT_CATEGORIES = "cs.LG stat.ML cs.AI cs.CL cs.CV cs.NE cs.RO cs.IR cs.MA cs.SD eess.AS eess.IV math.OC stat.ME stat.CO"


class Settings(BaseModel):
    """Effective settings; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr = Field(
        SecretStr(""), description="Database address; empty is SQLite under DATA_DIR, postgresql://… switches."
    )
    data_dir: Path = Field(Path("data"), description="Folder for the SQLite file, made secrets and unsent mail.")
    base_url: str = Field(
        "http://127.0.0.1:8000", description="Address under which readers reach this instance; all links use it."
    )
    timezone: str = Field("UTC", description="Time zone in which pages show instants.")
    contact: str = Field("", description="Address or URL in the User-Agent, so that a source can reach the operator.")
    secret_key: SecretStr = Field(SecretStr(""), description="Key for signing; made and kept in DATA_DIR when absent.")
    admin_token: SecretStr = Field(
        SecretStr(""), description="Token for acts over HTTP; made and kept in DATA_DIR when absent."
    )
    smtp_url: SecretStr = Field(
        SecretStr(""), description="Mail relay; without one mail is written as .eml under DATA_DIR/outbox."
    )
    mail_from: str = Field("", description="Sender of mail; default from the host of BASE_URL.")
    mail_rate: float = Field(10, gt=0, le=1000, description="Mails per second.")
    mail_domain_rate: float = Field(5, gt=0, le=1000, description="Mails per second to one domain.")
    signup: str = Field("open", description="Who may subscribe: open, domains:example.org,… or closed.")
    scheduler: Literal["on", "off"] = Field("on", description="Whether `serve` starts a worker.")
    arxiv_categories: str = Field(
        DEFAULT_CATEGORIES, description="arXiv categories to follow; a record belongs when any of its categories is among them."
    )
    arxiv_gap_seconds: float = Field(
        3, ge=0, le=3600, description="Seconds between requests to arXiv, over all processes; less than 3 only with a mirror."
    )
    host_gap_seconds: float = Field(
        1, ge=0, le=3600, description="Seconds between requests to any other host; less than 1 only with a mirror."
    )
    upstream_mirror: str = Field("", description="Every outgoing https://host/path goes to <mirror>/host/path instead.")
    clock: str = Field(
        "", description="RFC 3339 instant from which time runs on, or a file that holds one; only with a mirror."
    )
    outgoing_proxy: str = Field("", description="HTTP proxy for outgoing requests.")
    private_networks: str = Field(
        "", description="Private networks (CIDR, blanks between) that operator-added sources may reach."
    )
    trusted_proxies: str = Field("", description="Addresses of proxies whose X-Forwarded-For is believed.")
    cors_origins: str = Field("", description="Origins that may read the API from a browser.")
    rate_limit: str = Field("120/min", description="Requests per address, as 120/min, or off.")
    alert_to: SecretStr = Field(SecretStr(""), description="Address or webhook told of dead sources; empty is nobody.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity that is logged.")
    openreview_username: str = Field("", description="OpenReview account, for the source openreview.")
    openreview_password: SecretStr = Field(SecretStr(""), description="Password of that account.")
    semantic_scholar_key: SecretStr = Field(SecretStr(""), description="API key of Semantic Scholar.")
    hf_token: SecretStr = Field(SecretStr(""), description="Token of Hugging Face; raises its limits.")
    github_token: SecretStr = Field(SecretStr(""), description="Token of GitHub; raises its limits.")
    kaggle_api_token: SecretStr = Field(SecretStr(""), description="Kaggle's token (KAGGLE_API_TOKEN, no prefix).")
    kaggle_username: str = Field("", description="Kaggle's older user name (KAGGLE_USERNAME, no prefix).")
    kaggle_key: SecretStr = Field(SecretStr(""), description="Kaggle's older key (KAGGLE_KEY, no prefix).")

    @field_validator("base_url", "upstream_mirror", "outgoing_proxy")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if value and not good:
            raise ValueError("must be an http or https address such as http://127.0.0.1:8000")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not re.match(r"(sqlite:///|postgres(ql)?(\+psycopg)?://)", text):
            raise ValueError("must start with postgresql:// or sqlite:///, e.g. postgresql://user:secret@localhost/skillfeed")
        if re.match(r"sqlite:///(:memory:)?(\?|$)", text):
            raise ValueError("must name a file, e.g. sqlite:////var/lib/skillfeed/skillfeed.db: several processes share it")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be an IANA time zone such as Europe/Berlin") from None
        return value

    @field_validator("arxiv_categories")
    @classmethod
    def _categories(cls, value: str) -> str:
        names = value.split()
        if not names or not all(is_category(n) for n in names):
            raise ValueError("must be arXiv categories with blanks between, such as 'cs.LG stat.ML'")
        return " ".join(dict.fromkeys(names))

    @field_validator("signup")
    @classmethod
    def _signup(cls, value: str) -> str:
        if value not in ("open", "closed") and not re.fullmatch(r"domains:[\w.-]+(,[\w.-]+)*", value):
            raise ValueError("must be open, closed or domains:example.org,…")
        return value

    @field_validator("rate_limit")
    @classmethod
    def _rate(cls, value: str) -> str:
        if value != "off" and not re.fullmatch(r"[1-9]\d{0,6}/(s|min|h)", value):
            raise ValueError("must be off or a number per s, min or h, such as 120/min")
        return value

    @model_validator(mode="after")
    def _mirror_rules(self) -> Settings:
        if not self.upstream_mirror:
            if self.clock:
                raise ValueError("CLOCK: refused without UPSTREAM_MIRROR: yesterday's data needs yesterday's clock")
            if self.arxiv_gap_seconds < 3:
                raise ValueError("ARXIV_GAP_SECONDS: less than 3 is refused without UPSTREAM_MIRROR (arXiv's terms of use)")
            if self.host_gap_seconds < 1:
                raise ValueError("HOST_GAP_SECONDS: less than 1 is refused without UPSTREAM_MIRROR")
        return self

    @property
    def categories(self) -> tuple[str, ...]:
        """The chosen arXiv categories in the order given."""
        return tuple(self.arxiv_categories.split())

    @property
    def database(self) -> str:
        """The effective database address."""
        text = self.database_url.get_secret_value()
        if text:
            return re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", text)
        return f"sqlite:///{quote(str(self.data_dir / 'skillfeed.db'))}"

    def make_clock(self) -> Clock:
        """The instance's clock; raises SettingsError."""
        return clock_from(self.clock)

    def kept_secret(self, name: Literal["secret_key", "admin_token"]) -> str:
        """The secret as set, else the one kept in DATA_DIR, made on first use and readable by the owner only."""
        value: SecretStr = getattr(self, name)
        if value.get_secret_value():
            return value.get_secret_value()
        path = ensure_folder(self.data_dir) / name
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
                handle.write(secrets.token_urlsafe(32))
        except FileExistsError:
            pass
        except OSError as error:
            raise SettingsError(f"{PREFIX}DATA_DIR: cannot write {path}: {error.strerror}") from error
        return _kept(path)

    def redacted(self) -> dict[str, Any]:
        """Effective values by environment name, secrets shown as set or empty, passwords in addresses masked."""
        out: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name == "database_url":
                value = masked(self.database)
            elif isinstance(value, SecretStr):
                value = "********" if value.get_secret_value() else ""
            elif isinstance(value, str | Path):
                value = masked(str(value))
            out[environment_name(name)] = value
        return out


def masked(text: str) -> str:
    """The text without the passwords of addresses in it, also those given as a parameter."""
    text = re.sub(r"(://[^:/@\s]*:)\S*@", r"\1********@", text)
    return re.sub(r"([?&]\w*password=)[^&\s]*", r"\1********", text)


def environment_name(field: str) -> str:
    """The environment variable of a setting."""
    return field.upper() if field.upper() in UNPREFIXED else PREFIX + field.upper()


def _kept(path: Path) -> str:
    """The secret in a file; raises SettingsError. Another process may have made the file and not written it yet."""
    for _ in range(50):
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{PREFIX}DATA_DIR: cannot read {path}: {error}") from error
        if text:
            return text
        time.sleep(0.02)
    raise SettingsError(f"{PREFIX}DATA_DIR: {path} is empty; remove it and a new one is made")


def ensure_folder(path: Path) -> Path:
    """The folder, made when missing; raises SettingsError saying which and why."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission to read and write it")
    except OSError as error:
        raise SettingsError(f"{PREFIX}DATA_DIR: cannot use the data folder {path}: {error.strerror or error}") from error
    return path


def read_settings(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """Settings from the environment and a `.env` file; raises SettingsError with one line that names key, rule and example."""
    env = os.environ if environ is None else environ
    own = {k: v for k, v in env.items() if _ours(k)}
    merged = _in_dotenv(dotenv) if dotenv is not None else {}
    for key, value in own.items():
        if value:  # the environment wins over `.env` in whichever form it gives a secret
            merged.pop(key.removesuffix("_FILE") if key.endswith("_FILE") else f"{key}_FILE", None)
    merged |= own
    fields = Settings.model_fields
    values: dict[str, Any] = {}
    names = {environment_name(f): f for f in fields}
    for key, value in merged.items():
        secret = names.get(key.removesuffix("_FILE"), "")
        if key not in names and not secret:
            plain = key.removeprefix(PREFIX)
            raise UnknownName("setting", key, [plain] if plain in UNPREFIXED else names)
        if not value:  # as compose files pass what is not set
            continue
        if key in names:
            values[names[key]] = value
            continue
        if fields[secret].annotation is not SecretStr:
            raise SettingsError(f"{key}: only secrets can be read from a file; set {environment_name(secret)}")
        if merged.get(environment_name(secret)):
            raise SettingsError(f"{key}: {environment_name(secret)} is set as well; keep one of the two")
        try:
            values[secret] = Path(value).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{key}: cannot read {value}: {error}") from error
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        reason = str(first["msg"]).removeprefix("Value error, ")
        if not first["loc"]:
            raise SettingsError(PREFIX + reason) from None
        raise SettingsError(f"{environment_name(str(first['loc'][0]))}: {reason}") from None


def _in_dotenv(path: Path) -> dict[str, str]:
    try:
        found = dotenv_values(path) if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    return {k: v for k, v in found.items() if v is not None and _ours(k)}


def _ours(key: str) -> bool:
    return key.startswith(PREFIX) or key.removesuffix("_FILE") in UNPREFIXED
