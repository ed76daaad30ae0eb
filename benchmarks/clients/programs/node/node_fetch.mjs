import { readFileSync } from "node:fs";
import fetch from "node-fetch";
import { tell } from "./told.mjs";

const { version } = JSON.parse(readFileSync(new URL("node_modules/node-fetch/package.json", import.meta.url)));

await tell(`node-fetch ${version}`, (mode) => async (method, url, headers, body) => {
  let limits = {};
  if (mode === "set") {
    limits = { signal: AbortSignal.timeout(30_000) }; // recommended
  }
  const answer = await fetch(url, { method, headers, body, ...limits }); // recommended
  return [answer.status, Buffer.from(await answer.arrayBuffer())];
});
