<?php
// What every client of PHP has in common: reads the command line, calls, tells.

/** $connect(mode) gives a call(method, url, headers, body) -> [status, body of the answer]. */
function tell(string $version, callable $connect): void
{
    global $argv;
    if ($argv[1] === '--version') {
        echo $version, ', PHP ', PHP_VERSION, "\n";
        return;
    }
    [, $url, $method, $mode, $calls, $token, $body] = $argv;
    $headers = ["Authorization: Bearer $token"];
    if ($body !== '') {
        $headers[] = 'Content-Type: application/json';
    }
    $call = $connect($mode);
    for ($made = 0; $made < (int) $calls; $made++) {
        usleep($made ? 100_000 : 0);
        $began = microtime(true);
        $told = outcome(fn () => $call($method, $url, $headers, $body));
        echo json_encode($told + ['seconds' => round(microtime(true) - $began, 2)]), "\n";
    }
    stream_get_contents(STDIN);
}

function outcome(callable $call): array
{
    try {
        [$status, $body] = $call();
        return ['outcome' => 'answer', 'status' => $status, 'bytes' => strlen($body)];
    } catch (Throwable $error) {
        return ['outcome' => 'error', 'error' => substr(get_class($error) . ': ' . $error->getMessage(), 0, 200)];
    }
}
