#!/bin/sh
# Makes in the folder $1: a private CA (ca.pem) and certificates by it, each with its key:
# good (127.0.0.1), other (another name), client.
set -e
cd "$1"

new_key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"

openssl req -x509 $new_key -keyout ca.key -out ca.pem -days 2 -subj /CN=private-ca
issue() { # name, subjectAltName
	openssl req $new_key -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
	echo "subjectAltName=$2" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
		-extfile "$1.ext" -out "$1.pem"
}
issue good IP:127.0.0.1
issue other DNS:other.example
issue client DNS:client.example
