<?php

declare(strict_types=1);

/** There is no answer that can be believed. The message is for the log, never for a customer. */
class GatewayError extends RuntimeException
{
    /** @param int $httpStatus 0 when there was no answer at all */
    public function __construct(
        string $message,
        public readonly int $httpStatus = 0,
        public readonly bool $unknownPayment = false,
    ) {
        parent::__construct($message);
    }
}

final class Answer
{
    public readonly mixed $json;

    public function __construct(public readonly int $status, public readonly string $body)
    {
        $this->json = json_decode($body, false, 16); // as objects, so that {} and [] stay different
    }
}

/** The gateway's v1 token API: three calls, one cached access token, and no belief in anything unexpected. */
class Gateway
{
    /** For connecting and the whole answer together: below the 30 s that the gateway asks clients to wait at most. */
    protected int $seconds = 27;

    private const LONGEST_BODY = 65536;
    private const RENEW_EARLY = 30; // seconds: a token must not die on its way to the gateway
    private const LOGGED = ['token' => 0, 'trx_id' => 0, 'status' => 0, 'paid' => 0, 'amount' => 0, 'currency' => 0];

    private readonly SharedFile $cache;
    private readonly SharedFile $waits;

    public function __construct(protected readonly array $settings, protected readonly Log $log)
    {
        $this->cache = new SharedFile("{$settings['DATA_DIR']}/token.json");
        $this->waits = new SharedFile("{$settings['DATA_DIR']}/waits.json");
    }

    /** @return array{string, string} the payment's token and the address of its hosted page */
    public function createPayment(array $order): array
    {
        $data = $this->believe('create', $this->sendWithToken('create', 'POST', '/payment/create', [
            'amount' => $order['amount'], // text: a float would one day be off by a cent
            'currency' => $order['currency'],
            'return_url' => "{$this->settings['PUBLIC_URL']}/return/{$order['id']}",
            'cancel_url' => "{$this->settings['PUBLIC_URL']}/cancel/{$order['id']}",
            'custom' => $order['id'],
        ], "order={$order['id']} amount={$order['amount']} currency={$order['currency']}"));
        $url = $data->payment_url ?? null;
        if (!self::isWord($data->token ?? null) || !self::isWord($url) || !preg_match('~^https?://~', $url)) {
            throw new GatewayError('create: the answer has no usable token or payment_url', 200);
        }
        return [$data->token, $url];
    }

    /** What the gateway says of one payment: token, paid, status, and for a paid one amount, currency and custom. */
    public function paymentStatus(string $token, string $orderId): object
    {
        $path = '/payment/status/' . rawurlencode($token);
        return $this->readStatus($token, $this->sendWithToken('status', 'GET', $path, null, "order=$orderId"));
    }

    protected function readStatus(string $token, Answer $answer): object
    {
        $data = $this->believe('status', $answer);
        if (($data->token ?? null) !== $token) {
            throw new GatewayError('status: the answer is about another payment', 200);
        }
        $complete = is_bool($data->paid ?? null) && is_string($data->status ?? '');
        if ($complete && $data->paid) {
            $complete = is_string($data->custom ?? null) && is_string($data->currency ?? null)
                && self::cents($data->amount ?? null) !== null;
        }
        return $complete ? $data : throw new GatewayError('status: something is missing or has a wrong type', 200);
    }

    /** An amount as a whole number of hundredths, because floats cannot be compared. Null for anything else. */
    public static function cents(mixed $amount): ?int
    {
        $text = is_int($amount) || is_float($amount) ? number_format((float) $amount, 8, '.', '') : $amount;
        if (!is_string($text) || !preg_match('/^(\d{1,12})(?:\.(\d{1,12}))?$/D', $text, $part)) {
            return null;
        }
        return (int) $part[1] * 100 + (int) substr(str_pad($part[2] ?? '', 2, '0'), 0, 2);
    }

    protected function sendWithToken(string $operation, string $method, string $path, ?array $body, string $about): Answer
    {
        $token = $this->accessToken();
        $answer = $this->send($operation, $method, $path, $body, $about, $token);
        if ($answer->status === 401) { // once: a second 401 is not cured by a third token
            $token = $this->accessToken(refused: $token);
            $answer = $this->send($operation, $method, $path, $body, $about, $token);
        }
        if ($answer->status === 403) { // does not call for a second try, but the next customer gets a fresh token
            $this->cache->update(static fn (array &$cache) => ($cache['token'] ?? '') === $token ? $cache = [] : null);
        }
        return $answer;
    }

    /**
     * The cached token, or a new one when it is too old or is the very token that was refused. All processes share the
     * cache, and one renews while the others wait: ten checkouts on an expired token cause one token call.
     */
    protected function accessToken(#[SensitiveParameter] ?string $refused = null): string
    {
        if ($this->settings['PAY_TOKEN_PER_PAYMENT'] === '1') {
            return $this->authenticate()[0]; // on gateways where the token is the payment, sharing one mixes customers up
        }
        $asked = microtime(true);
        return $this->cache->update(function (array &$cache) use ($refused, $asked): string {
            // A token that was bought with replaced credentials must not outlive them.
            $owner = hash('sha256', "{$this->settings['PAY_CLIENT_ID']} {$this->settings['PAY_SECRET_KEY']}");
            if (($cache['owner'] ?? '') === $owner && $cache['until'] > time() && $cache['token'] !== $refused) {
                return $cache['token'];
            }
            if (($cache['failed'] ?? 0) > $asked) { // while we waited: do not queue up for one time-out after the other
                throw new GatewayError('token: another request has just failed to get one');
            }
            $cache = [];
            try {
                [$token, $life] = $this->authenticate();
            } catch (GatewayError $error) {
                $cache['failed'] = microtime(true);
                throw $error;
            }
            $cache = ['owner' => $owner, 'token' => $token, 'until' => time() + $life - self::RENEW_EARLY];
            return $token;
        });
    }

    /** @return array{string, int} an access token and its life in seconds */
    protected function authenticate(): array
    {
        $data = $this->believe('token', $this->send('token', 'POST', '/authentication/token', [
            'client_id' => $this->settings['PAY_CLIENT_ID'],
            'secret_id' => $this->settings['PAY_SECRET_KEY'],
        ]));
        $life = $data->expire_time ?? null;
        if (!self::isWord($data->access_token ?? null) || !is_int($life) || $life <= 0) {
            throw new GatewayError('token: the answer has no usable access_token or expire_time', 200);
        }
        return [$data->access_token, $life];
    }

    /** Without its own limit connecting may take 300 s; the other one is for the whole call, the last byte of the answer included. */
    protected function limits(): array
    {
        return [CURLOPT_CONNECTTIMEOUT => 10, CURLOPT_TIMEOUT => $this->seconds];
    }

    /** One HTTP call and its line in the log. Redirects are not followed, certificates are verified: curl's defaults. */
    protected function send(
        string $operation,
        string $method,
        string $path,
        #[SensitiveParameter] ?array $body = null,
        string $about = '',
        #[SensitiveParameter] ?string $token = null,
    ): Answer {
        if ($this->waits->update(static fn (array &$waits) => $waits[$operation] ?? 0) > microtime(true)) {
            throw new GatewayError("$operation: the gateway has asked us to wait", 429);
        }
        $text = '';
        $curl = curl_init($this->settings['PAY_BASE_URL'] . $path);
        curl_setopt_array($curl, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTPHEADER => ['Accept: application/json', 'Content-Type: application/json',
                ...($token === null ? [] : ["Authorization: Bearer $token"])],
            CURLOPT_WRITEFUNCTION => static function (CurlHandle $curl, string $part) use (&$text): int {
                $text .= $part;
                return strlen($text) > self::LONGEST_BODY ? 0 : strlen($part); // 0 makes curl stop
            },
        ] + $this->limits());
        if ($body !== null) {
            curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
        }
        if (!curl_exec($curl)) {
            $this->log->write('WARNING', "payment.$operation $about http=none outcome=" . curl_error($curl));
            throw new GatewayError("$operation: " . curl_error($curl));
        }
        $answer = new Answer(curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $text);
        $this->log->write($answer->status === 200 ? 'INFO' : 'WARNING',
            "payment.$operation $about http=$answer->status {$this->outcome($answer)}");
        if ($answer->status === 429) {
            $until = microtime(true) + min(max(curl_getinfo($curl, CURLINFO_RETRY_AFTER), 1), 3600);
            $this->waits->update(static fn (array &$waits) => $waits[$operation] = $until);
        }
        return $answer;
    }

    /** The data of an answer that looks in every respect like a success. */
    protected function believe(string $operation, Answer $answer): object
    {
        $type = is_object($answer->json) ? $answer->json->type ?? null : null;
        if ($answer->status === 200 && $type === 'success' && is_object($answer->json->data ?? null)) {
            return $answer->json->data;
        }
        $unknown = $operation === 'status' && $answer->status === 404 && $type === 'error';
        throw new GatewayError("$operation: HTTP $answer->status, not a success that we know", $answer->status, $unknown);
    }

    /** What belongs into the log. Fields are picked by name, because the answer to a token call holds a secret. */
    private function outcome(Answer $answer): string
    {
        if (!is_object($answer->json)) {
            return 'outcome=not-json bytes=' . strlen($answer->body);
        }
        $known = array_intersect_key((array) ($answer->json->data ?? []), self::LOGGED);
        $errors = $answer->status === 200 ? '' : ' message=' . json_encode($answer->json->message ?? null);
        $outcome = json_encode($answer->json->type ?? null) . ' ' . json_encode($known) . substr($errors, 0, 300);
        $secrets = [$this->settings['PAY_CLIENT_ID'], $this->settings['PAY_SECRET_KEY']];
        return 'outcome=' . str_replace($secrets, '***', $outcome); // should the gateway ever repeat them
    }

    private static function isWord(mixed $value): bool
    {
        return is_string($value) && preg_match('/^[\x21-\x7e]{1,4096}$/D', $value) === 1;
    }
}
