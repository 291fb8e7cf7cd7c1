"""Read and write bags (MCAP and SQLite files with `metadata.yaml`) by rosbag2_py's names, without ROS."""

from robot.ros.packages.rosbag2_py._compression_options import (
    CompressionMode,
    CompressionOptions,
    compression_mode_from_string,
    compression_mode_to_string,
)
from robot.ros.packages.rosbag2_py._info import Info, LocalMessageDefinitionSource, Reindexer
from robot.ros.packages.rosbag2_py._qos import QoS, convert_rclcpp_qos_to_rclpy_qos, to_rclcpp_qos_vector
from robot.ros.packages.rosbag2_py._reader import (
    SequentialCompressionReader,
    SequentialReader,
    get_registered_readers,
)
from robot.ros.packages.rosbag2_py._storage import (
    BagMetadata,
    ConverterOptions,
    FileInformation,
    MessageDefinition,
    ReadOrder,
    ReadOrderSortBy,
    StorageFilter,
    StorageOptions,
    TopicInformation,
    TopicMetadata,
    get_default_storage_id,
)
from robot.ros.packages.rosbag2_py._writer import (
    SequentialCompressionWriter,
    SequentialWriter,
    get_registered_compressors,
    get_registered_serializers,
    get_registered_writers,
)

__all__ = [
    "BagMetadata",
    "CompressionMode",
    "CompressionOptions",
    "ConverterOptions",
    "FileInformation",
    "Info",
    "LocalMessageDefinitionSource",
    "MessageDefinition",
    "QoS",
    "ReadOrder",
    "ReadOrderSortBy",
    "Reindexer",
    "SequentialCompressionReader",
    "SequentialCompressionWriter",
    "SequentialReader",
    "SequentialWriter",
    "StorageFilter",
    "StorageOptions",
    "TopicInformation",
    "TopicMetadata",
    "compression_mode_from_string",
    "compression_mode_to_string",
    "convert_rclcpp_qos_to_rclpy_qos",
    "get_default_storage_id",
    "get_registered_compressors",
    "get_registered_readers",
    "get_registered_serializers",
    "get_registered_writers",
    "to_rclcpp_qos_vector",
]
