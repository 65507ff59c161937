"""Which addresses and URLs a webhook may have, however they are written."""

from __future__ import annotations

import pytest

from connectors.webhooks.addresses import is_allowed
from connectors.webhooks.urls import URL_CHARACTERS_MAX, checked_url
from schemas.refusals import RefusedError

PUBLIC = "93.184.216.34"
INTERNAL = (
    "0.0.0.0",  # noqa: S104 an address that is refused
    "10.0.0.1",
    "100.64.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::169.254.169.254",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
)
LOOPBACK = ("127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1")
GLOBAL = (PUBLIC, "8.8.8.8", "172.32.0.1", "2a00:1450:400f:80d::200e", "::ffff:8.8.8.8", "64:ff9b::808:808")


def refusal_of(url: str, *addresses: str, loopback: bool = False) -> str:
    with pytest.raises(RefusedError) as caught:
        checked_url(url, loopback_allowed=loopback, resolve=lambda *_: list(addresses or [PUBLIC]))
    return caught.value.refusal.code


@pytest.mark.parametrize("address", INTERNAL)
@pytest.mark.parametrize("loopback", [False, True])
def test_an_internal_address_is_refused_whatever_is_set(address: str, loopback: bool) -> None:
    assert not is_allowed(address, loopback_allowed=loopback)


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_is_refused_unless_the_setting_allows_it(address: str) -> None:
    assert not is_allowed(address, loopback_allowed=False)
    assert is_allowed(address, loopback_allowed=True)


@pytest.mark.parametrize("address", GLOBAL)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_allowed(address, loopback_allowed=False)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.0.0.1",
        "1.2.3.4.",
        "10.0.0.256",
        "a.0x7f",
        "-a.example",
        "a..example",
        "exämple.dk",
        "①②⑦.⓪.⓪.①",
        "a_b!.example",
        "127.0.0.1%00.example",
    ],
)
def test_a_host_that_a_resolver_may_read_as_an_address_is_refused_by_its_form(host: str) -> None:
    assert refusal_of(f"https://{host}/hook") in {"unfit_host", "unfit_url"}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example/x", "insecure_url"),
        ("ftp://hooks.example/x", "unfit_url"),
        ("hooks.example/x", "unfit_url"),
        ("//hooks.example/x", "unfit_url"),
        ("https://", "unfit_host"),
        ("https:///x", "unfit_host"),
        ("https://user:word@hooks.example/", "unfit_url"),
        ("https://hooks.example@10.0.0.1/", "unfit_url"),
        ("https://hooks.example/#part", "unfit_url"),
        ("https://hooks.example\\@10.0.0.1/", "unfit_url"),
        ("https://hooks.example/a b", "unfit_url"),
        ("https://hooks.example/a\nb", "unfit_url"),
        ("https://hooks.example:0/", "unfit_url"),
        ("https://hooks.example:99999/", "unfit_url"),
        ("https://[::1/", "unfit_url"),
        (f"https://hooks.example/{'a' * URL_CHARACTERS_MAX}", "unfit_url"),
    ],
)
def test_a_url_of_another_form_is_refused(url: str, code: str) -> None:
    assert refusal_of(url) == code


def test_one_internal_address_among_a_hosts_addresses_refuses_it() -> None:
    assert refusal_of("https://hooks.example/", PUBLIC, "10.0.0.1") == "internal_address"


def test_a_host_that_no_one_knows_is_refused() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(RefusedError, match="unknown_host"):
        checked_url("https://hooks.example/", loopback_allowed=False, resolve=unknown)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]/", "https://[::ffff:7f00:1]/", "https://localhost/"]
)
def test_loopback_urls_are_refused_by_the_systems_own_resolver(url: str) -> None:
    with pytest.raises(RefusedError, match="internal_address"):
        checked_url(url, loopback_allowed=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/hook", "http://localhost:8000/", "https://[::1]:8000/"])
def test_the_setting_allows_loopback_even_without_tls(url: str) -> None:
    assert checked_url(url, loopback_allowed=True) == url


def test_the_setting_allows_no_other_host_without_tls() -> None:
    assert refusal_of("http://8.8.8.8/", "8.8.8.8", loopback=True) == "insecure_url"
    assert refusal_of("http://hooks.example/", "127.0.0.1", loopback=True) == "insecure_url"


def test_a_public_url_stands_as_it_was_written() -> None:
    url = "https://hooks.example.dk:8443/a%20path?token=x"

    assert checked_url(url, loopback_allowed=False, resolve=lambda *_: [PUBLIC]) == url


def test_no_refusal_repeats_the_url() -> None:
    with pytest.raises(RefusedError) as caught:
        checked_url("https://10.0.0.1/0105109996", loopback_allowed=False)

    assert "0105109996" not in str(caught.value.refusal.as_dict())
