// One JSON object a line, as pino writes them with level names.
import { hostname } from 'node:os';

export const logger = (name) => {
  const write = (level) => (facts, msg) =>
    process.stdout.write(`${JSON.stringify({ level, time: Date.now(), pid: process.pid, hostname: hostname(), name, ...facts, msg })}\n`);
  return { info: write('info'), warn: write('warn'), error: write('error') };
};
