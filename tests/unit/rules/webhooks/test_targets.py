"""Where webhooks may go: the public internet, and what the operator allowed."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yanshu.domain.errors import Invalid
from yanshu.rules.webhooks.targets import Allowance, check_url, is_public, parse_allow

NOTHING = Allowance()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "http://example.com",
        "https://example.com:8443/a?b=c#d",
        "https://sub.xn--fiqs8s.example/",
        "https://8.8.8.8/",
        "http://[2606:4700::1111]/",
        "http://[64:ff9b::808:808]/",
    ],
)
def test_public_urls_pass(url: str) -> None:
    check_url(url, NOTHING)


@pytest.mark.parametrize(
    ("label", "url"),
    [
        ("no scheme", "example.com/hook"),
        ("another scheme", "ftp://example.com/"),
        ("a file", "file:///etc/passwd"),
        ("gopher", "gopher://example.com/"),
        ("no host", "https:///path"),
        ("credentials", "https://user:secret@example.com/"),
        ("an empty user", "https://@example.com/"),
        ("a backslash before the real host", "https://example.com\\@127.0.0.1/"),
        ("a line break", "https://example.com/\r\nX: y"),
        ("a space", "https://exa mple.com/"),
        ("a tab", "https://example.com/\ta"),
        ("full-width digits", "http://１２７.0.0.1/"),
        ("a broken port", "https://example.com:99999/"),
        ("a word for a port", "https://example.com:https/"),
        ("port 0", "https://example.com:0/"),
        ("the mail port", "http://example.com:25/"),
        ("a database's port", "http://example.com:6379/"),
        ("broken brackets", "http://[::1/"),
        ("loopback", "http://127.0.0.1/"),
        ("loopback, another way", "http://127.1/"),
        ("loopback as one number", "http://2130706433/"),
        ("loopback in hex", "http://0x7f000001/"),
        ("loopback in hex parts", "http://0x7f.0.0.1/"),
        ("loopback in octal", "http://0177.0.0.1/"),
        ("localhost", "http://localhost:8080/"),
        ("localhost with a dot", "http://localhost./"),
        ("a name within localhost", "http://a.localhost/"),
        ("a single label", "http://intranet/"),
        ("a private suffix", "http://db.internal/"),
        ("multicast DNS", "http://printer.local/"),
        ("a private address", "http://192.168.1.1/"),
        ("cloud metadata", "http://169.254.169.254/latest"),
        ("IPv6 loopback", "http://[::1]/"),
        ("IPv6 unspecified", "http://[::]/"),
        ("v4-mapped loopback", "http://[::ffff:127.0.0.1]/"),
        ("NAT64 of a private address", "http://[64:ff9b::10.0.0.1]/"),
        ("link-local with a zone", "http://[fe80::1%25eth0]/"),
        ("far too long", "https://example.com/" + "a" * 2048),
    ],
)
def test_a_url_is_refused_for(label: str, url: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_url(url, NOTHING, param="callback_url")
    assert (caught.value.code, caught.value.param) == ("parameter_invalid", "callback_url"), label
    assert caught.value.values["fix"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("100.63.255.255", True),
        ("100.64.0.1", False),
        ("100.128.0.1", True),
        ("172.15.0.1", True),
        ("172.31.255.255", False),
        ("0.0.0.0", False),
        ("192.0.0.8", False),
        ("192.88.99.1", False),
        ("198.19.0.1", False),
        ("203.0.113.9", False),
        ("224.0.0.1", False),
        ("239.255.255.255", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("2a00:1450:4001:80f::200e", True),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::808:808", False),
        ("2001::1", False),
        ("2001:db8::1", False),
        ("2002:7f00:1::", False),
        ("2002:808:808::1", False),
        ("3fff::1", False),
        ("fc00::1", False),
        ("fd12::1", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("100::1", False),
    ],
)
def test_an_address_is_public_or_not(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


@given(st.ip_addresses())
def test_nothing_the_standard_library_calls_local_is_public(address: IPv4Address | IPv6Address) -> None:
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified or address.is_private:
        embedded = isinstance(address, IPv6Address) and address.ipv4_mapped
        assert embedded or not is_public(address)


ALLOW = parse_allow("127.0.0.1:9000, receiver:8080, 10.0.0.0/8, [::1]:9001, 192.168.7.7")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:9000/x", True),
        ("http://127.0.0.1:9001/x", False),
        ("http://receiver:8080/", True),
        ("http://RECEIVER:8080/", True),
        ("http://receiver/", False),
        ("http://10.1.2.3:25/", True),
        ("http://11.1.2.3/", True),
        ("http://192.168.7.7:5432/", True),
        ("http://192.168.7.8/", False),
        ("http://[::1]:9001/", True),
        ("http://[::1]/", False),
    ],
)
def test_the_allow_list_opens_what_it_names_and_no_more(url: str, allowed: bool) -> None:
    if allowed:
        check_url(url, ALLOW)
    else:
        with pytest.raises(Invalid):
            ALLOW.check(url)


@pytest.mark.parametrize(
    ("label", "host", "port", "address", "permitted"),
    [
        ("a public name at a public address", "example.com", 443, "1.1.1.1", True),
        ("a public name that turned private", "example.com", 443, "192.168.0.1", False),
        ("a name at an allowed place", "example.com", 9000, "127.0.0.1", True),
        ("a name at that address but another port", "example.com", 443, "127.0.0.1", False),
        ("an allowed name wherever it is", "receiver", 8080, "172.18.0.3", True),
        ("an allowed name at another port", "receiver", 8081, "172.18.0.3", False),
        ("an allowed network", "example.com", 1, "10.200.0.1", True),
        ("no address at all", "example.com", 443, "nonsense", False),
    ],
)
def test_a_connection_is_permitted_by_where_it_really_goes(label: str, host: str, port: int, address: str, permitted: bool) -> None:
    assert ALLOW.permits(host, port, address) is permitted, label


@pytest.mark.parametrize("item", ["localhost", "10.0.0.1/8", "host:", ":80", "host:0", "host:70000", "host:http"])
def test_an_allow_list_that_cannot_be_read_is_an_error_that_names_the_item(item: str) -> None:
    with pytest.raises(ValueError, match=item):
        parse_allow(f"127.0.0.1:9000, {item}")


def test_an_empty_allow_list_allows_nothing() -> None:
    assert parse_allow(" , ") == NOTHING
