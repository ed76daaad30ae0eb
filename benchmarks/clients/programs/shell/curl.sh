#!/bin/sh
# curl, the command. One process makes all calls, so that it can keep its connection.
if [ "$1" = "--version" ]; then
    curl --version | sed -n '1s/^\(curl [^ ]*\).*/\1/p'
    exit
fi
limits=
url=$1 method=$2 mode=$3 calls=$4 token=$5 body=$6
told='{"outcome": "%{exitcode}", "status": %{response_code}, "bytes": %{size_download}, "seconds": %{time_total}, "error": "%{errormsg}"}\n'
set -- --silent --no-buffer --header "Authorization: Bearer $token" --write-out "$told"
if [ "$mode" = set ]; then
    limits='--connect-timeout 5 --max-time 30' # recommended
fi
if [ "$method" = POST ]; then
    set -- "$@" --header "Content-Type: application/json" --data "$body"
fi
while [ "$calls" -gt 0 ]; do
    set -- "$@" --output /dev/null "$url"
    calls=$((calls - 1))
done
curl $limits "$@" | sed -u -e 's/"outcome": "0"/"outcome": "answer"/' -e 's/"outcome": "[0-9]*"/"outcome": "error"/' -e 's/"status": 0*\([0-9]\)/"status": \1/'
