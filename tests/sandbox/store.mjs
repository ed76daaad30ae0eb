// Everything the server remembers: clock, merchants, payment rows, sessions.
import { randomInt } from 'node:crypto';

export const TOKEN_LIFE = 600;
const SESSION_LIFE = 7200;
const ALPHABET = 'ABCDEFGHJKMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789'; // 3.3

export const randomId = (length) =>
  Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

/** Whole seconds, because the rows' created_at has no fractions. */
class Clock {
  #offset = 0;
  #frozenAt = null;

  now() {
    return (this.#frozenAt ?? Math.floor(Date.now() / 1000)) + this.#offset;
  }
  advance(seconds) {
    this.#offset += seconds;
  }
  freeze(on) {
    this.#frozenAt = on ? Math.floor(Date.now() / 1000) : null;
  }
}

export class Store {
  constructor({ clientId, secretId, tokenLength = 350 }) {
    this.firstMerchant = {
      clientId: clientId ?? randomId(100),
      secretId: secretId ?? randomId(100),
      mode: 'SANDBOX',
    };
    this.tokenLength = tokenLength;
    this.reset();
  }

  reset() {
    this.clock = new Clock();
    this.merchants = [{ ...this.firstMerchant, rowExists: true }];
    this.rows = new Map(); // access token -> row
    this.sessions = new Map();
    this.windows = new Map(); // caller IP -> throttle window
    this.requests = [];
    this.storageBroken = false;
  }

  addMerchant(mode) {
    const merchant = { clientId: randomId(100), secretId: randomId(100), mode, rowExists: true };
    this.merchants.push(merchant);
    return merchant;
  }

  /** 3.4: issuing a token inserts the payment. */
  issue(merchant) {
    const row = {
      accessToken: randomId(this.tokenLength),
      token: randomId(60),
      storedTrxId: randomId(16), // never leaves the server (3.8)
      bookedTrxId: null,
      merchant,
      status: 'CREATED',
      createdAt: this.clock.now(),
      order: null, // amount, currency, return_url, cancel_url, custom
      payer: null,
      authentication: false,
      emailVerify: false,
      charged: 0,
    };
    this.rows.set(row.accessToken, row);
    return row;
  }

  age(row) {
    return this.clock.now() - row.createdAt;
  }

  tooOld(row) {
    return this.age(row) > TOKEN_LIFE; // 3.5 line 3: exactly 600 is still good
  }

  purge() {
    for (const [key, row] of this.rows) {
      if (this.age(row) >= TOKEN_LIFE) this.rows.delete(key); // 3.4 point 4
    }
  }

  /** A payment is known by its 60 character token, once create has filled it in. */
  payment(token) {
    for (const row of this.rows.values()) {
      if (row.token === token && row.order) return row;
    }
    return null;
  }

  openSession(id) {
    const now = this.clock.now();
    let session = this.sessions.get(id);
    if (!session || now - session.seenAt > SESSION_LIFE) {
      session = { id: randomId(40), csrf: randomId(40), payer: null, flash: null, chosen: new Map() };
      this.sessions.set(session.id, session);
    }
    session.seenAt = now;
    return session;
  }

  /** A login moves the session to a new id. */
  renewSession(session) {
    this.sessions.delete(session.id);
    session.id = randomId(40);
    this.sessions.set(session.id, session);
  }
}
