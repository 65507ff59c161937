"""Which network addresses a webhook may reach: public ones alone, never the service's own surroundings.

The lists are those of IANA's special-purpose address registries, spelt out because Python's ``is_global`` changes
between its releases, and answers yes for addresses that carry an IPv4 address inside them.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_REFUSED_V4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network; Linux takes 0.0.0.0 for loopback
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by carriers
            "127.0.0.0/8",
            "168.63.129.16/32",  # a cloud's metadata behind a public address
            "169.254.0.0/16",  # link-local, and most clouds' metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_GLOBAL_V6 = ip_network("2000::/3")
# Special purposes, 6to4 (any IPv4 address inside it) and documentation.
_REFUSED_V6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_MAPPED, _COMPATIBLE, _NAT64 = map(ip_network, ("::ffff:0:0/96", "::/96", "64:ff9b::/96"))
_LOOPBACK_V4, _LOOPBACK_V6 = ip_network("127.0.0.0/8"), IPv6Address("::1")


def is_allowed(text: str, *, loopback_allowed: bool) -> bool:
    """Returns whether a numeric address, as the resolver or a socket gives it, may be connected to.

    An IPv6 address that carries an IPv4 address is judged by that one. What is no address isn't allowed.

    >>> is_allowed("::ffff:169.254.169.254", loopback_allowed=False)
    False
    >>> is_allowed("8.8.8.8", loopback_allowed=False)
    True
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address == _LOOPBACK_V6:
            return loopback_allowed
        inner = _ipv4_inside(address)
        if inner is None:
            return address in _GLOBAL_V6 and not any(address in network for network in _REFUSED_V6)
        address = inner
    if address in _LOOPBACK_V4:
        return loopback_allowed
    return not any(address in network for network in _REFUSED_V4)


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in (_MAPPED, _COMPATIBLE, _NAT64)):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
