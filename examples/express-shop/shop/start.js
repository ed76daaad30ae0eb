import { createServer } from "node:http";

import * as careful from "./parts.js";

const NEEDED = ["PAY_BASE_URL", "PAY_CLIENT_ID", "PAY_SECRET_KEY", "PUBLIC_URL", "PORT", "DATA_DIR"];

/** Settings come from the environment only: nothing secret can end up in the code or in its repository. */
export function readSettings(env) {
  const missing = NEEDED.filter((name) => !env[name]);
  if (missing.length > 0) throw new Error(`Missing settings: ${missing.join(", ")}`);
  if (!env.PUBLIC_URL.startsWith("https://")) throw new Error("PUBLIC_URL must be an https address");
  return {
    baseUrl: env.PAY_BASE_URL.replace(/\/+$/, ""),
    clientId: env.PAY_CLIENT_ID,
    secretKey: env.PAY_SECRET_KEY,
    publicUrl: env.PUBLIC_URL.replace(/\/+$/, ""),
    port: Number(env.PORT),
    dataDir: env.DATA_DIR,
    alertUrl: env.ALERT_WEBHOOK_URL || null,
    tokenPerPayment: env.PAY_TOKEN_PER_PAYMENT === "1",
  };
}

/** Puts the parts together. A part can be replaced, which is how defects.js plants its mistakes. */
export function start(replaced = {}, env = process.env) {
  const { Monitor, Gateway, OrderStore, Verifier, Shop } = { ...careful, ...replaced };
  let settings;
  try {
    settings = readSettings(env);
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
  const monitor = new Monitor(settings);
  const orders = new OrderStore(settings.dataDir);
  const gateway = new Gateway(settings, monitor);
  const verifier = new Verifier({ orders, gateway, monitor });
  const shop = new Shop({ settings, orders, gateway, verifier, monitor });
  createServer(shop.app()).listen(settings.port, "127.0.0.1", () => {
    monitor.log("info", "listening", { port: settings.port });
    verifier.start();
  });
}
