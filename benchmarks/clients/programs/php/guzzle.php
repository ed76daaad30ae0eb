<?php
// Installed by Composer beside this script, or by the system's own packages.
$beside = (getenv('CLIENTS_INSTALLED') ?: '') . '/php/vendor/autoload.php';
require is_file($beside) ? $beside : 'GuzzleHttp/autoload.php';
require __DIR__ . '/told.php';

use Composer\InstalledVersions;
use GuzzleHttp\Client;
use GuzzleHttp\ClientInterface;

function version(): string
{
    $known = class_exists(InstalledVersions::class) && InstalledVersions::isInstalled('guzzlehttp/guzzle');
    $packaged = $known ? '' : shell_exec("dpkg-query -W -f='\${Version}' php-guzzlehttp-guzzle 2>/dev/null");
    return $known ? InstalledVersions::getPrettyVersion('guzzlehttp/guzzle') : ($packaged ?: (string) ClientInterface::MAJOR_VERSION);
}

tell('Guzzle ' . version(), function (string $mode) {
    $client = new Client();
    if ($mode === 'set') {
        $once = [CURLOPT_FRESH_CONNECT => true]; // recommended
        $client = new Client(['connect_timeout' => 5, 'timeout' => 30, 'curl' => $once]); // recommended
    }
    return function (string $method, string $url, array $headers, string $body) use ($client) {
        $named = [];
        foreach ($headers as $header) {
            [$name, $value] = explode(': ', $header, 2);
            $named[$name] = $value;
        }
        $answer = $client->request($method, $url, ['headers' => $named] + ($body === '' ? [] : ['body' => $body]));
        return [$answer->getStatusCode(), (string) $answer->getBody()];
    };
});
