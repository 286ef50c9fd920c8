export type Report = {
  /** Begins a step: prints when it began, and that it is still running. */
  step(text: string): void;
  /** Prints several lines that belong together, indented. */
  show(title: string, ...lines: string[]): void;
  /** Ends the current step. */
  end(): void;
};

const TICK_MS = 5000;

/** Shows what happens, with the seconds since the start. */
export function createReport(write: (text: string) => void, startedAt = Date.now()): Report {
  let ticking: NodeJS.Timeout | undefined;
  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  `;
  const end = () => clearInterval(ticking);
  return {
    step(text) {
      end();
      write(`${seconds()}${text} …\n`);
      ticking = setInterval(() => write(`${seconds()}  still running …\n`), TICK_MS);
      ticking.unref();
    },
    show(title, ...lines) {
      end();
      write(`${seconds()}${title}\n${lines.map((line) => `            ${line}\n`).join('')}`);
    },
    end,
  };
}
