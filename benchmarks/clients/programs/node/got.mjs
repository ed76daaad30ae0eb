import { readFileSync } from "node:fs";
import got from "got";
import { tell } from "./told.mjs";

const { version } = JSON.parse(readFileSync(new URL("node_modules/got/package.json", import.meta.url)));

await tell(`got ${version}`, (mode) => {
  let client = got;
  if (mode === "set") {
    client = got.extend({ timeout: { connect: 5_000, request: 30_000 }, retry: { limit: 0 } }); // recommended
  }
  return async (method, url, headers, body) => {
    const answer = await client(url, { method, headers, body, responseType: "buffer" });
    return [answer.statusCode, Buffer.from(answer.body)];
  };
});
