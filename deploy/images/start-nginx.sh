#!/bin/sh
# Writes nginx's configuration from the template and the environment, and becomes nginx. The root
# file system may be read-only: everything that is written goes to /tmp.
set -eu

address() {
  case "$2" in
    http://* | https://*) ;;
    *) echo "$1 must be an http:// or https:// address without a path, not '$2'" >&2; exit 2 ;;
  esac
  case "$2" in
    *[!A-Za-z0-9.:/_\[\]-]*) echo "$1 holds characters that no address has" >&2; exit 2 ;;
  esac
}
address AUTH_PROXY_URL "$AUTH_PROXY_URL"
address GATEWAY_URL "$GATEWAY_URL"
case "$PORT" in '' | *[!0-9]*) echo "PORT must be a number, not '$PORT'" >&2; exit 2 ;; esac

# Names are looked up while nginx runs, so that what moved is found; it asks whom the system asks.
resolver=$(awk '$1 == "nameserver" { print ($2 ~ /:/) ? "[" $2 "]" : $2; exit }' /etc/resolv.conf)

sed -e "s|@PORT@|$PORT|" \
  -e "s|@AUTH_PROXY_URL@|${AUTH_PROXY_URL%/}|" \
  -e "s|@GATEWAY_URL@|${GATEWAY_URL%/}|" \
  -e "s|@RESOLVER@|${resolver:-127.0.0.1}|" \
  /app/nginx.conf > /tmp/nginx.conf
exec nginx -c /tmp/nginx.conf -g 'daemon off;'
