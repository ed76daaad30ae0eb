const ERRORS_BEFORE_ALERT = 3;

/** What operators see: one JSON line for each event on stdout, and alerts for what needs a person. */
export class Monitor {
  constructor({ alertUrl }) {
    this.alertUrl = alertUrl;
    this.errorsInRow = new Map(); // by operation: a status check that works says nothing about creating payments
  }

  log(level, event, fields = {}) {
    process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
  }

  succeeded(operation) {
    this.errorsInRow.set(operation, 0);
  }

  failed(operation, orderId, reason) {
    const errors = (this.errorsInRow.get(operation) ?? 0) + 1;
    this.errorsInRow.set(operation, errors);
    if (errors % ERRORS_BEFORE_ALERT === 0) {
      this.alert(`${errors} payment errors in a row (${operation}); the last one: order ${orderId}, ${reason}`);
    }
  }

  /** Tells people, in the background: a customer never waits for an alert, and a lost alert is still in the log. */
  alert(text) {
    this.log("ERROR", "alert", { text });
    if (!this.alertUrl) return;
    fetch(this.alertUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(10_000),
    })
      .then((response) => response.body?.cancel())
      .catch((error) => this.log("warn", "alert not delivered", { reason: error.cause?.code ?? error.name }));
  }
}
