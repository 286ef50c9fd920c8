import { setImmediate as turn } from 'node:timers/promises';
import TinyQueue from 'tinyqueue';

/**
 * Virtual time. It stops during real work (an HTTP exchange, a promise that can continue), then jumps to the next
 * task that is due. So thirteen days pass in minutes, and in the same order each time.
 */
export type Clock = {
  /** Unix milliseconds. */
  now(): number;
  /** Runs a task at a time, or now if that has passed. Tasks of the same time run in the order of these calls. */
  at(time: number, run: () => void): void;
  sleep(ms: number): Promise<void>;
  /** Waits for real work. Virtual time stops until it is done. */
  real<T>(work: Promise<T>): Promise<T>;
  /** Runs until no task is left. @returns how many tasks ran */
  run(): Promise<number>;
};

type Task = { time: number; order: number; run: () => void };

export function createClock(start: number): Clock {
  const tasks = new TinyQueue<Task>([], (a, b) => a.time - b.time || a.order - b.order);
  let now = start;
  let order = 0;
  let underWay = 0;
  let failure: unknown;

  const clock: Clock = {
    now: () => now,
    at(time, run) {
      tasks.push({ time: Math.max(Math.round(time), now), order: order++, run });
    },
    sleep: (ms) => new Promise((resolve) => clock.at(now + ms, resolve)),
    async real(work) {
      underWay += 1;
      try {
        return await work;
      } finally {
        underWay -= 1;
      }
    },
    async run() {
      let count = 0;
      for (;;) {
        // One turn of the event loop continues every promise that can continue.
        do await turn();
        while (underWay > 0);
        if (failure) throw failure;
        const next = tasks.pop();
        if (!next) return count;
        now = next.time;
        count += 1;
        try {
          next.run();
        } catch (error) {
          failure = error;
        }
      }
    },
  };
  return clock;
}
