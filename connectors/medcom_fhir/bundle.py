"""A message Bundle: its header, its resources by type, and how references find them."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.medcom_fhir.codes import ErrorCode
from connectors.medcom_fhir.decoding import ENTRIES_MAX
from connectors.medcom_fhir.identifiers import normalised, referred_id, referred_type, resource_id
from connectors.medcom_fhir.nodes import Node, refused


@dataclass(frozen=True, slots=True)
class Resource:
    """One entry: its resource, type, and the normalised ids by which references may name it."""

    node: Node
    type: str
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A Bundle whose entries have been told apart by type; nothing else is checked yet."""

    node: Node
    resources: tuple[Resource, ...]

    def of_type(self, resource_type: str) -> tuple[Node, ...]:
        """Returns the resources of a type, in no promised order."""
        return tuple(resource.node for resource in self.resources if resource.type == resource_type)

    def resolve(self, holder: Node, resource_type: str) -> Node:
        """Returns the resource that ``holder.reference`` names, by fullUrl or ``Type/id``.

        Raises RefusedError where it is absent from the Bundle, or where resources with different content
        answer to it: entries are unordered, so none of them is the right one.
        """
        path = f"{holder.path}.reference"
        found = self.find(holder.text("reference"), resource_type)
        if not found:
            raise refused("unresolved_reference", path, f"the reference names a {resource_type} of this Bundle")
        if any(node.value != found[0].value for node in found):
            raise refused("conflicting_resources", path, "one id names one resource")
        return found[0]

    def find(self, reference: str, resource_type: str) -> tuple[Node, ...]:
        """Returns every resource of a type that answers to a reference."""
        if referred_type(reference) not in {None, resource_type}:
            return ()
        wanted = referred_id(reference)
        return tuple(item.node for item in self.resources if item.type == resource_type and wanted in item.ids)

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
            raise refused(ErrorCode.NOT_IN_VALUE_SET, "Bundle.type", "the Bundle is of type message")
        if not self.resources or self.resources[0].type != "MessageHeader":
            raise refused(
                "message_header_not_first",
                "Bundle.entry[0].resource",
                "the first entry of a message is its MessageHeader",
            )
        if len(self.of_type("MessageHeader")) > 1:
            raise refused("message_header_repeated", "Bundle.entry", "a message has one MessageHeader")
        return self.resources[0].node


def read_bundle(root: Node) -> Bundle:
    """Returns a Bundle; raises RefusedError where it is none, or has too many or unreadable entries."""
    if root.value.get("resourceType") != "Bundle":
        raise refused("not_a_bundle", "Bundle.resourceType", "a message is a Bundle")
    entries = root.children("entry")
    if len(entries) > ENTRIES_MAX:
        raise refused("too_many_entries", "Bundle.entry", f"a message has at most {ENTRIES_MAX} entries")
    return Bundle(root, tuple(_resource(entry) for entry in entries))


def _resource(entry: Node) -> Resource:
    node = entry.child("resource")
    resource_type = node.text("resourceType")
    if not (resource_type.isascii() and resource_type.isalpha()):
        raise refused(ErrorCode.DATATYPE_WRONG, f"{node.path}.resourceType", "the element names a resource type")
    ids = {normalised(text) for text in (node.optional_text("id"),) if text}
    ids |= {referred_id(url) for url in (entry.optional_text("fullUrl"),) if url}
    return Resource(Node(node.value, resource_type), resource_type, frozenset(ids))
