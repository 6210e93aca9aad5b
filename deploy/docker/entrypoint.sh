#!/bin/sh
# Reads the keys that the `secrets` job made for this service (local compose only); what is set already stays.
set -eu
file="/run/rihla/${RIHLA_SERVICE:-none}.env"
if [ -r "$file" ]; then
  # shellcheck source=/dev/null
  . "$file"
fi
exec "$@"
