"""What rosbag2_py's readers and writers are told and tell: options, filters, topics and metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from robot.ros.duration import Duration
from robot.ros.packages.rosbag2_py._qos import QoS, convert_rclcpp_qos_to_rclpy_qos, to_rclcpp_qos_vector
from robot.ros.time import Time

__all__ = [
    "BagMetadata",
    "ConverterOptions",
    "FileInformation",
    "MessageDefinition",
    "QoS",
    "ReadOrder",
    "ReadOrderSortBy",
    "StorageFilter",
    "StorageOptions",
    "TopicInformation",
    "TopicMetadata",
    "convert_rclcpp_qos_to_rclpy_qos",
    "get_default_storage_id",
    "to_rclcpp_qos_vector",
]

STORAGES = ("mcap", "sqlite3")
CDR = "cdr"
TOPIC_FIELDS = ("id", "name", "type", "serialization_format", "offered_qos_profiles", "type_description_hash")


def get_default_storage_id() -> str:
    return STORAGES[0]


@dataclass(slots=True)
class StorageOptions:
    """Where a bag lies and how it is kept.

    Bags are not split, cached or limited here: a writer says so when it is asked for that.

    Args:
        uri: folder of the bag; for reading also a file of it.
        storage_id: `mcap` or `sqlite3`; empty for what is there, `mcap` for a new bag.
        storage_preset_profile: `zstd_fast` and `zstd_small` compress the chunks of an MCAP file.
        start_time_ns, end_time_ns: a writer drops what was received before and after; -1 = no bound.
        custom_data: kept in a new bag's metadata.
    """

    uri: str
    storage_id: str = ""
    max_bagfile_size: int = 0
    max_bagfile_duration: int = 0
    max_cache_size: int = 0
    storage_preset_profile: str = ""
    storage_config_uri: str = ""
    snapshot_mode: bool = False
    start_time_ns: int = -1
    end_time_ns: int = -1
    custom_data: dict[str, str] = field(default_factory=dict)
    max_recording_size: int = 0
    max_recording_duration: int = 0
    max_recording_messages: int = 0


@dataclass(slots=True)
class ConverterOptions:
    """There is one format, `cdr`; empty is the same."""

    input_serialization_format: str = ""
    output_serialization_format: str = ""

    def check(self) -> None:
        """Raise RuntimeError for a format that needs a converter."""
        for given in (self.input_serialization_format, self.output_serialization_format):
            if given not in ("", CDR):
                raise RuntimeError(f"no converter from or to the serialization format {given!r}; there is {CDR!r} only")


@dataclass(slots=True)
class StorageFilter:
    """Which topics are read: those named, and those a regular expression matches as a whole; all where none is given.

    Names of service events and of actions' topics are names of topics like others.
    """

    topics: list[str] = field(default_factory=list)
    services_events: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    regex: str = ""
    exclude_topics: list[str] = field(default_factory=list)
    exclude_service_events: list[str] = field(default_factory=list)
    exclude_actions: list[str] = field(default_factory=list)
    regex_to_exclude: str = ""


class ReadOrderSortBy(IntEnum):
    ReceivedTimestamp = 0
    PublishedTimestamp = 1
    File = 2


@dataclass(slots=True)
class ReadOrder:
    sort_by: ReadOrderSortBy = ReadOrderSortBy.ReceivedTimestamp
    reverse: bool = False


class TopicMetadata:
    """What a bag knows of a topic.

    Takes `(id, name, type, serialization_format, offered_qos_profiles=[], type_description_hash="")`, or the same
    without `id`, as up to Humble; there the profiles are YAML text, which is taken too.
    """

    __slots__ = TOPIC_FIELDS

    id: int
    name: str
    type: str
    serialization_format: str
    offered_qos_profiles: Any
    type_description_hash: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = TOPIC_FIELDS if args and isinstance(args[0], int) else TOPIC_FIELDS[1:]
        given = dict(zip(names, args, strict=False))
        missing = [name for name in TOPIC_FIELDS[1:4] if name not in given | kwargs]
        if len(args) > len(names) or given.keys() & kwargs.keys() or kwargs.keys() - set(TOPIC_FIELDS) or missing:
            raise TypeError(
                f"TopicMetadata takes ([id,] name, type, serialization_format, offered_qos_profiles, "
                f"type_description_hash), got {args} and {kwargs}"
            )
        for name, value in (
            {"id": 0, "offered_qos_profiles": [], "type_description_hash": ""} | given | kwargs
        ).items():
            setattr(self, name, value)

    def equals(self, other: TopicMetadata) -> bool:
        return all(getattr(self, name) == getattr(other, name) for name in TOPIC_FIELDS[1:])

    def __repr__(self) -> str:
        return f"TopicMetadata({', '.join(f'{name}={getattr(self, name)!r}' for name in TOPIC_FIELDS)})"


@dataclass(slots=True)
class TopicInformation:
    topic_metadata: TopicMetadata
    message_count: int


@dataclass(slots=True)
class FileInformation:
    path: str
    starting_time: Time
    duration: Duration
    message_count: int


@dataclass(slots=True)
class MessageDefinition:
    topic_type: str
    encoding: str
    encoded_message_definition: str
    type_hash: str


@dataclass(slots=True)
class BagMetadata:
    """What `metadata.yaml` says. A bag without messages starts at the end of time, as in rosbag2.

    Args:
        bag_size: of the files together [B].
    """

    version: int = 9
    bag_size: int = 0
    storage_identifier: str = ""
    relative_file_paths: list[str] = field(default_factory=list)
    files: list[FileInformation] = field(default_factory=list)
    duration: Duration = field(default_factory=Duration)
    starting_time: Time = field(default_factory=Time)
    message_count: int = 0
    topics_with_message_count: list[TopicInformation] = field(default_factory=list)
    compression_format: str = ""
    compression_mode: str = ""
    custom_data: dict[str, str] = field(default_factory=dict)
    ros_distro: str = ""
