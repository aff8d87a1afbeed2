#!/bin/sh
# Makes the secrets of compose.yaml in deploy/compose/secrets: random passwords, URLs with them, and a certificate of its
# own for localhost. Existing files are kept, so the command can be repeated.
#
#   sh deploy/compose/make_secrets.sh          needs openssl
#
# Compose mounts each file with its mode, and containers have other users: the files are readable, the folder is private.
set -eu
umask 077
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
cd "$folder"

# keep NAME: writes the input to this file, unless it exists.
keep() {
    cat >"$1.new"
    if test -s "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

for name in postgres owner service exporter redis grafana; do
    openssl rand -hex 24 | keep "${name}_password"
done
echo "postgresql://bossjy_service:$(cat service_password)@postgres:5432/bossjy" | keep database_url
echo "postgresql://bossjy_owner:$(cat owner_password)@postgres:5432/bossjy" | keep database_admin_url
echo "redis://:$(cat redis_password)@redis:6379" | keep redis_url
echo "{\"redis://redis:6379\": \"$(cat redis_password)\"}" | keep redis_exporter
echo "requirepass $(cat redis_password)" | keep redis_conf
if ! test -s certificate.pem; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out certificate.pem 2>/dev/null
fi
chmod 644 ./*
