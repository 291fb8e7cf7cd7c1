"""Describe the types that a node uses: the service `~/get_type_description`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.idl import InterfaceError
from robot.ros.interfaces import rcl_interfaces, registry, type_description_interfaces
from robot.ros.parameter import Type
from robot.ros.typehash import describe

if TYPE_CHECKING:
    from robot.ros.node import Node

START_TYPE_DESCRIPTION_SERVICE_PARAM = "start_type_description_service"


class TypeDescriptionService:
    """The service, unless the read-only parameter `start_type_description_service` is false."""

    def __init__(self, node: Node) -> None:
        if not node.has_parameter(START_TYPE_DESCRIPTION_SERVICE_PARAM):
            node.declare_parameter(
                START_TYPE_DESCRIPTION_SERVICE_PARAM,
                True,
                rcl_interfaces.msg.ParameterDescriptor(
                    name=START_TYPE_DESCRIPTION_SERVICE_PARAM,
                    type=int(Type.BOOL),
                    description="If enabled, start the ~/get_type_description service.",
                    read_only=True,
                ),
            )
        self.service_name = f"{node.get_name()}/get_type_description"
        self.enabled = node.get_parameter(START_TYPE_DESCRIPTION_SERVICE_PARAM).value is True
        if self.enabled:
            node.create_service(type_description_interfaces.srv.GetTypeDescription, self.service_name, answer)


def answer(request: Any, response: Any) -> Any:
    """Fill a response of GetTypeDescription."""
    try:
        known = registry.hash(request.type_name)
        if request.type_hash and request.type_hash != known:
            raise InterfaceError(f"{request.type_name} has the hash {known}, not {request.type_hash}")
        described = describe(registry.description(request.type_name), registry.description)
    except InterfaceError as error:
        response.failure_reason = str(error)
        return response
    msg = type_description_interfaces.msg
    response.successful = True
    response.type_description = msg.TypeDescription(
        type_description=_individual(described["type_description"]),
        referenced_type_descriptions=[_individual(each) for each in described["referenced_type_descriptions"]],
    )
    if request.include_type_sources:
        every = [described["type_description"], *described["referenced_type_descriptions"]]
        response.type_sources = [_source(each["type_name"]) for each in every]
    return response


def _source(name: str) -> Any:
    """Return the text of the file that defines a type; types that follow from a service or an action have none."""
    kind = type_description_interfaces.msg.TypeSource
    try:
        text = registry.path(name).read_text(encoding="utf-8")
    except InterfaceError:
        return kind(type_name=name, encoding="implicit")
    return kind(type_name=name, encoding=name.split("/")[1], raw_file_contents=text)


def _individual(description: dict[str, Any]) -> Any:
    msg = type_description_interfaces.msg
    return msg.IndividualTypeDescription(
        type_name=description["type_name"],
        fields=[msg.Field(name=field["name"], type=msg.FieldType(**field["type"])) for field in description["fields"]],
    )
