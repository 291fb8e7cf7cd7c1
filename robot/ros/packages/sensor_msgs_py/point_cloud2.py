"""Read and make `sensor_msgs/PointCloud2`."""

from __future__ import annotations

import sys
from collections import namedtuple
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numpy.lib.recfunctions import structured_to_unstructured, unstructured_to_structured

from robot.ros.borrowed import finder
from robot.ros.interfaces import sensor_msgs

Points = npt.NDArray[Any]

_DATATYPES = dict(enumerate(map(np.dtype, ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8")), start=1))
DUMMY_FIELD_PREFIX = "unnamed_field"


def dtype_from_fields(fields: Iterable[Any], point_step: int | None = None) -> np.dtype[Any]:
    """Return the structured dtype of points with these fields; fields of several numbers become `name_0`, `name_1` …

    Args:
        point_step: bytes from one point to the next; None = no gap behind the last field.
    """
    names, offsets, types = [], [], []
    for number, field in enumerate(fields):
        name = field.name or f"{DUMMY_FIELD_PREFIX}_{number}"
        if field.count < 1:
            raise ValueError(f"expected at least one number in the field {name!r}, got {field.count}")
        kind = _DATATYPES[field.datatype]
        for part in range(field.count):
            offsets.append(field.offset + part * kind.itemsize)
            names.append(name if field.count == 1 else f"{name}_{part}")
            types.append(kind)
    layout: dict[str, Any] = {"names": names, "formats": types, "offsets": offsets}
    if point_step is not None:
        layout["itemsize"] = point_step
    return np.dtype(layout)  # type: ignore[call-overload,no-any-return]


def read_points(
    cloud: Any,
    field_names: Sequence[str] | None = None,
    skip_nans: bool = False,
    uvs: Any = None,
    reshape_organized_cloud: bool = False,
) -> Points:
    """Return the points as a structured array, shape (n,), the caller's to write to: received points are copied.

    Args:
        field_names: those to keep; None = all.
        skip_nans: leave points out that have a NaN in one of the kept fields.
        uvs: indices of points, or their (u, v) in an organised cloud; None = all.
        reshape_organized_cloud: shape (width, height) for a cloud with several rows.
    """
    if not isinstance(cloud, sensor_msgs.msg.PointCloud2):
        raise AssertionError(f"Cloud is not a sensor_msgs.msg.PointCloud2 but {type(cloud)}")
    points: Points = np.ndarray(
        shape=(cloud.width * cloud.height,),
        dtype=dtype_from_fields(cloud.fields, point_step=cloud.point_step),
        buffer=cloud.data if len(cloud.data) else b"",
    )
    if field_names is not None:
        missing = [name for name in field_names if name not in (points.dtype.names or ())]
        if missing:
            raise AssertionError(
                f"Requested field {missing[0]!r} is not in the fields of the PointCloud {points.dtype.names}"
            )
        points = points[list(field_names)]
    if bool(sys.byteorder != "little") != bool(cloud.is_bigendian):
        points = points.byteswap()
    if skip_nans and not cloud.is_dense:
        keep = np.ones(len(points), bool)
        for name in points.dtype.names or ():
            keep &= ~np.isnan(points[name])
        points = points[keep]
    if uvs is not None:
        chosen = uvs if isinstance(uvs, np.ndarray) else np.array(list(uvs), int)
        points = points[chosen[:, 1] * cloud.width + chosen[:, 0] if chosen.ndim == 2 else chosen]
    if reshape_organized_cloud and cloud.height > 1:
        points = points.reshape(cloud.width, cloud.height)
    return points if points.flags.writeable else points.copy()


def read_points_numpy(
    cloud: Any,
    field_names: Sequence[str] | None = None,
    skip_nans: bool = False,
    uvs: Any = None,
    reshape_organized_cloud: bool = False,
) -> Points:
    """Return the points as a plain array, shape (n, fields); all fields must have the same type."""
    kinds = {field.datatype for field in cloud.fields if field_names is None or field.name in field_names}
    if len(kinds) > 1:
        raise AssertionError("All fields need to have the same datatype. Use `read_points()` otherwise.")
    points: Points = structured_to_unstructured(
        read_points(cloud, field_names, skip_nans, uvs, reshape_organized_cloud)
    )
    return points


def read_points_list(
    cloud: Any, field_names: Sequence[str] | None = None, skip_nans: bool = False, uvs: Any = None
) -> list[Any]:
    """Return the points as named tuples."""
    points = read_points(cloud, field_names, skip_nans, uvs)
    point = namedtuple("Point", points.dtype.names or (), rename=True)  # type: ignore[misc]
    return [point._make(item) for item in points.tolist()]


def create_cloud(
    header: Any, fields: Sequence[Any], points: Any, step: int | None = None, point_step: int | None = None
) -> Any:
    """Return a `PointCloud2` of points given as rows, as a plain array of one type, or as a structured array.

    Args:
        step, point_step: bytes from one point to the next; None = no gap.
    """
    dtype = dtype_from_fields(fields, point_step=point_step or step)
    if not isinstance(points, np.ndarray):
        points = np.array([tuple(point) for point in points], dtype)
    elif points.dtype.names is None:
        if len({field.datatype for field in fields}) > 1:
            raise AssertionError(
                "All fields need to have the same datatype. "
                "Pass a structured NumPy array with multiple dtypes otherwise."
            )
        points = unstructured_to_structured(points, dtype=dtype)
    elif points.dtype != dtype:
        raise AssertionError(f"expected points of {dtype}, got {points.dtype}")
    if points.ndim > 2:
        raise AssertionError("Too many dimensions for organized cloud! Points can only be organized in two dimensions")
    packed = np.ascontiguousarray(points)
    height = points.shape[1] if points.ndim == 2 else 1
    return sensor_msgs.msg.PointCloud2(
        header=header,
        height=height,
        width=points.shape[0],
        is_dense=False,
        is_bigendian=sys.byteorder != "little",
        fields=list(fields),
        point_step=dtype.itemsize,
        row_step=dtype.itemsize * points.shape[0],
        data=packed.tobytes(),
    )


def create_cloud_xyz32(header: Any, points: Any, step: int | None = None) -> Any:
    """Return a `PointCloud2` of x, y, z [m] in 32 bits."""
    kind = sensor_msgs.msg.PointField.FLOAT32
    fields = [
        sensor_msgs.msg.PointField(name=name, offset=4 * number, datatype=kind, count=1)
        for number, name in enumerate("xyz")
    ]
    return create_cloud(header, fields, points, step)


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
