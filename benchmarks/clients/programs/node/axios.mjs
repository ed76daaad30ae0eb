import axios from "axios";
import { tell } from "./told.mjs";

await tell(`axios ${axios.VERSION}`, (mode) => async (method, url, headers, body) => {
  let limits = {};
  if (mode === "set") {
    limits = { signal: AbortSignal.timeout(30_000) }; // recommended
  }
  const asked = { method, url, headers, data: body, responseType: "arraybuffer" };
  const answer = await axios.request({ ...asked, ...limits }); // recommended
  return [answer.status, Buffer.from(answer.data)];
});
