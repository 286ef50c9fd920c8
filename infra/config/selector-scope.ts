import { CRMS } from '../../functions/crm/index.ts';
import { SCHEMES } from '../../functions/schemes/index.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { PARTS, uncoveredParts } from './coverage.ts';
import { type Fault, type Finding, pathOf, quote } from './fault.ts';
import { seesOneEvent, takes } from './preset.ts';
import { checkConversationId, checkFinishedWhen, checkSelector } from './selector.ts';
import { suggestPaths } from './selector-paths.ts';
import { type Reads, readsOf } from './selector-reads.ts';

type Settings = Record<string, unknown>;
type Scheme = VerifySettings['scheme'];

/** A connection's selectors, each with what is checked of it wherever it stands. */
const SELECTORS: Record<string, (expression: string) => Finding | undefined> = {
  conversationId: checkConversationId,
  finishedWhen: checkFinishedWhen,
  sharedId: checkSelector,
};

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/aws-events-structure.html */
const EVENT_KEYS = [
  'detail',
  'detail-type',
  'source',
  'account',
  'id',
  'time',
  'region',
  'resources',
  'version',
  'replay-name',
];

/**
 * What a connection's selectors read that is not there, or that anybody who has seen one delivery could change.
 *
 * @param settings of the connection, as the file has them; what is wrong in itself is said elsewhere
 */
export function checkSelectorScope(name: string, settings: Settings): Fault[] {
  const { crm } = settings;
  if (typeof crm !== 'string' || !Object.hasOwn(CRMS, crm)) return [];
  const { bus } = CRMS[crm] ?? {};
  const check = bus ? checkOnBus : checkOnWebhook(crm, schemeOf(crm, settings));
  return Object.entries(SELECTORS).flatMap(([key, checkAlone]) => {
    const expression = settings[key];
    if (typeof expression !== 'string' || !takes(crm).includes(key)) return [];
    if (expression === 'always' && key === 'finishedWhen') return [];
    if (expression.trim() === '' || checkAlone(expression)) return [];
    const word = key === 'finishedWhen' ? checkWord(expression, bus ? 'detail' : 'body') : undefined;
    const finding = word ?? judge(expression, check);
    return finding ? [{ path: pathOf('connections', name, key), ...finding }] : [];
  });
}

type Check = (expression: string, reads: Reads) => Finding | undefined;

function judge(expression: string, check: Check): Finding | undefined {
  try {
    return check(expression, readsOf(expression));
  } catch (error) {
    // The parser can go deeper than what follows it.
    if (!(error instanceof RangeError)) throw error;
    return { problem: 'is nested too deep to be judged', mend: 'Write a shorter expression' };
  }
}

function checkOnWebhook(crm: string, scheme: Scheme | undefined): Check {
  return (expression, reads) =>
    checkKeys(expression, reads) ??
    (scheme && checkCoverage(reads, scheme)) ??
    checkHeaderNames(reads) ??
    checkBatch(crm, reads);
}

/** A word alone is the name of a key; as a condition it was meant as a text, or as the word for every delivery. */
function checkWord(expression: string, root: string): Finding | undefined {
  const word = expression.trim();
  if (!/^\w+$/.test(word) || (PARTS as readonly string[]).includes(word)) return undefined;
  return {
    problem: `is only the word ${quote(word)}, which is never true`,
    mend:
      word.toLowerCase() === 'always'
        ? 'Did you mean "always"?'
        : `Compare a field with it, as in ${root}.status == '${word}'; where every delivery means finished, write "always"`,
  };
}

function checkKeys(expression: string, { keys }: Reads): Finding | undefined {
  const unknown = [...keys].filter((key) => !(PARTS as readonly string[]).includes(key));
  if (unknown.length === 0) return undefined;
  return {
    problem: `${begins(expression, unknown)}, and a selector sees body, headers and query`,
    mend: suggestPaths(expression, unknown, PARTS),
  };
}

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
function checkHeaderNames({ headers }: Reads): Finding | undefined {
  const upper = [...headers].find((header) => header !== header.toLowerCase());
  if (upper === undefined) return undefined;
  return {
    problem: `reads the header ${quote(upper)}, and names of headers arrive in lower case`,
    mend: `Write headers."${upper.toLowerCase()}"`,
  };
}

function checkCoverage({ keys, everything }: Reads, scheme: Scheme): Finding | undefined {
  const uncovered: string[] = uncoveredParts(scheme);
  const read = uncovered.filter((part) => everything || keys.has(part));
  if (read.length === 0) return undefined;
  const covered = PARTS.filter((part) => !uncovered.includes(part));
  return {
    problem: `reads ${everything ? 'the whole delivery, also ' : ''}${read.join(' and ')}, which the signature (${scheme}) does not cover: whoever has seen one delivery could change ${read.length > 1 ? 'them' : 'it'} and have other chats closed`,
    mend: `Read it from the ${covered.join(' or the ')}, which the sender signs, as in body.ticket.id`,
  };
}

function checkBatch(crm: string, { bodyAsList }: Reads): Finding | undefined {
  if (!bodyAsList || !seesOneEvent(crm)) return undefined;
  return {
    problem: `takes the body for a list, and with crm ${quote(crm)} a selector sees one event as body`,
    mend: 'Leave the brackets after body out, as in body.id',
  };
}

function checkOnBus(expression: string, { keys }: Reads): Finding | undefined {
  const unknown = [...keys].filter((key) => !EVENT_KEYS.includes(key));
  if (unknown.length === 0) return undefined;
  if (unknown.some((key) => (PARTS as readonly string[]).includes(key))) {
    return {
      problem: 'begins as for a webhook; on a bus selectors see the event itself',
      mend: 'Begin with one of its keys, as in detail.conversationId',
    };
  }
  return {
    problem: `${begins(expression, unknown)}, and an event has ${EVENT_KEYS.slice(0, -1).join(', ')}`,
    mend: suggestPaths(expression, unknown, ['detail', ...EVENT_KEYS]),
  };
}

function begins(expression: string, [key = '']: string[]): string {
  const isFirst = expression.replace(/^[\s!($@."]*/, '').startsWith(key);
  return `${isFirst ? 'begins' : 'has a path that begins'} with ${quote(key)}`;
}

/** The scheme that decides; none where that is at fault itself. */
function schemeOf(crm: string, settings: Settings): Scheme | undefined {
  const own = CRMS[crm]?.verify;
  const preset = typeof own === 'function' ? own({}) : own;
  const { scheme } = takes(crm).includes('verify')
    ? ((settings.verify ?? preset ?? {}) as { scheme?: unknown })
    : (preset ?? {});
  return typeof scheme === 'string' && Object.hasOwn(SCHEMES, scheme) ? (scheme as Scheme) : undefined;
}
