"""What pages, logs, forms, addresses and texts of libraries say: read within bounds, judged nowhere."""
