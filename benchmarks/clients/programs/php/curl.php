<?php
require __DIR__ . '/told.php';

tell('ext-curl, libcurl ' . curl_version()['version'], function (string $mode) {
    $curl = curl_init();
    return function (string $method, string $url, array $headers, string $body) use ($curl, $mode) {
        curl_setopt_array($curl, [CURLOPT_URL => $url, CURLOPT_HTTPHEADER => $headers, CURLOPT_RETURNTRANSFER => true]);
        if ($method === 'POST') {
            curl_setopt_array($curl, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => $body]);
        }
        if ($mode === 'set') {
            curl_setopt_array($curl, [CURLOPT_CONNECTTIMEOUT => 5, CURLOPT_TIMEOUT => 30]); // recommended
            curl_setopt($curl, CURLOPT_FRESH_CONNECT, true); // recommended
        }
        $read = curl_exec($curl);
        if ($read === false) {
            throw new RuntimeException('cURL error ' . curl_errno($curl) . ': ' . curl_error($curl));
        }
        return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $read];
    };
});
