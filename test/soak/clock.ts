import { setImmediate as turn } from 'node:timers/promises';

/**
 * Virtual time. It stands still while there is real work (an HTTP exchange, a promise that can go on) and
 * then jumps to the next thing that is due, so that ten days pass in minutes and in the same order each time.
 */
export type Clock = {
  /** Unix milliseconds. */
  now(): number;
  /** Runs something at a time, or now where that has passed. What is due together runs in the order it was asked for. */
  at(time: number, run: () => void): void;
  sleep(ms: number): Promise<void>;
  /** Waits for something of the real world; the virtual one stands still meanwhile. */
  real<T>(work: Promise<T>): Promise<T>;
  /** Until nothing is due any more. @returns how many things ran */
  run(): Promise<number>;
};

type Due = { time: number; order: number; run: () => void };

export function createClock(start: number): Clock {
  const due = createHeap();
  let now = start;
  let order = 0;
  let underWay = 0;
  let failure: unknown;

  const clock: Clock = {
    now: () => now,
    at(time, run) {
      due.push({ time: Math.max(Math.round(time), now), order: order++, run });
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
        // A turn of the real loop lets every promise go on that can.
        do await turn();
        while (underWay > 0);
        if (failure) throw failure;
        const next = due.pop();
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

function isBefore(a: Due, b: Due): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

/** A binary heap. */
function createHeap() {
  const items: Due[] = [];
  const swap = (a: number, b: number) => {
    const item = items[a] as Due;
    items[a] = items[b] as Due;
    items[b] = item;
  };
  const isSooner = (a: number, b: number) => isBefore(items[a] as Due, items[b] as Due);
  return {
    push(item: Due) {
      let at = items.push(item) - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!isSooner(at, parent)) break;
        swap(at, parent);
        at = parent;
      }
    },
    pop(): Due | undefined {
      const first = items[0];
      const last = items.pop();
      if (items.length === 0 || !last) return first;
      items[0] = last;
      for (let at = 0; ; ) {
        let soonest = at;
        for (const child of [2 * at + 1, 2 * at + 2]) {
          if (child < items.length && isSooner(child, soonest)) soonest = child;
        }
        if (soonest === at) return first;
        swap(at, soonest);
        at = soonest;
      }
    },
  };
}
