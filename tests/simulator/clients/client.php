<?php
while (($line = fgets(STDIN)) !== false) {
    [$url, $seconds] = explode(" ", trim($line));
    $size = 0;
    $handle = curl_init($url);
    curl_setopt_array($handle, [
        CURLOPT_POSTFIELDS => $argv[1],
        CURLOPT_HTTPHEADER => ["Content-Type: application/json", "Expect:"],
        CURLOPT_TIMEOUT_MS => (int) (1000 * $seconds),
        CURLOPT_NOSIGNAL => true,
        CURLOPT_WRITEFUNCTION => function ($handle, $part) use (&$size) {
            $size += strlen($part);
            return $size < 1000000 ? strlen($part) : 0;
        },
    ]);
    $went = curl_exec($handle) || $size >= 1000000;
    $status = curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
    echo $went ? "ok $status " . min($size, 1000000) : "error " . curl_errno($handle) . " " . curl_error($handle), "\n";
    curl_close($handle);
}
