"""The gateway's books: merchants, access tokens, payments, and the ledger of every change."""
