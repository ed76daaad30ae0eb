import { tell } from "./told.mjs";

await tell(`fetch (undici ${process.versions.undici})`, (mode) => async (method, url, headers, body) => {
  let limits = {};
  if (mode === "set") {
    limits = { signal: AbortSignal.timeout(30_000) }; // recommended
  }
  const answer = await fetch(url, { method, headers, body, ...limits }); // recommended
  return [answer.status, Buffer.from(await answer.arrayBuffer())];
});
