"""No request reaches a network that is not public: by no notation, redirect, DNS answer, second DNS answer or proxy."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import pytest

from catalog.errors import FetchError
from catalog.storage import Storage
from ingest import guard
from ingest.fetch import REDIRECTS, Fetcher
from ingest.guard import Lookup, Reach, check_address, may_reach, networks_in, system_lookup
from tests.databases import Run
from tests.ingest.dns import Dns
from tests.ingest.hostile import FORBIDDEN, HOSTILE
from tests.ingest.loopback import Answer, RawServer, http, settings_for

ROOT = Path(__file__).resolve().parents[2]

PUBLIC_ADDRESSES = (
    "1.1.1.1 8.8.8.8 9.255.255.255 93.184.216.34 100.63.255.255 100.128.0.1 126.0.0.1 128.0.0.1 151.101.1.42 172.15.0.1 "
    "172.32.0.1 192.0.1.1 192.167.0.1 192.169.0.1 198.17.0.1 198.20.0.1 223.255.255.255 2606:2800:220:1::1 "
    "2001:4860:4860::8888 2a00:1450:4001::200e 3ffe::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8"
).split()


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_network_that_is_not_public_is_forbidden(address: str) -> None:
    assert not may_reach(address)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_a_public_address_may_be_reached(address: str) -> None:
    assert may_reach(address)


def test_there_are_as_many_hostile_addresses_as_promised() -> None:
    assert len(set(FORBIDDEN)) >= 60
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("text", ["", "x", "127.0.0.1:80", "1.2.3", "0x7f.0.0.1", "127.0.0.1/8", "127.0.0.01"])
def test_what_is_no_address_may_not_be_reached(text: str) -> None:
    assert not may_reach(text)


# ------------------------------------------------------------------ private networks that are allowed
HOME = Reach(networks_in("192.168.1.0/24 fd12:3456::/32 127.0.0.2/32"), frozenset({80, 443, 1200}))


@pytest.mark.parametrize(
    "address",
    [
        "http://192.168.1.5/feed", "http://192.168.1.5:1200/feed", "http://[fd12:3456::5]/feed", "http://nas/feed",
        "http://nas.lan/feed", "http://rss:1200/", "http://feeds.home.arpa/", "https://example.org/", "https://example.org:1200/",
    ],
)  # fmt: skip
def test_an_allowed_network_may_be_named(address: str) -> None:
    check_address(address, HOME)


@pytest.mark.parametrize(
    "address",
    [
        "http://192.168.2.5/", "http://192.168.1.5:22/", "http://192.168.001.5/", "http://3232235781/", "http://0xc0.0xa8.1.5/",
        "http://192.168.261/", "http://[::ffff:192.168.1.5]/", "http://[::ffff:c0a8:105]/", "http://[fd12:3456:0::5]/",
        "http://[fd12:3457::5]/", "http://[192.168.1.5]/", "http://fd12:3456::5/", "http://127.0.0.1/", "http://[::1]/",
        "http://8.8.8.8/", "http://user@192.168.1.5/", "http://192.168.1.5@example.org/", "ftp://192.168.1.5/",
        "http://169.254.169.254/", "http://localhost:22/", "http://[fd12:3456::5%25eth0]/", "http://192.168.1.5./",
        "http://nas\\@192.168.1.5/", "http://１９２.168.1.5/", "http:///",
    ],
)  # fmt: skip
def test_beside_an_allowed_network_all_else_stays_forbidden(address: str) -> None:
    with pytest.raises(FetchError) as raised:
        check_address(address, HOME)
    assert raised.value.reason == "address-refused"


def test_an_allowed_network_does_not_open_another() -> None:
    assert [a for a in FORBIDDEN if may_reach(a, HOME)] == ["127.0.0.2", "fd12:3456::1"]
    assert may_reach("::ffff:192.168.1.5", HOME)
    assert may_reach("64:ff9b::192.168.1.5", HOME)


# ------------------------------------------------------------------ where the socket opens
@pytest.fixture(scope="module")
def listener() -> Iterator[RawServer]:
    """A server on 127.0.0.1, which must not be found."""
    with RawServer(http(b"found")) as raw:
        yield raw


@pytest.fixture(scope="module")
def storage(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    path = tmp_path_factory.mktemp("guard") / "guard.db"
    path.write_bytes(run.sqlite_template().read_bytes())
    opened = Storage(f"sqlite:///{path}", upgrade=False)
    yield opened
    opened.close()


def port_of(server: RawServer) -> int:
    return int(server.url.rpartition(":")[2])


def fetcher(storage: Storage, reach: Reach, lookup: Lookup, **given: object) -> Fetcher:
    """One that goes out by itself and hardly waits."""
    settings = settings_for("", "", **({"ARXIV_GAP_SECONDS": 3, "HOST_GAP_SECONDS": 1} | given))
    return Fetcher(settings, storage, reach=reach, pause=lambda s: time.sleep(min(s, 0.05)), lookup=lookup)


def refusal(http_: Fetcher, url: str) -> FetchError:
    with pytest.raises(FetchError) as raised:
        http_.get(url)
    return raised.value


def test_every_forbidden_dns_answer_is_refused_before_a_socket_opens(listener: RawServer, storage: Storage) -> None:
    bare = [a.partition("%")[0] for a in FORBIDDEN]
    before = listener.connections
    names = {f"n{i}.example.org": [[address]] for i, address in enumerate(bare)}
    names |= {f"mixed{i}.example.org": [["93.184.216.34", address]] for i, address in enumerate(bare[:5])}
    names |= {f"mixed{i + 5}.example.org": [[address, "93.184.216.34"]] for i, address in enumerate(bare[:5])}
    reach = Reach(ports=frozenset({port_of(listener)}))
    with Dns(names) as dns, fetcher(storage, reach, dns.lookup) as asking:
        for name in names:
            error = refusal(asking, f"http://{name}:{port_of(listener)}/")
            assert error.reason == "address-refused"
            assert not any(a in str(error) for a in names[name][0]), "an error tells what a name of an inner network is"
        assert len(dns.asked) == len(names)
    assert listener.connections == before


@pytest.mark.slow
@pytest.mark.parametrize("address", HOSTILE, ids=ascii)
def test_a_hostile_address_is_refused_to_one_who_may_reach_a_private_network(
    address: str, listener: RawServer, storage: Storage
) -> None:
    port = port_of(listener)
    reach = Reach(networks_in("127.0.0.2/32"), frozenset({80, 443, port}))
    before = listener.connections

    with fetcher(storage, reach, lambda *_: ["127.0.0.1"]) as asking, pytest.raises(FetchError):
        asking.get(address.replace("{port}", str(port)))
    assert listener.connections == before


def to(url: str) -> Answer:
    return http(b"", f"Location: {url}", status="302 Found")


@pytest.mark.slow
@pytest.mark.parametrize("hop", range(1, REDIRECTS + 1))
@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "http://inner.example.org:{port}/", "http://localhost:{port}/"])
def test_a_redirect_to_what_is_forbidden_is_refused_at_every_hop(
    hop: int, target: str, listener: RawServer, storage: Storage
) -> None:
    port = port_of(listener)
    with ExitStack() as stack:
        target = target.replace("{port}", str(port))
        # Each hop is another host, as one host may be asked once a second only; all are 127.0.0.2, which is allowed.
        allowed = stack.enter_context(RawServerOn("127.0.0.2", port))
        hosts = [f"h{n}.{uuid4().hex}.example.org" for n in range(hop)]
        onward = [f"http://{name}:{port}/" for name in hosts[1:]] + [target]
        allowed.answers = tuple(map(to, onward))
        names = {name: [["127.0.0.2"]] for name in hosts}
        names |= {name: [["127.0.0.1"]] for name in ("inner.example.org", "localhost")}
        dns = stack.enter_context(Dns(names))
        reach = Reach(networks_in("127.0.0.2/32"), frozenset({port}))
        asking = stack.enter_context(fetcher(storage, reach, dns.lookup))
        before = listener.connections
        error = refusal(asking, f"http://{hosts[0]}:{port}/")
        assert error.reason in ("redirect-refused", "address-refused"), error
        assert allowed.connections == hop
        assert listener.connections == before


class RawServerOn(RawServer):
    """A raw server at another address of the loopback network."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(http(b"found"))
        self._listener.close()
        self._listener = socket.create_server((host, port))


@pytest.mark.slow
def test_a_name_that_is_rebound_is_looked_up_once_for_each_socket(listener: RawServer, storage: Storage) -> None:
    port = port_of(listener)
    before = listener.connections
    names = {"rebound.example.org": [["127.0.0.2"], ["127.0.0.1"]], "back.example.org": [["127.0.0.1"], ["127.0.0.2"]]}
    with Dns(names) as dns, RawServerOn("127.0.0.2", port) as allowed:
        reach = Reach(networks_in("127.0.0.2/32"), frozenset({port}))
        with fetcher(storage, reach, dns.lookup) as asking:
            assert asking.get(f"http://rebound.example.org:{port}/").body == b"found"
            assert (dns.asked, allowed.connections) == (["rebound.example.org"], 1)
            assert refusal(asking, f"http://rebound.example.org:{port}/").reason == "address-refused"
            assert refusal(asking, f"http://back.example.org:{port}/").reason == "address-refused"
            assert allowed.headers(0)["host"] == f"rebound.example.org:{port}"
    assert listener.connections == before


def test_the_next_address_is_tried_when_one_does_not_answer(storage: Storage) -> None:
    with RawServerOn("127.0.0.2", 0) as allowed:
        port = int(allowed._listener.getsockname()[1])
        reach = Reach(networks_in("127.0.0.0/29"), frozenset({port}))
        with fetcher(storage, reach, lambda *_: ["127.0.0.3", "127.0.0.2"]) as asking:
            assert asking.get(f"http://next.example.org:{port}/").body == b"found"


@pytest.mark.slow
def test_few_addresses_of_a_name_are_tried(storage: Storage) -> None:
    with RawServerOn("127.0.0.2", 0) as allowed:
        port = int(allowed._listener.getsockname()[1])
        reach = Reach(networks_in("127.0.0.0/24"), frozenset({port}))
        many = [f"127.0.0.{n}" for n in range(3, 3 + guard.ATTEMPTS)] + ["127.0.0.2"]
        with fetcher(storage, reach, lambda *_: many) as asking:
            assert refusal(asking, f"http://many.example.org:{port}/").reason == "unreachable"
        assert allowed.connections == 0


@pytest.mark.slow
def test_the_certificate_of_the_name_is_asked_for(storage: Storage) -> None:
    with socket.create_server(("127.0.0.2", 0)) as listening, ThreadPoolExecutor(1) as pool:
        port = int(listening.getsockname()[1])

        def first_bytes() -> bytes:
            connection, _ = listening.accept()
            listening.close()
            with connection:
                return connection.recv(4096)

        said = pool.submit(first_bytes)
        reach = Reach(networks_in("127.0.0.2/32"), frozenset({port}))
        with fetcher(storage, reach, lambda *_: ["127.0.0.2"]) as asking:
            refusal(asking, f"https://secret.example.org:{port}/")
        assert b"secret.example.org" in said.result(5)


# ------------------------------------------------------------------ what stands between
def test_proxies_of_the_environment_are_not_used(
    listener: RawServer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, listener.url)
    before = listener.connections
    port = port_of(listener)
    with fetcher(storage, Reach(ports=frozenset({80, 443, port})), lambda *_: ["127.0.0.1"]) as asking:
        for url in ("http://a.example.org/", "https://b.example.org/", f"http://c.example.org:{port}/"):
            assert refusal(asking, url).reason == "address-refused"
    assert listener.connections == before


def test_a_proxy_of_the_operator_is_not_asked_for_a_name_that_leads_inside(listener: RawServer, storage: Storage) -> None:
    before = listener.connections
    names = {"inner.example.org": [["10.0.0.1"]], "outer.example.org": [["93.184.216.34"]]}
    with Dns(names) as dns, fetcher(storage, Reach(), dns.lookup, OUTGOING_PROXY=listener.url) as asking:
        assert refusal(asking, "http://inner.example.org/").reason == "address-refused"
        assert listener.connections == before
        assert asking.get("http://outer.example.org/").body == b"found"
        assert asking.get("http://unknown.example.org/").body == b"found"  # known to the proxy alone, as in many companies
    assert listener.requests[-2].startswith(b"GET http://outer.example.org/ ")
    assert listener.connections == before + 2


def test_under_a_mirror_no_name_is_looked_up(listener: RawServer, storage: Storage) -> None:
    def lookup(host: str, port: int) -> Sequence[str]:
        raise AssertionError(f"{host} was looked up")

    with fetcher(storage, Reach(), lookup, UPSTREAM_MIRROR=listener.url) as asking:
        assert asking.get("https://mirrored.example.org/").body == b"found"


@pytest.mark.parametrize("reach", [Reach(), HOME])
def test_another_port_is_refused(reach: Reach, storage: Storage) -> None:
    with fetcher(storage, reach, lambda *_: ["93.184.216.34"]) as asking:
        assert refusal(asking, "http://port.example.org:8080/").reason == "address-refused"


# ------------------------------------------------------------------ the system's resolver
def test_the_system_knows_this_machine_and_not_a_name_that_nobody_has() -> None:
    assert ip_address("127.0.0.1") in map(ip_address, system_lookup("localhost", 80))
    with pytest.raises(OSError, match=r"."):
        system_lookup("nobody-has-this.invalid", 80)


@pytest.mark.slow
def test_a_lookup_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> None:
    ended = threading.Event()
    monkeypatch.setattr(guard, "LOOKUP_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(5))
    with fetcher(storage, Reach(), system_lookup) as asking:
        assert refusal(asking, "http://slow.example.org/").reason == "unreachable"
    ended.set()


@pytest.mark.slow
def test_the_whole_way_by_the_systems_resolver_and_a_dns_server_that_rebinds(run: Run) -> None:
    """In a network of its own, where public addresses can be had: no part of the way is replaced."""
    if not shutil.which("unshare"):
        pytest.skip("no unshare here (util-linux)")
    command = ["unshare", "--user", "--map-root-user", "--mount", "--net", sys.executable]
    command += ["-m", "tests.ingest.rebinding_child", str(run.sqlite_template())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in done.stderr and done.returncode:
        pytest.skip(f"namespaces are not allowed here: {done.stderr.strip()[:100]}")
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["public"] == "from 93.184.216.34"
    assert report["rebound"] == ["from 93.184.216.34", "address-refused"]
    assert set(report["refused"]) == {"address-refused"}
    assert len(report["refused"]) >= 60
    assert report["redirected"] in ("redirect-refused", "address-refused")
    assert report["asked"] >= len(report["refused"]) + 4
    assert report["inside"] == 0
