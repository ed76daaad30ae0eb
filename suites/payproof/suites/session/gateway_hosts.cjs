'use strict';
// Loaded by --require into each Node of an integration with gateway_hosts: these hosts are reached at the simulator's port. Node's own
// client knows no proxy, and what some libraries do with one is not what they do without.
const net = require('node:net');

const hosts = new Set((process.env.PAYPROOF_GATEWAY_HOSTS || '').split(','));
const port = Number(process.env.PAYPROOF_GATEWAY_PORT);
for (const name of ['HTTPS_PROXY', 'https_proxy', 'http_proxy']) delete process.env[name];

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const list = Array.isArray(args[0]) ? args[0] : args; // net.connect hands over a list of its own
  const asked = list[0];
  if (asked && typeof asked === 'object' && hosts.has(String(asked.host).toLowerCase())) {
    list[0] = { ...asked, host: '127.0.0.1', port };
  }
  return connect.apply(this, args);
};
