import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { apiGatewayEvent, changeByte, changeCharacter } from '../../samples/delivery.ts';
import type { Address } from './connections.ts';
import type { Random } from './random.ts';
import { MINUTE } from './schedule.ts';
import { signDelivery } from './sign.ts';

/** What a stranger knows: an address, a body that names a chat, and valid deliveries of other bodies. */
type Target = {
  name: string;
  address: Address;
  /** The address of another connection, which may belong to the stranger. */
  other: Address;
  host: string;
  body: string;
  /** A body of the same connection, for which the stranger has a signature. */
  valid: string;
  now: number;
  requestId: string;
};

type Forge = (target: Target, random: Random) => APIGatewayProxyEventV2;
type Request = NonNullable<Parameters<typeof apiGatewayEvent>[0]>;

function sign(
  { address, host, name, now }: Target,
  body: string,
  more: { at?: number; secret?: string } = {},
) {
  const { at = now, secret = address.secret.signingSecret } = more;
  return signDelivery(address.connection, { secret, body, at, url: `https://${host}/webhooks/${name}` });
}

function send({ name, body, requestId }: Target, request: Request): APIGatewayProxyEventV2 {
  return apiGatewayEvent({ connection: name, body, requestId, ...request });
}

/** Signs, and changes the signature. It is the first of the headers. */
function withSignature(target: Target, change: (signature: string) => string): APIGatewayProxyEventV2 {
  const headers = sign(target, target.body);
  const [header = ''] = Object.keys(headers);
  return send(target, { headers: { ...headers, [header]: change(headers[header] ?? '') } });
}

function isTimed({ address: { connection } }: Target): boolean {
  const { verify } = connection;
  return verify.scheme !== 'hmac' || verify.timestampHeader !== undefined;
}

/** Each makes a delivery that is not valid. None may be answered 200. */
export const FORGERIES: Record<string, Forge> = {
  'a changed character in the signature': (target, random) =>
    withSignature(target, (signature) => changeCharacter(signature, random.index(20))),
  'no signature headers at all': (target) => send(target, {}),
  'an empty signature': (target) => withSignature(target, () => ''),
  'a signature cut short': (target) => withSignature(target, (signature) => signature.slice(0, -4)),
  'two signatures in one header': (target) =>
    withSignature(target, (signature) => `${changeCharacter(signature, 1)},${signature}`),
  'the signature headers without the signature': (target) => {
    const [header = '', ...rest] = Object.keys(sign(target, target.body));
    const all = sign(target, target.body);
    delete all[header];
    return send(target, { headers: rest.length > 0 ? all : {} });
  },
  'the signature of another body': (target) => send(target, { headers: sign(target, target.valid) }),
  'a changed byte in the body': (target, random) => {
    const headers = sign(target, target.body);
    return send(target, { headers, body: changeByte(Buffer.from(target.body), random.index(200), 1) });
  },
  'a byte after the body': (target) =>
    send(target, { headers: sign(target, target.body), body: `${target.body} ` }),
  'a body cut short': (target) =>
    send(target, { headers: sign(target, target.body), body: target.body.slice(0, -1) }),
  'a guessed secret': (target) => send(target, { headers: sign(target, target.body, { secret: 'a-guess' }) }),
  'an empty secret': (target) => send(target, { headers: sign(target, target.body, { secret: '' }) }),
  "another connection's secret": (target) => {
    const secret = target.other.secret.signingSecret;
    return send(target, { headers: sign(target, target.body, { secret }) });
  },
  'a recorded delivery, ten minutes later': (target) => {
    if (!isTimed(target)) return send(target, {});
    return send(target, { headers: sign(target, target.body, { at: target.now - 10 * MINUTE }) });
  },
  'a timestamp in the future': (target) => {
    if (!isTimed(target)) return send(target, {});
    return send(target, { headers: sign(target, target.body, { at: target.now + 10 * MINUTE }) });
  },
  'a recorded delivery with a new timestamp': (target) => {
    const old = sign(target, target.body, { at: target.now - 60 * MINUTE });
    const [, timestamp = ''] = Object.keys(old);
    if (!timestamp) return send(target, {});
    const fresh = sign(target, target.body)[timestamp] ?? '';
    return send(target, { headers: { ...old, [timestamp]: fresh } });
  },
  'another method': (target, random) =>
    send(target, { method: random.pick(['GET', 'PUT', 'DELETE']), headers: sign(target, target.body) }),
  'a content-encoding header': (target) =>
    send(target, { headers: { ...sign(target, target.body), 'content-encoding': 'gzip' } }),
  'an unknown connection': (target) =>
    send(target, { connection: 'nobody', headers: sign(target, target.body) }),
  'the signature headers in the query': (target) => {
    const query = new URLSearchParams(sign(target, target.body)).toString();
    return send(target, { query });
  },
};

const KINDS = Object.values(FORGERIES);

/** Makes a forged delivery of a random kind. */
export function forge(target: Target, random: Random): APIGatewayProxyEventV2 {
  return random.pick(KINDS)(target, random);
}
