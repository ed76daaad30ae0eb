<?php

declare(strict_types=1);

final class Page
{
    public function __construct(
        public readonly int $status,
        public readonly string $body,
        public readonly array $headers = ['Content-Type' => 'text/html; charset=utf-8'],
    ) {
    }

    /** @param ?array $order named below the text, so that the customer has something to refer to */
    public static function html(int $status, string $title, string $html, ?array $order = null): self
    {
        $reference = $order ? "<p>Order {$order['id']}, {$order['amount']} {$order['currency']}</p>" : '';
        return new self($status, <<<HTML
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><title>$title</title>
            <link rel="stylesheet" href="/static/shop.css"><script src="/static/shop.js" defer></script>
            <h1>$title</h1>
            $html
            $reference

            HTML);
    }

    public static function redirect(string $url): self
    {
        return new self(303, '', ['Location' => $url]);
    }
}
