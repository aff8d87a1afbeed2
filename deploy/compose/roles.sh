#!/bin/sh
# Makes the database of BossJy with its owner and its login, when the image of PostgreSQL prepares an empty volume. The
# statements are those of `bossjy-server database sql`, and a login of the PostgreSQL exporter.
set -eu
secrets=${SECRETS:-/run/secrets}
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<SQL
CREATE ROLE bossjy_owner LOGIN PASSWORD '$(cat "$secrets/owner_password")';
CREATE ROLE bossjy_service LOGIN PASSWORD '$(cat "$secrets/service_password")';
CREATE DATABASE bossjy OWNER bossjy_owner;
CREATE ROLE bossjy_app;
GRANT bossjy_app TO bossjy_service;
CREATE ROLE bossjy_exporter LOGIN PASSWORD '$(cat "$secrets/exporter_password")';
GRANT pg_monitor TO bossjy_exporter;
GRANT CONNECT ON DATABASE bossjy TO bossjy_exporter;
\\connect bossjy
CREATE EXTENSION pg_stat_statements;
SQL
