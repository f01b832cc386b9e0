"""Files that hold many images: tfrecords and parquet."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import IO

import numpy as np

MAX_RECORD = 2**28  # bytes; a record that claims to be longer is damaged


class Damaged(Exception):
    """A file of records is damaged or of another kind, and why."""


def tfrecords(file: IO[bytes]) -> Iterator[np.ndarray]:
    """The images (3, H, W) of tf.train.Examples with 'shape' and raw uint8 'data', as PGGAN and Glow wrote them.

    PGGAN's are (C, H, W), Glow's (H, W, C). Checksums of lengths and contents are compared. Raises Damaged.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tfrecord import example_pb2

    while header := file.read(12):
        if len(header) < 12:
            raise Damaged("cut off")
        (length,) = struct.unpack("<Q", header[:8])
        if length > MAX_RECORD or not _sum_agrees(header[:8], header[8:]):
            raise Damaged("a record's length does not agree with its sum")
        data, checksum = file.read(length), file.read(4)
        if len(checksum) < 4:
            raise Damaged("cut off")
        if not _sum_agrees(data, checksum):
            raise Damaged("a record does not agree with its sum")
        try:
            features = example_pb2.Example.FromString(data).features.feature
        except DecodeError as error:
            raise Damaged("a record is no tf.train.Example") from error
        if "shape" not in features or "data" not in features:
            raise Damaged(f"a record has {', '.join(sorted(features)) or 'nothing'}, not shape and data")
        shape = tuple(features["shape"].int64_list.value)
        pixels = np.frombuffer(b"".join(features["data"].bytes_list.value), np.uint8)
        if len(shape) != 3 or 3 not in (shape[0], shape[2]) or min(shape) < 1 or pixels.size != math.prod(shape):
            raise Damaged(f"a record of {pixels.size} bytes is not an RGB image of shape {shape}")
        yield pixels.reshape(shape) if shape[0] == 3 else pixels.reshape(shape).transpose(2, 0, 1)


def _sum_agrees(data: bytes, stored: bytes) -> bool:
    """TensorFlow's masked CRC-32C."""
    from crc32c import crc32c

    crc = crc32c(data)
    return struct.unpack("<I", stored)[0] == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def parquet(file: IO[bytes]) -> Iterator[bytes]:
    """The encoded images of a parquet shard's column `image`, as Hugging Face's datasets store them. Raises Damaged.

    An image is a struct of bytes and path, or bytes alone; a row without one gives none at all: b"".
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        shard = ParquetFile(file)
        if "image" not in shard.schema_arrow.names:
            raise Damaged(f"no column 'image'; it has {', '.join(shard.schema_arrow.names)}")
        kind = shard.schema_arrow.field("image").type
        if pyarrow.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            kind = kind.field("bytes").type
        if not any(is_kind(kind) for is_kind in (pyarrow.types.is_binary, pyarrow.types.is_large_binary)):
            raise Damaged(f"its column 'image' is of {kind}, not of encoded images")
        for batch in shard.iter_batches(batch_size=16, columns=["image"]):
            for image in batch.column(0).to_pylist():
                yield (image.get("bytes") if isinstance(image, dict) else image) or b""
    except (pyarrow.ArrowException, OSError) as error:
        raise Damaged(" ".join(str(error).split())) from error
