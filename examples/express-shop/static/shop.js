// The browser only ever learns the address of the gateway's page. Credentials and tokens stay on the server.
async function pay(button) {
  const { order, amount, currency } = button.dataset;
  const message = document.getElementById("message");
  button.disabled = true;
  button.dataset.order = order || String(Date.now()); // a click after an error pays the same order, not a new one
  try {
    const response = await fetch("/checkout", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ order_id: button.dataset.order, amount, currency }),
    });
    const answer = await response.json();
    if (response.ok) location.assign(answer.payment_url);
    else message.textContent = `${answer.error} (order ${answer.reference})`;
  } catch {
    message.textContent = "We cannot be reached at the moment. Please try again.";
  }
  button.disabled = false;
}

for (const button of document.querySelectorAll("button[data-order]")) {
  button.addEventListener("click", () => pay(button));
}

const waiting = document.getElementById("waiting");
if (waiting) {
  const timer = setInterval(async () => {
    const order = await fetch(`/orders/${waiting.dataset.order}`).then((response) => response.json()).catch(() => ({}));
    if (order.status === "paid" || order.status === "held") {
      clearInterval(timer);
      location.reload();
    }
  }, 2000);
}
