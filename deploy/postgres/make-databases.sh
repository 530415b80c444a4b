#!/bin/sh
# Runs once, when the database server makes its data: two databases, each with an owner of its own,
# so that who reads one has no way into the other.
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
