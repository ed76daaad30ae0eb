"""How an integration is used: start a checkout, ask for an order's state."""
