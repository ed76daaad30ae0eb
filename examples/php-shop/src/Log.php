<?php

declare(strict_types=1);

/** Writes to stderr and to a file. A line of level ERROR is an alert: somebody should be woken by it. */
final class Log
{
    private array $alerts = [];

    public function __construct(private readonly string $file, private readonly string $webhook)
    {
    }

    public function write(string $level, string $text): void
    {
        // Parts of a line come from outside: a line break in them must not forge a second line.
        $line = $level . ' ' . preg_replace('/[\x00-\x1f\x7f]+/', ' ', $text);
        error_log($line);
        file_put_contents($this->file, date(DATE_ATOM) . " $line\n", FILE_APPEND | LOCK_EX);
    }

    public function alert(string $text): void
    {
        $this->write('ERROR', $text);
        $this->alerts[] = $text;
    }

    /** Called when the customer already has the page, so that a slow alert service delays nobody. */
    public function deliverAlerts(): void
    {
        foreach ($this->webhook === '' ? [] : $this->alerts as $text) {
            $curl = curl_init($this->webhook);
            curl_setopt_array($curl, [
                CURLOPT_POSTFIELDS => json_encode(['text' => $text]),
                CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
                CURLOPT_RETURNTRANSFER => true,
                CURLOPT_TIMEOUT => 2,
            ]);
            curl_exec($curl) !== false || $this->write('WARNING', 'alert not delivered: ' . curl_error($curl));
        }
    }
}
