"""Describe a bag without reading it, end one that was not ended, and show what a type is made of."""

from __future__ import annotations

from pathlib import Path

from robot.ros.idl import InterfaceError
from robot.ros.interfaces import registry
from robot.ros.packages.rosbag2_py._opening import metadata_of, open_reader
from robot.ros.packages.rosbag2_py._storage import BagMetadata, MessageDefinition, StorageOptions
from robot.ros.tools.bag import definition


class Info:
    def read_metadata(self, uri: str, storage_id: str = "") -> BagMetadata:
        """Return a bag's metadata.

        Raises:
            RuntimeError: no bag, a damaged one, or an unknown storage.
        """
        reader = open_reader(StorageOptions(uri, storage_id))
        try:
            return metadata_of(reader, Path(uri))
        finally:
            reader.close()


class Reindexer:
    def reindex(self, storage_options: StorageOptions) -> None:
        """Write index and metadata of a bag whose recorder was killed; leave one that is whole as it is.

        Raises:
            RuntimeError: no bag, one that is being recorded, or one that cannot be mended.
        """
        open_reader(storage_options).close()


class LocalMessageDefinitionSource:
    def get_full_text(self, root_topic_type: str) -> MessageDefinition:
        """Return the interface files of a type and of all it is made of.

        Raises:
            RuntimeError: the type is not known here.
        """
        try:
            return MessageDefinition(
                root_topic_type, "ros2msg", definition(root_topic_type), registry.hash(root_topic_type)
            )
        except InterfaceError as error:
            raise RuntimeError(f"no definition of {root_topic_type}: {error}") from error
