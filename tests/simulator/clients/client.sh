while read -r url seconds; do
    told=$(curl -sS --max-time "$seconds" -o /dev/null -w '%{http_code} %{size_download}' -H 'Content-Type: application/json' -d "$1" "$url" 2>&1)
    code=$?
    echo "$([ $code = 0 ] && echo ok || echo "error $code")" $told
done
