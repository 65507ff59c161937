"""A message Bundle: its header, its resources by type, and how references find them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.medcom_fhir.codes import ErrorCode
from connectors.medcom_fhir.decoding import ENTRIES_MAX
from connectors.medcom_fhir.identifiers import resource_id
from connectors.medcom_fhir.nodes import Node, fhir_refusal
from connectors.medcom_fhir.references import FhirReference, at, read_reference
from connectors.sender_ids import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNRESOLVED = "the reference names a {} of this Bundle: by its fullUrl, relative to its own, or contained"


@dataclass(frozen=True, slots=True)
class Resource:
    """One entry: its resource, type, id, and where it says that it is from."""

    node: Node
    type: str
    id: str | None
    url: FhirReference | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A Bundle whose entries have been told apart by type; nothing else is checked yet.

    ``by_url`` and ``by_id`` (type and id) hold the entries that may be meant, those that say the same once.
    """

    node: Node
    resources: tuple[Resource, ...]
    by_url: dict[str, list[Resource]] = field(repr=False)
    by_id: dict[tuple[str, str], list[Resource]] = field(repr=False)

    def of_type(self, resource_type: str) -> tuple[Node, ...]:
        """Returns the resources of a type, in no promised order."""
        return tuple(resource.node for resource in self.resources if resource.type == resource_type)

    def resolve(self, holder: Node, resource_type: str) -> Node:
        """Returns the resource that ``holder.reference`` names.

        Raises RefusedError where it is absent from the Bundle, or where resources with different content
        answer to it: entries are unordered, so none of them is the right one.
        """
        path = f"{holder.path}.reference"
        found = self.find(holder.text("reference"), resource_type, holder.entry)
        if not found:
            raise fhir_refusal("unresolved_reference", path, _UNRESOLVED.format(resource_type))
        if len(found) > 1:
            raise fhir_refusal("conflicting_resources", path, "one id names one resource")
        return found[0]

    def find(self, reference: str, resource_type: str, entry: int | None) -> tuple[Node, ...]:
        """Returns the resources of a type that answer to a reference in an entry, those that say the same once."""
        wanted = read_reference(reference)
        if wanted.contained is not None:
            return tuple(self._contained(wanted.contained, resource_type, entry))
        if wanted.is_absolute:
            # A UUID is one resource's wherever it stands, also where its entry gives a URL.
            meant = self.by_url.get(wanted.whole) or self.by_id.get((resource_type, wanted.uuid or ""), [])
        else:
            meant = self._at_own_server(wanted, entry)
        return tuple(
            one.node
            for one in meant
            if one.type == resource_type and (wanted.version is None or one.version in {None, wanted.version})
        )

    def _at_own_server(self, wanted: FhirReference, entry: int | None) -> list[Resource]:
        """Returns what a relative reference names; what is of another server than its holder is not meant."""
        holder = None if entry is None else self.resources[entry].url
        known = self.by_id.get((wanted.type or "", wanted.id or ""), [])
        if holder is None or holder.base is None:
            return known
        return self.by_url.get(at(holder.base, wanted)) or [
            one for one in known if one.url is None or one.url.base is None
        ]

    def _contained(self, contained_id: str, resource_type: str, entry: int | None) -> Iterable[Node]:
        if entry is None:
            return
        for node in self.resources[entry].node.children("contained"):
            if node.value.get("id") == contained_id and node.value.get("resourceType") == resource_type:
                yield Node(node.value, resource_type, entry)

    def refuse_modified(self) -> None:
        """Raises RefusedError where a resource says that its elements mean something else than they say.

        Whoever doesn't know what is said must not process it (HL7 FHIR R4, extensibility.html#modifierExtension,
        resource.html#implicitRules), and MedCom's guides know none.
        """
        for node in (self.node, *(resource.node for resource in self.resources)):
            for name in ("implicitRules", "modifierExtension"):
                if node.value.get(name):
                    raise fhir_refusal(
                        "unknown_modifier", f"{node.path}.{name}", "no resource is modified by other rules"
                    )

    @property
    def id(self) -> str:
        """Returns Bundle.id as sent."""
        return resource_id(self.node)

    @property
    def header(self) -> Node:
        """Returns the MessageHeader, which the first entry of a Bundle of type message holds (FHIR R4, bdl-12).

        Raises RefusedError where the Bundle is of another type or begins with anything else.
        """
        if self.node.value.get("type") != "message":
            raise fhir_refusal(ErrorCode.NOT_IN_VALUE_SET, "Bundle.type", "the Bundle is of type message")
        if not self.resources or self.resources[0].type != "MessageHeader":
            raise fhir_refusal(
                "message_header_not_first",
                "Bundle.entry[0].resource",
                "the first entry of a message is its MessageHeader",
            )
        if len(self.of_type("MessageHeader")) > 1:
            raise fhir_refusal("message_header_repeated", "Bundle.entry", "a message has one MessageHeader")
        return self.resources[0].node


def read_bundle(root: Node) -> Bundle:
    """Returns a Bundle; raises RefusedError where it is none, or has too many or unreadable entries."""
    if root.value.get("resourceType") != "Bundle":
        raise fhir_refusal("not_a_bundle", "Bundle.resourceType", "a message is a Bundle")
    entries = root.children("entry")
    if len(entries) > ENTRIES_MAX:
        raise fhir_refusal("too_many_entries", "Bundle.entry", f"a message has at most {ENTRIES_MAX} entries")
    by_url: dict[str, list[Resource]] = {}
    by_id: dict[tuple[str, str], list[Resource]] = {}
    resources = tuple(_resource(entry, number) for number, entry in enumerate(entries))
    for resource in resources:
        if resource.url is not None and resource.url.is_absolute:
            _add(by_url.setdefault(resource.url.whole, []), resource)
        for name in {resource.id, None if resource.url is None else resource.url.id} - {None}:
            _add(by_id.setdefault((resource.type, name or ""), []), resource)
    return Bundle(root, resources, by_url, by_id)


def _add(known: list[Resource], resource: Resource) -> None:
    if all(one.node.value != resource.node.value for one in known):
        known.append(resource)


def _resource(entry: Node, number: int) -> Resource:
    node = entry.child("resource")
    resource_type = node.text("resourceType")
    if not (resource_type.isascii() and resource_type.isalpha()):
        raise fhir_refusal(ErrorCode.DATATYPE_WRONG, f"{node.path}.resourceType", "the element names a resource type")
    url, own_id = entry.optional_text("fullUrl"), node.optional_text("id")
    meta = node.value.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return Resource(
        Node(node.value, resource_type, number),
        resource_type,
        None if own_id is None else normalised(own_id),
        None if url is None else read_reference(url),
        version if isinstance(version, str) else None,
    )
