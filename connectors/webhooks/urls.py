"""Which URLs an endpoint may have: https, a plain host, and only addresses that ``addresses`` allows."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from connectors.webhooks.addresses import is_allowed
from schemas.refusals import Refusal, RefusedError

URL_CHARACTERS_MAX = 2_048
_HTTPS_PORT, _HTTP_PORT = 443, 80
_PLAIN = re.compile(r"^[\x21-\x7e]+$")
_HOST_NAME = re.compile(r"^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_NUMBER = re.compile(r"^(0x[0-9a-f]*|[0-9]+)$")

#: Returns the numeric addresses of a host and port; raises OSError where there are none.
Resolve = Callable[[str, int], list[str]]


def resolved_by_system(host: str, port: int) -> list[str]:
    """Returns the addresses that the system's resolver gives; blocks on it, and raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def checked_url(text: str, *, loopback_allowed: bool, resolve: Resolve = resolved_by_system) -> str:
    """Returns the URL of an endpoint, its host known and public; blocks on the resolver.

    Raises RefusedError. What is resolved here is resolved and checked again at every connection, because a
    name may lead elsewhere tomorrow.
    """
    parts = _split(text)
    host = parts.hostname or ""
    _check_host(host)
    local = loopback_allowed and (host == "localhost" or _is_literal(host))
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise _refused("insecure_url", "an endpoint's URL starts with https://", "serve the endpoint over TLS")
    port = parts.port or (_HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT)
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise _refused("unknown_host", "the host is known to the name service", "check the host's name") from error
    if not addresses or not all(is_allowed(address, loopback_allowed=loopback_allowed) for address in addresses):
        raise _refused(
            "internal_address", "every address of the host is a public one", "give a host that the internet reaches"
        )
    if parts.scheme == "http" and any(is_allowed(address, loopback_allowed=False) for address in addresses):
        raise _refused("insecure_url", "an endpoint's URL starts with https://", "serve the endpoint over TLS")
    return text


def checked_form(text: str) -> str:
    """Returns a URL whose host operations chose, wherever it leads: https://, or http:// on this machine alone.

    Raises RefusedError. The host isn't looked up.
    """
    parts = _split(text)
    host = parts.hostname or ""
    _check_host(host)
    is_local = host == "localhost" or (_is_literal(host) and ip_address(host).is_loopback)
    if parts.scheme != "https" and not is_local:
        raise _refused("insecure_url", "an endpoint's URL starts with https://", "serve the endpoint over TLS")
    return text


def _split(text: str) -> SplitResult:
    if len(text) > URL_CHARACTERS_MAX or not _PLAIN.fullmatch(text) or "\\" in text:
        raise _refused(
            "unfit_url",
            f"a URL has at most {URL_CHARACTERS_MAX} printable ASCII characters, no blank and no backslash",
            "write other characters percent-encoded, a host's as xn--",
        )
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"https", "http"} and parts.port != 0
    except ValueError as error:
        raise _refused("unfit_url", "a URL is scheme, host, port and path", "write https://host/path") from error
    if not valid or "@" in parts.netloc or "#" in text or "%" in parts.netloc:
        raise _refused(
            "unfit_url", "a URL is https://, host, port and path; no user name, no fragment", "write https://host/path"
        )
    return parts


def _check_host(host: str) -> None:
    # A resolver reads 2130706433, 0x7f.1 and 0177.0.0.1 as addresses too, and different ones differently.
    last_label = host.rstrip(".").rpartition(".")[2]
    if _is_literal(host):
        return
    if _NUMBER.fullmatch(last_label) or not _HOST_NAME.fullmatch(host.removesuffix(".")):
        raise _refused(
            "unfit_host",
            "a host is a name, or an address in its usual form",
            "write the host's name, e.g. hooks.example.dk",
        )


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused(code: str, rule: str, help_text: str) -> RefusedError:
    return RefusedError(Refusal(code, "url", rule, help_text))
