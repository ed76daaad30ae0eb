// The control port: what a test asks of the sandbox itself. Plain HTTP, own port, not throttled.
import { decimal } from './rules.mjs';

const MODES = ['SANDBOX', 'PRODUCTION'];

class BadRequest extends Error {}

const need = (condition, text) => {
  if (!condition) throw new BadRequest(text);
};

const ACTIONS = {
  'POST /clock': ({ clock }, { seconds = 0, frozen }) => {
    need(Number.isInteger(seconds) && seconds >= 0, '`seconds` must be a whole number, 0 or more');
    need(frozen === undefined || typeof frozen === 'boolean', '`frozen` must be true or false');
    if (frozen !== undefined) clock.freeze(frozen);
    clock.advance(seconds);
    return { now: clock.now() };
  },

  'GET /payments': (store) => [...store.rows.values()].map((row) => ({
    id: row.token,
    status: row.status,
    amount: row.order ? decimal(row.order.amount, 2) : null,
    currency: row.order?.currency ?? null,
    custom: row.order?.custom ?? null,
    charged: row.charged,
    age: store.age(row),
  })),

  'GET /requests': (store) => store.requests,

  'POST /reset': (store) => {
    store.reset();
    return {};
  },

  'POST /merchants': (store, { mode = 'SANDBOX' }) => {
    need(MODES.includes(mode), `\`mode\` must be one of ${MODES.join(', ')}`);
    const { clientId, secretId } = store.addMerchant(mode);
    return { client_id: clientId, secret_id: secretId, mode };
  },

  // The merchant's row goes, its key stays: 3.3 "merchant row gone", 3.5 line 6.
  'POST /merchants/remove': (store, { client_id }) => {
    const merchant = store.merchants.find((m) => m.clientId === client_id);
    need(merchant, 'no merchant has this `client_id`');
    merchant.rowExists = false;
    return {};
  },

  'POST /storage': (store, { broken }) => {
    need(typeof broken === 'boolean', '`broken` must be true or false');
    store.storageBroken = broken;
    return { broken };
  },
};

async function readJson(incoming) {
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
  try {
    return Object(text.trim() ? JSON.parse(text) : {});
  } catch {
    throw new BadRequest('the body is not JSON');
  }
}

async function answer(store, incoming) {
  const action = ACTIONS[`${incoming.method} ${incoming.url.split('?')[0]}`];
  try {
    const body = await readJson(incoming);
    return action ? [200, action(store, body)] : [404, { error: 'no such action' }];
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    return [400, { error: error.message }];
  }
}

export const controlHandler = (store) => async (incoming, outgoing) => {
  try {
    const [status, body] = await answer(store, incoming);
    outgoing.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  } catch {
    outgoing.destroy();
  }
};
