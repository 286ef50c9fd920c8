import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';

/** How the server answers instead of sending the keys. */
type Behaviour = { status: number; body?: string; headers?: Record<string, string> } | 'silence' | 'reset';

export type Jwks = {
  /** Address of the key set. */
  url: string;
  /** The current signing key. */
  key: { kid: string; privateKey: KeyObject; publicKey: KeyObject };
  /** A compact RS256 token with these claims and no others. */
  sign(claims: JWTPayload): Promise<string>;
  /** Replaces the key: the new one is published and signs, the old one is removed. */
  rotate(): void;
  /** How often the keys were requested. */
  requests(): number;
  /** Changes how the server answers. `undefined`: it sends the keys again. */
  behave(behaviour: Behaviour | undefined): void;
  close(): Promise<void>;
};

/** Starts a server on loopback that plays a vendor: it publishes keys and signs with them. */
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
