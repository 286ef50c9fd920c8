import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { apiGatewayEvent, changeByte, changeCharacter } from '../../local/delivery.ts';
import type { Address } from './connections.ts';
import type { Random } from './random.ts';
import { MINUTE } from './schedule.ts';
import { signDelivery } from './sign.ts';

/** What a stranger has: an address, a body that names a chat, and genuine deliveries of other bodies. */
type Target = {
  name: string;
  address: Address;
  /** Another connection's, whose owner may be the stranger. */
  other: Address;
  host: string;
  body: string;
  /** A genuine body of the same connection. */
  genuine: string;
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

/** The signed headers with one changed: the signature, which is the first that they have. */
function withSignature(target: Target, change: (signature: string) => string): APIGatewayProxyEventV2 {
  const headers = sign(target, target.body);
  const [header = ''] = Object.keys(headers);
  return send(target, { headers: { ...headers, [header]: change(headers[header] ?? '') } });
}

function isTimed({ address: { connection } }: Target): boolean {
  const { verify } = connection;
  return verify.scheme !== 'hmac' || verify.timestampHeader !== undefined;
}

/** Each gives a delivery that is not genuine. None may be answered 200. */
export const FORGERIES: Record<string, Forge> = {
  'a character of the signature is another': (target, random) =>
    withSignature(target, (signature) => changeCharacter(signature, random.index(20))),
  'no proof at all': (target) => send(target, {}),
  'an empty signature': (target) => withSignature(target, () => ''),
  'a signature cut short': (target) => withSignature(target, (signature) => signature.slice(0, -4)),
  'a signature twice in its header': (target) =>
    withSignature(target, (signature) => `${changeCharacter(signature, 1)},${signature}`),
  'the proof without its signature': (target) => {
    const [header = '', ...rest] = Object.keys(sign(target, target.body));
    const all = sign(target, target.body);
    delete all[header];
    return send(target, { headers: rest.length > 0 ? all : {} });
  },
  'the proof of another body': (target) => send(target, { headers: sign(target, target.genuine) }),
  'a byte of the body is another': (target, random) => {
    const headers = sign(target, target.body);
    return send(target, { headers, body: changeByte(Buffer.from(target.body), random.index(200), 1) });
  },
  'more behind the body': (target) =>
    send(target, { headers: sign(target, target.body), body: `${target.body} ` }),
  'less of the body': (target) =>
    send(target, { headers: sign(target, target.body), body: target.body.slice(0, -1) }),
  'a secret of the stranger': (target) =>
    send(target, { headers: sign(target, target.body, { secret: 'a-guess' }) }),
  'an empty secret': (target) => send(target, { headers: sign(target, target.body, { secret: '' }) }),
  "another connection's secret": (target) => {
    const secret = target.other.secret.signingSecret;
    return send(target, { headers: sign(target, target.body, { secret }) });
  },
  'overheard, and sent ten minutes later': (target) => {
    if (!isTimed(target)) return send(target, {});
    return send(target, { headers: sign(target, target.body, { at: target.now - 10 * MINUTE }) });
  },
  'signed for the future': (target) => {
    if (!isTimed(target)) return send(target, {});
    return send(target, { headers: sign(target, target.body, { at: target.now + 10 * MINUTE }) });
  },
  'overheard long ago, with a new time': (target) => {
    const old = sign(target, target.body, { at: target.now - 60 * MINUTE });
    const [, timestamp = ''] = Object.keys(old);
    if (!timestamp) return send(target, {});
    const fresh = sign(target, target.body)[timestamp] ?? '';
    return send(target, { headers: { ...old, [timestamp]: fresh } });
  },
  'another method': (target, random) =>
    send(target, { method: random.pick(['GET', 'PUT', 'DELETE']), headers: sign(target, target.body) }),
  'compressed, by its header': (target) =>
    send(target, { headers: { ...sign(target, target.body), 'content-encoding': 'gzip' } }),
  'an address that is not there': (target) =>
    send(target, { connection: 'nobody', headers: sign(target, target.body) }),
  'the proof in the query': (target) => {
    const query = new URLSearchParams(sign(target, target.body)).toString();
    return send(target, { query });
  },
};

const KINDS = Object.values(FORGERIES);

export function forge(target: Target, random: Random): APIGatewayProxyEventV2 {
  return random.pick(KINDS)(target, random);
}
