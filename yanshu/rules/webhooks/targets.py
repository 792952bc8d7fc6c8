"""Targets: where a webhook may go. Public addresses only, unless the operator of this installation allowed more.

`check_url` looks at what can be seen in a URL and is asked when one is registered; `Allowance.permits` judges the
address a name resolved to and is asked for every connection, so that a name that changes its mind gains nothing.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from yanshu.domain.errors import Invalid

_LONGEST_URL = 2048
_SCHEME_PORTS = {"http": 80, "https": 443}
_LOWEST_FREE_PORT = 1024
# Services that speak line protocols an HTTP request could be taken for; nobody receives webhooks there.
_FORBIDDEN_PORTS = frozenset({2049, 2375, 3306, 4444, 5432, 5672, 6379, 9200, 11211, 27017})

# IANA special-purpose registries (IPv4: RFC 6890 and its updates). Written out, since `ipaddress` differs between releases.
_CLOSED_V4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = ip_network("2000::/3")
_CLOSED_V6 = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address
        "3fff::/20",  # documentation
    )
)
_MAPPED = ip_network("::ffff:0:0/96")
_NAT64 = ip_network("64:ff9b::/96")


class Allowance(Struct, frozen=True):
    """What the setting `webhook_allow` adds to the public network: networks, and single places (host, port)."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    places: frozenset[tuple[str, int]] = frozenset()

    def check(self, url: str) -> None:
        """Raise `Invalid` when the URL may not be called whatever its name resolves to."""
        check_url(url, self)

    def permits(self, host: str, port: int, address: str) -> bool:
        """Whether a connection for `host` (as written in the URL) may go to `address` and `port`."""
        target = _parse_address(address)
        if target is None:
            return False
        if _named(host, port, self) or (str(target), port) in self.places or any(target in network for network in self.networks):
            return True
        return is_public(target)


def parse_allow(text: str) -> Allowance:
    """Read ``"127.0.0.1:9000, receiver:8080, 10.0.0.0/8, [::1]:9000"``. Raises `ValueError` that names the bad item."""
    networks: list[IPv4Network | IPv6Network] = []
    places: set[tuple[str, int]] = set()
    for item in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ip_network(item))
        except ValueError:
            places.add(_place(item))
    return Allowance(tuple(networks), frozenset(places))


def check_url(url: str, allow: Allowance, *, param: str = "url") -> None:
    """Raise `Invalid` for a URL that is not http(s), carries credentials, names an odd port, or a closed address."""
    parts = _split(url, param)
    if parts.scheme not in _SCHEME_PORTS:
        raise _refused(param, "begin with https:// (or http://)")
    if parts.username is not None or parts.password is not None:
        raise _refused(param, "leave user and password out; calls are signed")
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise _refused(param, "name a host")
    port = _port(parts, param)
    address = _parse_address(host)
    if _named(host, port, allow) or (address is not None and allow.permits(host, port, host)):
        return
    if (port < _LOWEST_FREE_PORT and port not in _SCHEME_PORTS.values()) or port in _FORBIDDEN_PORTS:
        raise _refused(param, "use port 443, 80, or one from 1024 on that is not a database's")
    if address is not None or _is_local_name(host):
        raise _refused(param, "use a host that is reachable from the public internet")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address is one of the public internet; addresses that carry an IPv4 address are judged by that."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    if address in _MAPPED or address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_V6 and not any(address in network for network in _CLOSED_V6)


def _split(url: str, param: str) -> SplitResult:
    if len(url) > _LONGEST_URL:
        raise _refused(param, f"at most {_LONGEST_URL} characters")
    if not url.isascii() or any(ord(char) <= 0x20 or char in "\\\x7f" for char in url):
        raise _refused(param, "no spaces, backslashes or characters outside ASCII; percent-encode them")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise _refused(param, "write a complete URL") from error


def _port(parts: SplitResult, param: str) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise _refused(param, "a port is a number up to 65535") from error
    return _SCHEME_PORTS[parts.scheme] if port is None else port


def _is_local_name(host: str) -> bool:
    """Whether a name cannot be public: single-label, a private suffix, or digits that only look like a name (``0x7f.1``)."""
    last = host.lower().rpartition(".")[2]
    return "." not in host or last in {"localhost", "local", "internal", "lan", "home", "arpa"} or last[:1].isdigit()


def _named(host: str, port: int, allow: Allowance) -> bool:
    return (host.lower(), port) in allow.places


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address, or None for a name; a zone (``fe80::1%eth0``) is no part of any address that is allowed."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _place(item: str) -> tuple[str, int]:
    host, colon, port = item.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"webhook_allow: {item!r} is neither host:port nor a network such as 10.0.0.0/8")
    address = _parse_address(bare)
    return (str(address) if address is not None else bare.lower(), int(port))


def _refused(param: str, fix: str) -> Invalid:
    return Invalid("parameter_invalid", param=param, fix=fix)
