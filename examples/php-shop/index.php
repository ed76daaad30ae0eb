<?php

declare(strict_types=1);

// Front controller: PHP's own server sends every request here.
require __DIR__ . '/src/start.php';

serve();
