import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/;

/** Sent with every answer. The page loads nothing from elsewhere, and no other page may show it in a frame. */
export const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * Decides whether the console may answer a request. Another page in the same browser can reach a server on loopback: by
 * a name of its own that leads here (the host is wrong then), or by a form (the origin or the type is wrong then).
 *
 * @param port the console's own
 * @returns why the request is refused; `undefined` if it is not
 */
export function refusalOf(request: IncomingMessage, port: number): string | undefined {
  const { host = '', origin } = request.headers;
  if (!LOOPBACK.test(request.socket.remoteAddress ?? '')) return 'The console answers this machine only.';
  const own = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!own.includes(host)) return `The host must be ${own.join(' or ')}.`;
  if (origin !== undefined && origin !== `http://${host}`)
    return 'Another page may not use the console: the origin is not its own.';
  if (request.method === 'GET') return undefined;
  if (request.method !== 'POST') return 'Only GET and POST are answered.';
  if (origin === undefined) return 'A change needs the header Origin.';
  return /^application\/json\b/.test(request.headers['content-type'] ?? '')
    ? undefined
    : 'The content type of a change must be application/json.';
}
