export { Gateway } from "./gateway.js";
export { Monitor } from "./monitor.js";
export { OrderStore } from "./orders.js";
export { Shop } from "./shop.js";
export { Verifier } from "./verifier.js";
