/** Pages for people. Everything put into them has been validated: digits, decimal amounts, known currencies. */
const page = (title, body) => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title}</title>
  <link rel="stylesheet" href="/static/shop.css">
  <script src="/static/shop.js" defer></script>
</head>
<body>
  <h1>${title}</h1>
  ${body}
</body>
</html>
`;

const payButton = (text, { id, amount, currency }) =>
  `<button data-order="${id}" data-amount="${amount}" data-currency="${currency}">${text}</button>
  <p id="message" role="alert"></p>`;

export const frontPage = () =>
  page(
    "The basket shop",
    `<p>Hand-made baskets, 5,000 XAF each.</p>
  ${payButton("Buy a basket", { id: "", amount: "5000.00", currency: "XAF" })}`,
  );

export function returnPage(order) {
  if (order.status === "paid") return page("Thank you", `<p>Order ${order.id} is paid and on its way.</p>`);
  if (order.status === "held") {
    return page(
      "We are looking into it",
      `<p>Your payment for order ${order.id} needs a look by our staff. We will contact you.</p>`,
    );
  }
  return page(
    "We are verifying your payment",
    `<p id="waiting" data-order="${order.id}">This takes a few seconds for order ${order.id}.
  The page renews itself; you can also reload it.</p>
  <p>The payment did not work?</p>
  ${payButton("Try again", order)}`,
  );
}

export function cancelPage(order) {
  if (order.status === "paid" || order.status === "held") return returnPage(order);
  return page(
    "Payment cancelled",
    `<p>You have not paid order ${order.id}. Nothing is lost: you can pay it now.</p>
  ${payButton("Try again", order)}`,
  );
}

export const notFoundPage = () =>
  page("Not found", `<p>We do not know this page or order. <a href="/">Back to the shop</a></p>`);
