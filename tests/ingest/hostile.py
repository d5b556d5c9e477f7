"""Addresses by which somebody would reach a network that is not public."""

from __future__ import annotations

#: Addresses of the web that are refused before anything is looked up.
HOSTILE = [
    # literal addresses in every notation
    "http://127.0.0.1:{port}/", "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://0/", "http://0.0.0.0/",
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0x7f.1/", "http://0177.0.0.1/", "http://017700000001/",
    "http://127.0.0.0x1/", "http://0X7F.0X0.0X0.0X1/", "http://00000177.1/", "http://127.0.0.1./", "http://169.254.169.254/",
    "http://10.0.0.1/", "http://192.168.0.1/", "http://192.0.0.8/", "http://224.0.0.1/", "http://255.255.255.255/", "http://8.8.8.8/",
    "http://[::1]/", "http://[::1]:{port}/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::7f00:1]/", "http://[2002:7f00:1::]/",
    "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fec0::1]/", "http://[ff02::1]/", "http://[2001:4860:4860::8888]/",
    "http://[v1.example.org]/", "http://[::1", "http://::1/", "http://]/",
    # names of this machine and of local networks
    "http://localhost:{port}/", "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://localhost.localdomain/",
    "http://a.localhost/", "http://printer.local/", "http://metadata.google.internal/", "http://nas.home.arpa/", "http://router.lan/",
    "http://metadata/", "http://db/", "http://com/",
    # ports, credentials, schemes
    "https://example.org:22/", "https://example.org:{port}/", "https://example.org:0/", "https://example.org:99999/",
    "https://example.org:x/", "https://user@example.org/", "https://user:word@example.org/", "https://@example.org/",
    "https://127.0.0.1@example.org/", "https://example.org@127.0.0.1/", "https://example.org:443@127.0.0.1:{port}/",
    "file:///etc/passwd", "file://example.org/etc/passwd", "ftp://example.org/", "gopher://example.org/", "data:text/html,x",
    "javascript:alert(1)", "jar:https://example.org!/", "//example.org/", "example.org", "https:/example.org/", "https:///example.org/",
    "https://", "", "http+unix://%2Frun%2Fsocket/",
    # tricks with characters
    "http://１２７.0.0.1/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://exаmple.org/", "http://ｅxample.org/",
    "http://a℀.example.org/", "http://exam\u00adple.org/", "http://example.org\\@127.0.0.1/", "http://127.0.0.1\\.example.org/",
    "http://exam\nple.org/", "http://example.org/\r\nHost: 127.0.0.1", "http://example.org\t.evil.example/", "\x00http://example.org/",
    "http://example.org\x00.evil.example/", "http://example.org%00.evil.example/", "http://%31%32%37.0.0.1/",
    "http://exa mple.org/",
    "http://.example.org/", "http://example..org/", "http://example.org../", "http://-a.example.org/", "http://*.example.org/",
    f"http://{'a' * 64}.example.org/", f"http://{'a.' * 130}example.org/",
]  # fmt: skip

#: Addresses to which no socket may be opened, whoever names them.
FORBIDDEN = (
    "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.0.0.2 127.255.255.254 "
    "169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.192 192.0.2.1 "
    "192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 "
    "198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 168.63.129.16 "
    ":: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 "
    "64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::7f00:1 64:ff9b:1::808:808 100::1 100:0:0:1::1 1234::1 2001::1 "
    "2001:0:7f00:1::f5ff:fffe 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 2002:c0a8:1:: "
    "2002:808:808:: 2620:4f:8000::1 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 "
    "ff02::1 ff05::1:3 ffff::1"
).split()
