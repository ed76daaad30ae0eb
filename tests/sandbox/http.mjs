// Reading a request as the framework does, and the shapes of its answers.
import { frameworkPage, redirectPage } from './pages.mjs';

const BODY_LIMIT = 1024 * 1024;
const HTML = 'text/html; charset=UTF-8';

export class BodyTooLarge extends Error {}

async function readBody(stream) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size <= BODY_LIMIT) chunks.push(chunk);
  }
  if (size > BODY_LIMIT) throw new BodyTooLarge();
  return Buffer.concat(chunks);
}

/** `code[]=1&code[]=2` becomes {code: ['1', '2']}; of equal plain names the last one wins. */
function fromPairs(pairs) {
  const fields = {};
  for (const [name, value] of pairs) {
    if (typeof value !== 'string') continue;
    const bracket = name.indexOf('[');
    if (bracket < 1) {
      fields[name] = value;
      continue;
    }
    const key = name.slice(0, bracket);
    if (!Array.isArray(fields[key])) fields[key] = [];
    fields[key].push(value);
  }
  return fields;
}

/** TrimStrings (a password is left alone) and ConvertEmptyStringsToNull. */
function tidy(value, key) {
  if (typeof value === 'string') {
    const text = key === 'password' ? value : value.trim();
    return text === '' ? null : text;
  }
  if (Array.isArray(value)) return value.map((item) => tidy(item));
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, tidy(item, name)]));
  }
  return value;
}

async function bodyFields(type, body) {
  try {
    if (/[/+]json/i.test(type)) {
      const parsed = JSON.parse(body.toString('utf8'));
      return parsed && typeof parsed === 'object' && !Array.isArray(parsed) ? parsed : {};
    }
    if (/^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)) {
      return fromPairs(await new Response(body, { headers: { 'content-type': type } }).formData());
    }
  } catch {
    // An unreadable body has no fields.
  }
  return {};
}

export async function readRequest(incoming) {
  const { method, headers, socket } = incoming;
  const scheme = socket.encrypted ? 'https' : 'http';
  const [rawPath, ...rest] = incoming.url.split('?');
  const query = rest.join('?');
  const body = await readBody(incoming);
  return {
    method,
    headers,
    ip: socket.remoteAddress,
    secure: scheme === 'https',
    origin: `${scheme}://${headers.host ?? `localhost:${socket.localPort}`}`,
    path: rawPath.replace(/\/+$/, '') || '/', // 17a: a trailing slash is accepted
    input: tidy({
      ...fromPairs(new URLSearchParams(query)),
      ...(await bodyFields(headers['content-type'] ?? '', body)),
    }),
  };
}

export function wantsJson({ headers }) {
  const types = (headers.accept ?? '*/*').split(',').map((part) => {
    const [type, ...options] = part.trim().split(/\s*;\s*/);
    const q = options.find((option) => option.startsWith('q='));
    return { type, weight: q ? Number(q.slice(2)) : 1 };
  });
  const [first] = types.sort((a, b) => b.weight - a.weight);
  if (/[/+]json/i.test(first.type)) return true;
  return headers['x-requested-with'] === 'XMLHttpRequest' && first.type === '*/*';
}

/** JSON as PHP writes it: slashes and everything beyond ASCII escaped. */
export const phpJson = (value) =>
  JSON.stringify(value)
    .replace(/\//g, '\\/')
    .replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

export const json = (status, value, headers = {}) => ({
  status,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: phpJson(value),
});

export const html = (status, body, headers = {}) => ({
  status,
  headers: { 'Content-Type': HTML, ...headers },
  body,
});

/** The location goes out as raw UTF-8 bytes, as PHP sends it. */
export const redirect = (location) =>
  html(302, redirectPage(location), { Location: Buffer.from(location, 'utf8').toString('latin1') });

// 3.2
export const success = (text, data) =>
  json(200, { message: { code: 200, success: [text] }, data, type: 'success' });

export const failure = (status, ...texts) =>
  json(status, { message: { code: status, error: texts }, data: [], type: 'error' });

const TITLES = {
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  419: 'Page Expired',
  429: 'Too Many Requests',
  500: 'Server Error',
};

/** An answer outside the envelope: JSON only when asked for (17a). */
export function framework(request, status, message, headers = {}) {
  if (wantsJson(request)) return json(status, { message }, headers);
  return html(status, frameworkPage(status, TITLES[status]), headers);
}
