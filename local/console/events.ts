import type { ServerResponse } from 'node:http';

const GATHER_MS = 60;
const LOOK_MS = 2000;

/**
 * Sends the state to every open page as server-sent events: after a change, and every two seconds, because the queue's
 * depth changes without a word.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function createEvents(read: () => Promise<unknown>) {
  const pages = new Set<ServerResponse>();
  let timer: NodeJS.Timeout | undefined;
  const looking = setInterval(() => pages.size > 0 && changed(), LOOK_MS).unref();

  function changed(): void {
    timer ??= setTimeout(async () => {
      timer = undefined;
      // A state that cannot be read is read again in two seconds.
      const state = await read().catch(() => undefined);
      if (state) for (const page of pages) send(page, state);
    }, GATHER_MS).unref();
  }

  function send(page: ServerResponse, state: unknown): void {
    page.write(`data: ${JSON.stringify(state)}\n\n`);
  }

  return {
    changed,
    open(page: ServerResponse): void {
      page.writeHead(200, { 'content-type': 'text/event-stream' });
      pages.add(page);
      page.on('close', () => pages.delete(page));
      changed();
    },
    close(): void {
      clearTimeout(timer);
      clearInterval(looking);
      for (const page of pages) page.end();
    },
  };
}
