<?php

declare(strict_types=1);

foreach (['SharedFile', 'Log', 'Gateway', 'Orders', 'Page', 'Shop'] as $class) {
    require __DIR__ . "/$class.php";
}

/** @throws DomainException that names everything missing, so that one look at the log is enough */
function settings(): array
{
    $settings = $missing = [];
    foreach (['PAY_BASE_URL', 'PAY_CLIENT_ID', 'PAY_SECRET_KEY', 'PUBLIC_URL', 'PORT', 'DATA_DIR'] as $name) {
        $settings[$name] = (string) getenv($name);
        $settings[$name] !== '' || $missing[] = $name;
    }
    if ($missing) {
        throw new DomainException('The shop does not start without ' . implode(', ', $missing) . ' in its environment');
    }
    if (!preg_match('~^(https://|http://(127\.0\.0\.1|localhost)[:/])~', $settings['PAY_BASE_URL'])) {
        throw new DomainException('PAY_BASE_URL must be an https address: the secret key travels to it');
    }
    if (!str_starts_with($settings['PUBLIC_URL'], 'https://')) {
        throw new DomainException('PUBLIC_URL must be an https address: customers come back to it');
    }
    return $settings + ['ALERT_WEBHOOK_URL' => (string) getenv('ALERT_WEBHOOK_URL'),
        'PAY_TOKEN_PER_PAYMENT' => (string) getenv('PAY_TOKEN_PER_PAYMENT')];
}

/** Answers the current request. $make can put other classes in place (defects.php does). */
function serve(array $make = []): void
{
    ini_set('display_errors', '0');
    ini_set('zend.exception_ignore_args', '1'); // a stack trace shows the first letters of arguments, also of secrets
    ignore_user_abort(true); // a payment that was opened gets into the book, even when the customer has left
    umask(0077);
    try {
        $settings = settings();
    } catch (DomainException $error) {
        error_log($error->getMessage());
        PHP_SAPI !== 'cli' || exit(1);
        http_response_code(503);
        echo 'The shop is not set up. Its log says what is missing.';
        return;
    }
    if (PHP_SAPI === 'cli') { // php index.php checks the settings; php -S itself starts whatever is missing
        return;
    }
    foreach (['', '/locks', '/logs', '/sessions'] as $folder) {
        @mkdir($settings['DATA_DIR'] . $folder, recursive: true); // silent: it is there, except on the first request
    }
    $log = new Log("{$settings['DATA_DIR']}/logs/payments.log", $settings['ALERT_WEBHOOK_URL']);
    $orders = ($make['orders'] ?? fn (string $file) => new Orders($file))("{$settings['DATA_DIR']}/orders.sqlite");
    $gateway = ($make['gateway'] ?? fn (...$parts) => new Gateway(...$parts))($settings, $log);
    $shop = ($make['shop'] ?? fn (...$parts) => new Shop(...$parts))($settings, $orders, $gateway, $log);

    $page = $shop->answer($_SERVER['REQUEST_METHOD'], (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
    http_response_code($page->status);
    foreach ($page->headers + ['Content-Length' => strlen($page->body), 'Cache-Control' => 'no-store'] as $name => $value) {
        header("$name: $value");
    }
    echo $page->body;
    while (ob_get_level() > 0) {
        ob_end_flush();
    }
    flush(); // the customer has the whole page; what follows takes nobody's time
    $log->deliverAlerts();
}
