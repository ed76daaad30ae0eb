#!/usr/bin/env node
// A v1 payment gateway's sandbox on 127.0.0.1. See README.md.
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { parseArgs } from 'node:util';
import { App, PLANTS } from './app.mjs';
import { controlHandler } from './control.mjs';

const FLAGS = {
  port: { type: 'string', default: '0' },
  'control-port': { type: 'string', default: '0' },
  cert: { type: 'string' },
  key: { type: 'string' },
  'client-id': { type: 'string' },
  'secret-id': { type: 'string' },
  otp: { type: 'boolean', default: false },
  'otp-loses-type': { type: 'boolean', default: false },
  payer: { type: 'string', default: 'sandbox@appdevs.net:appdevs:123456' },
  currencies: { type: 'string', default: 'XAF,XOF,USD,EUR,GBP' },
  'rate-limit': { type: 'string', default: '60' },
  log: { type: 'string' },
  ill: { type: 'string' },
  'ill-pages': { type: 'string' },
  late: { type: 'string' },
  prose: { type: 'string' },
  cut: { type: 'string' },
  shapeless: { type: 'string' },
  plant: { type: 'string', multiple: true, default: [] },
  'until-stdin-closes': { type: 'boolean', default: false },
};

function wholeNumber(flags, name, low, high) {
  const value = Number(flags[name]);
  if (!/^\d+$/.test(flags[name]) || value < low || value > high) {
    throw new Error(`--${name} must be a whole number from ${low} to ${high}`);
  }
  return value;
}

/** The payer whose payments succeed: email:password, and the one-time code if it is not the usual one. */
function payerOf(text) {
  const [email, password, code = '123456'] = text.split(':');
  if (!email || !password || !/^\d{6}$/.test(code)) throw new Error('--payer is EMAIL:PASSWORD[:SIX DIGITS]');
  return { email, password, code };
}

/** `A:B`, both whole numbers. */
function pairOf(flags, name) {
  if (flags[name] === undefined) return undefined;
  const found = /^(\d+):(\d+)$/.exec(flags[name]);
  if (!found) throw new Error(`--${name} is two whole numbers, A:B`);
  return found.slice(1).map(Number);
}

function illnessOf(flags) {
  const status = (name) => {
    const found = pairOf(flags, name);
    return found && { status: found[0], every: found[1] };
  };
  const late = pairOf(flags, 'late');
  const every = (name) => (flags[name] === undefined ? 0 : wholeNumber(flags, name, 1, 1e9));
  return {
    ill: status('ill'),
    illPages: status('ill-pages'),
    late: late && { every: late[0], seconds: late[1] },
    prose: every('prose'),
    cut: every('cut'),
    shapeless: every('shapeless'),
  };
}

function readOptions() {
  const { values: flags } = parseArgs({ options: FLAGS });
  const unknown = flags.plant.filter((name) => !PLANTS.includes(name));
  if (unknown.length) throw new Error(`unknown --plant ${unknown.join(', ')}; known: ${PLANTS.join(', ')}`);
  if (!flags.cert !== !flags.key) throw new Error('--cert and --key belong together');
  if (flags.log) appendFileSync(flags.log, ''); // an unusable path shows at once
  return {
    port: wholeNumber(flags, 'port', 0, 65535),
    controlPort: wholeNumber(flags, 'control-port', 0, 65535),
    rateLimit: wholeNumber(flags, 'rate-limit', 1, 1e9),
    tls: flags.cert ? { cert: readFileSync(flags.cert), key: readFileSync(flags.key) } : null,
    clientId: flags['client-id'],
    secretId: flags['secret-id'],
    otp: flags.otp || flags['otp-loses-type'],
    otpLosesType: flags['otp-loses-type'],
    payer: payerOf(flags.payer),
    currencies: flags.currencies.split(',').map((code) => code.trim().toUpperCase()),
    log: flags.log,
    plants: flags.plant,
    illness: illnessOf(flags),
    untilStdinCloses: flags['until-stdin-closes'],
  };
}

const listen = (server, port) => new Promise((resolve, reject) => {
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => resolve(server.address().port));
});

async function main() {
  let options;
  try {
    options = readOptions();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
    return;
  }

  const app = new App(options);
  const handle = (incoming, outgoing) => app.handle(incoming, outgoing);
  const gateway = options.tls ? https.createServer(options.tls, handle) : http.createServer(handle);
  const control = http.createServer(controlHandler(app.store));
  const stop = () => {
    for (const server of [gateway, control]) {
      server.close();
      server.closeAllConnections();
    }
    if (options.untilStdinCloses) process.stdin.destroy();
  };

  try {
    const port = await listen(gateway, options.port);
    const controlPort = await listen(control, options.controlPort);
    process.once('SIGTERM', stop).once('SIGINT', stop);
    if (options.untilStdinCloses) process.stdin.once('end', stop).resume();
    console.log(JSON.stringify({
      url: `${options.tls ? 'https' : 'http'}://localhost:${port}/pay/sandbox/api/v1`,
      control: `http://127.0.0.1:${controlPort}`,
      client_id: app.store.firstMerchant.clientId,
      secret_id: app.store.firstMerchant.secretId,
    }));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
    stop();
  }
}

await main();
