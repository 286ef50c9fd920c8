/** How a command reaches the terminal, the clock and Ctrl-C. A test, or a page, passes its own. */
export type Surroundings = {
  /** Prints one message, of one line or more. */
  print: (text: string) => void;
  /** Shows how far the command is. It may be shown late, or not at all. */
  progress: (text: string) => void;
  /** @throws {OperatorError} when there is nobody to ask */
  ask: (question: string) => Promise<boolean>;
  /** @returns Unix milliseconds */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  /** Aborted by Ctrl-C. The command then stops soon, and leaves nothing half-done. */
  signal: AbortSignal;
};
