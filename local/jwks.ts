import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';

/** What the server answers from now on, instead of the keys. */
type Behaviour = { status: number; body?: string; headers?: Record<string, string> } | 'silence' | 'reset';

export type Jwks = {
  /** Of the key set. */
  url: string;
  /** The key that signs now. */
  key: { kid: string; privateKey: KeyObject; publicKey: KeyObject };
  /** A compact RS256 token with these claims and no others. */
  sign(claims: JWTPayload): Promise<string>;
  /** Publishes and signs with a new key; the old one is taken away. */
  rotate(): void;
  /** How often the keys were asked for. */
  requests(): number;
  /** Instead of the keys; `undefined` brings them back. */
  behave(behaviour: Behaviour | undefined): void;
  close(): Promise<void>;
};

/** A vendor's published keys on loopback, and the vendor's signing with them. */
export async function startJwks(): Promise<Jwks> {
  let requests = 0;
  let behaviour: Behaviour | undefined;
  const server = createServer(async (_request, response) => {
    requests += 1;
    if (behaviour === 'silence') return;
    if (behaviour === 'reset') return void response.destroy();
    const { kid, publicKey } = jwks.key;
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
    const { status, body, headers } = behaviour ?? { status: 200, body: JSON.stringify({ keys: [jwk] }) };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const jwks: Jwks = {
    url: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    key: createKey(),
    sign: (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: jwks.key.kid, typ: 'JWT' })
        .sign(jwks.key.privateKey),
    rotate: () => {
      jwks.key = createKey();
    },
    requests: () => requests,
    behave: (next) => {
      behaviour = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return jwks;
}

function createKey(): Jwks['key'] {
  return { kid: randomUUID(), ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}
