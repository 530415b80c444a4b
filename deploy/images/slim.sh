#!/bin/sh
# Removes from a virtual environment what no service of ours uses when it runs: the tests, headers
# and sources that packages bring, and the parts of Arrow that are loaded on their own (Flight
# and Gandiva). It says what is left, in MiB.
set -eu
packages=$(echo "$1"/lib/python3*/site-packages)
find "$packages" -type d \( -name tests -o -name test \) -path "*/pyarrow/*" -prune -exec rm -rf {} +
find "$packages/numpy" -type d -name tests -prune -exec rm -rf {} + 2>/dev/null || true
rm -rf "$packages"/pyarrow/include "$packages"/pyarrow/src "$packages"/pyarrow/includes \
  "$packages"/pyarrow/libarrow_flight* "$packages"/pyarrow/libarrow_python_flight* "$packages"/pyarrow/_flight* \
  "$packages"/pyarrow/libgandiva* "$packages"/pyarrow/gandiva* \
  "$packages"/numpy/_core/include "$packages"/numpy/_core/lib "$packages"/numpy/f2py
find "$packages" \( -name "*.pyx" -o -name "*.pxd" -o -name "*.h" -o -name "*.cc" -o -name "*.a" \) -type f -delete
du -sm "$packages"
