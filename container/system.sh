#!/bin/sh
# What the image has from Debian: Python and Git. DVC and the provenance in figures ask Git.
set -eu
apt-get update
apt-get install --yes --no-install-recommends ca-certificates git python3 python3-venv
rm -rf /var/lib/apt/lists/* /var/cache/ldconfig/aux-cache /var/log/*
git config --system --add safe.directory '*' # a checkout that is mounted belongs to another user
