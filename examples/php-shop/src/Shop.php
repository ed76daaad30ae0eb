<?php

declare(strict_types=1);

/** Routes and rules. Whatever a request says is a wish or a claim; only the order book and the gateway count. */
class Shop
{
    /** The hosted page of a payment lives for 600 s; nobody is sent to one that is about to close. */
    private const PAGE_LIFE = 500;
    private const CLOSED = ['EXPIRED', 'CANCELLED', 'CANCELED', 'FAILED', 'REFUSED', 'DECLINED'];

    private readonly SharedFile $failures;

    public function __construct(
        protected readonly array $settings,
        protected readonly Orders $orders,
        protected readonly Gateway $gateway,
        protected readonly Log $log,
    ) {
        $this->failures = new SharedFile("{$settings['DATA_DIR']}/failures.json");
    }

    public function answer(string $method, string $path): Page
    {
        try {
            return match (true) {
                $method === 'POST' => $path === '/checkout' ? $this->checkout() : $this->notFound(),
                $path === '/' => $this->frontPage(),
                $path === '/health' => new Page(200, 'ok', ['Content-Type' => 'text/plain']),
                $path === '/cart' => $this->cart(),
                // By name and not by path, so that no address reaches another file.
                $path === '/static/shop.js' => $this->file('shop.js', 'text/javascript'),
                $path === '/static/shop.css' => $this->file('shop.css', 'text/css'),
                preg_match('~^/(return|cancel|orders)/(\d{1,20})$~D', $path, $match) === 1 => $this->order(...$match),
                default => $this->notFound(),
            };
        } catch (GatewayError $error) {
            return $this->gatewayFailed($error);
        } catch (Throwable $error) {
            return $this->crashed($error);
        }
    }

    protected function frontPage(): Page
    {
        $link = '/cart?order_id=' . random_int(100_000, 999_999_999) . '&amp;amount=5000.00&amp;currency=XAF';
        return Page::html(200, 'Coffee', "<p>One bag, 5,000.00 XAF. <a href=\"$link\">Put it into the cart</a></p>");
    }

    /** A shop with a catalogue looks the price up here; this one believes the address, to stay small. */
    protected function cart(): Page
    {
        $wish = $this->wish($_GET);
        if ($wish === null) {
            return Page::html(400, 'Your cart', '<p>This is not something that we sell.</p>');
        }
        $this->openSession();
        $_SESSION['csrf'] ??= bin2hex(random_bytes(16));
        session_write_close();
        $form = '';
        foreach (['csrf' => $_SESSION['csrf'], ...$wish] as $name => $value) {
            $form .= "<input type=\"hidden\" name=\"$name\" value=\"$value\">"; // all checked: nothing to escape
        }
        return Page::html(200, 'Your cart', "<p>Order {$wish['order_id']}: {$wish['amount']} {$wish['currency']}</p>
            <form method=\"post\" action=\"/checkout\">$form<button>Pay</button></form>");
    }

    protected function checkout(): Page
    {
        // Read and let go: PHP locks an open session, and one customer's tabs need not wait for each other.
        $this->openSession(['read_and_close' => true]);
        $csrf = $_SESSION['csrf'] ?? '';
        if ($csrf === '' || !hash_equals($csrf, self::text($_POST, 'csrf'))) {
            return Page::html(403, 'Please open your cart again', '<p>This form is too old. Nothing was charged.</p>');
        }
        $wish = $this->wish($_POST);
        if ($wish === null) {
            return Page::html(400, 'Your cart', '<p>This is not something that we sell.</p>');
        }
        return $this->oneAtATime($wish['order_id'], fn () => $this->pay(...array_values($wish)))
            ?? Page::html(409, 'One moment', '<p>A payment of this order is just being opened. Try again in a minute.</p>');
    }

    /** Two clicks must not become two payments: the second waits, then finds the payment that the first has opened. */
    protected function oneAtATime(string $id, callable $work): ?Page
    {
        return (new SharedFile("{$this->settings['DATA_DIR']}/locks/$id"))->alone(30, $work);
    }

    private function pay(string $id, string $amount, string $currency): Page
    {
        $order = $this->orders->open($id, $amount, $currency);
        if ($order['amount'] !== $amount || $order['currency'] !== $currency) {
            return Page::html(409, 'This order has changed', '<p>It was booked with another amount.</p>', $order);
        }
        $this->verify($order); // it may have been paid while the customer lost the way back
        $order = $this->orders->find($id);
        if ($this->isDone($order)) {
            return Page::html(409, 'Nothing to pay', '<p>We already have a payment for this order.</p>', $order);
        }
        $url = $this->reusablePage($order);
        if ($url === null) {
            [$token, $url] = $this->gateway->createPayment($order);
            if (!$this->orders->addPayment($id, $token, $url)) {
                throw new GatewayError("create: the payment given to order $id is not a new one", 200);
            }
            $this->failures->update(static fn (array &$failures) => $failures = []);
        }
        $this->orders->pending($id);
        return Page::redirect($url);
    }

    protected function isDone(array $order): bool
    {
        return $order['status'] === 'paid' || $order['status'] === 'held';
    }

    /** Whoever goes back and starts again gets the same hosted page, and that can be paid only once. */
    protected function reusablePage(array $order): ?string
    {
        return $this->orders->openPage($order['id'], self::PAGE_LIFE);
    }

    private function order(string $path, string $route, string $id): Page
    {
        $order = $this->orders->find($id);
        return $order === null ? $this->notFound() : match ($route) {
            'return' => $this->returned($order),
            'cancel' => $this->cancelled($order),
            'orders' => Page::html(200, 'Your order', "<p>Status: <span id=\"status\">{$order['status']}</span></p>
                <p>Shipments: <span id=\"shipments\">{$order['shipments']}</span></p>
                <p id=\"note\">{$order['note']}</p>", $order),
        };
    }

    /** The customer is back. The query tells how it went, but anybody can write a query: the gateway is asked. */
    protected function returned(array $order): Page
    {
        $verified = $this->verify($order);
        $order = $this->orders->find($order['id']);
        if ($order['status'] === 'paid') {
            return Page::html(200, 'Thank you', '<p>Your payment has arrived. The coffee is on its way.</p>', $order);
        }
        if ($order['status'] === 'held') {
            return Page::html(200, 'We are looking into it', '<p>Your payment does not fit the order. A colleague will
                contact you; please do not pay again.</p>', $order);
        }
        if (!$verified) {
            return Page::html(200, 'We are verifying your payment', '<p>Please reload this page in a minute. You need
                not pay again.</p>', $order);
        }
        if (self::text($_GET, 'type') === 'success') {
            $this->log->alert("order {$order['id']}: a return claims success, the gateway does not confirm it");
        }
        return Page::html(200, 'Not paid', '<p>The payment did not go through.</p>' . $this->tryAgain($order), $order);
    }

    protected function cancelled(array $order): Page
    {
        $verified = $this->verify($order); // another tab may have paid meanwhile
        $order = $this->orders->find($order['id']);
        if ($this->isDone($order)) {
            return $this->returned($order);
        }
        $verified && $this->orders->cancel($order['id']);
        return Page::html(200, 'Cancelled', '<p>The order is kept for you.</p>' . $this->tryAgain($order), $order);
    }

    /**
     * Asks the gateway about the order's own payments and books what it says. False when a question stayed unanswered;
     * the order then stays as it is, and the next visit asks again.
     */
    protected function verify(array $order): bool
    {
        foreach ($this->orders->unsettled($order['id']) as $payment) {
            try {
                $status = $this->gateway->paymentStatus($payment['token'], $order['id']);
                $this->book($order, $payment['token'], $this->judge($order, $status), $status);
            } catch (GatewayError $error) {
                if (!$error->unknownPayment) {
                    $this->log->alert("order {$order['id']}: verification failed, {$error->getMessage()}");
                    return false;
                }
                $this->orders->close($payment['token']); // the gateway has forgotten it: nobody can pay it any more
            }
        }
        return true;
    }

    /** One word for a believable answer about one payment: open, closed, paid, or what does not fit the order. */
    protected function judge(array $order, object $status): string
    {
        return match (true) {
            !$status->paid => in_array($status->status ?? '', self::CLOSED, true) ? 'closed' : 'open',
            $status->custom !== $order['id'] => 'another order',
            $status->currency !== $order['currency'] => 'currency differs',
            !$this->isEnough($order, $status) => 'amount differs',
            default => 'paid',
        };
    }

    protected function isEnough(array $order, object $status): bool
    {
        return Gateway::cents($status->amount) >= Gateway::cents($order['amount']);
    }

    private function book(array $order, string $token, string $word, object $status): void
    {
        $transaction = is_string($status->trx_id ?? null) ? $status->trx_id : null;
        match ($word) {
            'open', 'another order' => null,
            'closed' => $this->orders->close($token),
            'paid' => $word = $this->orders->settle($order['id'], $token, $transaction),
            default => $this->orders->hold($order['id'], $token, $word),
        };
        if (!in_array($word, ['open', 'closed', 'paid', 'known'], true)) {
            $this->log->alert("order {$order['id']}: payment $token needs a person, $word");
        }
    }

    /** The customer learns what to do and which number to name, never what the gateway or an exception said. */
    protected function gatewayFailed(GatewayError $error): Page
    {
        $count = $this->failures->update(static fn (array &$failures) => $failures[0] = ($failures[0] ?? 0) + 1);
        $this->log->write('WARNING', "checkout failed, $count in a row: {$error->getMessage()}");
        if ($count % 3 === 0) {
            $this->log->alert("$count payment errors in a row, the last one: {$error->getMessage()}");
        }
        $order = $this->orders->find(self::text($_POST, 'order_id'));
        return Page::html(503, 'Payment is not possible right now', '<p>Please try again in a few minutes.</p>'
            . ($order ? $this->tryAgain($order) : ''), $order);
    }

    protected function crashed(Throwable $error): Page
    {
        $this->log->alert(get_class($error) . " in {$error->getFile()}:{$error->getLine()}: {$error->getMessage()}");
        return Page::html(500, 'Something went wrong', '<p>It is our fault, and we know. Please try again later.</p>');
    }

    private function notFound(): Page
    {
        return Page::html(404, 'Not found', '<p>There is nothing here.</p>');
    }

    private function tryAgain(array $order): string
    {
        $query = "order_id={$order['id']}&amp;amount={$order['amount']}&amp;currency={$order['currency']}";
        return "<p><a href=\"/cart?$query\">Try again</a></p>";
    }

    private function file(string $name, string $type): Page
    {
        return new Page(200, (string) file_get_contents(__DIR__ . "/../static/$name"), ['Content-Type' => $type]);
    }

    protected function openSession(array $options = []): void
    {
        session_start($options + [
            'name' => 'shop',
            'save_path' => "{$this->settings['DATA_DIR']}/sessions",
            'use_strict_mode' => true,
            'cookie_httponly' => true,
            'cookie_samesite' => 'Lax',
            'cookie_secure' => ($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https', // behind the TLS proxy
        ]);
    }

    /** The order that a request asks for, amount with two decimals. Null when anything in it is malformed. */
    private function wish(array $from): ?array
    {
        $id = self::text($from, 'order_id');
        $amount = self::text($from, 'amount');
        $currency = self::text($from, 'currency');
        $cents = Gateway::cents($amount) ?? 0;
        if (!preg_match('/^\d{1,20}$/D', $id) || !preg_match('/^[A-Z]{3}$/D', $currency)
            || !preg_match('/^\d{1,9}(\.\d{1,2})?$/D', $amount) || $cents === 0) {
            return null;
        }
        $amount = sprintf('%d.%02d', intdiv($cents, 100), $cents % 100);
        return ['order_id' => $id, 'amount' => $amount, 'currency' => $currency];
    }

    /** A form field as text; a field that comes as a list is no text. */
    protected static function text(array $from, string $name): string
    {
        return is_string($from[$name] ?? null) ? $from[$name] : '';
    }
}
