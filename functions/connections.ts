import type { VerifySettings } from './schemes/scheme.ts';

/** A PolyAI project, checked at synth and embedded in the bundles. */
export type Project = {
  region: string;
  /** `https://host` (and path, if any) without a trailing slash. */
  baseUrl: string;
  version: string;
  accountId: string;
  projectId: string;
  /** Name or ARN of the secret with `{ apiKey, token }`. Its value is only in Secrets Manager and in memory. */
  secretId: string;
};

/** A project with a scheduled cleanup. */
export type CleanupProject = Project & {
  /** `live`, `pre-release` or `sandbox`. */
  clientEnv: string;
  cleanup: {
    idleForMs: number;
    lookbackMs: number;
    /** The channels whose chats may be closed. */
    channels: string[];
    maxCloses: number;
    dryRun: boolean;
    /** Time until the next run, which requests every close again that has not completed. */
    periodMs: number;
  };
};

/**
 * A connection of a CRM, checked at synth: its preset, how its deliveries are verified, and the project of its
 * chats. `infra/config/to-connection.ts` makes it from the configuration.
 */
export type Connection = {
  /** The name of the preset. */
  crm: string;
  /** A key of the projects. */
  project: string;
  /** Name or ARN of the secret that verifies deliveries. Absent where the scheme needs none. */
  secretId?: string;
  verify: VerifySettings;
  /** JMESPath over `{ body, headers, query }` that replaces the preset's. */
  conversationId?: string;
  /** JMESPath that must give a boolean, or `"always"`. It replaces the preset's rule. */
  finishedWhen?: string;
  /** The statuses that mean finished. They replace the preset's. */
  finishedValues?: string[];
  /** Finds the conversation by the id that it shares with the CRM. */
  lookUp?: 'sharedId';
  /** Allows `lookUp` although the events cannot prove the change to finished: a second finish may close a newer chat. */
  repeatedFinish?: 'allow';
  /** JMESPath of the shared id that replaces the preset's. */
  sharedId?: string;
  /** The format of the body. Absent: JSON, or as the preset decides. */
  format?: 'json' | 'form';
  /** The id of the CRM's custom field that holds the conversation id. */
  field?: string;
  /** The only account, organisation or workspace whose deliveries are accepted. */
  sender?: string;
  /** The URL that the CRM calls, if it is not the API's own. */
  publicUrl?: string;
  /** CIDR blocks. Absent: any source. */
  allowedSources?: string[];
  /** Verifies, reads and logs what it would close, and queues nothing. */
  rehearse?: boolean;
  /** Set for the connection that the stack makes for its canary. No connection of the user has it. */
  canary?: true;
};
