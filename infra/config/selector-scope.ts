import { SCHEMES } from '../../functions/schemes/index.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { PARTS, uncoveredParts } from './coverage.ts';
import { type Problem, quote } from './fault.ts';
import { type Preset, presetOf, seesOneEvent, takes } from './preset.ts';
import { type Rule, type Settings, settingsOf } from './rule.ts';
import { suggestPaths } from './selector-paths.ts';
import { type Reads, readsOf } from './selector-reads.ts';
import { textOf } from './text.ts';

type Scheme = VerifySettings['scheme'];

/** The settings of a connection that are selectors. */
const SELECTORS = ['conversationId', 'finishedWhen', 'sharedId'];

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
 * Refuses selectors of a connection that read what is not there, or what anybody who has seen one delivery could
 * change. A selector that is faulty itself has one fault already.
 */
export const checkSelectorScope: Rule = (value, faulty) => {
  const settings = settingsOf(value);
  const preset = presetOf(settings.crm);
  if (!preset) return [];
  const check = preset.bus ? checkOnBus : checkOnWebhook(textOf(settings.crm), schemeOf(preset, settings));
  return SELECTORS.flatMap((key) => {
    const expression = settings[key];
    if (typeof expression !== 'string' || faulty.has(key) || !takes(preset, key)) return [];
    if (key === 'finishedWhen' && expression === 'always') return [];
    const word = key === 'finishedWhen' ? checkWord(expression, preset.bus ? 'detail' : 'body') : undefined;
    const problem = word ?? judge(expression, check);
    return problem ? [{ path: [key], ...problem }] : [];
  });
};

type Check = (expression: string, reads: Reads) => Problem | undefined;

function judge(expression: string, check: Check): Problem | undefined {
  try {
    return check(expression, readsOf(expression));
  } catch (error) {
    // The parser takes deeper nesting than the code that follows its tree.
    if (!(error instanceof RangeError)) throw error;
    return { problem: 'is nested too deep to be checked', fix: 'Write a shorter expression' };
  }
}

function checkOnWebhook(crm: string, scheme: Scheme | undefined): Check {
  return (expression, reads) =>
    checkKeys(expression, reads) ??
    (scheme && checkCoverage(reads, scheme)) ??
    checkHeaderNames(reads) ??
    checkBatch(crm, reads);
}

/** JMESPath takes a single word for a key. The user meant it as a text, or as the word for every delivery. */
function checkWord(expression: string, root: string): Problem | undefined {
  const word = expression.trim();
  if (!/^\w+$/.test(word) || (PARTS as readonly string[]).includes(word)) return undefined;
  return {
    problem: `is only the word ${quote(word)}, which is never true`,
    fix:
      word.toLowerCase() === 'always'
        ? 'Did you mean "always"?'
        : `Compare a field with it, as in ${root}.status == '${word}'. If every delivery means finished, write "always"`,
  };
}

function checkKeys(expression: string, { keys }: Reads): Problem | undefined {
  const unknown = [...keys].filter((key) => !(PARTS as readonly string[]).includes(key));
  if (unknown.length === 0) return undefined;
  return {
    problem: `${begins(expression, unknown)}, but a selector sees body, headers and query`,
    fix: suggestPaths(expression, unknown, PARTS),
  };
}

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
function checkHeaderNames({ headers }: Reads): Problem | undefined {
  const upper = [...headers].find((header) => header !== header.toLowerCase());
  if (upper === undefined) return undefined;
  return {
    problem: `reads the header ${quote(upper)}, but names of headers arrive in lower case`,
    fix: `Write headers."${upper.toLowerCase()}"`,
  };
}

function checkCoverage({ keys, everything }: Reads, scheme: Scheme): Problem | undefined {
  const uncovered: string[] = uncoveredParts(scheme);
  const read = uncovered.filter((part) => everything || keys.has(part));
  if (read.length === 0) return undefined;
  const covered = PARTS.filter((part) => !uncovered.includes(part));
  return {
    problem: `reads ${everything ? 'the whole delivery, including ' : ''}${read.join(' and ')}, which the signature (${scheme}) does not cover: anybody who has seen one delivery could change ${read.length > 1 ? 'them' : 'it'} and close other chats`,
    fix: `Read it from the ${covered.join(' or the ')}, which the sender signs, as in body.ticket.id`,
  };
}

function checkBatch(crm: string, { bodyAsList }: Reads): Problem | undefined {
  if (!bodyAsList || !seesOneEvent(crm)) return undefined;
  return {
    problem: `uses the body as a list, but with crm ${quote(crm)} a selector sees one event as body`,
    fix: 'Remove the brackets after body, as in body.id',
  };
}

function checkOnBus(expression: string, { keys }: Reads): Problem | undefined {
  const unknown = [...keys].filter((key) => !EVENT_KEYS.includes(key));
  if (unknown.length === 0) return undefined;
  if (unknown.some((key) => (PARTS as readonly string[]).includes(key))) {
    return {
      problem: 'begins like a webhook’s selector, but on a bus selectors see the event itself',
      fix: 'Begin with one of its keys, as in detail.conversationId',
    };
  }
  return {
    problem: `${begins(expression, unknown)}, but an event has ${EVENT_KEYS.slice(0, -1).join(', ')}`,
    fix: suggestPaths(expression, unknown, ['detail', ...EVENT_KEYS]),
  };
}

function begins(expression: string, [key = '']: string[]): string {
  const isFirst = expression.replace(/^[\s!($@."]*/, '').startsWith(key);
  return `${isFirst ? 'begins' : 'has a path that begins'} with ${quote(key)}`;
}

/** The scheme by which deliveries are verified; none if it is faulty. */
function schemeOf(preset: Preset, { verify }: Settings): Scheme | undefined {
  const own = typeof preset.verify === 'function' ? preset.verify({}) : preset.verify;
  const { scheme } = settingsOf(takes(preset, 'verify') ? (verify ?? own) : own);
  return typeof scheme === 'string' && Object.hasOwn(SCHEMES, scheme) ? (scheme as Scheme) : undefined;
}
