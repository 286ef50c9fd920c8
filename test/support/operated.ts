import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { Deployment } from '../../operate/deployment.ts';
import type { Surroundings } from '../../operate/surroundings.ts';
import { configurationOf, SMALLEST } from './configuration.ts';

// A deployed stack without AWS, for the functions of operate/.

export const NOW = Date.parse('2026-07-01T12:00:00Z');
export const MINUTE_MS = 60_000;

/** The time so many minutes ago, in ISO 8601. */
export const ago = (minutes: number) => new Date(NOW - minutes * MINUTE_MS).toISOString();

/** A line as it is put into a log, with the time at which it is logged. */
export type Put = { at: string; type: string } & Record<string, unknown>;

export function deploymentOf(content: unknown = SMALLEST): Deployment {
  const configuration = configurationOf(content);
  const named = (kind: string, owners: object) =>
    Object.fromEntries(Object.keys(owners).map((name) => [name, `closer/${kind}/${name}/secret`]));
  return {
    stack: 'closer',
    status: 'CREATE_COMPLETE',
    changedAt: new Date(NOW - 60 * MINUTE_MS),
    version: '1.0.0',
    digest: 'none',
    configuration,
    secrets: {
      polyai: named('polyai', configuration.projects),
      connections: named('connections', configuration.connections),
    },
    outputs: {
      CloseQueueUrl: 'https://sqs.example/closes',
      DeadLetterQueueUrl: 'https://sqs.example/dead-letters',
      OutcomesLogGroup: 'CloseLog',
      WebhooksUrl: 'https://hooks.example/webhooks',
    },
    logGroups: { receive: 'ReceiveLog', event: 'EventLog', close: 'CloseLog', cleanup: 'CleanupLog' },
    functions: { receive: 'Receive', close: 'Close' },
    resources: [],
  };
}

const GROUPS: Record<string, string[]> = {
  ReceiveLog: ['delivery', 'fault'],
  EventLog: [],
  CloseLog: ['close'],
  CleanupLog: ['cleanup'],
};

/** CloudWatch Logs with these lines. It pages, filters by time and by plain terms, and has lines of Lambda itself too. */
export function logsWith(lines: readonly Put[], pageSize = 2) {
  return {
    async send(command: unknown): Promise<unknown> {
      if (!(command instanceof FilterLogEventsCommand)) throw new Error('an unexpected call');
      const { logGroupName = '', startTime = 0, endTime = 0, filterPattern, nextToken = '0' } = command.input;
      const types = GROUPS[logGroupName];
      if (!types) throw new Error(`no such log group: ${logGroupName}`);
      const terms = [...(filterPattern ?? '').matchAll(/"((?:\\.|[^"\\])*)"/g)].map(([, term = '']) =>
        term.replaceAll(/\\(.)/g, '$1'),
      );
      const all = [
        { timestamp: startTime, message: 'START RequestId: 1 Version: $LATEST' },
        ...lines
          .filter(({ type }) => types.includes(type))
          .map(({ at, ...line }) => ({ timestamp: Date.parse(at), message: JSON.stringify(line) })),
      ]
        .filter(({ timestamp }) => timestamp >= startTime && timestamp < endTime)
        .filter(({ message }) => terms.length === 0 || terms.some((term) => message.includes(term)));
      const start = Number(nextToken);
      const events = all.slice(start, start + pageSize);
      return { events, ...(start + pageSize < all.length && { nextToken: String(start + pageSize) }) };
    },
  } as never;
}

/** The surroundings of a command in a test: a fixed clock, nobody to ask, and what was printed. */
export function surroundingsOf(overrides: Partial<Surroundings> = {}): Surroundings & { printed: string[] } {
  const printed: string[] = [];
  return {
    printed,
    print: (text) => printed.push(text),
    progress: () => {},
    ask: async () => true,
    now: () => NOW,
    sleep: async () => {},
    signal: new AbortController().signal,
    ...overrides,
  };
}
