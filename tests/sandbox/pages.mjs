// The HTML of the hosted pages. Every address in a form or a link is absolute.

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#039;' };
export const escape = (text) => String(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);

const STYLE = `
      body { margin: 0; font: 16px/1.5 "Open Sans", Arial, sans-serif; background: #f4f6fb; color: #2b3040; }
      .card { max-width: 420px; margin: 8vh auto; padding: 32px; background: #fff; border-radius: 10px; }
      label { display: block; margin-top: 14px; }
      .form--control { width: 100%; box-sizing: border-box; padding: 10px; }
      .code { width: 2.5em; text-align: center; }
      .btn--base { margin-top: 20px; padding: 10px 26px; border: 0; background: #4a3aff; color: #fff; }
      .invalid-feedback { color: #c0392b; }`;

const layout = (title, content, head = '') => `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">${head}
    <title>${escape(title)}</title>
    <style>${STYLE}
    </style>
  </head>
  <body>
    <div class="card">
${content}
    </div>
  </body>
</html>
`;

const csrfMeta = (csrf) => `
    <meta name="csrf-token" content="${csrf}">`;

const complaint = (text) =>
  text ? `
        <span class="invalid-feedback" role="alert"><strong>${escape(text)}</strong></span>` : '';

const summary = (order) => `
      <p class="summary">Payment of <strong class="amount">${escape(order.amount)} ${escape(order.currency)}</strong></p>`;

export const loginPage = ({ action, csrf, order, error, email }) =>
  layout('Pay - Login', `      <h3 class="title">Login to continue your payment</h3>${summary(order)}
      <form class="account-form" action="${escape(action)}" method="POST">
        <input type="hidden" name="_token" value="${csrf}">
        <label for="email">Email</label>
        <input type="email" class="form--control" id="email" name="email" value="${escape(email ?? '')}" required>${complaint(error)}
        <label for="password">Password</label>
        <input type="password" class="form--control" id="password" name="password" required autocomplete="off">
        <button type="submit" class="btn--base">Login Now</button>
      </form>`, csrfMeta(csrf));

const TYPE_LABELS = { WALLET: 'Wallet', 'VIRTUAL-CARD': 'Virtual Card', 'MASTER-CARD': 'Master Card' };
export const TRX_TYPES = Object.keys(TYPE_LABELS);

const typeChoice = (type, index) => `
        <label><input type="radio" name="trx_type" value="${type}"${index === 0 ? ' checked' : ''}> ${TYPE_LABELS[type]}</label>`;

export const confirmPage = ({ action, csrf, order, cancelLink, error }) =>
  layout('Pay - Confirm', `      <h3 class="title">Confirm your payment</h3>${summary(order)}
      <ul class="payer">
        <li>Payer: <span>Test User</span></li>
        <li>Balance: <span>1000.00 ${escape(order.currency)}</span></li>
      </ul>
      <form class="payment-form" action="${escape(action)}" method="POST">
        <input type="hidden" name="_token" value="${csrf}">${TRX_TYPES.map(typeChoice).join('')}${complaint(error)}
        <button type="submit" class="btn--base">Confirm Payment</button>
      </form>
      <p><a class="cancel" href="${escape(cancelLink)}">Cancel</a></p>`, csrfMeta(csrf));

const codeField = `
          <input type="text" class="code" name="code[]" maxlength="1" inputmode="numeric" required>`;

export const otpPage = ({ action, csrf, error }) =>
  layout('Pay - Verification', `      <h3 class="title">Please enter the code</h3>
      <p>We sent a 6 digit code to your email address.</p>
      <form class="account-form" action="${escape(action)}" method="POST">
        <input type="hidden" name="_token" value="${csrf}">
        <div class="codes">${codeField.repeat(6)}
        </div>${complaint(error)}
        <button type="submit" class="btn--base">Verify</button>
      </form>`, csrfMeta(csrf));

/** 3.7 point 4: a title and one link. */
export const errorPage = ({ title, link }) =>
  layout('Process Error', `      <h3 class="title">${escape(title)}</h3>
      <p><a class="btn--base" href="${escape(link)}">Back</a></p>`);

export const frameworkPage = (status, title) =>
  layout(title, `      <div class="code-number">${status}</div>
      <div class="message">${title}</div>`);

export const redirectPage = (location) => `<!DOCTYPE html>
<html>
    <head>
        <meta charset="UTF-8" />
        <meta http-equiv="refresh" content="0;url='${escape(location)}'" />
        <title>Redirecting to ${escape(location)}</title>
    </head>
    <body>
        Redirecting to <a href="${escape(location)}">${escape(location)}</a>.
    </body>
</html>`;
