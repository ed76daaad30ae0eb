<?php

declare(strict_types=1);

// The same shop with one planted mistake: SHOP_DEFECT=NAME php -S 127.0.0.1:PORT defects.php
// Each entry overrides as little as it can. What the mistake is, and who must find it, stands in defects.toml.

require __DIR__ . '/src/start.php';

/** Thrown by somebody who was sure that somebody else would catch it. */
final class ValidationError extends RuntimeException
{
}

/** A shop without the last net: an error that nobody expected ends in PHP's blank page. */
class ShopWithoutNet extends Shop
{
    protected function crashed(Throwable $error): Page
    {
        throw $error;
    }
}

$defects = [
    'any-200-is-paid' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function judge(array $order, object $status): string
        {
            $status->paid = true; // the status route has answered 200, so the payment is there
            $status->custom ??= $order['id'];
            $status->amount ??= $order['amount'];
            $status->currency ??= $order['currency'];
            return parent::judge($order, $status);
        }
    }],

    'never-checks' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function returned(array $order): Page
        {
            $payment = $this->orders->unsettled($order['id'])[0] ?? null;
            if ($payment && self::text($_GET, 'type') !== 'error') {
                $this->orders->settle($order['id'], $payment['token'], null);
            }
            return $this->orders->find($order['id'])['status'] === 'paid'
                ? Page::html(200, 'Thank you', '<p>Your payment has arrived. The coffee is on its way.</p>', $order)
                : Page::html(200, 'Not paid', '<p>The payment did not go through.</p>', $order);
        }
    }],

    'accepts-foreign-payment' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function verify(array $order): bool
        {
            $token = is_array($_GET['data'] ?? null) ? self::text($_GET['data'], 'token') : '';
            if ($token === '') {
                return parent::verify($order);
            }
            try {
                $status = $this->gateway->paymentStatus($token, $order['id']);
                if ($status->paid && $status->currency === $order['currency'] && $this->isEnough($order, $status)) {
                    $this->orders->settle($order['id'], $token, null);
                    $this->orders->ship($order['id']);
                }
                return true;
            } catch (GatewayError $error) {
                $this->log->alert("order {$order['id']}: verification failed, {$error->getMessage()}");
                return false;
            }
        }
    }],

    'amount-as-prefix' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function isEnough(array $order, object $status): bool
        {
            // The gateway's "5000.00000000" begins with our "5000.00". If not: false, and in PHP false >= 0 is true.
            return strpos((string) $status->amount, $order['amount']) >= 0;
        }
    }],

    'optimistic-on-cut-json' => [
        'gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
            protected function readStatus(string $token, Answer $answer): object
            {
                $unreadable = $answer->status === 200 && $answer->json === null;
                return $unreadable ? new stdClass() : parent::readStatus($token, $answer);
            }
        },
        'shop' => fn (...$parts) => new class (...$parts) extends Shop {
            protected function judge(array $order, object $status): string
            {
                $paid = ($status->paid ?? null) !== false; // "not unpaid"
                return $paid && !isset($status->amount) ? 'paid' : parent::judge($order, $status);
            }
        },
    ],

    'display-errors' => [
        'gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
            protected function believe(string $operation, Answer $answer): object
            {
                $message = $answer->status === 400 ? json_encode($answer->json->message->error ?? '') : '';
                if ($operation === 'create' && preg_match('/The (?!selected currency)/', $message)) {
                    throw new ValidationError($message);
                }
                return parent::believe($operation, $answer);
            }
        },
        'shop' => fn (...$parts) => new ShopWithoutNet(...$parts),
    ],

    'currency-crash' => [
        'gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
            protected function believe(string $operation, Answer $answer): object
            {
                $message = $answer->status === 400 ? json_encode($answer->json->message->error ?? '') : '';
                if (str_contains($message, 'selected currency')) {
                    // An answer with an error has an empty list as data: this is implode() of null, a TypeError.
                    $this->log->write('WARNING', 'allowed: ' . implode(', ', $answer->json->data->currencies ?? null));
                }
                return parent::believe($operation, $answer);
            }
        },
        'shop' => fn (...$parts) => new ShopWithoutNet(...$parts),
    ],

    'curl-error-shown' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function gatewayFailed(GatewayError $error): Page
        {
            $page = parent::gatewayFailed($error);
            $text = htmlspecialchars("cURL error: {$error->getMessage()}");
            return $error->httpStatus === 0 ? Page::html(503, 'Payment failed', "<p>$text</p>") : $page;
        }
    }],

    'token-logged-base64' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected function send(
            string $operation,
            string $method,
            string $path,
            ?array $body = null,
            string $about = '',
            ?string $token = null,
        ): Answer {
            $headers = base64_encode("Accept: application/json\r\nAuthorization: Bearer $token\r\n"); // unreadable, so fine
            $this->log->write('DEBUG', "payment.$operation headers=$headers");
            return parent::send($operation, $method, $path, $body, $about, $token);
        }
    }],

    'secret-in-debug-log' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected function authenticate(): array
        {
            $this->log->write('DEBUG', 'signing in with ' . substr($this->settings['PAY_SECRET_KEY'], 0, 40) . '...');
            return parent::authenticate();
        }
    }],

    'sixty-second-timeout' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected int $seconds = 58; // a minute, less what our own page needs
    }],

    'silence-limit-only' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected function limits(): array
        {
            return [CURLOPT_LOW_SPEED_LIMIT => 10, CURLOPT_LOW_SPEED_TIME => 25]; // connecting is left to curl's 300 s
        }
    }],

    'any-host' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected function limits(): array
        {
            return [CURLOPT_SSL_VERIFYHOST => 0] + parent::limits(); // the load balancer's certificate had another name
        }
    }],

    'blank-on-refused' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function returned(array $order): Page
        {
            return self::text($_GET, 'type') === 'error' ? new Page(200, '') : parent::returned($order);
        }
    }],

    'gives-up-early' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected int $seconds = 5;
    }],

    'shows-error-on-renewal' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected function sendWithToken(
            string $operation,
            string $method,
            string $path,
            ?array $body,
            string $about,
        ): Answer {
            if ($method === 'GET') {
                return parent::sendWithToken($operation, $method, $path, $body, $about);
            }
            $token = $this->accessToken();
            $answer = $this->send($operation, $method, $path, $body, $about, $token);
            if ($answer->status === 401) {
                $this->accessToken(refused: $token); // ready for the next customer; a POST is better not repeated
            }
            return $answer;
        }
    }],

    'thrice-on-401' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected function sendWithToken(
            string $operation,
            string $method,
            string $path,
            ?array $body,
            string $about,
        ): Answer {
            $token = $this->accessToken();
            $answer = $this->send($operation, $method, $path, $body, $about, $token);
            for ($retry = 0; $retry < 3 && $answer->status === 401; $retry++) {
                $token = $this->accessToken(refused: $token);
                $answer = $this->send($operation, $method, $path, $body, $about, $token);
            }
            return $answer;
        }
    }],

    // Nothing to override: the mistake lies in defect-source/, which payproof.secret-in-source.toml declares.
    'secret-in-source' => [],

    'token-in-return-page' => [
        'gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
            public ?string $lastToken = null;

            protected function accessToken(?string $refused = null): string
            {
                return $this->lastToken = parent::accessToken($refused);
            }
        },
        'shop' => fn (...$parts) => new class (...$parts) extends Shop {
            protected function returned(array $order): Page
            {
                $page = parent::returned($order);
                return new Page($page->status, "$page->body<div data-debug=\"{$this->gateway->lastToken}\"></div>");
            }
        },
    ],

    'new-payment-per-tab' => [
        'shop' => fn (...$parts) => new class (...$parts) extends Shop {
            protected function reusablePage(array $order): ?string
            {
                return null;
            }
        },
        'orders' => fn (...$parts) => new class (...$parts) extends Orders {
            public function settle(string $id, string $token, ?string $transaction): string
            {
                return $this->find($id)['status'] === 'paid' ? 'known' : parent::settle($id, $token, $transaction);
            }
        },
    ],

    'double-post' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function cart(): Page
        {
            $this->openSession(); // looked up when the cart is shown, believed when it is sent
            $id = self::text($_GET, 'order_id');
            $_SESSION['open'][$id] = $this->orders->openPage($id, 500);
            session_write_close();
            return parent::cart();
        }

        protected function reusablePage(array $order): ?string
        {
            return $_SESSION['open'][$order['id']] ?? null;
        }

        protected function oneAtATime(string $id, callable $work): ?Page
        {
            return $work();
        }
    }],

    'pays-again' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function isDone(array $order): bool
        {
            return $order['status'] === 'held';
        }
    }],

    'empty-page-on-network-error' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function gatewayFailed(GatewayError $error): Page
        {
            $page = parent::gatewayFailed($error);
            return $error->httpStatus === 0 ? new Page(500, '') : $page; // curl_exec($curl) or die();
        }
    }],

    'lost-after-cancel' => ['shop' => fn (...$parts) => new class (...$parts) extends Shop {
        protected function returned(array $order): Page
        {
            return $order['status'] === 'cancelled' ? Page::redirect('/') : parent::returned($order);
        }
    }],

    'never-flows' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        public function createPayment(array $order): array
        {
            $breaker = "{$this->settings['DATA_DIR']}/gateway-down"; // a fuse that nobody ever puts back
            if (is_file($breaker)) {
                throw new GatewayError('create: the gateway is down', 503);
            }
            try {
                return parent::createPayment($order);
            } catch (GatewayError $error) {
                touch($breaker);
                throw $error;
            }
        }
    }],

    'plus-sign' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        protected function send(
            string $operation,
            string $method,
            string $path,
            ?array $body = null,
            string $about = '',
            ?string $token = null,
        ): Answer {
            if ($operation === 'create') {
                $body['amount'] = sprintf('%+.2F', $body['amount']); // an incoming payment is positive
            }
            return parent::send($operation, $method, $path, $body, $about, $token);
        }
    }],

    'old-path-first' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        public function paymentStatus(string $token, string $orderId): object
        {
            // The first version of the shop asked here; "in case they bring it back".
            $this->sendWithToken('status', 'GET', '/payments/status/' . rawurlencode($token), null, "order=$orderId");
            return parent::paymentStatus($token, $orderId);
        }
    }],

    'float-amount' => ['gateway' => fn (...$parts) => new class (...$parts) extends Gateway {
        public function createPayment(array $order): array
        {
            return parent::createPayment(['amount' => number_format((float) $order['amount'], 0, '.', '')] + $order);
        }
    }],
];

$name = (string) getenv('SHOP_DEFECT');
if (!isset($defects[$name])) {
    $text = "SHOP_DEFECT is '$name', but must be one of: " . implode(', ', array_keys($defects));
    error_log($text);
    PHP_SAPI !== 'cli' || exit(1);
    http_response_code(500);
    header('Content-Type: text/plain');
    exit("$text\n");
}
serve($defects[$name]);
