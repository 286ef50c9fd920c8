import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  type FilteredLogEvent,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';

/** A line that the adapter wrote: a JSON object with a `type`. */
export type LoggedLine = { type: string } & Record<string, unknown>;

export type Log = {
  /** Every event of the stack's log groups, as a string. */
  readAll(): Promise<string[]>;
  /** The adapter's lines that were not returned before, in the order of their times. */
  readNew(): Promise<LoggedLine[]>;
  /** Deletes the stack's log groups, which remain when the stack is deleted. */
  deleteGroups(): Promise<void>;
};

const POLL_MS = 250;

/** Opens the CloudWatch Logs of a deployed stack. */
export function openLog(stackName: string): Log {
  const client = new CloudWatchLogsClient({});
  const returned = new Set<string>();

  async function groups(): Promise<string[]> {
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(new DescribeLogGroupsCommand({ ...(nextToken && { nextToken }) }));
      found.push(...(page.logGroups ?? []).flatMap(({ logGroupName }) => logGroupName ?? []));
      nextToken = page.nextToken;
    } while (nextToken);
    // Emulators name the groups differently from AWS, but every name contains the stack's name.
    return found.filter((name) => name.includes(stackName));
  }

  async function events(logGroupName: string): Promise<FilteredLogEvent[]> {
    const found: FilteredLogEvent[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new FilterLogEventsCommand({ logGroupName, ...(nextToken && { nextToken }) }),
      );
      found.push(...(page.events ?? []));
      nextToken = page.nextToken;
    } while (nextToken);
    return found;
  }

  async function readEvents(): Promise<FilteredLogEvent[]> {
    const all = await Promise.all((await groups()).map(events));
    return all.flat().sort((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0));
  }

  return {
    readAll: async () => (await readEvents()).map(({ message = '' }) => message),
    readNew: async () =>
      (await readEvents()).flatMap((event) => {
        const key = event.eventId ?? `${event.timestamp} ${event.message}`;
        if (returned.has(key)) return [];
        returned.add(key);
        return parseLine(event.message) ?? [];
      }),
    deleteGroups: async () => {
      for (const logGroupName of await groups())
        await client.send(new DeleteLogGroupCommand({ logGroupName })).catch(() => undefined);
    },
  };
}

/** @returns `undefined` for Lambda's own lines (START, END, REPORT) and Node's warnings */
function parseLine(message = ''): LoggedLine | undefined {
  try {
    const line = JSON.parse(message);
    return typeof line?.type === 'string' ? line : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Calls `onLine` for every new line until it returns `true`, the time is over or the signal is aborted.
 *
 * @returns whether `onLine` returned `true`
 */
export async function follow(
  log: Log,
  onLine: (line: LoggedLine) => boolean,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline && !signal?.aborted) {
    const lines = await log.readNew();
    for (const line of lines) if (onLine(line)) return true;
    await sleep(POLL_MS);
  }
  return false;
}
