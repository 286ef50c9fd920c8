import type { Span } from './lines.ts';

/** Which closes a command acts on. */
export type Selection = {
  /** Empty: every outcome. */
  outcomes: string[];
  /** Empty: every project. */
  projects: string[];
  /** Empty: every connection. */
  connections: string[];
  /** Conversations, or shared ids of look-ups. Empty: every one. */
  conversations: string[];
  /** Empty: every request. */
  requestIds: string[];
  /** When they ended. `undefined`: whenever. */
  span: Span | undefined;
  /** Whether shared ids that were never resolved are looked up now. A newer chat may be closed instead. */
  lateLookUp: boolean;
};

/** How a command acts on them. */
export type Handling = {
  /** Only show what would happen. */
  dryRun: boolean;
  /** Show one line for each close. */
  list: boolean;
  /** Predict each outcome, ask, and then do exactly that. */
  plan: boolean;
  /** Act on many closes without asking. */
  yes: boolean;
  /** The maximum number of closes a second. */
  rate: number;
};
