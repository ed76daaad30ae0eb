// What every client of Node has in common: reads the command line, calls, tells.

/** connect(mode) gives call(method, url, headers, body) -> [status, body of the answer as a Buffer]. */
export async function tell(version, connect) {
  if (process.argv[2] === "--version") {
    console.log(`${version}, Node ${process.version.slice(1)}`);
    return;
  }
  const [url, method, mode, calls, token, body] = process.argv.slice(2);
  const headers = { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) };
  const call = await connect(mode);
  for (let made = 0; made < Number(calls); made++) {
    await new Promise((resolve) => setTimeout(resolve, made && 100));
    const began = performance.now();
    const told = await outcome(() => call(method, url, headers, body || undefined));
    console.log(JSON.stringify({ ...told, seconds: Math.round((performance.now() - began) / 10) / 100 }));
  }
  process.stdin.on("end", () => process.exit(0)).resume();
}

async function outcome(call) {
  try {
    const [status, body] = await call();
    return { outcome: "answer", status, bytes: body.length };
  } catch (error) {
    const cause = error.cause ? ` (${error.cause.code ?? error.cause.message})` : "";
    return { outcome: "error", error: `${error.name}: ${error.code ?? error.message}${cause}`.slice(0, 200) };
  }
}
