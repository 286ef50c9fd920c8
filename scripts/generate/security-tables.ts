import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { nameLink } from './crm-tables.ts';
import { code, table } from './markdown.ts';
import { choicesOf, type Page } from './page.ts';

type Scheme = VerifySettings['scheme'];

/** One row about a scheme, or about one form of it. */
type Row = {
  name: string;
  body: string;
  time: string;
  address: string;
  /** What a stranger who sees one delivery can do. */
  stranger: string;
  /** Whether a preset's own proof is this form; absent: every proof of this scheme is. */
  isOf?: (proof: VerifySettings) => boolean;
};

const NOTHING_COVERED = { body: 'no', time: 'no', address: 'no' };
const REPEATS = 'repeat it until the secret is changed';
const SENDS_ANYTHING = 'send anything until the secret is changed';
const token = (name: Scheme, stranger = SENDS_ANYTHING): Row[] => [
  { name: code(name), ...NOTHING_COVERED, stranger },
];
const signsTime = (proof: VerifySettings) =>
  proof.scheme === 'hmac' && (proof.signed.includes('{timestamp}') || proof.timestampSelector !== undefined);

/** What each scheme covers. `event-bus` proves nothing by the event itself. */
const COVERS: Record<Scheme, readonly Row[]> = {
  hmac: [
    {
      name: '`hmac` with a signed timestamp',
      body: 'yes',
      time: 'yes, `toleranceSeconds`, by default 5 minutes',
      address: 'no',
      stranger: 'repeat it for that time',
      isOf: signsTime,
    },
    {
      name: '`hmac` without one',
      body: 'yes',
      time: 'no',
      address: 'no',
      stranger: REPEATS,
      isOf: (proof) => !signsTime(proof),
    },
  ],
  rsa: [
    { name: '`rsa`', body: 'yes', time: 'no', address: 'no', stranger: 'repeat it until the key is changed' },
  ],
  'standard-webhooks': [
    {
      name: '`standard-webhooks`',
      body: 'yes',
      time: 'yes, 5 minutes',
      address: 'no',
      stranger: 'repeat it for 5 minutes',
    },
  ],
  hubspot: [
    {
      name: "HubSpot's v3",
      body: 'yes',
      time: 'yes, 5 minutes',
      address: 'yes, and the method',
      stranger: 'repeat it for 5 minutes',
    },
    { name: "HubSpot's v2", body: 'yes', time: 'no', address: 'yes, and the method', stranger: REPEATS },
    { name: "HubSpot's v1", body: 'yes', time: 'no', address: 'no', stranger: REPEATS },
  ],
  twilio: [
    {
      name: "Twilio's",
      body: 'yes: a form by its fields, anything else by its hash in the address',
      time: 'no',
      address: 'yes, and the query',
      stranger: 'repeat it until the token is changed',
    },
  ],
  jwt: [
    {
      name: "Zoho Desk's token (`jwt`)",
      body: '**no**',
      time: 'until the token expires',
      address: 'no',
      stranger: "send another body in the same organisation's name until the token expires",
    },
  ],
  bearer: token('bearer'),
  header: token('header'),
  basic: token('basic'),
  query: token('query', `${SENDS_ANYTHING}; addresses leak more easily than headers`),
  'event-bus': [],
};

/** The preset's own proof, or `undefined` where the connection must name one. */
function proofOf({ preset: { verify } }: Page): VerifySettings | undefined {
  return typeof verify === 'function' ? verify({}) : verify;
}

/**
 * What proves what: a row for each form of a scheme, with the presets that use it.
 *
 * @param chosen the schemes that `verify` offers
 */
export function proofTable(pages: readonly Page[], chosen: readonly string[], into: string): string {
  const links = (isUser: (page: Page) => boolean) =>
    pages
      .filter(isUser)
      .map((page) => nameLink(page, into))
      .join(', ');
  const rowOf = (scheme: Scheme, { name, body, time, address, stranger, isOf = () => true }: Row) => {
    const isDefault = (page: Page) => {
      const proof = proofOf(page);
      return proof?.scheme === scheme && isOf(proof);
    };
    const isChoice = (page: Page) => !isDefault(page) && choicesOf(page, chosen).includes(scheme);
    return [name, body, time, address, stranger, links(isDefault), links(isChoice)];
  };
  return table(
    [
      'Scheme',
      'Covers the body',
      'Covers the time',
      'Covers the address',
      'A stranger who sees one delivery can',
      'Default of',
      'Can be chosen for',
    ],
    (Object.keys(COVERS) as Scheme[]).flatMap((scheme) => COVERS[scheme].map((row) => rowOf(scheme, row))),
  );
}

const GENERATED = 'generates 48 letters and digits';
const WAITS = 'creates it empty; you fill it';
const SIGNING_SECRET = '`{"signingSecret": "…"}`';

type Secret = { holds: string; value: string; stack: string };

const TOKEN: Secret = { holds: '`{"token": "…"}`', value: 'your choice', stack: GENERATED };
const VENDORS: Secret = { holds: SIGNING_SECRET, value: 'issued by the vendor', stack: WAITS };
const NONE: Secret = { holds: 'nothing: there is no secret', value: '–', stack: 'creates none' };

/** What a connection's secret holds, and who fills it where the vendor does not issue it. */
const SECRETS: Record<Scheme, Secret> = {
  hmac: { holds: SIGNING_SECRET, value: 'your choice', stack: GENERATED },
  rsa: { holds: '`{"publicKey": "…"}`', value: 'issued by the sender', stack: WAITS },
  'standard-webhooks': {
    holds: '`{"signingSecret": "whsec_…"}`, or `whpk_…`',
    value: 'issued by the sender',
    stack: WAITS,
  },
  hubspot: VENDORS,
  twilio: VENDORS,
  bearer: TOKEN,
  header: TOKEN,
  query: TOKEN,
  basic: { holds: '`{"username": "webhook", "password": "…"}`', value: 'your choice', stack: GENERATED },
  jwt: NONE,
  'event-bus': NONE,
};

/**
 * What a connection's secret holds: a row for each preset whose vendor issues it, then one for each scheme.
 *
 * @param chosen the schemes that `verify` offers
 */
export function secretTable(pages: readonly Page[], chosen: readonly string[], into: string): string {
  const issued = pages.filter(({ preset }) => preset.vendorIssuesSecret);
  const vendorRows = issued.map((page) => [
    nameLink(page, into),
    SECRETS[proofOf(page)?.scheme ?? 'hmac'].holds,
    page.facts.secret ?? '',
    WAITS,
  ]);
  const schemeRows = (Object.keys(SECRETS) as Scheme[]).flatMap((scheme) => {
    const users = pages.filter((page) => !issued.includes(page) && proofOf(page)?.scheme === scheme);
    const connections = [
      ...(chosen.includes(scheme) ? [`\`verify\` with ${code(scheme)}`] : []),
      ...users.map((page) => nameLink(page, into)),
    ];
    const { holds, value, stack } = SECRETS[scheme];
    return connections.length === 0 ? [] : [[connections.join(', '), holds, value, stack]];
  });
  return table(['Connections', 'The secret holds', 'Its value', 'The stack'], [...vendorRows, ...schemeRows]);
}
