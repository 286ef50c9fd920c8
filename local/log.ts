import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  type FilteredLogEvent,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';

/** A line of ours: a JSON object whose `type` says what it tells. */
export type LoggedLine = { type: string } & Record<string, unknown>;

export type Log = {
  /** Everything that the stack's log groups hold, one string an event. */
  readAll(): Promise<string[]>;
  /** The lines of ours that were not given before, in the order of their times. */
  readNew(): Promise<LoggedLine[]>;
  /** Deletes the stack's log groups, which outlive it. */
  deleteGroups(): Promise<void>;
};

const POLL_MS = 250;

/** CloudWatch Logs of a deployed stack, through the SDK. */
export function openLog(stackName: string): Log {
  const client = new CloudWatchLogsClient({});
  const given = new Set<string>();

  async function groups(): Promise<string[]> {
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(new DescribeLogGroupsCommand({ ...(nextToken && { nextToken }) }));
      found.push(...(page.logGroups ?? []).flatMap(({ logGroupName }) => logGroupName ?? []));
      nextToken = page.nextToken;
    } while (nextToken);
    // Emulators name the groups otherwise than AWS does, but the stack's name is in them.
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
        if (given.has(key)) return [];
        given.add(key);
        return parseLine(event.message) ?? [];
      }),
    deleteGroups: async () => {
      for (const logGroupName of await groups())
        await client.send(new DeleteLogGroupCommand({ logGroupName })).catch(() => undefined);
    },
  };
}

/** START, END and REPORT, and what Node says of itself, stand between our lines. */
function parseLine(message = ''): LoggedLine | undefined {
  try {
    const line = JSON.parse(message);
    return typeof line?.type === 'string' ? line : undefined;
  } catch {
    return undefined;
  }
}

/** Calls back for every new line until it says to stop, or the time is over. @returns whether it said so */
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
