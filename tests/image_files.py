"""Files of images in every container that people have: folders, archives, tfrecords, parquet."""

import io
import struct
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
from crc32c import crc32c
from tfrecord import example_pb2


def into_zip(path, files, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def into_tar(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def into_folder(path, files):
    for name, data in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def record(data):
    """A TFRecord as TensorFlow writes it."""

    def checked(data):
        crc = crc32c(data)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(data))
    return length + checked(length) + data + checked(data)


def example(**features):
    """A tf.train.Example of lists of integers or of bytes."""
    made = example_pb2.Example()
    for name, values in features.items():
        feature = made.features.feature[name]
        (feature.bytes_list if isinstance(values[0], bytes) else feature.int64_list).value.extend(values)
    return made.SerializeToString()


def image_record(image):
    """A record as PGGAN and Glow make it."""
    return record(example(shape=image.shape, data=[image.tobytes()]))


def shard(images, **columns):
    table = pa.table({"image": images} | columns)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=5)
    return buffer.getvalue()
