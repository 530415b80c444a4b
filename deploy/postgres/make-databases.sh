#!/bin/sh
# Runs once, when the database server makes its data: two databases, each with an owner of its own,
# so that who reads one has no way into the other. auth-service itself runs as somebody who owns nothing:
# what it wrote into the audit it cannot change (docs/audit.md).
set -eu
for name in auth experiment; do
  password=$(cat "/run/secrets/${name}_database_password")
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set role="runbench_$name" --set database="${name}_db" \
    --set password="$password" --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
create role :"role" login password :'password';
create database :"database" owner :"role" encoding 'UTF8' template template0;
revoke connect on database :"database" from public;
SQL
done
password=$(cat /run/secrets/auth_service_password)
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$password" \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
create role runbench_auth_app nologin;
create role runbench_auth_service login password :'password' in role runbench_auth_app;
grant connect on database auth_db to runbench_auth_service;
SQL
