import http from "node:http";
import https from "node:https";
import { tell } from "./told.mjs";

/** A promise of [status, body] around https.request(url, options). */
function ask(url, asked, body) {
  const { request: open } = url.startsWith("https:") ? https : http;
  return new Promise((resolve, reject) => {
    const request = open(url, asked, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve([answer.statusCode, Buffer.concat(parts)]));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

await tell("node:http", (mode) => (method, url, headers, body) => {
  let limits = {};
  if (mode === "set") {
    limits = { signal: AbortSignal.timeout(30_000) }; // recommended
  }
  return ask(url, { method, headers, ...limits }, body); // recommended
});
