import {
  type CloudWatchLogsClient,
  type FilteredLogEvent,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { LineType } from '../functions/line.ts';
import type { Surroundings } from './surroundings.ts';

/** A line of the outcome logs, with the time at which it was logged. */
export type LoggedLine = { type: LineType /** ISO 8601, UTC. */; at: string } & Record<string, unknown>;

/** Unix milliseconds. */
export type Span = { from: number; to: number };

/** Whether a time in Unix milliseconds is in a span. Both ends count. */
export function isWithin({ from, to }: Span, time: number): boolean {
  return time >= from && time <= to;
}

/** Lines that were found, in the order of their times. */
export type Found = {
  lines: LoggedLine[];
  /** Whether everything in the span was read. If not, the newest part is missing. */
  isComplete: boolean;
};

/** The maximum number of lines that a search keeps. */
export const MAX_LINES = 100_000;

type Search = Span & {
  /** Names of log groups; `undefined` for one that the deployment does not have. */
  groups: readonly (string | undefined)[];
  /** Only lines that contain one of these texts. Empty: all lines. */
  texts?: readonly string[];
  limit?: number;
};

type Parts = { logs: Pick<CloudWatchLogsClient, 'send'> } & Pick<Surroundings, 'progress' | 'signal'>;

/**
 * Reads the adapter's lines from CloudWatch Logs. The filter is plain text, because an emulator ignores patterns of
 * JSON and then returns everything. For the same reason each line is checked here again.
 *
 * @throws the SDK's errors
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export async function searchLines(search: Search, parts: Parts): Promise<Found> {
  const groups = [...new Set(search.groups.filter((name) => name !== undefined))];
  const found = await Promise.all(groups.map((group) => readGroup(group, search, parts)));
  const lines = found.flatMap((each) => each.lines);
  return {
    lines: lines.sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at))),
    isComplete: found.every(({ isComplete }) => isComplete),
  };
}

async function readGroup(
  logGroupName: string,
  { from, to, texts = [], limit = MAX_LINES }: Search,
  { logs, progress, signal }: Parts,
): Promise<Found> {
  const lines: LoggedLine[] = [];
  const filterPattern = filterOf(texts);
  let nextToken: string | undefined;
  do {
    const page = await logs.send(
      new FilterLogEventsCommand({
        logGroupName,
        startTime: from,
        endTime: to,
        ...(filterPattern && { filterPattern }),
        ...(nextToken && { nextToken }),
      }),
      { abortSignal: signal },
    );
    for (const event of page.events ?? []) {
      const line = hasOneOf(texts, event.message) ? readLine(event) : undefined;
      if (line) lines.push(line);
    }
    nextToken = page.nextToken;
    progress(`Reading ${logGroupName}: ${lines.length} lines`);
  } while (nextToken && lines.length < limit && !signal.aborted);
  return { lines: lines.slice(0, limit), isComplete: !nextToken && lines.length <= limit };
}

/** CloudWatch's pattern for lines that contain at least one of the texts. Quotes make it literal. */
function filterOf(texts: readonly string[]): string | undefined {
  const quoted = texts.map((text) => `"${text.replaceAll(/[\\"]/g, '\\$&')}"`);
  if (quoted.length <= 1) return quoted[0];
  return quoted.map((text) => `?${text}`).join(' ');
}

function hasOneOf(texts: readonly string[], message = ''): boolean {
  return texts.length === 0 || texts.some((text) => message.includes(text));
}

/** @returns `undefined` for Lambda's own lines and Node's warnings */
function readLine({ message = '', timestamp = 0 }: FilteredLogEvent): LoggedLine | undefined {
  try {
    const line = JSON.parse(message);
    if (typeof line?.type !== 'string') return undefined;
    return { ...line, at: new Date(timestamp).toISOString() };
  } catch {
    return undefined;
  }
}
