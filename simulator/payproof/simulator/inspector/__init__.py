"""The inspector: a page on the control port that shows payments and calls as they happen, and has the gateway's switches on it."""
