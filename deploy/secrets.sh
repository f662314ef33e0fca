#!/bin/sh
# Make the secrets of compose.yaml in the folder secrets/, each once: a file that is there is kept.
set -eu
cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 711 secrets

make_secret() {
  [ -s "secrets/$1" ] || printf '%s' "$2" > "secrets/$1"
  # Compose mounts a file with its own mode, and the container's users are not this one.
  chmod 644 "secrets/$1"
}

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

make_secret secret_key "$(random)"
make_secret metrics_token "$(random)"
make_secret database_password "$(random)"
make_secret database_url "postgresql://signalbox:$(cat secrets/database_password)@database/signalbox"
