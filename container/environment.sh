#!/bin/sh
# Installs into /opt/fvae what pyproject.toml asks for, without the tools of development, in the versions and with the
# hashes of requirements.lock. Compiled files name the content of their sources, not times. There is no compiler here:
# all are wheels, but for tfrecord, whose source is plain Python.
set -eu
python3 -m venv /opt/uv
/opt/uv/bin/pip install --no-cache-dir --quiet uv==0.13.9
/opt/uv/bin/uv venv --quiet --python /usr/bin/python3 /opt/fvae
VIRTUAL_ENV=/opt/fvae PYC_INVALIDATION_MODE=UNCHECKED_HASH /opt/uv/bin/uv pip install --no-cache --quiet \
    --compile-bytecode --requirements pyproject.toml --extra workflow --extra explore --extra export \
    --constraints requirements.lock
rm -rf /opt/uv
