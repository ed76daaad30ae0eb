<?php
require __DIR__ . '/told.php';

/** Reads as it comes and looks at the clock between two reads. */
function limited(string $url, array $asked): array
{
    $ends = microtime(true) + 30; // clock
    $stream = @fopen($url, 'rb', false, stream_context_create(['http' => $asked + ['timeout' => 15]])); // clock
    if ($stream === false) {
        throw new RuntimeException(error_get_last()['message']);
    }
    $read = '';
    while (!feof($stream)) { // clock
        $read .= fread($stream, 65536); // clock
        if (microtime(true) > $ends || stream_get_meta_data($stream)['timed_out']) { // clock
            throw new RuntimeException('the whole call took more than 30 s'); // clock
        } // clock
    } // clock
    return [status(stream_get_meta_data($stream)['wrapper_data']), $read];
}

function status(array $headers): int
{
    $lines = array_values(array_filter($headers, fn ($line) => str_starts_with($line, 'HTTP/')));
    return (int) explode(' ', end($lines))[1];
}

tell('file_get_contents', fn (string $mode) => function (string $method, string $url, array $headers, string $body) use ($mode) {
    $asked = ['method' => $method, 'header' => $headers, 'content' => $body];
    if ($mode === 'clock') {
        return limited($url, $asked);
    }
    if ($mode === 'set') {
        $asked += ['timeout' => 30]; // recommended
    }
    $read = @file_get_contents($url, false, stream_context_create(['http' => $asked])); // recommended
    if ($read === false) {
        throw new RuntimeException(error_get_last()['message']);
    }
    return [status($http_response_header), $read];
});
