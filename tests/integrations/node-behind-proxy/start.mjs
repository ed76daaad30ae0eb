// Starts the app on a free port of loopback and the proxy in front of it, keeps both running, ends both.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { logger } from './log.mjs';

const log = logger('start');

/** Each part is a program and its arguments. */
export function start({ app = ['app.mjs'], proxy = ['proxy.mjs'] } = {}) {
  const missing = ['PAY_BASE_URL', 'PAY_CLIENT_ID', 'PAY_SECRET_KEY', 'PUBLIC_URL', 'PORT', 'DATA_DIR'].filter((name) => !process.env[name]);
  if (missing.length) {
    console.error(`Cannot start: set ${missing.join(', ')} in the environment.`);
    process.exit(2);
  }
  const { PAY_BASE_URL, PAY_CLIENT_ID, PAY_SECRET_KEY, ...rest } = process.env; // the proxy needs no credentials
  let front, ending = false;
  const run = (part, env, told) => {
    const [file, ...words] = part;
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), words, { env });
    child.on('message', told);
    child.on('exit', (code) => {
      if (ending) return;
      log.error({ part, code }, 'a part ended, starting it again');
      setTimeout(() => run(part, env, told), 100);
    });
    if (part === proxy) front = child;
    return child;
  };
  let upstream = 0;
  run(app, process.env, ({ port }) => {
    upstream = port;
    if (front?.connected) front.send({ upstream });
    else if (!front) run(proxy, rest, (message) => { if (message === 'ready') front.send({ upstream }); });
  });
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => { ending = true; process.exit(0); }); // the parts end with their channel
}

if (process.argv[1] === fileURLToPath(import.meta.url)) start();
