<?php

declare(strict_types=1);

/** A few values that all worker processes share: PHP forgets its variables after each request. */
final class SharedFile
{
    public function __construct(private readonly string $path)
    {
    }

    /** Lets $change work on the stored values while all others wait. What it leaves is kept, also when it throws. */
    public function update(callable $change): mixed
    {
        $file = fopen($this->path, 'c+');
        flock($file, LOCK_EX);
        $values = json_decode((string) stream_get_contents($file), true) ?? []; // a broken file counts as an empty one
        try {
            return $change($values);
        } finally {
            rewind($file);
            ftruncate($file, 0);
            fwrite($file, (string) json_encode($values));
            fclose($file); // gives the lock back
        }
    }

    /** Runs $work while no other process does. Null when the turn does not come within $seconds. */
    public function alone(int $seconds, callable $work): mixed
    {
        $file = fopen($this->path, 'c');
        $end = microtime(true) + $seconds;
        while (!flock($file, LOCK_EX | LOCK_NB)) {
            if (microtime(true) > $end) {
                return null;
            }
            usleep(20_000);
        }
        return $work(); // PHP closes the file at the end of this function, and closing gives the lock back
    }
}
