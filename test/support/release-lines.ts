import type { LocalStack } from '../../local/local-stack.ts';
import type { LoggedLine } from '../../local/stack-log.ts';

// On a busy machine, MiniStack keeps a line that a function wrote late until that function's next invocation.

const EVERY_MS = 2000;

type Sender = Pick<LocalStack, 'flush' | 'webhookUrl'>;

/** Does some work, and makes the emulator show the lines that it holds back meanwhile. */
export async function whileReleasingLines<T>(local: Sender, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => void releaseLines(local).catch(() => undefined), EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Invokes the worker without a message, and the receiver at the address of a connection that does not exist. */
export async function releaseLines(local: Sender): Promise<void> {
  await Promise.all([local.flush(), fetch(local.webhookUrl('nobody'), { method: 'POST' })]);
}

const releasedAt = new WeakMap<object, number>();

/** Reads the lines that were not read before. Every 2 s it first makes the emulator show those of the worker. */
export async function readNewLines(local: Pick<LocalStack, 'flush' | 'log'>): Promise<LoggedLine[]> {
  const before = releasedAt.get(local) ?? 0;
  if (Date.now() - before > EVERY_MS) {
    releasedAt.set(local, Date.now());
    await local.flush();
  }
  return local.log.readNew();
}
