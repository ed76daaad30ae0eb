"""Finding out how an integration is started, paid at and read: what `payproof init` proposes."""
