#!/bin/sh
# Registers Toktra's own webhook, so that it makes Tocsin poll at once, and keeps its secret.
#
#   register-webhook.sh PUBLIC_URL SECRET_FILE [BASE_URL]
#
# PUBLIC_URL is where Toktra reaches Tocsin's `listen`, through a reverse proxy that speaks TLS:
# https://tocsin.example.com/toktra/NAME, NAME being the source's. BASE_URL is the API
# (https://api.toktra.io/v1). The credential comes from the environment: TOKTRA_API_KEY, or
# TOKTRA_CLIENT_ID and TOKTRA_CLIENT_SECRET. The signing secret, which Toktra shows once, goes to
# SECRET_FILE (mode 0600) and nowhere else; then, in the source:
#
#   nudge = { secret = "file:SECRET_FILE"; };
#
# To rotate it, register a second one into another file, name both (secret = [ "file:NEW",
# "file:OLD" ]), reload, and delete the old webhook in Toktra's console.
set -eu

fail() {
	echo "register-webhook: $1" >&2
	exit 1
}

# The value of a string member of a JSON object; good for what the API documents, no more.
member() {
	tr -d '\n' | sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\\([^\"]*\\)\".*/\\1/p"
}

# A text as curl's configuration has it, between double quotes.
quoted() {
	printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"
}

# The secrets go to curl by its standard input: arguments can be seen by everybody.
ask() {
	curl --silent --show-error --max-time 30 --config - || fail "no answer from $base"
}

[ $# -ge 2 ] && [ $# -le 3 ] || { sed -n '2,18s/^# \{0,1\}//p' "$0" >&2; exit 2; }
url=$1 file=$2 base=${3:-https://api.toktra.io/v1}
case $url in
https://*/toktra/?*) ;;
http://127.0.0.1:*/toktra/?*) ;; # a sandbox on this machine
*) fail "the address must be https://HOST/toktra/NAME, NAME being the source's" ;;
esac
[ ! -e "$file" ] || fail "$file is there already: name another file, or move it away"

if [ -n "${TOKTRA_API_KEY:-}" ]; then
	token=$TOKTRA_API_KEY
else
	[ -n "${TOKTRA_CLIENT_ID:-}" ] && [ -n "${TOKTRA_CLIENT_SECRET:-}" ] ||
		fail "set TOKTRA_API_KEY, or TOKTRA_CLIENT_ID and TOKTRA_CLIENT_SECRET"
	token=$(ask <<END | member access_token
url = $(quoted "$base/oauth/token")
data = "grant_type=client_credentials"
data-urlencode = $(quoted "client_id=$TOKTRA_CLIENT_ID")
data-urlencode = $(quoted "client_secret=$TOKTRA_CLIENT_SECRET")
END
	)
	[ -n "$token" ] || fail "$base gave no token: look at the client and its secret"
fi

answer=$(ask <<END
url = $(quoted "$base/webhooks")
header = $(quoted "Authorization: Bearer $token")
header = "Content-Type: application/json"
data = $(quoted "{\"url\":\"$url\",\"description\":\"Tocsin: poll at once\"}")
END
)
secret=$(printf '%s' "$answer" | member signing_secret)
[ -n "$secret" ] || fail "$base made no webhook: $(printf '%s' "$answer" | member message)"
umask 077
printf '%s\n' "$secret" >"$file"
echo "registered; its secret is in $file. In the source: nudge = { secret = \"file:$file\"; };"
