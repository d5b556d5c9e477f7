"""The image and the compose file, checked rule by rule, and the image's steps walked without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@dataclass
class Stage:
    """What one FROM brings: its instructions in order."""

    base: str
    name: str = ""
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [rest for instruction, rest in self.steps if instruction == word]

    def one(self, word: str) -> str:
        (found,) = self.all(word)
        return found


def _stages(text: str) -> list[Stage]:
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stages = [Stage(base="")]  # what stands before the first FROM
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word:
            continue
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        else:
            stages[-1].steps.append((word, " ".join(rest.split())))
    return stages


HEAD, *STAGES = _stages(TEXT)
BUILD, FINAL = STAGES[0], STAGES[-1]


def _is_exec(form: str) -> bool:
    return form.startswith("[") and all(isinstance(word, str) for word in json.loads(form))


def _sources(copy: str) -> list[str]:
    return [word for word in copy.split()[:-1] if not word.startswith("--")]


# ---------------------------------------------------------------- Dockerfile


def test_the_image_is_built_in_two_stages_on_a_base_named_by_argument() -> None:
    assert len(STAGES) == 2
    assert {stage.base for stage in STAGES} == {"python:${PYTHON_TAG}"}
    assert re.fullmatch(r"PYTHON_TAG=3\.\d+-slim-\w+", HEAD.one("ARG"))


def test_dependencies_are_installed_by_hash_from_the_lock_and_nothing_else() -> None:
    installs = [rest for _, rest in BUILD.steps if re.search(r"pip\W+install", rest)]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "requirements.txt" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1], "the project itself draws nothing in"
    assert not any(re.search(r"pip\W+install|apt-get|apk ", rest) for _, rest in FINAL.steps)


def test_every_locked_requirement_is_pinned_and_has_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        wanted = [line for line in lines if line and not line.lstrip().startswith("#")]
        assert wanted
        assert [line for line in wanted if "==" not in line or "--hash=sha256:" not in line] == []


def test_both_locks_agree_and_name_no_host() -> None:
    base, dev = ((ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-dev.txt"))
    pin = re.compile(r"^[\w.-]+(?:\[[\w,-]+\])?==[^\\]+", re.MULTILINE)
    assert set(pin.findall(base)) <= set(pin.findall(dev))
    assert "://" not in base + dev
    assert "--index" not in base + dev


def test_the_lock_is_copied_before_the_code_so_that_its_layer_stays() -> None:
    copies = BUILD.all("COPY")
    assert _sources(copies[0]) == ["requirements.txt"]


def test_only_what_runs_is_copied_from_the_checkout() -> None:
    copied = {source.removeprefix("./") for copy in BUILD.all("COPY") for source in _sources(copy)}
    files = {"requirements.txt", "pyproject.toml", "alembic.ini", "README.md", "LICENSE", "NOTICE"}
    assert copied == files | {"app", "catalog", "ingest", "migrations"}
    assert all("--from=build" in copy for copy in FINAL.all("COPY"))


def test_the_build_context_holds_what_is_copied_and_nothing_else() -> None:
    lines = [x for x in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if x and not x.startswith("#")]
    copied = {source for copy in BUILD.all("COPY") for source in _sources(copy)}
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied


def test_it_runs_as_a_numeric_user_that_is_not_root() -> None:
    """Numeric, so that `runAsNonRoot` of an orchestrator can tell."""
    user, group = FINAL.one("USER").split(":")
    assert int(user) >= 1000
    assert int(group) >= 1000
    instructions = [word for word, _ in FINAL.steps]
    assert instructions.index("USER") < instructions.index("ENTRYPOINT")
    assert "USER" not in instructions[instructions.index("USER") + 1 :]


def test_nothing_is_fetched_by_add_or_curl() -> None:
    for stage in STAGES:
        assert stage.all("ADD") == []
        assert not any(re.search(r"\b(curl|wget)\b", rest) for _, rest in stage.steps)


def test_no_secret_enters_a_layer() -> None:
    for stage in (HEAD, *STAGES):
        for given in stage.all("ARG") + stage.all("ENV"):
            assert not re.search(r"(?i)password|secret|token|_key\b", given)
    assert ".env" not in TEXT


def test_the_health_check_is_the_command_line_in_exec_form() -> None:
    command = FINAL.one("HEALTHCHECK").partition("CMD ")[2]
    assert json.loads(command) == ["skillfeed", "healthcheck"]


def test_signals_reach_the_program_because_commands_are_in_exec_form() -> None:
    assert json.loads(FINAL.one("ENTRYPOINT")) == ["skillfeed"]
    assert json.loads(FINAL.one("CMD")) == ["serve", "--host", "0.0.0.0"]  # noqa: S104 - inside its own network
    assert FINAL.one("STOPSIGNAL") == "SIGTERM"
    assert all(_is_exec(run) for run in FINAL.all("RUN"))


def test_one_volume_is_the_only_place_that_is_written() -> None:
    assert json.loads(FINAL.one("VOLUME")) == ["/data"]
    environment = dict(pair.split("=", 1) for env in FINAL.all("ENV") for pair in shlex.split(env))
    assert environment["SKILLFEED_DATA_DIR"] == environment["HOME"] == FINAL.one("WORKDIR") == "/data"
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    owned = [run for run in FINAL.all("RUN") if "65532" in run]
    assert len(owned) == 1
    assert json.loads(owned[0])[-1] == "/data"


def test_the_image_says_what_it_is() -> None:
    label = FINAL.one("LABEL")
    assert {f"org.opencontainers.image.{key}" for key in ("title", "description", "licenses", "version", "revision")} <= set(
        re.findall(r"[\w.]+(?==)", label)
    )
    assert FINAL.one("EXPOSE") == "8000"


# ---------------------------------------------------------------- compose.yaml

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("skillfeed", "worker")


def test_without_a_profile_one_service_starts() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["skillfeed"]
    assert all(service["profiles"] == ["postgres"] for name, service in SERVICES.items() if name != "skillfeed")


def test_the_port_is_published_once_and_on_loopback_only() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["skillfeed"]
    assert SERVICES["skillfeed"]["ports"] == ["127.0.0.1:${HTTP_PORT:-8000}:8000"]
    assert not any(service.get("network_mode") == "host" for service in SERVICES.values())


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_ours_may_do_nothing_and_write_nowhere_but_to_its_data(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - the container's
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert [volume for volume in service["volumes"] if not volume.endswith(":ro")] == ["data:/data"]
    assert "user" not in service, "the image's own user"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_gains_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("privileged")
    assert not any("docker.sock" in volume for volume in service["volumes"])


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "postgres-setup"])
def test_what_runs_has_a_health_check_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"


def test_health_is_asked_of_the_programs_themselves() -> None:
    assert SERVICES["skillfeed"]["healthcheck"]["test"][1:] == ["skillfeed", "healthcheck"]
    assert SERVICES["postgres"]["healthcheck"]["test"][1] == "pg_isready"


def test_nobody_asks_the_database_before_it_is_well() -> None:
    for name in OURS:
        assert SERVICES[name]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert SERVICES["skillfeed"]["depends_on"]["postgres"]["required"] is False, "without the profile there is none"
    assert SERVICES["postgres"]["depends_on"]["postgres-setup"]["condition"] == "service_completed_successfully"


def test_the_database_keeps_its_data_where_version_18_has_them_and_is_reached_from_inside_only() -> None:
    postgres = SERVICES["postgres"]
    assert postgres["image"] == "postgres:18"
    assert "postgres:/var/lib/postgresql" in postgres["volumes"]
    assert postgres["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_volumes_are_named_and_all_declared() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert used == set(COMPOSE["volumes"])


def test_no_secret_stands_in_the_compose_file() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|KEY|DATABASE_URL", key):
                assert key.endswith("_FILE"), f"{key}={value}"


def _shell(name: str) -> str:
    """A service's script as the shell sees it."""
    (script,) = SERVICES[name]["command"]
    return str(script).replace("$$", "$")


def test_the_password_is_made_once_and_can_be_read_by_the_image_s_user(tmp_path: Path) -> None:
    script = _shell("postgres-setup").replace("/run/database", str(tmp_path))
    for _ in range(2):
        subprocess.run(["/bin/sh", "-euc", script], check=True)
        address, password = (tmp_path / "url").read_text(), (tmp_path / "password").read_text()
        assert re.fullmatch(r"[0-9a-f]{48}", password)
        assert address == f"postgresql://skillfeed:{password}@postgres/skillfeed"
    assert {path.name for path in tmp_path.iterdir()} == {"url", "password"}
    assert stat.S_IMODE((tmp_path / "url").stat().st_mode) == 0o444
    before = (tmp_path / "password").read_text()
    (tmp_path / "url").unlink()  # a first attempt that was cut off is made again, wholly
    (tmp_path / "password").chmod(0o644)
    subprocess.run(["/bin/sh", "-euc", script], check=True)
    assert (tmp_path / "password").read_text() != before


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_the_web_server_takes_postgresql_when_its_address_is_there(tmp_path: Path, database: str) -> None:
    if database == "postgres":
        (tmp_path / "url").write_text("postgresql://…")
    fake = tmp_path / "skillfeed"
    fake.write_text('#!/bin/sh\necho "$@" "${SKILLFEED_DATABASE_URL_FILE-none}" "${SKILLFEED_SCHEDULER-unset}"\n')
    fake.chmod(0o755)
    script = _shell("skillfeed").replace("/run/database", str(tmp_path))
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = subprocess.run(["/bin/sh", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=True).stdout
    expected = f"{tmp_path}/url off" if database == "postgres" else "none unset"
    assert said.strip() == f"serve --host 0.0.0.0 {expected}"


# ---------------------------------------------------------------- the image's steps, without an engine


@pytest.fixture
def image_folder() -> Iterator[Path]:
    """A folder that another user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="skillfeed-image-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def _read_only(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222 | 0o444)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _another_user() -> dict[str, Any]:
    """How to start a process as the image's user; nothing but root can, and others are no root already."""
    return {"user": 65532, "group": 65532, "extra_groups": []} if os.geteuid() == 0 else {}


def _python_for(who: dict[str, Any]) -> str:
    """A Python that the user can start: root's own often lies in a closed home folder."""
    base = str(Path(sys.executable).resolve())
    for candidate in (base, "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False, cwd="/", **who
            )
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    pytest.skip("no Python 3.11 or newer that another user can start")


@pytest.mark.slow
def test_the_image_s_steps_give_a_server_for_another_user_on_a_read_only_tree(image_folder: Path) -> None:
    tree, environment, data = image_folder / "tree", image_folder / "venv", image_folder / "data"
    tree.mkdir()
    data.mkdir()
    for copy in BUILD.all("COPY"):
        for source in _sources(copy):
            origin, target = ROOT / source, tree / source
            if origin.is_dir():
                shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__", "*.py[cod]"))
            else:
                shutil.copyfile(origin, target)

    who = _another_user()
    # pip comes from here: a system's Python often has none of its own.
    subprocess.run([_python_for(who), "-m", "venv", "--without-pip", environment], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(environment / "bin" / "python")]
    pip += ["install", "--quiet"]
    done = subprocess.run(
        [*pip, "--require-hashes", "-r", "requirements.txt"], cwd=tree, capture_output=True, text=True, check=False
    )
    if done.returncode and re.search(r"ConnectionError|NameResolution|Max retries", done.stderr):
        pytest.skip(f"no package registry within reach: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", "."], cwd=tree, check=True)
    _read_only(tree)
    _read_only(environment)

    if who:
        os.chown(data, who["user"], who["group"])
    port = _free_port()
    env = {
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
        "HOME": str(data),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SKILLFEED_DATA_DIR": str(data),
        "SKILLFEED_SCHEDULER": "off",
        "SKILLFEED_BASE_URL": f"http://127.0.0.1:{port}",
    }
    skillfeed = environment / "bin" / "skillfeed"

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [skillfeed, *words], cwd=data, env=env, capture_output=True, text=True, check=False, timeout=60, **who
        )

    upgrade = command("db", "upgrade")
    assert upgrade.returncode == 0, upgrade.stderr
    assert command("healthcheck", "--url", f"http://127.0.0.1:{port}").returncode != 0, "nothing listens yet"

    log = image_folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [skillfeed, "serve", "--host", "127.0.0.1", "--port", str(port)], cwd=data, env=env, stdout=out, stderr=out, **who
        )
    try:
        deadline = time.monotonic() + 30
        while command("healthcheck", "--url", f"http://127.0.0.1:{port}").returncode != 0:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0, log.read_text()
    finally:
        server.kill()
        server.wait()
    assert {path.stat().st_uid for path in data.rglob("*")} == {who.get("user", os.geteuid())}
