#!/bin/sh
# Give three people a key each, and say in `allowed_signers` whose it is. In earnest everybody has
# a key of their own, best in hardware, and only its public half comes here.
set -eu
mkdir -p keys
: > allowed_signers
for one in dora arno otto; do
    [ -e "keys/$one" ] || ssh-keygen -q -t ed25519 -N '' -C "$one@example.test" -f "keys/$one"
    printf '%s namespaces="reloadcheck" %s\n' "$one@example.test" "$(cut -d ' ' -f 1-2 "keys/$one.pub")" >> allowed_signers
done
